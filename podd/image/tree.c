#include "image/tree.h"
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include "base/fd.h"
#include "base/str.h"
#include "image/attrs.h"
#include "image/why.h"
#include "sys/path.h"

#define WHITEOUT ".wh."
#define WHITEOUT_META ".wh..wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"

/* Puts back the times of the directory that was worked in. */
static int leave_parent(struct tree *t)
{
	const struct timespec times[] = { t->parent_stat.st_atim, t->parent_stat.st_mtim };
	int r = 0;

	if (t->parent >= 0 && utimensat(t->parent, "", times, AT_EMPTY_PATH) < 0)
		r = -errno;
	t->parent = fd_close(t->parent);
	return r;
}

void tree_deinit(struct tree *t)
{
	t->parent = fd_close(t->parent);
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

static int add_opaque(struct tree *t, const char *path)
{
	if (++t->opaque_count > LIMIT_OPAQUE)
		return refuse("more than %d opaque directories", LIMIT_OPAQUE);
	buf_printf(t->opaque, "%s/%s", t->name, path);
	buf_putc(t->opaque, '\0');
	return 0;
}

/* What a directory looks like that the tar leaves out: as in the topmost layer that has it. */
static struct stat lower_attrs(const struct tree *t, const char *path)
{
	struct stat st = { .st_mode = 0755 };

	for (size_t i = t->lower_count; i-- > 0;) {
		_cleanup_close_ int fd = path_open(t->lowers[i], *path ? path : ".", O_PATH | O_DIRECTORY, PATH_STRICT);
		if (fd >= 0)
			(void)fstat(fd, &st);
		if (fd != -ENOENT) /* there, or hidden by a file or whiteout above it */
			break;
	}
	return st;
}

int tree_init(struct tree *t, int root, const int *lowers, size_t lower_count, const char *name, struct buf *opaque)
{
	t->root = root;
	t->lowers = lowers;
	t->lower_count = lower_count;
	t->name = name;
	t->opaque = opaque;
	t->opaque_count = 0;
	t->root_opaque = false;
	t->parent = -EBADF;
	*t->parent_path = *t->path = '\0';
	struct stat st = lower_attrs(t, "");
	return attrs_apply(root, ".", -EBADF, &st, NULL);
}

static int enter(struct tree *t, const char *path, size_t length);

/* Makes the directory at path[0..length), whose parents may be missing, too. */
static int make_implied(struct tree *t, const char *path, size_t length)
{
	char own[LIMIT_NAME + 1];
	struct stat st;

	memcpy(own, path, length);
	own[length] = '\0';
	const char *slash = strrchr(own, '/'), *name = slash ? slash + 1 : own;
	int r = enter(t, own, slash ? (size_t)(slash - own) : 0);
	if (r < 0)
		return r;
	/* Below a name that was whited out before: it is a new directory, which hides that of the lower layers. */
	bool hidden = fstatat(t->parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (hidden && !is_whiteout(&st))
		return refuse("%s is no directory", own);
	if ((hidden && unlinkat(t->parent, name, 0) < 0) || mkdirat(t->parent, name, 0700) < 0)
		return -errno;
	r = hidden ? add_opaque(t, own) : 0;
	if (r < 0)
		return r;
	if (hidden)
		st = (struct stat){ .st_mode = 0755 };
	else
		st = lower_attrs(t, own);
	return attrs_apply(t->parent, name, -EBADF, &st, NULL);
}

/* Makes the directory path[0..length) the one that is worked in. */
static int enter(struct tree *t, const char *path, size_t length)
{
	char own[LIMIT_NAME + 1];

	if (t->parent >= 0 && strlen(t->parent_path) == length && strncmp(t->parent_path, path, length) == 0)
		return 0;
	int r = leave_parent(t);
	if (r < 0)
		return r;
	memcpy(own, path, length);
	own[length] = '\0';
	int fd = path_open(t->root, length ? own : ".", O_PATH | O_DIRECTORY, PATH_FOLLOW);
	if (fd == -ENOENT || fd == -ENOTDIR) {
		r = make_implied(t, path, length);
		if (r == 0)
			r = leave_parent(t);
		if (r < 0)
			return r;
		fd = path_open(t->root, own, O_PATH | O_DIRECTORY, PATH_FOLLOW);
	}
	if (fd < 0)
		return fd;
	t->parent = fd;
	(void)strcpy(t->parent_path, own);
	return fstat(fd, &t->parent_stat) < 0 ? -errno : 0;
}

/* No leading or doubled slash, no ".". */
static int normalise(const char *name, char ret[static LIMIT_NAME + 1])
{
	char *end = ret;
	unsigned depth = 0;

	if (!name || !*name)
		return refuse("an entry has no name");
	if (strlen(name) > LIMIT_NAME)
		return refuse("a name of more than %d bytes", LIMIT_NAME);
	*end = '\0';
	while (*name) {
		size_t n = strcspn(name, "/");
		if (n > LIMIT_COMPONENT)
			return refuse("%.40s...: a component of more than %d bytes", name, LIMIT_COMPONENT);
		if (n == 2 && name[0] == '.' && name[1] == '.')
			return refuse("a name with \"..\"");
		if (n && !(n == 1 && name[0] == '.')) {
			if (++depth > LIMIT_DEPTH)
				return refuse("deeper than %d directories", LIMIT_DEPTH);
			if (end > ret)
				*end++ = '/';
			end = mempcpy(end, name, n);
			*end = '\0';
		}
		name += n + (name[n] == '/');
	}
	return 0;
}

/* Whether the name lies below a whiteout, or is one of aufs's own. */
static bool is_left_out(const char *path)
{
	for (const char *c = path, *slash; c; c = slash ? slash + 1 : NULL) {
		slash = strchr(c, '/');
		if (slash ? !strncmp(c, WHITEOUT, 4) : !strncmp(c, WHITEOUT_META, 8) && !streq(c, WHITEOUT_OPAQUE))
			return true;
	}
	return false;
}

static int add_whiteout(struct tree *t, const char *path, const char *name)
{
	struct stat st;

	if (!*name || streq(name, ".") || streq(name, ".."))
		return refuse("a whiteout of \"%s\"", name);
	if (fstatat(t->parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		_cleanup_free_ char *own = NULL;
		if (!S_ISDIR(st.st_mode))
			return 0;
		return asprintf(&own, "%s%s%s", path, *path ? "/" : "", name) < 0 ? -ENOMEM : add_opaque(t, own);
	}
	return mknodat(t->parent, name, S_IFCHR, makedev(0, 0)) < 0 ? -errno : 0;
}

static int write_data(struct archive *a, int fd, int64_t size)
{
	const void *data;
	size_t n;
	la_int64_t offset;
	int r;

	while ((r = archive_read_data_block(a, &data, &n, &offset)) == ARCHIVE_OK) {
		if (offset < 0 || offset > size || (int64_t)n > size - offset)
			return refuse("data beyond its end");
		for (size_t done = 0; done < n;) {
			ssize_t w = pwrite(fd, (const char *)data + done, n - done, offset + (off_t)done);
			if (w < 0)
				return -errno;
			done += (size_t)w;
		}
	}
	if (r != ARCHIVE_EOF)
		return refuse("%s", archive_error_string(a));
	return ftruncate(fd, size) < 0 ? -errno : 0;
}

static int add_file(struct tree *t, const char *name, struct archive *a, struct archive_entry *e, const struct stat *st)
{
	int64_t size = archive_entry_size(e);

	if (size < 0 || size > LIMIT_FILE)
		return refuse("a file of %lld bytes; the limit is %lld", (long long)size, (long long)LIMIT_FILE);
	_cleanup_close_ int fd = openat(t->parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	int r = write_data(a, fd, size);
	return r < 0 ? r : attrs_apply(t->parent, name, fd, st, e);
}

static int add_directory(struct tree *t, const char *name, bool hides, struct archive_entry *e, const struct stat *st)
{
	if (mkdirat(t->parent, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	_cleanup_close_ int fd = openat(t->parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = attrs_apply(t->parent, name, fd, st, e);
	return r < 0 || !hides ? r : add_opaque(t, t->path);
}

static int add_hard_link(struct tree *t, const char *name, const char *target)
{
	char own[LIMIT_NAME + 1];
	const char *target_name;
	struct stat st;

	int r = normalise(target, own);
	if (r < 0)
		return why_where(r, "hard link to %s", target);
	_cleanup_close_ int fd = path_open_parent(t->root, own, PATH_STRICT, &target_name);
	if (fd < 0 || fstatat(fd, target_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(st.st_mode) || is_whiteout(&st))
		return refuse("a hard link to %s, which is no file of this layer before it", target);
	/* Never a copy instead: what is copied may not be what is linked. */
	return linkat(fd, target_name, t->parent, name, 0) < 0 ? -errno : 0;
}

static int add_node(struct tree *t, const char *name, struct archive_entry *e, const struct stat *st)
{
	mode_t type = archive_entry_filetype(e);
	dev_t major = archive_entry_rdevmajor(e), minor = archive_entry_rdevminor(e);

	if (type == AE_IFIFO || type == AE_IFSOCK)
		major = minor = 0;
	else if (major >= 1 << 12 || minor >= 1 << 20)
		return refuse("device %llu:%llu is not within 4095:1048575", (unsigned long long)major, (unsigned long long)minor);
	else if (type == AE_IFCHR && !major && !minor)
		return refuse("a character device 0:0, overlayfs's own sign of a whiteout");
	if (mknodat(t->parent, name, type | 0600, makedev((unsigned)major, (unsigned)minor)) < 0)
		return -errno;
	return attrs_apply(t->parent, name, -EBADF, st, NULL);
}

static int add_symlink(struct tree *t, const char *name, const char *target, const struct stat *st)
{
	if (!target || !*target || strlen(target) > LIMIT_NAME)
		return refuse("a symlink to nothing, or to more than %d bytes", LIMIT_NAME);
	if (symlinkat(target, t->parent, name) < 0)
		return -errno;
	return attrs_apply(t->parent, name, -EBADF, st, NULL);
}

/* What was there before under this name gives way, but a directory to a directory. *ret_hides: it was a whiteout. */
static int make_room(struct tree *t, const char *name, bool directory, bool *ret_hides)
{
	struct stat st;

	if (fstatat(t->parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	*ret_hides = is_whiteout(&st);
	if (directory && S_ISDIR(st.st_mode))
		return 0;
	return tree_remove(t->parent, name);
}

static int add_inside(struct tree *t, const char *name, struct archive *a, struct archive_entry *e, const struct stat *st)
{
	const char *hardlink = archive_entry_hardlink(e);
	mode_t type = archive_entry_filetype(e);
	bool hides = false;

	int r = make_room(t, name, type == AE_IFDIR && !hardlink, &hides);
	if (r < 0)
		return r;
	if (hardlink)
		return add_hard_link(t, name, hardlink);
	switch (type) {
	case AE_IFREG:
		return add_file(t, name, a, e, st);
	case AE_IFDIR:
		return add_directory(t, name, hides, e, st);
	case AE_IFLNK:
		return add_symlink(t, name, archive_entry_symlink(e), st);
	default:
		return add_node(t, name, e, st);
	}
}

static int add_root(struct tree *t, struct archive_entry *e, const struct stat *st)
{
	if (archive_entry_filetype(e) != AE_IFDIR || archive_entry_hardlink(e))
		return refuse("the root is no directory");
	_cleanup_close_ int fd = openat(t->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : attrs_apply(fd, ".", fd, st, e);
}

int tree_add(struct tree *t, struct archive *a, struct archive_entry *e)
{
	struct stat st;

	int r = normalise(archive_entry_pathname(e), t->path);
	if (r < 0)
		return r;
	if (is_left_out(t->path))
		return 0;
	r = attrs_read(e, &st);
	/* It may be the directory that is worked in, also by the name of a symlink: its times are not to be put back over the entry's. */
	if (r == 0 && archive_entry_filetype(e) == AE_IFDIR)
		r = leave_parent(t);
	if (r == 0 && !*t->path)
		return add_root(t, e, &st);
	const char *slash = strrchr(t->path, '/'), *name = slash ? slash + 1 : t->path;
	if (r == 0)
		r = enter(t, t->path, slash ? (size_t)(slash - t->path) : 0);
	if (r < 0)
		return why_where(r, "%s", t->path);
	if (streq(name, WHITEOUT_OPAQUE)) {
		t->root_opaque |= !slash;
		r = slash ? add_opaque(t, t->parent_path) : 0;
	} else if (str_after(name, WHITEOUT)) {
		r = add_whiteout(t, t->parent_path, str_after(name, WHITEOUT));
	} else {
		r = add_inside(t, name, a, e, &st);
	}
	return r < 0 ? why_where(r, "%s", t->path) : 0;
}

static int hide_lower(struct tree *t, int lower)
{
	_cleanup_dir_ DIR *d = dir_open(lower, ".");
	int r = 0;

	if (!d)
		return -errno;
	for (struct dirent *e; r == 0 && (e = dir_next(d));)
		r = add_whiteout(t, "", e->d_name);
	return r;
}

int tree_finish(struct tree *t)
{
	int r = 0;

	if (t->root_opaque)
		r = enter(t, "", 0);
	for (size_t i = 0; r == 0 && t->root_opaque && i < t->lower_count; i++)
		r = hide_lower(t, t->lowers[i]);
	int left = leave_parent(t);
	return r < 0 ? r : left;
}
