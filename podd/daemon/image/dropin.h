/* The drop-in directory, <state>/images.d: each *.tar in it, as docker save or skopeo write them, is imported, at start and when it arrives (by
 * rename, or closed after writing), and its images are pinned. When the file is gone they are unpinned, no more: `podctl prune` takes them
 * if nobody names them. A directory that can't be read unpins nothing. */
#pragma once
#include "daemon/daemon.h"

struct dropins;

int dropin_open(struct daemon *d); /* and begins with what is there */
void dropin_close(struct daemon *d);
void dropin_rescan(struct daemon *d);
bool dropin_pending(const struct daemon *d); /* something of it is being imported */
const char *dropin_path(const struct daemon *d);
