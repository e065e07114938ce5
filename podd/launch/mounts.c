#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "launch/launch.h"
#include "sys/cap.h"
#include "sys/mnt.h"
#include "sys/path.h"

enum {
	LOWERS_TEXT_MAX = 256, /* of one fsconfig(2) value, with its NUL */
	LOWERS_OLD_MAX = 63,   /* of "123:" in it */
};

static uint64_t mount_attrs(uint32_t flags)
{
	uint64_t attrs = 0;

	if (flags & PLAN_ATTR_RDONLY)
		attrs |= MOUNT_ATTR_RDONLY;
	if (flags & PLAN_ATTR_NOSUID)
		attrs |= MOUNT_ATTR_NOSUID;
	if (flags & PLAN_ATTR_NODEV)
		attrs |= MOUNT_ATTR_NODEV;
	if (flags & PLAN_ATTR_NOEXEC)
		attrs |= MOUNT_ATTR_NOEXEC;
	if (flags & PLAN_ATTR_STRICTATIME)
		attrs |= MOUNT_ATTR_STRICTATIME;
	return attrs;
}

static char *put_number(char *p, unsigned n)
{
	char digits[10];
	size_t i = 0;

	do
		digits[i++] = (char)('0' + n % 10);
	while (n /= 10);
	while (i > 0)
		*p++ = digits[--i];
	*p = '\0';
	return p;
}

static int set_fd(int fs, const char *key, int fd)
{
	char text[16];

	(void)put_number(text, (unsigned)fd);
	return mnt_fs_string(fs, key, text);
}

/* Directories are named by their descriptors, relative to /proc/self/fd: as short as names can be, since the kernel limits a value. Before
 * Linux 6.5 it looks at them only when the file system is created: they stay open until PIVOT closes all. */
static int set_lowers_at_once(int fs, const struct plan_op *op, const char *name)
{
	char text[LOWERS_TEXT_MAX], *p = text;

	for (uint32_t i = 0; i < op->count; i++, name = plan_view_next(name)) {
		int fd = path_open(slot_fd(op->slot), name, O_PATH | O_DIRECTORY, PATH_STRICT);
		if (fd < 0 || fd > 999)
			return fd < 0 ? fd : -EMFILE;
		if (i > 0)
			*p++ = ':';
		p = put_number(p, (unsigned)fd);
	}
	return mnt_fs_string(fs, "lowerdir", text);
}

static int set_lowers(int fs, const struct launch *l, const struct plan_op *op)
{
	const char *name = launch_string(l, op->s1);

	if (op->count <= LOWERS_OLD_MAX)
		return set_lowers_at_once(fs, op, name);
	for (uint32_t i = 0; i < op->count; i++, name = plan_view_next(name)) {
		_cleanup_close_ int fd = path_open(slot_fd(op->slot), name, O_PATH | O_DIRECTORY, PATH_STRICT);
		if (fd < 0)
			return fd;
		int r = set_fd(fs, "lowerdir+", fd); /* Linux 6.5 */
		if (r < 0)
			return r == -EINVAL && i == 0 ? -E2BIG : r;
	}
	return 0;
}

/* Where trees hang that overlayfs takes in no other way (before Linux 6.15): on a directory that every host has and that goes with the
 * old root. One covers the other, which does not matter to who has their descriptors. */
static int attach_aside(int tree)
{
	_cleanup_close_ int target = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return target < 0 ? -errno : mnt_attach(tree, target);
}

static int attach_trees(const struct plan_op *op)
{
	int r = attach_aside(slot_fd(op->slot));

	return r == 0 && op->a >= 0 ? attach_aside(slot_fd((unsigned)op->a)) : r;
}

static int set_writable(int fs, const struct plan_op *op)
{
	int upper = slot_fd((unsigned)op->a), work = slot_fd((unsigned)op->b);

	if (op->flags & PLAN_ATTR_TREES) { /* these stay open until PIVOT closes all */
		work = path_open(upper, "work", O_PATH | O_DIRECTORY, PATH_STRICT);
		upper = path_open(upper, "upper", O_PATH | O_DIRECTORY, PATH_STRICT);
		if (upper < 0 || work < 0)
			return MIN(upper, work);
	}
	int r = set_fd(fs, "upperdir", upper);
	return r < 0 ? r : set_fd(fs, "workdir", work);
}

