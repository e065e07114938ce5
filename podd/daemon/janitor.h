/* Work that may block for long, done in a short-lived child, one at a time: removal of trees, fsync. podd itself never waits for a disk
 * beyond small reads, mkdir and rename. */
#pragma once
#include <uv.h>

struct janitor;

/* `trash` is a directory of podd's own, on the file system of all that is removed; what a killed podd left in it goes first. What
 * is in memory is removed at once. */
int janitor_new(uv_loop_t *loop, int trash_fd, struct janitor **ret);
void janitor_free(struct janitor *j); /* takes NULL; what is not removed yet waits for the next podd */

/* Moves name below dirfd out of sight at once, removes it later. Absence is fine. */
void janitor_remove(struct janitor *j, int dirfd, const char *name);

/* The file and its directory get an fsync soon. A rename alone survives podd's death, though not the machine's. */
void janitor_sync(struct janitor *j, int dirfd, const char *name);
