#include "daemon/pod/anchor.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "base/alloc.h"
#include "base/list.h"
#include "wire/frame.h"

struct outgoing {
	struct list link;
	size_t size, fd_count;
	int *fds;
	unsigned char data[];
};

enum { RECONNECT_MS = 100 };

struct anchor {
	uv_loop_t *loop;
	int dirfd;
	char socket[32];
	uv_timer_t reconnect;
	struct anchor_callbacks cb;
	void *arg;
	int fd, pidfd;
	uv_poll_t poll, pid_poll;
	bool polling, pid_polling;
	unsigned open_handles;
	bool closed, lost;
	struct list queue;
	size_t queued;
	/* a snapshot that is being received: kilobytes, so only as long as it is */
	struct anchor_snapshot *snapshot;
	int snapshot_fds[2];
	struct anchor_process *processes;
	size_t process_count;
};

static void poll_ready(uv_poll_t *p, int status, int events);
static void lose(struct anchor *a);

static void outgoing_free(struct outgoing *o)
{
	frame_close(o->fds, o->fd_count);
	free(o->fds);
	free(o);
}

static void forget_snapshot(struct anchor *a)
{
	free(a->snapshot);
	a->snapshot = NULL;
	a->snapshot_fds[0] = fd_close(a->snapshot_fds[0]);
	a->snapshot_fds[1] = fd_close(a->snapshot_fds[1]);
	free(a->processes);
	a->processes = NULL;
	a->process_count = 0;
}

/* The one place where an anchor is freed: when it was closed and libuv has let go of the last handle. */
static void maybe_free(struct anchor *a)
{
	if (!a->closed || a->open_handles)
		return;
	list_foreach(o, &a->queue, struct outgoing, link)
		outgoing_free(o);
	forget_snapshot(a);
	(void)fd_close(a->fd);
	(void)fd_close(a->pidfd);
	(void)fd_close(a->dirfd);
	free(a);
}

static void handle_closed(uv_handle_t *h)
{
	struct anchor *a = h->data;

	a->open_handles--;
	maybe_free(a);
}

static void stop_polling(struct anchor *a)
{
	if (!a->polling)
		return;
	a->polling = false;
	uv_close((uv_handle_t *)&a->poll, handle_closed);
}

void anchor_close(struct anchor *a)
{
	if (!a || a->closed)
		return;
	a->closed = true;
	stop_polling(a);
	uv_close((uv_handle_t *)&a->reconnect, handle_closed);
	if (a->pid_polling) {
		a->pid_polling = false;
		uv_close((uv_handle_t *)&a->pid_poll, handle_closed);
	}
	maybe_free(a);
}

/* The anchor is dead. If it was our child its zombie goes now; if not, waitid fails and init has reaped it. */
static void pid_ready(uv_poll_t *p, int status, int events)
{
	struct anchor *a = p->data;
	siginfo_t info;

	(void)status;
	(void)events;
	(void)waitid(P_PIDFD, (id_t)a->pidfd, &info, WEXITED | WNOHANG);
	uv_poll_stop(p);
	lose(a);
}

static void watch_pid(struct anchor *a)
{
	if (a->pid_polling || a->pidfd < 0)
		return;
	a->pid_poll.data = a;
	if (uv_poll_init(a->loop, &a->pid_poll, a->pidfd) < 0)
		return;
	a->open_handles++;
	a->pid_polling = true;
	(void)uv_poll_start(&a->pid_poll, UV_READABLE, pid_ready);
}

static void update_events(struct anchor *a)
{
	if (a->polling)
		(void)uv_poll_start(&a->poll, UV_READABLE | (a->queued ? UV_WRITABLE : 0), poll_ready);
}

static void flush(struct anchor *a)
{
	list_foreach(o, &a->queue, struct outgoing, link) {
		int r = frame_send(a->fd, o->data, o->size, o->fds, o->fd_count);
		if (r == -EAGAIN)
			break;
		/* Any other failure is the anchor's death, which the end of file tells. */
		list_remove(&o->link);
		a->queued--;
		outgoing_free(o);
	}
	update_events(a);
}

