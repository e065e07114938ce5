/* How much of its disk a tree takes up: blocks, as du(1) counts them, each hard link its part of the file. Walked by descriptor: no symlink is
 * followed, nothing that is mounted inside is counted. Files that are open and have no name any more are not seen. */
#pragma once
#include <stdint.h>

/* Directories above a file: each has a descriptor while what is below is walked. What is nested deeper can't be counted, and is taken for
 * more than any limit: UINT64_MAX, so that nobody hides behind it. */
enum { DISKUSE_DEPTH_MAX = 400 };

/* Blocks as long as it takes. Absence is nothing; what vanishes meanwhile is fine. */
int diskuse_tree(int dirfd, const char *name, uint64_t *ret_bytes);
