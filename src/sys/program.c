#include "sys/program.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include "base/cleanup.h"
#include "sys/mnt.h"

static int copy(int from, int dir, const char *name)
{
	_cleanup_close_ int to = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0500);
	struct stat st;
	off_t offset = 0;

	if (to < 0 || fstat(from, &st) < 0)
		return -errno;
	while (offset < st.st_size) {
		ssize_t n = sendfile(to, from, &offset, (size_t)(st.st_size - offset));
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO; /* it shrank under us */
	}
	return 0;
}

int program_copy(const char *name, int file)
{
	_cleanup_close_ int fs = mnt_fs_open("tmpfs");
	if (fs < 0)
		return fs;
	_cleanup_close_ int tree = mnt_fs_mount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (tree < 0)
		return tree;
	int r = copy(file, tree, name);
	if (r == 0)
		r = mnt_fs_read_only(fs);
	if (r < 0)
		return r;
	int fd = openat(tree, name, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
