#include "daemon/janitor.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "sys/process.h"

enum { DELAY_MS = 50, SYNCS_MAX = 128 };

struct janitor {
	uv_loop_t *loop;
	int trash_fd;
	uint64_t sequence;
	uv_timer_t timer;
	uv_poll_t child_poll;
	int child; /* pidfd */
	bool polling, pending, closed;
	unsigned open_handles;
	int syncs[SYNCS_MAX];
	size_t sync_count;
};

static void work_later(struct janitor *j);

static void maybe_free(struct janitor *j)
{
	if (!j->closed || j->open_handles)
		return;
	(void)fd_close(j->child);
	(void)fd_close(j->trash_fd);
	free(j);
}

static void handle_closed(uv_handle_t *h)
{
	struct janitor *j = h->data;

	j->open_handles--;
	maybe_free(j);
}

static void child_poll_closed(uv_handle_t *h)
{
	struct janitor *j = h->data;

	j->child = fd_close(j->child);
	j->polling = false;
	if (j->pending && !j->closed)
		work_later(j);
	handle_closed(h);
}

static void child_ended(uv_poll_t *p, int status, int events)
{
	struct janitor *j = p->data;
	siginfo_t info;

	(void)status;
	(void)events;
	(void)waitid(P_PIDFD, (id_t)j->child, &info, WEXITED | WNOHANG);
	uv_close((uv_handle_t *)p, child_poll_closed);
}

static void remove_all(int trash_fd)
{
	int fd = openat(trash_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		return;
	for (struct dirent *e; (e = readdir(d));)
		if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
			(void)tree_remove(trash_fd, e->d_name); /* what stays is tried again by the next child */
	(void)closedir(d);
}

static _Noreturn void child(struct janitor *j)
{
	int keep[SYNCS_MAX + 1];

	/* The API's socket and the connections above all: should podd die now, they must not seem open. */
	memcpy(keep, j->syncs, j->sync_count * sizeof(*keep));
	keep[j->sync_count] = j->trash_fd;
	fd_close_others(keep, j->sync_count + 1);
	for (size_t i = 0; i < j->sync_count; i++)
		(void)fsync(j->syncs[i]);
	remove_all(j->trash_fd);
	_exit(0);
}

static void work(uv_timer_t *t)
{
	struct janitor *j = t->data;
	sigset_t all, old;

	if (j->polling)
		return; /* the end of the child brings us back */
	j->pending = false;
	/* A signal to the child would run podd's handler, which writes to podd's own pipe. */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &old);
	pid_t pid = process_clone(0, -EBADF, &j->child);
	if (pid == 0)
		child(j);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	for (size_t i = 0; i < j->sync_count; i++)
		(void)fd_close(j->syncs[i]);
	j->sync_count = 0;
	if (pid < 0) {
		log_warning("starting a helper to remove old directories: %s, ignoring", strerror(-pid));
		return;
	}
	j->child_poll.data = j;
	if (uv_poll_init(j->loop, &j->child_poll, j->child) < 0)
		return;
	j->open_handles++;
	j->polling = true;
	(void)uv_poll_start(&j->child_poll, UV_READABLE, child_ended);
}

static void work_later(struct janitor *j)
{
	j->pending = true;
	if (!j->polling && !uv_is_active((uv_handle_t *)&j->timer))
		uv_timer_start(&j->timer, work, DELAY_MS, 0);
}

int janitor_new(uv_loop_t *loop, int trash_fd, struct janitor **ret)
{
	struct janitor *j = xnew(struct janitor);

	*j = (struct janitor){ .loop = loop, .trash_fd = trash_fd, .child = -EBADF };
	j->timer.data = j;
	(void)uv_timer_init(loop, &j->timer);
	j->open_handles++;
	j->sequence = (uint64_t)getpid() << 32;
	work_later(j);
	*ret = j;
	return 0;
}

void janitor_free(struct janitor *j)
{
	if (!j)
		return;
	j->closed = true;
	uv_close((uv_handle_t *)&j->timer, handle_closed);
	if (j->polling && !uv_is_closing((uv_handle_t *)&j->child_poll))
		uv_close((uv_handle_t *)&j->child_poll, child_poll_closed);
}

void janitor_remove(struct janitor *j, int dirfd, const char *name)
{
	char unique[32];
	int r;

	/* An earlier podd of the same pid (after a boot, above all) may have left something of that name. */
	do {
		(void)snprintf(unique, sizeof(unique), "%llx", (unsigned long long)j->sequence++);
		r = renameat(dirfd, name, j->trash_fd, unique) < 0 ? -errno : 0;
	} while (r == -EEXIST || r == -ENOTEMPTY);
	if (r == 0)
		work_later(j);
	else if (r != -ENOENT)
		log_warning("removing %s: %s, ignoring", name, strerror(-r));
}

void janitor_sync(struct janitor *j, int dirfd, const char *name)
{
	const char *names[] = { name, "." };

	for (size_t i = 0; i < ARRAY_SIZE(names) && j->sync_count < SYNCS_MAX; i++) {
		int fd = openat(dirfd, names[i], O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			j->syncs[j->sync_count++] = fd;
	}
	work_later(j);
}
