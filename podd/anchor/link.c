#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "anchor/anchor.h"
#include "anchor/logger.h"
#include "base/cleanup.h"
#include "sys/process.h"
#include "wire/frame.h"

enum { DRAIN_SIZE = 65536 };

int link_start(struct anchor *a)
{
	int ends[2], pidfd = -EBADF;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	struct logger_config config = {
		.socket = ends[1],
		.logs = a->options.logs,
		.hang = a->hang,
		.limit = a->options.log_size,
		.files = a->options.log_files,
	};
	pid_t pid = process_clone(0, -1, &pidfd);
	if (pid == 0)
		logger_main(&config);
	(void)close(ends[1]);
	if (pid < 0) {
		(void)close(ends[0]);
		return pid;
	}
	(void)fd_close(pidfd);
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	a->log = ends[0];
	a->log_pid = pid;
	a->log_born = now_boot();
	return 0;
}

static void lost(struct anchor *a, struct stream *s, uint64_t lines, uint64_t bytes, int error)
{
	s->lost_lines += lines;
	s->lost_bytes += bytes;
	s->lost_error = error;
	a->log_dropped += lines;
}

/* What was dropped here is known from now on, to podd and to the log. */
static void end_draining(struct anchor *a)
{
	if (!a->log_draining)
		return;
	a->log_draining = false;
	for (size_t i = 0; i < a->table.stream_count; i++) {
		struct stream *s = &a->table.streams[i];
		if (s->fd < 0 || s->drained_bytes == 0)
			continue;
		s->drained_lines += s->midline; /* the line that it ended in: its rest will be skipped */
		lost(a, s, s->drained_lines, s->drained_bytes, ETIMEDOUT);
		s->drained_due = true;
		s->drained_bytes = 0;
	}
}

void link_died(struct anchor *a)
{
	a->log = fd_close(a->log);
	a->log_pid = 0;
	if (a->quitting) {
		a->done = true;
		return;
	}
	end_draining(a);
	timer_set(a->hang, 0);
	a->log_go_due = a->log_blocked = false;
	for (size_t i = 0; i < a->table.stream_count; i++)
		a->table.streams[i].sent = false;
	a->log_restarts++;
	/* At once, unless it dies as soon as it lives. */
	if (now_boot() - a->log_born < DIES_OFTEN_NS || link_start(a) < 0)
		timer_set(a->retry, 1);
}

/* The log process is confined to the directory it has: its successor goes to the new one. */
int link_move(struct anchor *a, int logs)
{
	if (dup3(logs, a->options.logs, O_CLOEXEC) < 0)
		return -errno;
	if (a->log_pid)
		(void)kill(a->log_pid, SIGKILL);
	return 0;
}

void link_input(struct anchor *a)
{
	struct log_reply m;
	int fds[FRAME_FDS_MAX];
	size_t fd_count = 0;

	for (;;) {
		ssize_t n = frame_recv(a->log, &m, sizeof(m), fds, &fd_count);
		if (n == 0) { /* it ends: SIGCHLD will say so */
			a->log = fd_close(a->log);
			return;
		}
		if (n < 0)
			return;
		struct stream *s = m.stream < a->table.stream_count ? &a->table.streams[m.stream] : NULL;
		switch ((enum log_reply_type)m.type) {
		case LOG_END:
			if (s && s->fd >= 0) {
				s->closed = true;
				table_release_stream(s);
			}
			break;
		case LOG_LOST:
			if (s && s->fd >= 0)
				lost(a, s, m.lines, m.bytes, m.error);
			break;
		case LOG_SLOW:
			end_draining(a);
			a->log_go_due = true;
			break;
		case LOG_UNCONFINED:
			a->degraded |= ANCHOR_DEGRADED_LANDLOCK;
			break;
		}
	}
}

static bool order(struct anchor *a, const struct log_order *m, const int *fd)
{
	int r = frame_send(a->log, m, sizeof(*m), fd, fd ? 1 : 0);

	a->log_blocked = r == -EAGAIN;
	return r == 0;
}

/* The log process copies each stream to the pipe of its place; a pipe without a stream is at its end. */
int link_attach(struct anchor *a, const struct anchor_key *key, const int *fds, size_t fd_count)
{
	if (a->log < 0)
		return -EAGAIN;
	for (size_t i = 0; i < a->table.stream_count; i++) {
		struct stream *s = &a->table.streams[i];
		struct log_order m = { .type = LOG_TAP, .stream = (uint32_t)i };
		if (s->fd < 0 || s->closed || !anchor_key_equal(&s->key, key) || (size_t)s->which > fd_count)
			continue;
		int r = s->sent ? frame_send(a->log, &m, sizeof(m), &fds[s->which - 1], 1) : -EAGAIN;
		if (r < 0)
			return r;
	}
	return 0;
}

void link_flush(struct anchor *a)
{
	if (a->log < 0)
		return;
	for (size_t i = 0; i < a->table.stream_count; i++) {
		struct stream *s = &a->table.streams[i];
		struct log_order m = { .stream = (uint32_t)i, .key = s->key, .which = (uint32_t)s->which };
		if (s->fd < 0 || s->closed)
			continue;
		m.type = LOG_OPEN;
		if (!s->sent && !order(a, &m, &s->fd))
			return;
		s->sent = true;
		m.type = LOG_DRAINED;
		m.lines = s->drained_lines;
		m.midline = s->midline;
		if (s->drained_due && !order(a, &m, NULL))
			return;
		if (s->drained_due)
			s->drained_due = s->drained_end = s->midline = false, s->drained_lines = 0;
	}
	struct log_order go = { .type = LOG_GO }, quit = { .type = LOG_QUIT };
	if (a->log_go_due && order(a, &go, NULL)) /* after all that was DRAINED */
		a->log_go_due = false;
	if (a->log_quit_due && order(a, &quit, NULL))
		a->log_quit_due = false;
}

void link_hangs(struct anchor *a)
{
	uint64_t count;

	/* The log process may have pushed the timer off since it fired: then there is nothing to read. */
	if (read(a->hang, &count, sizeof(count)) < 0 || a->log_draining)
		return;
	a->log_draining = true;
}

void link_drain(struct anchor *a, struct stream *s)
{
	static char waste[DRAIN_SIZE];
	ssize_t n = read(s->fd, waste, sizeof(waste));

	(void)a;
	if (n == 0 || (n < 0 && errno == EIO)) /* EIO: the end of a terminal */
		s->drained_end = true;
	if (n <= 0)
		return;
	s->drained_bytes += (uint64_t)n;
	for (const char *p = waste; (p = memchr(p, '\n', (size_t)(waste + n - p))) != NULL; p++)
		s->drained_lines++;
	s->midline = waste[n - 1] != '\n';
}
