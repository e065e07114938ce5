#include "daemon/pod/logs.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "base/str.h"

enum { PATH_SIZE = LOGS_NAME_SIZE + sizeof(LOGS_IN_MEMORY) };

void logs_name(const struct pod *p, const char *uid, char ret[static LOGS_NAME_SIZE])
{
	const char *ns = p->metadata.namespace, *name = p->metadata.name;
	char hash[SHA256_HEX_SIZE];

	if (snprintf(ret, LOGS_NAME_SIZE, "%s_%s_%s", ns, name, uid) < LOGS_NAME_SIZE)
		return;
	sha256_hex(name, strlen(name), hash);
	(void)snprintf(ret, LOGS_NAME_SIZE, "%s_%.100s-%.16s_%s", ns, name, hash, uid);
}

/* Someone removed the directory of all logs: what podd has open has no name any more. */
static int make_anew(struct daemon *d)
{
	const char *path = config_path(d->config, "/var/log/pods");
	int r = dir_make(AT_FDCWD, path, 0755);

	if (r < 0)
		return r;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, 0750) < 0)
		return -errno;
	(void)fd_close(d->log_fd);
	d->log_fd = TAKE_FD(fd);
	return 0;
}

static int make_directory(struct daemon *d, const char *name)
{
	int r = dir_make(d->log_fd, name, 0750);

	if (r == -ENOENT)
		r = make_anew(d);
	return r < 0 ? r : dir_make(d->log_fd, name, 0750);
}

static void in_memory(const char *name, char ret[static PATH_SIZE])
{
	(void)snprintf(ret, PATH_SIZE, LOGS_IN_MEMORY "/%s", name);
}

int logs_make(struct daemon *d, const struct pod *p, const char *uid)
{
	char name[LOGS_NAME_SIZE], path[PATH_SIZE];

	logs_name(p, uid, name);
	int r = make_directory(d, name);
	if (r == -EROFS || (r == 0 && fd_is_read_only(d->log_fd))) {
		in_memory(name, path);
		r = dir_make(d->run_fd, path, 0750);
	}
	return r < 0 ? r : logs_open(d, p, uid);
}

void logs_repair(struct sandbox *s, const struct pod *p)
{
	struct anchor_header m = { ANCHOR_LOGS, sizeof(m), 0 };
	_cleanup_close_ int there = logs_open(s->daemon, p, s->uid), fd = -EBADF;

	if (!s->anchor || (there >= 0 && !fd_is_read_only(there)))
		return;
	int r = fd = logs_make(s->daemon, p, s->uid);
	if (r >= 0)
		r = anchor_send(s->anchor, &m, sizeof(m), &fd, 1);
	daemon_report(s->daemon, s->uid, NULL, false, "LogsLost", "the directory of the pod's logs %s: %s",
	              there < 0 ? "was removed" : "is read-only", r < 0 ? strerror(-r) : "they go to a new one from now on");
}

/* A few files; they may be on another file system than the state. */
static void remove_named(int base, const char *path, const char *name, const char *suffix)
{
	_cleanup_dir_ DIR *dir = dir_open(base, path);

	if (!dir)
		return;
	for (struct dirent *e; !name && (e = dir_next(dir));)
		if (str_ends(e->d_name, suffix))
			(void)tree_remove(dirfd(dir), e->d_name);
	if (name)
		(void)tree_remove(dirfd(dir), name);
}

void logs_remove(const struct daemon *d, const struct pod *p, const char *uid)
{
	char name[LOGS_NAME_SIZE], suffix[POD_UID_SIZE + 1];

	if (p)
		logs_name(p, uid, name);
	(void)snprintf(suffix, sizeof(suffix), "_%s", uid);
	remove_named(d->log_fd, ".", p ? name : NULL, suffix);
	remove_named(d->run_fd, LOGS_IN_MEMORY, p ? name : NULL, suffix);
}

int logs_open(const struct daemon *d, const struct pod *p, const char *uid)
{
	char name[LOGS_NAME_SIZE], path[PATH_SIZE];

	logs_name(p, uid, name);
	in_memory(name, path);
	int fd = openat(d->run_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		fd = openat(d->log_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static uint32_t first_number(int logs_fd, const char *container)
{
	_cleanup_dir_ DIR *dir = dir_open(logs_fd, container);
	uint32_t next = 0;

	if (!dir)
		return 0;
	for (struct dirent *e; (e = dir_next(dir));) {
		char *end;
		unsigned long n = strtoul(e->d_name, &end, 10);
		if (end != e->d_name && str_after(end, ".log") && n < UINT32_MAX && n + 1 > next)
			next = (uint32_t)n + 1;
	}
	return next;
}

void logs_first_numbers(const struct daemon *d, const struct pod *p, const char *uid, uint32_t ret[static CONTAINERS_MAX])
{
	_cleanup_close_ int logs_fd = logs_open(d, p, uid);

	for (size_t i = 0; logs_fd >= 0 && i < pod_container_count(p) && i < CONTAINERS_MAX; i++)
		ret[i] = first_number(logs_fd, pod_container_at(p, i)->name);
}
