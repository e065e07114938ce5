#include "daemon/keep.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>
#include "base/fd.h"
#include "daemon/janitor.h"

enum { KEEP_FILE_MAX = 16 << 20 }; /* beyond all that is written */

static bool is_spared(const struct keep *k, const char *name)
{
	return k->spared && faccessat(k->spare_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int write_to_disk(struct keep *k, const char *name, const struct buf *text)
{
	int r = file_replace_unsynced(k->fd, name, text->data, text->len, 0600);

	if (r == 0)
		janitor_sync(k->daemon->janitor, k->fd, name);
	return r;
}

static int walk(int dirfd, bool (*wanted)(struct keep *k, const char *name), struct keep *k,
                void (*fn)(const char *name, void *arg), void *arg)
{
	_cleanup_dir_ DIR *dir = dir_open(dirfd, ".");

	if (!dir)
		return -errno;
	for (struct dirent *e; (e = dir_next(dir));)
		if (e->d_name[0] != '.' && (!wanted || wanted(k, e->d_name)))
			fn(e->d_name, arg);
	return 0;
}

static void bring_back(const char *name, void *arg)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	struct keep *k = arg;

	if (file_read(k->spare_fd, name, KEEP_FILE_MAX, &text) == 0 && write_to_disk(k, name, &text) == 0)
		(void)unlinkat(k->spare_fd, name, 0);
	else
		k->spared = true;
}

static void bring_all_back(struct keep *k)
{
	k->spared = false;
	(void)walk(k->spare_fd, NULL, k, bring_back, k);
}

static int open_directory(int base, const char *name, int *ret)
{
	int r = dir_make(base, name, 0700);

	if (r < 0)
		return r;
	int fd = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret = fd;
	return 0;
}

int keep_open(struct daemon *d, const char *name, struct keep *ret)
{
	struct keep k = KEEP_NULL;

	k.daemon = d;
	int r = open_directory(d->state_fd, name, &k.fd);
	if (r == 0)
		r = open_directory(d->run_fd, name, &k.spare_fd);
	if (r < 0) {
		keep_close(&k);
		return r;
	}
	bring_all_back(&k);
	*ret = k;
	return 0;
}

void keep_close(struct keep *k)
{
	(void)fd_close(k->fd);
	(void)fd_close(k->spare_fd);
	*k = KEEP_NULL;
}

int keep_read(const struct keep *k, const char *name, size_t max, struct buf *out)
{
	return file_read(is_spared(k, name) ? k->spare_fd : k->fd, name, max, out);
}

int keep_write(struct keep *k, const char *name, const struct buf *text)
{
	int r = write_to_disk(k, name, text);

	if (r < 0) {
		k->spared = true;
		(void)file_replace_unsynced(k->spare_fd, name, text->data, text->len, 0600);
	} else if (k->spared) {
		(void)unlinkat(k->spare_fd, name, 0);
		bring_all_back(k);
	}
	return r;
}

int keep_remove(struct keep *k, const char *name)
{
	(void)unlinkat(k->spare_fd, name, 0);
	return unlinkat(k->fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

void keep_set_aside(struct keep *k, const char *name)
{
	char aside[NAME_MAX + 16];

	(void)snprintf(aside, sizeof(aside), ".bad-%.240s", name);
	(void)unlinkat(k->spare_fd, name, 0);
	(void)renameat(k->fd, name, k->fd, aside);
}

static bool is_not_spared(struct keep *k, const char *name)
{
	return !is_spared(k, name);
}

int keep_walk(struct keep *k, void (*fn)(const char *name, void *arg), void *arg)
{
	int r = k->spared ? walk(k->spare_fd, NULL, k, fn, arg) : 0;

	return r < 0 ? r : walk(k->fd, is_not_spared, k, fn, arg);
}
