/* A tree given to a group, as the kubelet does for fsGroup (pkg/volume/volume_linux.go): the group owns everything, may read and write it, may
 * enter directories, and owns what is made in them later. Modes only grow. Walked by descriptor: no symlink is followed, nothing that is
 * mounted inside is touched. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

enum { CHGRP_DEPTH_MAX = 400 }; /* directories above a file: each has a descriptor while what is below is walked */

/* Whether the directory itself is as it would be then. Its turn comes last, so if it is, all is. */
bool chgrp_is_done(int fd, gid_t gid, bool read_only);

/* Blocks as long as it takes. `fd`: O_RDONLY, of a directory. read_only: the group need not write. -ELOOP: nested deeper than
 * CHGRP_DEPTH_MAX. What vanishes meanwhile is fine. */
int chgrp_tree(int fd, gid_t gid, bool read_only);
