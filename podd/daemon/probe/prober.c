#include "daemon/probe/prober.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/pod/spawn.h"
#include "sys/process.h"
#include "wire/frame.h"

enum { IDLE_MS = 60000, GRACE_MS = 200, DELAY_MIN_MS = 100, DELAY_MAX_MS = 30000, CHILD_FD_PARK = 16 };

/* One podd-probe, until its handles have closed. */
struct process {
	struct prober *prober;
	int fd, pidfd;
	uv_poll_t answers, exit;
	unsigned open_handles;
};

struct asked {
	struct list link; /* of prober.asked */
	uint64_t id;
	int64_t deadline;
	prober_done *done;
	void *arg;
};

struct prober {
	uv_loop_t *loop;
	struct process *process; /* NULL: none runs */
	struct list asked;
	size_t count;
	uint64_t last_id;
	uv_timer_t timer; /* the first deadline, or the end of an idle process */
	int program_fd;
	int64_t not_before, delay; /* after a death; boot time, ms */
};

/* --- what is under way ---------------------------------------------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
	return clock_boot() / NS_PER_MS;
}

static void finish(struct prober *p, struct asked *a, const struct probe_answer *answer, const char *why)
{
	list_remove(&a->link);
	p->count--;
	a->done(a->arg, answer, why);
	free(a);
}

static void end(struct process *s);
static void on_timer(uv_timer_t *t);

static void arm(struct prober *p)
{
	int64_t first = INT64_MAX;

	list_foreach(a, &p->asked, struct asked, link)
		first = MIN(first, a->deadline);
	uint64_t ms = p->count ? (uint64_t)MAX(first - now_ms(), 0) : IDLE_MS;
	(void)uv_timer_start(&p->timer, on_timer, ms, 0);
}

static void on_timer(uv_timer_t *t)
{
	const struct probe_answer late = { .error = "i/o timeout" }; /* a resolver that hangs: podd-probe ends the rest itself */
	struct prober *p = t->data;

	if (!p->count && p->process) {
		end(p->process);
		return;
	}
	list_foreach(a, &p->asked, struct asked, link)
		if (a->deadline <= now_ms())
			finish(p, a, &late, NULL);
	if (p->process)
		arm(p);
}

/* --- the process ---------------------------------------------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *h)
{
	struct process *s = h->data;

	if (--s->open_handles)
		return;
	(void)close(s->fd);
	(void)close(s->pidfd);
	free(s);
}

static void end(struct process *s)
{
	siginfo_t info;

	s->prober->process = NULL;
	(void)process_signal(s->pidfd, SIGKILL);
	(void)waitid(P_PIDFD, (id_t)s->pidfd, &info, WEXITED); /* which can't take long now */
	uv_close((uv_handle_t *)&s->answers, on_closed);
	uv_close((uv_handle_t *)&s->exit, on_closed);
}

static void on_exit_of(uv_poll_t *h, int status _unused_, int events _unused_)
{
	struct process *s = h->data;
	struct prober *p = s->prober;

	p->delay = MIN(MAX(p->delay * 2, DELAY_MIN_MS), DELAY_MAX_MS);
	p->not_before = now_ms() + p->delay;
	log_warning("podd-probe died; it is started anew in %lld ms at the earliest", (long long)p->delay);
	end(s);
	(void)uv_timer_stop(&p->timer);
	while (!list_empty(&p->asked))
		finish(p, list_entry(p->asked.next, struct asked, link), NULL, "podd-probe died");
}

static void on_answer(uv_poll_t *h, int status _unused_, int events _unused_)
{
	struct process *s = h->data;
	struct prober *p = s->prober;
	struct probe_answer answer;
	int fds[FRAME_FDS_MAX];
	size_t fd_count;

	ssize_t n = frame_recv(s->fd, &answer, sizeof(answer), fds, &fd_count);
	if (n == 0)
		(void)uv_poll_stop(h); /* its end is told by the pidfd */
	if (n > 0)
		frame_close(fds, fd_count);
	if (n != (ssize_t)sizeof(answer))
		return;
	answer.error[sizeof(answer.error) - 1] = '\0';
	p->delay = 0;
	list_foreach(a, &p->asked, struct asked, link)
		if (a->id == answer.id) {
			finish(p, a, &answer, NULL);
			break;
		}
	if (p->process && !p->count)
		arm(p);
}

