#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include "anchor/anchor.h"
#include "anchor/setup.h"
#include "base/cleanup.h"

enum { WATCHED_MAX = 5 + TABLE_RECORDS_MAX + TABLE_STREAMS_MAX };

static int64_t now(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts); /* cannot fail for these clocks */
	return (int64_t)ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

int64_t now_wall(void)
{
	return now(CLOCK_REALTIME);
}

int64_t now_boot(void)
{
	return now(CLOCK_BOOTTIME);
}

void timer_set(int timer, int64_t seconds)
{
	struct itimerspec t = { .it_value.tv_sec = seconds };

	(void)timerfd_settime(timer, 0, &t, NULL);
}

static void handle_signals(struct anchor *a)
{
	struct signalfd_siginfo info;

	while (read(a->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo == SIGHUP)
			serve_listen_anew(a);
	/* Several SIGCHLD may be one: every round looks for all. */
	spawn_reap(a);
}

static void handle_retry(struct anchor *a)
{
	uint64_t count;

	if (read(a->retry, &count, sizeof(count)) < 0)
		return;
	if (a->quitting)
		a->done = true; /* the log process took too long */
	else if (a->log_pid == 0 && link_start(a) < 0)
		timer_set(a->retry, 1);
}

/* A QUIT was accepted: the log process writes what is left, and its end is the anchor's. */
static void begin_quit(struct anchor *a)
{
	a->log_quit_due = true;
	timer_set(a->retry, QUIT_SECONDS);
	if (a->log_pid == 0)
		a->done = true;
}

/* What the poll watches this round. Records and streams move and vanish while events are handled, so they are found by descriptor. */
static nfds_t watch(const struct anchor *a, struct pollfd *p)
{
	const struct table *t = &a->table;
	bool deaf = a->error_count == ERRORS_MAX; /* podd does not take its refusals: nor does the anchor its requests */
	nfds_t n = 0;

	p[n++] = (struct pollfd){ .fd = a->signals, .events = POLLIN };
	p[n++] = (struct pollfd){ .fd = a->log, .events = (short)(POLLIN | (a->log_blocked ? POLLOUT : 0)) };
	p[n++] = (struct pollfd){ .fd = a->hang, .events = POLLIN };
	p[n++] = (struct pollfd){ .fd = a->retry, .events = POLLIN };
	if (a->connection >= 0)
		p[n++] =
			(struct pollfd){ .fd = a->connection, .events = (short)((deaf ? 0 : POLLIN) | (a->blocked ? POLLOUT : 0)) };
	else
		p[n++] = (struct pollfd){ .fd = a->options.listen, .events = POLLIN };
	for (size_t i = 0; i < t->record_count; i++)
		if (t->records[i].report >= 0)
			p[n++] = (struct pollfd){ .fd = t->records[i].report, .events = POLLIN };
	for (size_t i = 0; a->log_draining && i < t->stream_count; i++)
		if (t->streams[i].fd >= 0 && !t->streams[i].closed && !t->streams[i].drained_end)
			p[n++] = (struct pollfd){ .fd = t->streams[i].fd, .events = POLLIN };
	return n;
}

static void handle_others(struct anchor *a, const struct pollfd *p, nfds_t n)
{
	struct table *t = &a->table;

	for (nfds_t k = 0; k < n; k++) {
		if (!p[k].revents)
			continue;
		for (size_t i = 0; i < t->record_count; i++)
			if (t->records[i].report == p[k].fd) {
				spawn_report(a, &t->records[i]);
				break;
			}
		for (size_t i = 0; a->log_draining && i < t->stream_count; i++)
			if (t->streams[i].fd == p[k].fd)
				link_drain(a, &t->streams[i]);
	}
}

static void serve(struct anchor *a)
{
	struct pollfd p[WATCHED_MAX];

	while (!a->done) {
		bool was_quitting = a->quitting;
		nfds_t n = watch(a, p);
		if (poll(p, n, -1) < 0)
			continue;
		/* Reports before deaths: why a launch failed is known before its exit is told. The connection last, so that what
		 * podd asks meets the state of now; new descriptors are made only there. */
		handle_others(a, p + 5, n - 5);
		if (p[1].revents && a->log >= 0)
			link_input(a);
		if (p[0].revents)
			handle_signals(a);
		if (p[2].revents)
			link_hangs(a);
		if (p[3].revents)
			handle_retry(a);
		if (p[4].revents && a->connection < 0)
			serve_accept(a);
		else if (p[4].revents & (POLLIN | POLLHUP | POLLERR))
			serve_input(a);
		serve_flush(a);
		if (a->quitting && !was_quitting)
			begin_quit(a);
		link_flush(a);
	}
}

int main(int argc, char **argv)
{
	static struct anchor anchor; /* in .bss: what is not used costs nothing */
	static struct strings strings;
	struct anchor *a = &anchor;

	(void)argc;
	a->connection = a->log = a->pause_pidfd = -EBADF;
	if (setup(a, &strings, argv) < 0 || link_start(a) < 0)
		return 1;
	if (a->options.share_pid)
		pause_start(a);

	/* From here on nothing ends this process but QUIT and SIGKILL, and it touches no file system. */
	serve(a);
	if (a->pause_pid > 0)
		(void)kill(a->pause_pid, SIGKILL);
	return 0;
}
