#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/floor.h"

enum { PATH_SIZE = 256, REMOVE_TRIES = 1000 };

static int open_root(const char *mount, const char *name)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", mount, name);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		bench_die(path);
	return bench_check(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), path);
}

void floor_cgroup_open(struct floor *f, const char *name)
{
	static const char *const wanted[FLOOR_V1_MAX] = { "cpu", "memory", "pids", "devices" };
	FILE *mounts = setmntent("/proc/self/mounts", "re");

	f->v2 = -1;
	for (struct mntent *m; mounts && (m = getmntent(mounts));) {
		if (strcmp(m->mnt_type, "cgroup2") == 0 && f->v2 < 0)
			f->v2 = open_root(m->mnt_dir, name);
		for (int i = 0; strcmp(m->mnt_type, "cgroup") == 0 && i < FLOOR_V1_MAX; i++)
			if (hasmntopt(m, wanted[i]) && f->v1_count < FLOOR_V1_MAX) {
				f->controllers[f->v1_count] = wanted[i];
				f->v1[f->v1_count++] = open_root(m->mnt_dir, name);
			}
	}
	(void)endmntent(mounts);
	errno = ENOTSUP;
	if (f->v2 < 0 || f->v1_count < FLOOR_V1_MAX)
		bench_die("the floor needs cgroup v1 with cpu, memory, pids, devices, and v2");
}

void floor_cgroup_make(const struct floor *f, const char *rel)
{
	(void)bench_check(mkdirat(f->v2, rel, 0755), rel);
	for (int i = 0; i < f->v1_count; i++)
		(void)bench_check(mkdirat(f->v1[i], rel, 0755), rel);
}

static void put(int root, const char *rel, const char *file, const char *text)
{
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "%s/%s", rel, file);
	int fd = bench_check(openat(root, path, O_WRONLY | O_CLOEXEC), path);
	(void)bench_check((int)write(fd, text, strlen(text)), path);
	(void)close(fd);
}

void floor_cgroup_write(const struct floor *f, const char *controller, const char *rel, const char *file, const char *text)
{
	for (int i = 0; i < f->v1_count; i++)
		if (strcmp(f->controllers[i], controller) == 0)
			put(f->v1[i], rel, file, text);
}

static void put_number(const struct floor *f, const char *controller, const char *rel, const char *file, long v)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%ld", v);
	floor_cgroup_write(f, controller, rel, file, text);
}

void floor_cgroup_limit(const struct floor *f, const char *rel, long milli, long memory)
{
	put_number(f, "cpu", rel, "cpu.cfs_period_us", 100000);
	put_number(f, "cpu", rel, "cpu.cfs_quota_us", milli * 100);
	put_number(f, "memory", rel, "memory.limit_in_bytes", memory);
	for (int i = 0; i < f->v1_count; i++) { /* a kernel without swap accounting has no such file */
		char path[PATH_SIZE];
		(void)snprintf(path, sizeof(path), "%s/memory.memsw.limit_in_bytes", rel);
		if (strcmp(f->controllers[i], "memory") == 0 && faccessat(f->v1[i], path, F_OK, 0) == 0)
			put_number(f, "memory", rel, "memory.memsw.limit_in_bytes", memory);
	}
}

void floor_cgroup_devices(const struct floor *f, const char *rel)
{
	static const char *const allow[] = { "c *:* m",   "b *:* m",   "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm",  "c 1:8 rwm",
		                             "c 1:9 rwm", "c 5:0 rwm", "c 5:1 rwm", "c 5:2 rwm", "c 136:* rwm" };
	char path[PATH_SIZE];

	floor_cgroup_write(f, "devices", rel, "devices.deny", "a");
	(void)snprintf(path, sizeof(path), "%s/devices.allow", rel);
	for (int i = 0; i < f->v1_count; i++) {
		if (strcmp(f->controllers[i], "devices") != 0)
			continue;
		int fd = bench_check(openat(f->v1[i], path, O_WRONLY | O_CLOEXEC), path);
		for (size_t k = 0; k < sizeof(allow) / sizeof(allow[0]); k++)
			(void)bench_check((int)write(fd, allow[k], strlen(allow[k])), path);
		(void)close(fd);
	}
}

void floor_cgroup_enter(const struct floor *f, const char *rel)
{
	for (int i = 0; i < f->v1_count; i++)
		put(f->v1[i], rel, "tasks", "0");
}

int floor_cgroup_fd(const struct floor *f, const char *rel)
{
	return bench_check(openat(f->v2, rel, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rel);
}

void floor_cgroup_kill(const struct floor *f, const char *rel)
{
	put(f->v2, rel, "cgroup.kill", "1");
}

static void remove_one(int root, const char *rel)
{
	/* A process is reaped a little before its cgroup is free of it. */
	for (int i = 0; unlinkat(root, rel, AT_REMOVEDIR) < 0 && errno == EBUSY && i < REMOVE_TRIES; i++)
		(void)usleep(1000);
}

void floor_cgroup_remove(const struct floor *f, const char *rel)
{
	remove_one(f->v2, rel);
	for (int i = 0; i < f->v1_count; i++)
		remove_one(f->v1[i], rel);
}
