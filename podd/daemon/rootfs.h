/* What a start's root file system is made of: the image's layers and a fresh writable layer. */
#pragma once
#include "base/buf.h"
#include "daemon/sandbox.h"

/* The directory that an image's layers are in. -errno, with *ret_reason (a Kubernetes reason) and text. */
int rootfs_layers(const char *image, int *ret, const char **ret_reason, struct buf *ret_text);

/* Fresh directories for one start: <state>/pods/<uid>/containers/<container>.<n>/{upper,work}. */
int rootfs_writable(struct sandbox *s, const char *container, uint32_t number, int *ret_upper, int *ret_work);

/* The directory of one start is no longer needed. */
void rootfs_release(struct sandbox *s, const char *container, uint32_t number);
