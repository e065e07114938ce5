#include "daemon/janitor.h"
#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/helper.h"

enum { DELAY_MS = 50, SYNCS_MAX = 128 };

struct janitor {
	uv_loop_t *loop;
	int trash_fd;
	uint64_t sequence;
	uv_timer_t timer;
	struct helper *helper;
	bool pending;
	int last; /* what became of the last removal: a trouble is told once */
	int syncs[SYNCS_MAX];
	size_t sync_count;
};

static void work_later(struct janitor *j);

static void timer_closed(uv_handle_t *h)
{
	struct janitor *j = h->data;

	(void)fd_close(j->trash_fd);
	free(j);
}

/* What stays is tried again by the next child. */
static int remove_all(int trash_fd)
{
	_cleanup_dir_ DIR *d = dir_open(trash_fd, ".");
	int result = 0;

	if (!d)
		return -errno;
	for (struct dirent *e; (e = dir_next(d));) {
		int r = tree_remove(trash_fd, e->d_name);
		if (r < 0)
			result = r;
	}
	return result;
}

static int clean(void *arg)
{
	struct janitor *j = arg;

	for (size_t i = 0; i < j->sync_count; i++)
		(void)fsync(j->syncs[i]);
	return remove_all(j->trash_fd);
}

static void cleaned(void *arg, int result)
{
	struct janitor *j = arg;

	j->helper = NULL;
	if (result < 0 && result != j->last)
		log_warning("removing what pods left behind: %s; trying again with what the next one leaves", strerror(-result));
	j->last = result;
	/* Each start and each end comes by here when it is over: what it needed of the heap for a while is the kernel's again. */
	(void)malloc_trim(0);
	if (j->pending)
		work_later(j);
}

static void work(uv_timer_t *t)
{
	struct janitor *j = t->data;
	int keep[SYNCS_MAX + 1];

	if (j->helper)
		return; /* its end brings us back */
	j->pending = false;
	memcpy(keep, j->syncs, j->sync_count * sizeof(*keep));
	keep[j->sync_count] = j->trash_fd;
	j->helper = helper_start(j->loop, keep, j->sync_count + 1, clean, cleaned, j);
	for (size_t i = 0; i < j->sync_count; i++)
		(void)fd_close(j->syncs[i]);
	j->sync_count = 0;
}

static void work_later(struct janitor *j)
{
	j->pending = true;
	if (!j->helper && !uv_is_active((uv_handle_t *)&j->timer))
		uv_timer_start(&j->timer, work, DELAY_MS, 0);
}

int janitor_new(uv_loop_t *loop, int trash_fd, struct janitor **ret)
{
	struct janitor *j = xnew(struct janitor);

	*j = (struct janitor){ .loop = loop, .trash_fd = trash_fd };
	j->timer.data = j;
	(void)uv_timer_init(loop, &j->timer);
	j->sequence = (uint64_t)getpid() << 32;
	work_later(j);
	*ret = j;
	return 0;
}

void janitor_free(struct janitor *j)
{
	if (!j)
		return;
	helper_leave(j->helper);
	uv_close((uv_handle_t *)&j->timer, timer_closed);
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
	if (r == -EXDEV) /* in memory, since the disk was read-only: no disk to wait for */
		r = tree_remove(dirfd, name);
	else if (r == 0)
		work_later(j);
	if (r < 0 && r != -ENOENT)
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
