#include "sys/chgrp.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/fd.h"

struct walk {
	gid_t gid;
	bool read_only;
	unsigned depth;
};

static mode_t wanted(mode_t mode, bool read_only)
{
	mode_t more = read_only ? 0440 : 0660;

	if (S_ISLNK(mode))
		return mode & 07777;
	return (mode & 07777) | more | (S_ISDIR(mode) ? S_ISGID | 0110 : 0);
}

/* fd may be O_PATH, of anything. */
static int give(int fd, const struct stat *st, const struct walk *w)
{
	mode_t mode = wanted(st->st_mode, w->read_only);
	char self[32];

	if (st->st_gid == w->gid && (st->st_mode & 07777) == mode)
		return 0;
	if (fchownat(fd, "", (uid_t)-1, w->gid, AT_EMPTY_PATH) < 0)
		return -errno;
	if (S_ISLNK(st->st_mode))
		return 0;
	/* Also where it did not change: chown(2) takes set-user-ID away. */
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return chmod(self, mode) < 0 ? -errno : 0;
}

static int walk(int fd, struct walk *w);

static int entry(int dirfd, const char *name, struct walk *w)
{
	/* What is mounted there can't be told by its device: it may be another place of the same file system. */
	struct open_how how = { .flags = O_PATH | O_NOFOLLOW | O_CLOEXEC, .resolve = RESOLVE_NO_XDEV };
	struct stat st;

	_cleanup_close_ int fd = (int)syscall(SYS_openat2, dirfd, name, &how, sizeof(how));
	if (fd < 0)
		return errno == ENOENT || errno == EXDEV ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return give(fd, &st, w);
	if (w->depth == CHGRP_DEPTH_MAX)
		return -ELOOP;
	w->depth++;
	int r = walk(fd, w);
	w->depth--;
	return r;
}

static int walk(int fd, struct walk *w)
{
	_cleanup_dir_ DIR *d = dir_open(fd, ".");
	struct stat st;
	int r = 0;

	if (!d)
		return -errno;
	for (struct dirent *e; r == 0 && (e = dir_next(d));)
		r = entry(fd, e->d_name, w);
	if (r < 0)
		return r;
	return fstat(fd, &st) < 0 ? -errno : give(fd, &st, w);
}

bool chgrp_is_done(int fd, gid_t gid, bool read_only)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_gid == gid && (st.st_mode & 07777) == wanted(st.st_mode, read_only);
}

int chgrp_tree(int fd, gid_t gid, bool read_only)
{
	struct walk w = { .gid = gid, .read_only = read_only };

	return walk(fd, &w);
}