static _Noreturn void child(int program, int socket)
{
	char *argv[] = { (char *)(uintptr_t) "podd-probe", NULL }, *envp[] = { NULL };
	int exe = fcntl(program, F_DUPFD_CLOEXEC, CHILD_FD_PARK), end = fcntl(socket, F_DUPFD_CLOEXEC, CHILD_FD_PARK);
	sigset_t none;

	if (dup2(end, PROBE_FD) < 0)
		_exit(126);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	_exit(process_exec_fd(exe, argv, envp) < 0 ? 127 : 0);
}

static int clone_child(struct prober *p, int *ret_fd, int *ret_pidfd)
{
	int pair[2];
	sigset_t all, old;

	if (p->program_fd < 0)
		p->program_fd = spawn_load_helper("podd-probe");
	if (p->program_fd < 0)
		return p->program_fd;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	/* A signal to the child would run podd's handler, which writes to podd's own pipe. */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &old);
	pid_t pid = process_clone(0, -EBADF, ret_pidfd);
	if (pid == 0)
		child(p->program_fd, pair[1]);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	(void)close(pair[1]);
	if (pid < 0) {
		(void)close(pair[0]);
		return pid;
	}
	(void)fcntl(pair[0], F_SETFL, O_NONBLOCK);
	*ret_fd = pair[0];
	return 0;
}

static int run(struct prober *p)
{
	int fd = -EBADF, pidfd = -EBADF;

	if (now_ms() < p->not_before)
		return -EAGAIN;
	int r = clone_child(p, &fd, &pidfd);
	if (r < 0)
		return r;
	struct process *s = p->process = xnew(struct process);
	*s = (struct process){ .prober = p, .fd = fd, .pidfd = pidfd, .open_handles = 2 };
	s->answers.data = s->exit.data = s;
	(void)uv_poll_init(p->loop, &s->answers, fd);
	(void)uv_poll_init(p->loop, &s->exit, pidfd);
	(void)uv_poll_start(&s->answers, UV_READABLE, on_answer);
	(void)uv_poll_start(&s->exit, UV_READABLE, on_exit_of);
	return 0;
}

int prober_ask(struct prober *p, const struct probe_job *job, prober_done *done, void *arg)
{
	struct probe_job j = *job;

	int r = p->count == PROBE_JOBS_MAX ? -EBUSY : p->process ? 0 : run(p);
	j.id = ++p->last_id;
	if (r == 0)
		r = frame_send(p->process->fd, &j, sizeof(j), NULL, 0);
	if (r < 0)
		return r;
	struct asked *a = xnew(struct asked);
	*a = (struct asked){ .id = j.id, .deadline = now_ms() + j.timeout_ms + GRACE_MS, .done = done, .arg = arg };
	list_append(&p->asked, &a->link);
	p->count++;
	arm(p);
	return 0;
}

struct prober *prober_new(uv_loop_t *loop)
{
	struct prober *p = xnew(struct prober);

	*p = (struct prober){ .loop = loop, .program_fd = -EBADF };
	list_init(&p->asked);
	(void)uv_timer_init(loop, &p->timer);
	p->timer.data = p;
	return p;
}

static void timer_closed(uv_handle_t *h)
{
	struct prober *p = h->data;

	(void)fd_close(p->program_fd);
	free(p);
}

void prober_free(struct prober *p)
{
	list_foreach(a, &p->asked, struct asked, link) {
		list_remove(&a->link);
		free(a);
	}
	if (p->process)
		end(p->process);
	uv_close((uv_handle_t *)&p->timer, timer_closed);
}
