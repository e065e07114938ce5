#include "daemon/logs.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include "base/fd.h"
#include "base/str.h"

int logs_open(struct daemon *d, const struct pod *p, const char *uid, bool make)
{
	char name[NAME_MAX + 1];

	if (snprintf(name, sizeof(name), "%s_%s_%s", p->metadata.namespace, p->metadata.name, uid) >= (int)sizeof(name))
		return -ENAMETOOLONG;
	int r = make ? dir_make(d->log_fd, name, 0750) : 0;
	if (r < 0)
		return r;
	int fd = openat(d->log_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static uint32_t first_number(int logs_fd, const char *container)
{
	int fd = openat(logs_fd, container, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	uint32_t next = 0;

	if (!dir) {
		(void)fd_close(fd);
		return 0;
	}
	for (struct dirent *e; (e = readdir(dir));) {
		char *end;
		unsigned long n = strtoul(e->d_name, &end, 10);
		if (end != e->d_name && str_after(end, ".log") && n < UINT32_MAX && n + 1 > next)
			next = (uint32_t)n + 1;
	}
	(void)closedir(dir);
	return next;
}

void logs_first_numbers(struct daemon *d, const struct pod *p, const char *uid, uint32_t ret[static CONTAINERS_MAX])
{
	_cleanup_close_ int logs_fd = logs_open(d, p, uid, /* make= */ false);

	for (size_t i = 0; logs_fd >= 0 && i < p->spec.containers.count && i < CONTAINERS_MAX; i++)
		ret[i] = first_number(logs_fd, p->spec.containers.items[i].name);
}
