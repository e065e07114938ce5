/* hugetlb. On v2 it is enabled only above what has such a limit: hardly a pod has, and each controller makes each cgroup dearer. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/fd.h"
#include "base/str.h"
#include "sys/cgroup_internal.h"

static const char *const sizes[] = { [CGROUP_HUGE_2MB] = "2MB", [CGROUP_HUGE_1GB] = "1GB" };
_Static_assert(ARRAY_SIZE(sizes) == CGROUP_HUGE_MAX, "a name for each size");

/* In all directories from dir down to the parent of path. */
static int enable_above(int dir, const char *path)
{
	char prefix[CGROUP_PATH_SIZE];
	int r = cgroup_write(dir, "", "cgroup.subtree_control", "+hugetlb");

	for (const char *s = strchr(path, '/'); s && r == 0; s = strchr(s + 1, '/')) {
		(void)snprintf(prefix, sizeof(prefix), "%.*s", (int)(s - path), path);
		r = cgroup_write(dir, prefix, "cgroup.subtree_control", "+hugetlb");
	}
	return r;
}

/* Of a page size that the kernel does not have there is no file, and nothing to limit. */
static int write_sizes(int dir, const char *rel, const char *suffix, const uint64_t *max)
{
	char file[64];
	int r = 0;

	for (size_t i = 0; i < CGROUP_HUGE_MAX && r == 0; i++) {
		if (max[i] == CGROUP_HUGE_ANY)
			continue;
		(void)snprintf(file, sizeof(file), "hugetlb.%s.%s", sizes[i], suffix);
		r = cgroup_write_u64(dir, rel, file, max[i]);
		if (r == -ENOENT && max[i] == 0)
			r = 0;
	}
	return r;
}

/* Reservations, since Linux 5.7: then mmap(2) fails; else the first touch of a page, by SIGBUS. */
static int write_all(int dir, const char *rel, const char *suffix, const char *reserved, const uint64_t *max)
{
	int r = write_sizes(dir, rel, suffix, max);

	if (r < 0)
		return r;
	r = write_sizes(dir, rel, reserved, max);
	return r == -ENOENT ? 0 : r;
}

bool cgroup_huge_offered(const struct cgroup_host *h)
{
	char text[512], *save = NULL;
	_cleanup_close_ int fd = cgroup_open_file(h->v2_top, "", "cgroup.controllers", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return false;
	text[n] = '\0';
	for (char *w = strtok_r(text, " \n", &save); w; w = strtok_r(NULL, " \n", &save))
		if (streq(w, cgroup_controller_name(CGROUP_HUGETLB)))
			return true;
	return false;
}

int cgroup_huge_limit(const struct cgroup_host *h, const char *rel, const struct cgroup_limits *l)
{
	int r = 0;

	if (!l->huge)
		return 0;
	for (size_t i = 0; i < h->v1_count && r == 0; i++)
		if (h->v1[i].controllers & CGROUP_BIT(CGROUP_HUGETLB))
			r = write_all(h->v1[i].root, rel, "limit_in_bytes", "rsvd.limit_in_bytes", l->huge_max);
	if (r < 0 || !(h->v2_set & CGROUP_BIT(CGROUP_HUGETLB)))
		return r;
	r = enable_above(h->v2_top, h->name);
	if (r == 0)
		r = enable_above(h->v2, rel);
	return r < 0 ? r : write_all(h->v2, rel, "max", "rsvd.max", l->huge_max);
}
