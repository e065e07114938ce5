#include "daemon/pod/rootfs.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/fd.h"
#include "base/str.h"
#include "daemon/janitor.h"

int rootfs_writable(struct sandbox *s, const char *container, uint32_t number, int *ret_upper, int *ret_work)
{
	char path[CONTAINER_NAME_SIZE + 48];
	int n = snprintf(path, sizeof(path), "containers/%s.%u/upper", container, number);
	char *leaf = path + n - strlen("upper");

	int r = dir_make(s->state_fd, path, 0755);
	if (r < 0)
		return r;
	_cleanup_close_ int upper = openat(s->state_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	(void)strcpy(leaf, "work");
	if (mkdirat(s->state_fd, path, 0755) < 0 && errno != EEXIST)
		return -errno;
	_cleanup_close_ int work = openat(s->state_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (upper < 0 || work < 0)
		return -errno;
	/* The root directory of the container is the upper's: it belongs to the pod's root. */
	if (s->first_id && fchown(upper, s->first_id, s->first_id) < 0)
		return -errno;
	*ret_upper = TAKE_FD(upper);
	*ret_work = TAKE_FD(work);
	return 0;
}

void rootfs_release(struct sandbox *s, const char *container, uint32_t number)
{
	char path[CONTAINER_NAME_SIZE + 48];

	(void)snprintf(path, sizeof(path), "containers/%s.%u", container, number);
	janitor_remove(s->daemon->janitor, s->state_fd, path);
}
