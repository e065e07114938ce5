#include "sys/path.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/cleanup.h"

int path_open(int root, const char *path, int flags, enum path_links links)
{
	struct open_how how = {
		.flags = (uint64_t)flags | O_CLOEXEC,
		.resolve = RESOLVE_NO_MAGICLINKS | (links == PATH_BENEATH ? RESOLVE_BENEATH : RESOLVE_IN_ROOT) |
		           (links == PATH_STRICT ? RESOLVE_NO_SYMLINKS : 0),
	};
	long fd;

	/* EAGAIN: a rename or mount raced with the walk of a "..", and the kernel could not prove that it stayed below the root. */
	for (int tries = 0; tries < 100; tries++) {
		fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd < 0 ? -errno : (int)fd;
}

int path_open_cached(int root, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_CACHED | (root == AT_FDCWD ? 0 : RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS),
	};
	long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

int path_open_parent(int root, const char *path, enum path_links links, const char **ret_name)
{
	char parent[PATH_MAX];
	const char *name = strrchr(path, '/');
	size_t n = name ? (size_t)(name - path) : 0;

	name = name ? name + 1 : path;
	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EINVAL;
	if (n >= sizeof(parent))
		return -ENAMETOOLONG;
	memcpy(parent, path, n);
	parent[n] = '\0';

	int fd = path_open(root, n ? parent : "/", O_PATH | O_DIRECTORY, links);
	if (fd >= 0)
		*ret_name = name;
	return fd;
}

int path_make_directory(int root, const char *path, mode_t mode)
{
	char prefix[PATH_MAX];
	size_t n = 0;

	if (strlen(path) >= sizeof(prefix))
		return -ENAMETOOLONG;
	/* Prefix by prefix from the root each time: a component that is a symlink is then walked by the same rules. */
	for (;;) {
		while (path[n] == '/')
			n++;
		if (path[n] == '\0')
			break;
		n += strcspn(path + n, "/");
		memcpy(prefix, path, n);
		prefix[n] = '\0';

		_cleanup_close_ int fd = path_open(root, prefix, O_PATH, PATH_FOLLOW);
		if (fd >= 0)
			continue;
		if (fd != -ENOENT)
			return fd;
		const char *name;
		_cleanup_close_ int parent = path_open_parent(root, prefix, PATH_FOLLOW, &name);
		if (parent < 0)
			return parent;
		if (mkdirat(parent, name, mode) < 0 && errno != EEXIST)
			return -errno;
	}
	return path_open(root, *path ? path : "/", O_PATH | O_DIRECTORY, PATH_FOLLOW);
}