/* The lowers of an operation, and what it writes to, as one detached mount. */
static int new_overlay(const struct launch *l, const struct plan_op *op, bool writable)
{
	_cleanup_close_ int fs = mnt_fs_open("overlay");

	if (fs < 0)
		return fs;
	if (chdir("/proc/self/fd") < 0)
		return -errno;
	int r = set_lowers(fs, l, op);
	if (r == 0 && writable) {
		r = set_writable(fs, op);
		/* The layer is never used twice, so nobody needs it on the disk: without this the exit of the container waits for a
		 * sync of the host's whole file system. */
		if (r == 0)
			r = mnt_fs_flag(fs, "volatile");
	}
	/* A hostile layer carries xattrs that lead into other layers. */
	if (r == 0)
		r = mnt_fs_string(fs, "redirect_dir", "nofollow");
	if (r == 0)
		r = mnt_fs_string(fs, "metacopy", "off");
	if (r == 0)
		r = mnt_fs_mount(fs, mount_attrs(op->flags) | MOUNT_ATTR_NODEV);
	if (chdir("/") < 0) {
		(void)fd_close(r);
		return -errno;
	}
	return r;
}

int op_overlay(struct launch *l, const struct plan_op *op)
{
	l->operand = "overlay";
	int r = op->flags & PLAN_ATTR_TREES ? attach_trees(op) : 0;
	if (r == 0)
		r = l->root = new_overlay(l, op, op->a >= 0);
	return r < 0 ? r : 0;
}

int op_private(struct launch *l, const struct plan_op *op)
{
	(void)l;
	(void)op;
	return mnt_make_private();
}

