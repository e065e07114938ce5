/* Before podd opens what a hostPath names, a child (helper.h) does: on a file system that hangs (a server that does not answer, a disk that is
 * frozen) the start waits, and podd does not. What the kernel has in its cache is opened right away, without a child. */
#pragma once
#include "daemon/pod/sandbox.h"
#include "plan/compile.h"

/* 0: the volumes of this plan can be opened; 1: launch_reached() is called when they can; -errno: there is no child to be had. */
int reach_get(struct sandbox *s, const struct start_id *id, const struct pod *p, const struct plan *plan);
/* The start waits no more. False: it did not wait. */
bool reach_abort(struct daemon *d, const struct start_id *id);
void reach_sandbox_gone(struct sandbox *s);
void reach_close(struct daemon *d);