int anchor_send(struct anchor *a, const void *message, size_t size, const int *fds, size_t fd_count)
{
	if (!a->queued) {
		int r = frame_send(a->fd, message, size, fds, fd_count);
		if (r != -EAGAIN)
			return r;
	}
	if (a->queued == ANCHOR_QUEUE_MAX)
		return -ENOBUFS;
	struct outgoing *o = xcalloc(1, sizeof(*o) + size);
	o->size = size;
	memcpy(o->data, message, size);
	o->fds = xnew_array(int, fd_count);
	for (; o->fd_count < fd_count; o->fd_count++) {
		o->fds[o->fd_count] = fcntl(fds[o->fd_count], F_DUPFD_CLOEXEC, 3);
		if (o->fds[o->fd_count] < 0) {
			int r = -errno;
			outgoing_free(o);
			return r;
		}
	}
	list_append(&a->queue, &o->link);
	a->queued++;
	update_events(a);
	return 0;
}

static void take_snapshot_head(struct anchor *a, const struct anchor_snapshot *m, int *fds, size_t fd_count)
{
	forget_snapshot(a);
	a->snapshot = xnew(struct anchor_snapshot);
	*a->snapshot = *m;
	if (fd_count > 0 && a->pidfd < 0)
		a->pidfd = TAKE_FD(fds[0]);
	if (fd_count > 1)
		a->snapshot_fds[0] = TAKE_FD(fds[1]);
	if (fd_count > 2)
		a->snapshot_fds[1] = TAKE_FD(fds[2]);
	watch_pid(a);
}

static void take_snapshot_end(struct anchor *a)
{
	_cleanup_free_ struct anchor_snapshot *snapshot = TAKE_PTR(a->snapshot);
	struct anchor_process *processes = TAKE_PTR(a->processes);
	size_t count = a->process_count;
	int netns = TAKE_FD(a->snapshot_fds[0]), rtnl = TAKE_FD(a->snapshot_fds[1]);

	a->process_count = 0;
	a->cb.snapshot(a->arg, snapshot, processes, count, netns, rtnl);
	free(processes);
}

union message {
	struct anchor_header header;
	struct anchor_snapshot snapshot;
	struct anchor_process process;
	struct anchor_dropped dropped;
	struct anchor_error error;
	struct anchor_attached attached;
	unsigned char bytes[FRAME_SIZE_MAX];
};

static void dispatch(struct anchor *a, const union message *m, int *fds, size_t fd_count)
{
	switch (m->header.type) {
	case ANCHOR_SNAPSHOT:
		take_snapshot_head(a, &m->snapshot, fds, fd_count);
		break;
	case ANCHOR_PROCESS:
		if (a->process_count < ANCHOR_PROCESSES_MAX)
			*xgrow(a->processes, a->process_count) = m->process;
		break;
	case ANCHOR_SNAPSHOT_END:
		if (a->snapshot)
			take_snapshot_end(a);
		break;
	case ANCHOR_STARTED:
		a->cb.started(a->arg, &m->process);
		break;
	case ANCHOR_EXITED:
		a->cb.exited(a->arg, &m->process);
		break;
	case ANCHOR_DROPPED:
		a->cb.dropped(a->arg, &m->dropped);
		break;
	case ANCHOR_ERROR:
		a->cb.refused(a->arg, &m->error);
		break;
	case ANCHOR_ATTACHED:
		a->cb.attached(a->arg, &m->attached, fd_count ? TAKE_FD(fds[0]) : -EBADF);
		break;
	}
}

static void lose(struct anchor *a)
{
	if (a->lost || a->closed)
		return;
	a->lost = true;
	a->cb.lost(a->arg);
}

static int open_socket(int dirfd, const char *name, int *ret)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	/* By way of the descriptor: a path may be longer than sun_path. */
	if (snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d/%s", dirfd, name) >= (int)sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return -errno;
	*ret = TAKE_FD(fd);
	return 0;
}

