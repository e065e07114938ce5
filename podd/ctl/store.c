#include "ctl/store.h"
#include <fcntl.h>
#include <sys/stat.h>
#include "base/alloc.h"

int store_open(const struct args *a, struct image_store *ret)
{
	_cleanup_free_ char *path = xasprintf("%s/var/lib/podd", a->root ? a->root : "");
	_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (dir < 0 || fstatat(dir, "images/refs", &st, 0) < 0)
		return -errno;
	return image_store_open(dir, "images", ret);
}
