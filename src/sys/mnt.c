#include "sys/mnt.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/cleanup.h"

enum { OPTION_MAX = 256 }; /* the kernel takes no longer value in one fsconfig(2) */

static int result(long r)
{
	return r < 0 ? -errno : (int)r;
}

int mnt_fs_open(const char *fstype)
{
	return result(syscall(SYS_fsopen, fstype, FSOPEN_CLOEXEC));
}

int mnt_fs_string(int fs, const char *key, const char *value)
{
	return result(syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, key, value, 0));
}

int mnt_fs_flag(int fs, const char *key)
{
	return result(syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, key, NULL, 0));
}

int mnt_fs_mount(int fs, uint64_t attrs)
{
	int r = result(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));

	if (r < 0)
		return r;
	return result(syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attrs));
}

int mnt_fs_read_only(int fs)
{
	int r = mnt_fs_flag(fs, "ro");

	return r < 0 ? r : result(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
}

int mnt_new(const char *fstype, const char *options, uint64_t attrs)
{
	_cleanup_close_ int fs = mnt_fs_open(fstype);

	if (fs < 0)
		return fs;
	while (*options) {
		char option[OPTION_MAX];
		size_t n = strcspn(options, ",");
		if (n >= sizeof(option))
			return -E2BIG;
		memcpy(option, options, n);
		option[n] = '\0';
		options += n + (options[n] == ',');

		char *value = strchr(option, '=');
		if (value)
			*value++ = '\0';
		int r = value ? mnt_fs_string(fs, option, value) : mnt_fs_flag(fs, option);
		if (r < 0)
			return r;
	}
	return mnt_fs_mount(fs, attrs);
}

int mnt_clone(int dirfd, const char *path, bool recursive)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (*path ? 0u : AT_EMPTY_PATH) | (recursive ? AT_RECURSIVE : 0u);

	return result(syscall(SYS_open_tree, dirfd, path, flags));
}

int mnt_attach(int tree, int target)
{
	return result(syscall(SYS_move_mount, tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

int mnt_idmap(int tree, int userns, bool recursive)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns };

	return result(syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr, sizeof(attr)));
}

int mnt_set_attrs(int fd, uint64_t set, uint64_t clear, bool recursive)
{
	struct mount_attr attr = { .attr_set = set, .attr_clr = clear };

	return result(syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr, sizeof(attr)));
}

int mnt_set_propagation(int fd, uint64_t propagation)
{
	struct mount_attr attr = { .propagation = propagation };

	return result(syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)));
}

int mnt_make_private(void)
{
	/* Slave first: between the two nothing of this namespace can go out. */
	struct mount_attr slave = { .propagation = MS_SLAVE }, private = { .propagation = MS_PRIVATE };
	int r = result(syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &slave, sizeof(slave)));

	if (r < 0)
		return r;
	return result(syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &private, sizeof(private)));
}

int mnt_pivot(int fd)
{
	if (fchdir(fd) < 0)
		return -errno;
	/* "." twice: the old root is stacked on the new one, where it can be detached without a directory for it. */
	int r = result(syscall(SYS_pivot_root, ".", "."));
	if (r < 0)
		return r;
	r = result(syscall(SYS_umount2, ".", 2 /* MNT_DETACH */));
	if (r < 0)
		return r;
	return chdir("/") < 0 ? -errno : 0;
}