static int start_polling(struct anchor *a)
{
	int r = uv_poll_init(a->loop, &a->poll, a->fd);

	if (r < 0)
		return r;
	a->poll.data = a;
	a->open_handles++;
	a->polling = true;
	update_events(a);
	return 0;
}

static void say_hello(struct anchor *a)
{
	struct anchor_hello hello = { .header = { ANCHOR_HELLO, sizeof(hello), 0 }, .version = ANCHOR_VERSION };

	(void)anchor_send(a, &hello, sizeof(hello), NULL, 0); /* a failure is its death, which is told */
}

/* It hung up though it lives: out of descriptors or memory, most likely. Its snapshot will say what was missed. */
static void reconnect(uv_timer_t *t)
{
	struct anchor *a = t->data;
	int fd;

	if (a->lost || a->closed || a->polling)
		return;
	int r = open_socket(a->dirfd, a->socket, &fd);
	if (r == 0) {
		(void)fd_close(a->fd);
		a->fd = fd;
		r = start_polling(a);
	}
	if (r == 0)
		say_hello(a);
	else
		uv_timer_start(t, reconnect, RECONNECT_MS, 0);
}

static void poll_closed(uv_handle_t *h)
{
	struct anchor *a = h->data;

	if (!a->closed && !a->lost)
		uv_timer_start(&a->reconnect, reconnect, RECONNECT_MS, 0);
	handle_closed(h);
}

/* End of file: the anchor is dead, or about to be; its pidfd tells for sure. */
static void ended(struct anchor *a)
{
	if (a->pidfd < 0) {
		stop_polling(a);
		lose(a);
		return;
	}
	watch_pid(a);
	a->polling = false;
	uv_close((uv_handle_t *)&a->poll, poll_closed);
}

static void receive(struct anchor *a)
{
	int fds[FRAME_FDS_MAX];
	size_t fd_count = 0;
	union message m;

	/* One message at a time: libuv calls again while there is more, and a callback may have closed the connection. */
	ssize_t n = frame_recv(a->fd, &m, sizeof(m), fds, &fd_count);
	if (n == -EAGAIN || n == -EINTR)
		return;
	if (n <= 0) {
		ended(a);
		return;
	}
	a->open_handles++; /* keeps `a` while callbacks run */
	if (anchor_check(&m, (size_t)n) == 0)
		dispatch(a, &m, fds, fd_count);
	for (size_t i = 0; i < fd_count; i++)
		(void)fd_close(fds[i]);
	a->open_handles--;
	maybe_free(a);
}

static void poll_ready(uv_poll_t *p, int status, int events)
{
	struct anchor *a = p->data;

	if (events & UV_WRITABLE)
		flush(a);
	if (status < 0 || (events & UV_READABLE))
		receive(a);
}

int anchor_connect(uv_loop_t *loop, int dirfd, const char *name, int pidfd, const struct anchor_callbacks *cb, void *arg,
                   struct anchor **ret)
{
	int fd = -EBADF;
	int r = open_socket(dirfd, name, &fd);

	if (r < 0)
		return r;
	struct anchor *a = xnew(struct anchor);
	*a = (struct anchor){
		.loop = loop,
		.dirfd = fcntl(dirfd, F_DUPFD_CLOEXEC, 3),
		.cb = *cb,
		.arg = arg,
		.fd = fd,
		.pidfd = pidfd,
		.snapshot_fds = { -EBADF, -EBADF },
	};
	(void)snprintf(a->socket, sizeof(a->socket), "%s", name);
	list_init(&a->queue);
	a->reconnect.data = a;
	(void)uv_timer_init(loop, &a->reconnect);
	a->open_handles++;
	r = start_polling(a);
	if (r < 0) {
		a->pidfd = -EBADF; /* remains the caller's */
		anchor_close(a);
		return r;
	}
	watch_pid(a);
	say_hello(a);
	*ret = a;
	return 0;
}

struct anchor_key anchor_key(const char *container, uint32_t number, uint32_t session)
{
	struct anchor_key k = { .number = number, .session = session };

	(void)snprintf(k.container, sizeof(k.container), "%s", container);
	return k;
}
