#include "sys/diskuse.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/fd.h"

enum { BLOCK = 512 }; /* of st_blocks, whatever the file system's own */

struct walk {
	dev_t dev;
	unsigned depth;
	uint64_t bytes;
};

static int enter(int dirfd, const char *name, struct walk *w);

static int entry(int dirfd, const char *name, struct walk *w)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (w->depth == 0)
		w->dev = st.st_dev;
	if (st.st_dev != w->dev)
		return 0;
	bool directory = S_ISDIR(st.st_mode);
	uint64_t bytes = (uint64_t)st.st_blocks * BLOCK;
	w->bytes += directory || !st.st_nlink ? bytes : bytes / st.st_nlink;
	if (!directory)
		return 0;
	return w->depth == DISKUSE_DEPTH_MAX ? -ELOOP : enter(dirfd, name, w);
}

static int enter(int above, const char *name, struct walk *w)
{
	_cleanup_dir_ DIR *d = dir_open(above, name);
	int r = 0;

	if (!d)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -errno; /* gone, or something else by now */
	w->depth++;
	for (struct dirent *e; r == 0 && (e = dir_next(d));)
		r = entry(dirfd(d), e->d_name, w);
	w->depth--;
	return r;
}

int diskuse_tree(int dirfd, const char *name, uint64_t *ret_bytes)
{
	struct walk w = { 0 };
	int r = entry(dirfd, name, &w);

	if (r < 0 && r != -ELOOP)
		return r;
	*ret_bytes = r < 0 ? UINT64_MAX : w.bytes;
	return 0;
}
