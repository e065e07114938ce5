/* fsGroup: before a container starts, the volumes that it mounts are given to the pod's group, once in the life of a sandbox, as the kubelet does
 * it. That is a walk through all that a volume holds, so a child does it (helper.h), and the start waits.
 *
 * It concerns what podd keeps: claims and emptyDirs. A hostPath stays as it is; the files that podd makes are of the group from the start. */
#pragma once
#include "daemon/pod/sandbox.h"

/* 0: they are the group's; 1: launch_start() is called again when that is over; -errno with text. */
int ownership_get(struct sandbox *s, const struct start_id *id, const struct pod *p, const struct container *c,
                  struct buf *ret_text);
/* The start waits no more. False: it did not wait. */
bool ownership_abort(struct daemon *d, const struct start_id *id);
void ownership_sandbox_gone(struct sandbox *s);
void ownership_close(struct daemon *d);
