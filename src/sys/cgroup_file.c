/* Paths and small files below the root directories. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/fd.h"
#include "base/str.h"
#include "sys/cgroup_internal.h"

static bool rel_legal(const char *rel)
{
	if (*rel == '/')
		return false;
	for (const char *s = rel; *s;) {
		size_t n = strcspn(s, "/");
		if (n == 0 || (n <= 2 && strncmp(s, "..", n) == 0))
			return false;
		s += n;
		if (*s == '/' && !*++s)
			return false;
	}
	return true;
}

int cgroup_path(char ret[static CGROUP_PATH_SIZE], const char *rel, const char *file)
{
	if (!rel_legal(rel))
		return -EINVAL;
	int n = snprintf(ret, CGROUP_PATH_SIZE, "%s%s%s", rel, *rel && *file ? "/" : "", *rel || *file ? file : ".");
	return n < CGROUP_PATH_SIZE ? 0 : -ENAMETOOLONG;
}

int cgroup_open_file(int dir, const char *rel, const char *file, int mode)
{
	char path[CGROUP_PATH_SIZE];
	int r = cgroup_path(path, rel, file);

	if (r < 0)
		return r;
	int fd = openat(dir, path, mode | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int read_small(int dir, const char *rel, const char *file, char *ret, size_t size)
{
	_cleanup_close_ int fd = cgroup_open_file(dir, rel, file, O_RDONLY);

	if (fd < 0)
		return fd;
	ssize_t n = read(fd, ret, size - 1);
	if (n < 0)
		return -errno;
	ret[n] = '\0';
	return 0;
}

int cgroup_read_u64(int dir, const char *rel, const char *file, uint64_t *ret)
{
	char text[64];
	int r = read_small(dir, rel, file, text, sizeof(text));

	if (r < 0)
		return r;
	*ret = str_after(text, "max") ? UINT64_MAX : strtoull(text, NULL, 10);
	return 0;
}

int cgroup_read_key(int dir, const char *rel, const char *file, const char *key, uint64_t *ret)
{
	char text[4096];
	int r = read_small(dir, rel, file, text, sizeof(text));

	for (char *s = text; r == 0 && *s; s += strcspn(s, "\n"), s += *s == '\n') {
		const char *value = str_after(s, key);
		if (value && *value == ' ') {
			*ret = strtoull(value, NULL, 10);
			return 0;
		}
	}
	return r < 0 ? r : -ENOENT;
}

int cgroup_write(int dir, const char *rel, const char *file, const char *text)
{
	char path[CGROUP_PATH_SIZE];
	int r = cgroup_path(path, rel, file);

	return r < 0 ? r : file_write(dir, path, text);
}

int cgroup_write_u64(int dir, const char *rel, const char *file, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	return cgroup_write(dir, rel, file, text);
}

int cgroup_open_dir(int dir, const char *rel)
{
	return cgroup_open_file(dir, rel, "", O_RDONLY | O_DIRECTORY);
}
