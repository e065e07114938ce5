/* Before podd opens what a manifest names on the host, a hostPath or an image in files, a child (helper.h) does: on a file system that hangs (a
 * server that does not answer, a disk that is frozen) the start waits, and podd does not. No child is needed for a hostPath that the kernel has in
 * its cache, since podd only looks it up; for an image, whose files it reads, that must also lie on a disk that podd itself lives on.
 *
 * What answered a child a moment ago is then opened by podd: one that begins to hang in between is still waited for. */
#pragma once
#include "daemon/pod/sandbox.h"
#include "plan/compile.h"

/* 0: they can be opened; 1: launch_start() is called again when they can; -errno with text: there is no child to be had. A start that was called
 * again is not held up twice for the same. */
int reach_images(struct sandbox *s, const struct start_id *id, const struct pod *p, const struct container *c,
                 struct buf *ret_text);
int reach_volumes(struct sandbox *s, const struct start_id *id, const struct pod *p, const struct container *c,
                  const struct plan *plan, struct buf *ret_text);
/* The start has all, or is given up: what is known of it is forgotten. True: it still waited. */
bool reach_end(struct daemon *d, const struct start_id *id);
void reach_sandbox_gone(struct sandbox *s);
void reach_close(struct daemon *d);

/* The same for whoever reads a rootfs: directory with images_describe() at another time, in two halves: whether it is at hand, and what a child
 * does when it is not. Other images are at hand. */
bool reach_image_at_hand(const struct daemon *d, const char *image);
void reach_visit(struct daemon *d, const char *image);

/* Whether a file is on a disk that podd itself lives on, its root's or its state's: when that hangs, all hangs. Asks no file system. */
bool reach_is_own(const struct daemon *d, int fd);
