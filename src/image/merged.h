/* A file of an image, read from its layers as overlayfs would show it, without a mount: /etc/passwd and /etc/group, to find out who a USER is.
 * Each layer is walked below its own root, whatever its symlinks say; a symlink that leads from one layer into another finds nothing. */
#pragma once
#include "base/arena.h"
#include "manifest/pod.h"

enum { IMAGE_FILE_MAX = 1 << 20 };

/* path is DIRECTORY/FILE. `layers`: directories below dirfd, topmost first; none: dirfd itself. The text on the arena; NULL: there is none, or it
 * can't be read, and *ret_flaw says why: "is no regular file". Nothing is waited for, and at most IMAGE_FILE_MAX bytes are read. */
char *image_file_text(int dirfd, const struct string_list *layers, const char *path, struct arena *a, const char **ret_flaw);
