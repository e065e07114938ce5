/* A directory of small files that outlive podd, in its state directory. Each is replaced by rename and synced in a child (janitor.h).
 *
 * When the disk is full or read-only a file goes to the directory of the same name below /run instead, until one can be written to its
 * place again, at the latest when podd starts: that keeps it over restarts of podd, though not over one of the machine. The spare is
 * always the newer one. */
#pragma once
#include "base/buf.h"
#include "daemon/daemon.h"

struct keep {
	struct daemon *daemon;
	int fd, spare_fd;
	bool spared; /* there may be spares */
};

#define KEEP_NULL ((struct keep){ .fd = -EBADF, .spare_fd = -EBADF })

int keep_open(struct daemon *d, const char *name, struct keep *ret);
void keep_close(struct keep *k);
int keep_read(const struct keep *k, const char *name, size_t max, struct buf *out);
/* -errno: what is written lasts until the next boot, at best. */
int keep_write(struct keep *k, const char *name, const struct buf *text);
int keep_remove(struct keep *k, const char *name); /* absence is success */
/* It is damaged: from now on it is .bad-NAME. */
void keep_set_aside(struct keep *k, const char *name);
/* Calls fn for each file, those that begin with a dot left out. */
int keep_walk(struct keep *k, void (*fn)(const char *name, void *arg), void *arg);
