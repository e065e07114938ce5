/* The writable layer of a start, above the image's. */
#pragma once
#include "daemon/pod/sandbox.h"

/* Fresh directories for one start: <state>/pods/<uid>/containers/<container>.<n>/{upper,work}. */
int rootfs_writable(struct sandbox *s, const char *container, uint32_t number, int *ret_upper, int *ret_work);

/* The directory of one start is no longer needed. */
void rootfs_release(struct sandbox *s, const char *container, uint32_t number);
