/* What a start's root file system is made of: the image's layers and a fresh writable layer. */
#pragma once
#include "base/buf.h"
#include "daemon/sandbox.h"

/* The lower directories of an image, topmost first; the caller closes them. -errno, with *ret_reason (a Kubernetes reason) and text. */
enum { ROOTFS_LAYERS_MAX = 128 };
int rootfs_layers(const char *image, int fds[static ROOTFS_LAYERS_MAX], size_t *ret_count, const char **ret_reason,
                  struct buf *ret_text);

/* Fresh directories for one start: <state>/pods/<uid>/containers/<container>.<n>/{upper,work}. */
int rootfs_writable(struct sandbox *s, const char *container, uint32_t number, int *ret_upper, int *ret_work);

/* The directory of one start is no longer needed. */
void rootfs_release(struct sandbox *s, const char *container, uint32_t number);
