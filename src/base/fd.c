#include "base/fd.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "base/str.h"

int fd_read_all(int fd, size_t max, struct buf *out)
{
	size_t start = out->len;

	for (;;) {
		buf_reserve(out, 4096);
		ssize_t n = read(fd, out->data + out->len, out->cap - out->len - 1);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		out->data[out->len + (size_t)n] = '\0';
		if (n == 0)
			return 0;
		out->len += (size_t)n;
		if (out->len - start > max)
			return -EFBIG;
	}
}

int fd_write_all(int fd, const void *data, size_t n)
{
	const char *p = data;

	while (n) {
		ssize_t w = write(fd, p, n);
		if (w < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

int file_read(int dirfd, const char *path, size_t max, struct buf *out)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : fd_read_all(fd, max, out);
}

int file_write(int dirfd, const char *path, const char *text)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

static int file_new(int dirfd, const char *path, const void *data, size_t n, mode_t mode, bool sync)
{
	(void)unlinkat(dirfd, path, 0); /* one that was left may be open to others, by its mode or already */
	_cleanup_close_ int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	int r = fd_write_all(fd, data, n);
	if (r < 0)
		return r;
	return sync && fsync(fd) < 0 ? -errno : 0;
}

static int replace(int dirfd, const char *path, const void *data, size_t n, mode_t mode, bool sync)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char tmp[PATH_MAX];

	if (snprintf(tmp, sizeof(tmp), "%.*s.tmp-%s", (int)(name - path), path, name) >= (int)sizeof(tmp))
		return -ENAMETOOLONG;
	int r = file_new(dirfd, tmp, data, n, mode, sync);
	if (r == 0 && renameat(dirfd, tmp, dirfd, path) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(dirfd, tmp, 0);
	return r;
}

int file_replace(int dirfd, const char *name, const void *data, size_t n, mode_t mode)
{
	int r = replace(dirfd, name, data, n, mode, true);

	if (r < 0)
		return r;
	_cleanup_close_ int dir = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 || fsync(dir) < 0 ? -errno : 0;
}

int file_replace_unsynced(int dirfd, const char *path, const void *data, size_t n, mode_t mode)
{
	return replace(dirfd, path, data, n, mode, false);
}

int dir_make(int dirfd, const char *path, mode_t mode)
{
	char p[PATH_MAX];

	if (snprintf(p, sizeof(p), "%s", path) >= (int)sizeof(p))
		return -ENAMETOOLONG;
	for (char *s = p + 1; *s; s++) {
		if (*s != '/')
			continue;
		*s = '\0';
		if (mkdirat(dirfd, p, mode) < 0 && errno != EEXIST)
			return -errno;
		*s = '/';
	}
	if (mkdirat(dirfd, p, mode) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

DIR *dir_open(int dirfd, const char *path)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		(void)fd_close(fd);
	return d;
}

struct dirent *dir_next(DIR *d)
{
	struct dirent *e;

	do
		e = readdir(d);
	while (e && (streq(e->d_name, ".") || streq(e->d_name, "..")));
	return e;
}

/* Each level has a descriptor and a buffer of readdir(3). No image is as deep, in whose jail there is no rename(2). */
enum { LIFT_DEPTH = 300 };

struct removal {
	int top; /* the outermost directory */
	unsigned depth, lifted;
};

static int tree_empty(int fd, struct removal *w);

static bool unprotect(int fd)
{
	int flags;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0 || !(flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)))
		return false;
	flags &= ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
	return ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
}

/* A container with CAP_LINUX_IMMUTABLE may have made files, and directories, that nobody may remove or take something out of. */
static bool entry_unprotect(int dirfd, const char *name)
{
	bool changed = unprotect(dirfd);
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		return changed;
	_cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return (fd >= 0 && unprotect(fd)) || changed;
}

/* A mount is taken off what it hides. Nothing in it is touched: a privileged container may have mounted what is the host's. */
static bool detach(int dirfd, const char *name)
{
	char path[NAME_MAX + 32];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dirfd, name);
	return umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0;
}

static int entry_unlink(int dirfd, const char *name, int flags)
{
	int r;

	do
		r = unlinkat(dirfd, name, flags) < 0 ? -errno : 0;
	while ((r == -EPERM && entry_unprotect(dirfd, name)) || (r == -EBUSY && detach(dirfd, name)));
	return r == -ENOENT ? 0 : r;
}

/* What is mounted there can't be told by its device: it may be another place of the same file system. */
static int open_unmounted(int dirfd, const char *name)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, .resolve = RESOLVE_NO_XDEV };
	long fd;

	do
		fd = syscall(SYS_openat2, dirfd, name, &how, sizeof(how));
	while (fd < 0 && errno == EXDEV && detach(dirfd, name));
	return fd < 0 ? -errno : (int)fd;
}

/* Who filled the tree may have nested it deeper than there are descriptors or stack: what is too deep is done from the top, later. */
static int lift(int dirfd, const char *name, struct removal *w)
{
	char unique[32];
	int r;

	do {
		(void)snprintf(unique, sizeof(unique), ".lifted-%u", w->lifted++);
		r = renameat(dirfd, name, w->top, unique) < 0 ? -errno : 0;
	} while (r == -EEXIST || r == -ENOTEMPTY || r == -ENOTDIR || (r == -EPERM && entry_unprotect(dirfd, name)) ||
	         (r == -EBUSY && detach(dirfd, name)));
	return r;
}

static int entry_remove(int dirfd, const char *name, struct removal *w)
{
	int r = entry_unlink(dirfd, name, 0);

	if (r != -EISDIR)
		return r;
	if (w->depth == LIFT_DEPTH)
		return lift(dirfd, name, w);
	int fd = open_unmounted(dirfd, name);
	if (fd < 0)
		return fd;
	if (w->depth++ == 0)
		w->top = fd;
	r = tree_empty(fd, w); /* closes fd */
	w->depth--;
	int removed = entry_unlink(dirfd, name, AT_REMOVEDIR);
	return removed < 0 && r < 0 ? r : removed;
}

static int tree_empty(int fd, struct removal *w)
{
	DIR *d = fdopendir(fd);
	int result = 0;

	if (!d) {
		int r = -errno;
		(void)close(fd);
		return r;
	}
	for (struct dirent *e; (e = dir_next(d));) {
		int r = entry_remove(fd, e->d_name, w);
		if (r < 0)
			result = r;
	}
	(void)closedir(d);
	return result;
}

int tree_remove(int dirfd, const char *name)
{
	struct removal w;
	int r;

	do {
		w = (struct removal){ .top = -EBADF };
		r = entry_remove(dirfd, name, &w);
	} while (r == -ENOTEMPTY && w.lifted);
	return r;
}

bool fd_is_read_only(int dirfd)
{
	return faccessat(dirfd, ".", W_OK, 0) < 0 && errno == EROFS;
}

static int compare_fds(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

void fd_close_others(int *keep, size_t count)
{
	unsigned from = 3;

	if (count)
		qsort(keep, count, sizeof(*keep), compare_fds);
	for (size_t i = 0; i < count; i++) {
		if ((unsigned)keep[i] > from)
			(void)close_range(from, (unsigned)keep[i] - 1, 0);
		from = MAX(from, (unsigned)keep[i] + 1);
	}
	(void)close_range(from, ~0U, 0);
}