/* The descriptor of the bundle stays open, for what comes. */
static int root_in_bundle(struct launch *l, const char *path)
{
	l->operand = path;
	int bundle = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (bundle < 0)
		return -errno;
	_cleanup_close_ int target = openat(bundle, "rootfs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (target < 0)
		return -errno;
	int r = mnt_attach(l->root, target);
	l->root = bundle;
	return r;
}

int op_root(struct launch *l, const struct plan_op *op)
{
	if (op->count == 1) {
		l->root = slot_fd(op->slot);
		int r = mnt_set_attrs(l->root, mount_attrs(op->flags), 0, false);
		if (r < 0)
			return r;
	}
	if (l->root < 0)
		return -EBADF;
	if (op->s1)
		return root_in_bundle(l, launch_string(l, op->s1));
	_cleanup_close_ int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return -errno;
	return mnt_attach(l->root, top);
}

int op_mount(struct launch *l, const struct plan_op *op)
{
	const char *fstype = launch_string(l, op->s1);

	/* Strict: these are podd's own mounts (/proc, /dev, /sys...). An image in which one of them is a symlink would have proc mounted
	 * elsewhere and its own files take the place of /proc. */
	l->operand = launch_string(l, op->s3);
	_cleanup_close_ int target = path_open(l->root, l->operand, O_PATH | O_DIRECTORY, PATH_STRICT);
	if (target == -ENOENT && (op->flags & PLAN_ATTR_OPTIONAL))
		return 0;
	if (target == -ENOENT) /* an image from scratch has nothing but its program; a symlink is -ELOOP */
		target = path_make_directory(l->root, l->operand, 0755);
	if (target < 0)
		return target;
	_cleanup_close_ int tree = mnt_new(fstype, launch_string(l, op->s2), mount_attrs(op->flags));
	if (tree < 0) {
		if ((op->flags & PLAN_ATTR_OPTIONAL) && (tree == -ENODEV || tree == -ENOSYS || tree == -EPERM))
			return 0;
		return tree;
	}
	return mnt_attach(tree, target);
}

/* What is made in a directory belongs to its owner. In an id-mapped one the host's root is nobody, and could make nothing (EOVERFLOW); the
 * capabilities of root stay. */
static int become_owner(struct launch *l, const char *path)
{
	char above[PATH_MAX];
	struct stat st;
	int fd;

	if (strlen(path) >= sizeof(above))
		return -ENAMETOOLONG;
	(void)strcpy(above, path);
	do {
		char *slash = strrchr(above, '/');
		*(slash ? slash : above) = '\0';
		fd = path_open(l->root, *above ? above : "/", O_PATH | O_DIRECTORY, PATH_FOLLOW);
	} while (fd == -ENOENT && *above);
	if (fd < 0)
		return fd;
	int r = fstat(fd, &st) < 0 ? -errno : 0;
	(void)close(fd);
	if (r < 0)
		return r;
	(void)setfsgid(st.st_gid);
	(void)setfsuid(st.st_uid);
	return cap_raise();
}

/* Where a volume inside another volume goes, or in an image with an upper layer: made like the tree, a directory or a file. */
static int make_target(struct launch *l, const char *path, int tree)
{
	struct stat st;
	char parent[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;

	if (fstat(tree, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return path_make_directory(l->root, path, 0755);
	if (n >= sizeof(parent))
		return -ENAMETOOLONG;
	memcpy(parent, path, n);
	parent[n] = '\0';
	_cleanup_close_ int dir = path_make_directory(l->root, parent, 0755);
	if (dir < 0)
		return dir;
	_cleanup_close_ int file =
		openat(dir, slash ? slash + 1 : path, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (file < 0)
		return -errno;
	return path_open(l->root, path, O_PATH, PATH_STRICT);
}

/* The image may make a volume's place a symlink. To the root itself, it would put the volume where sessions, but not the first process,
 * have their root; into proc, it would hide what is masked there. A file and a directory don't cover each other: the kernel says no more
 * than EINVAL. */
static int check_target(struct launch *l, int target, int tree)
{
	struct stat at, root, from;
	struct statfs fs;

	if (fstat(target, &at) < 0 || fstat(l->root, &root) < 0 || fstat(tree, &from) < 0 || fstatfs(target, &fs) < 0)
		return -errno;
	if (S_ISDIR(at.st_mode) != S_ISDIR(from.st_mode))
		return S_ISDIR(at.st_mode) ? -EISDIR : -ENOTDIR;
	if ((at.st_dev == root.st_dev && at.st_ino == root.st_ino) || fs.f_type == PROC_SUPER_MAGIC)
		return -ELOOP;
	return 0;
}

static int move(struct launch *l, int tree, const struct plan_op *op)
{
	uint64_t attrs = mount_attrs(op->flags);

	l->operand = launch_string(l, op->s3);
	_cleanup_close_ int target = path_open(l->root, l->operand, O_PATH, PATH_FOLLOW);
	if (target == -ENOENT && (op->flags & PLAN_ATTR_OPTIONAL))
		return 0;
	if (target == -ENOENT) {
		target = become_owner(l, l->operand);
		if (target == 0)
			target = make_target(l, l->operand, tree);
		(void)setfsuid(0);
		(void)setfsgid(0);
	}
	if (target < 0)
		return target;
	int r = check_target(l, target, tree);
	if (r == 0 && attrs)
		r = mnt_set_attrs(tree, attrs, 0, op->flags & PLAN_ATTR_RECURSIVE);
	/* A copy of a shared mount is shared: without this, mounts of the container would show on the host. */
	if (r == 0 && !(op->flags & PLAN_ATTR_SHARED))
		r = mnt_set_propagation(tree, op->flags & PLAN_ATTR_SLAVE ? MS_SLAVE : MS_PRIVATE);
	return r < 0 ? r : mnt_attach(tree, target);
}

int op_move(struct launch *l, const struct plan_op *op)
{
	return move(l, slot_fd(op->slot), op);
}

/* An image without a writable layer. overlayfs makes none of a single lower: that one is the image as it stands. */
static int open_image(const struct launch *l, const struct plan_op *op)
{
	int r = attach_aside(slot_fd(op->slot));

	if (r < 0)
		return r;
	if (op->count == 1)
		return path_open(slot_fd(op->slot), launch_string(l, op->s1), O_PATH | O_DIRECTORY, PATH_STRICT);
	_cleanup_close_ int tree = new_overlay(l, op, false);
	if (tree < 0)
		return tree;
	r = attach_aside(tree); /* only of a mount of this namespace can a part be cloned */
	return r < 0 ? r : TAKE_FD(tree);
}

int op_image(struct launch *l, const struct plan_op *op)
{
	const char *part = launch_string(l, op->s2);

	l->operand = launch_string(l, op->s3);
	_cleanup_close_ int image = open_image(l, op);
	if (image < 0)
		return image;
	_cleanup_close_ int source = path_open(image, *part ? part : ".", O_PATH, PATH_BENEATH);
	if (source < 0)
		return source;
	_cleanup_close_ int tree = mnt_clone(source, "", false);
	return tree < 0 ? tree : move(l, tree, op);
}

int op_mkdir(struct launch *l, const struct plan_op *op)
{
	const char *name;

	l->operand = launch_string(l, op->s3);
	_cleanup_close_ int parent = path_open_parent(l->root, l->operand, PATH_STRICT, &name);
	if (parent < 0)
		return parent;
	return mkdirat(parent, name, (mode_t)op->a) < 0 && errno != EEXIST ? -errno : 0;
}

int op_mknod(struct launch *l, const struct plan_op *op)
{
	const char *name;

	l->operand = launch_string(l, op->s3);
	_cleanup_close_ int parent = path_open_parent(l->root, l->operand, PATH_STRICT, &name);
	if (parent < 0)
		return parent;
	if (mknodat(parent, name, (mode_t)op->a, (dev_t)op->b) < 0)
		return -errno;
	return fchownat(parent, name, (uid_t)(op->c >> 32), (gid_t)op->c, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

int op_symlink(struct launch *l, const struct plan_op *op)
{
	const char *name;

	l->operand = launch_string(l, op->s3);
	_cleanup_close_ int parent = path_open_parent(l->root, l->operand, PATH_STRICT, &name);
	if (parent < 0)
		return parent;
	return symlinkat(launch_string(l, op->s1), parent, name) < 0 ? -errno : 0;
}

/* A copy of the host's /dev/null, verified: what a container could have put there would be written to instead. */
static int mask_file(struct launch *l)
{
	struct stat st;

	if (l->null < 0)
		l->null = open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (l->null < 0 || fstat(l->null, &st) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return -ENODEV;
	return mnt_clone(l->null, "", false);
}

/* One empty file system serves all masked directories. Its first use attaches it; only then may it be cloned (before Linux 6.15). */
static int mask_directory(struct launch *l)
{
	if (l->empty >= 0)
		return mnt_clone(l->empty, "", false);
	int tree = mnt_new("tmpfs", "size=4k,nr_inodes=1,mode=755",
	                   MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (tree < 0)
		return tree;
	l->empty = fcntl(tree, F_DUPFD_CLOEXEC, 3);
	return tree;
}

int op_mask(struct launch *l, const struct plan_op *op)
{
	struct stat st;

	l->operand = launch_string(l, op->s3);
	_cleanup_close_ int target = path_open(l->root, l->operand, O_PATH, PATH_STRICT);
	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0)
		return target;
	if (fstat(target, &st) < 0)
		return -errno;
	_cleanup_close_ int tree = S_ISDIR(st.st_mode) ? mask_directory(l) : mask_file(l);
	if (tree < 0)
		return tree;
	return mnt_attach(tree, target);
}

int op_readonly(struct launch *l, const struct plan_op *op)
{
	l->operand = launch_string(l, op->s3);
	_cleanup_close_ int target = path_open(l->root, l->operand, O_PATH, PATH_STRICT);
	if (target == -ENOENT)
		return 0;
	if (target < 0)
		return target;
	_cleanup_close_ int tree = mnt_clone(target, "", true);
	if (tree < 0)
		return tree;
	int r = mnt_set_attrs(tree, MOUNT_ATTR_RDONLY, 0, true);
	if (r < 0)
		return r;
	return mnt_attach(tree, target);
}

int op_pivot(struct launch *l, const struct plan_op *op)
{
	int r = op->flags ? mnt_set_attrs(l->root, mount_attrs(op->flags), 0, false) : 0;
	if (r == 0)
		r = mnt_pivot(l->root);
	if (r < 0)
		return r;
	return launch_close_slots(l, op->count ? slot_fd(op->slot) : -EBADF);
}
