#include "daemon/image/import.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/image/images.h"
#include "daemon/pod/spawn.h"
#include "sys/process.h"

enum { CHILD_FD_PARK = 16, NICE = 10 };

struct import {
	struct list link; /* of images.imports, in line */
	struct daemon *daemon;
	struct arena *arena; /* of the request's strings */
	struct import_request request;
	int pidfd, out;
	uv_poll_t exit_poll, out_poll;
	unsigned open_handles;
	bool running, cancelled;
	struct buf line;
};

static const char *copy(struct arena *a, const char *s)
{
	return s ? arena_strdup(a, s) : NULL;
}

static void import_free(struct import *i)
{
	list_remove(&i->link);
	(void)fd_close(i->pidfd);
	(void)fd_close(i->out);
	buf_deinit(&i->line);
	i->arena = arena_free(i->arena);
	free(i);
}

/* --- the child, until exec ---------------------------------------------------------------------------------------------------- */

/* podd-image's own way to say that it could not begin. */
static _Noreturn void give_up(int out, const char *what, const char *path, int error)
{
	_cleanup_buf_ struct buf line = BUF_NULL;
	_cleanup_free_ char *message = xasprintf("%s %s: %s", what, path, strerror(error));
	struct jsonw w;

	jsonw_init(&w, &line);
	jsonw_object(&w);
	jsonw_member_str(&w, "reason", "ErrImagePull");
	jsonw_member_str(&w, "message", message);
	jsonw_end(&w);
	(void)fd_write_all(out, line.data, line.len);
	_exit(1);
}

static _Noreturn void child(const struct import *i, int store, int program, int out, pid_t podd)
{
	const char *argv[IMAGE_JOB_ARGV_MAX];
	char *envp[] = { NULL };
	sigset_t none;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != podd)
		_exit(1);
	(void)setpriority(PRIO_PROCESS, 0, NICE); /* pods come first */
	/* Opened here, since a disk may hang. O_NONBLOCK: it may be a fifo. */
	int source = open(i->request.path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (source < 0)
		give_up(out, "opening", i->request.path, errno);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const int wanted[][2] = { { null, 0 }, { out, 1 }, { store, IMAGE_JOB_FD_STORE }, { source, IMAGE_JOB_FD_SOURCE } };
	int parked[ARRAY_SIZE(wanted)], exe = fcntl(program, F_DUPFD_CLOEXEC, CHILD_FD_PARK);
	for (size_t k = 0; k < ARRAY_SIZE(wanted); k++)
		parked[k] = fcntl(wanted[k][0], F_DUPFD_CLOEXEC, CHILD_FD_PARK);
	for (size_t k = 0; k < ARRAY_SIZE(wanted); k++)
		if (dup2(parked[k], wanted[k][1]) < 0)
			_exit(1);
	image_job_argv(&i->request.job, argv);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	int r = process_exec_fd(exe, (char *const *)(uintptr_t)argv, envp);
	give_up(1, "running", "podd-image", -r);
}

/* --- its end ---------------------------------------------------------------------------------------------------------------------- */

static void idle(uv_idle_t *handle);

static void run_next(struct daemon *d)
{
	uv_idle_start(&d->images->idle, idle);
}

static void handle_closed(uv_handle_t *h)
{
	struct import *i = h->data;

	if (--i->open_handles == 0)
		import_free(i);
}

static void close_handles(struct import *i)
{
	uv_close((uv_handle_t *)&i->exit_poll, handle_closed);
	uv_close((uv_handle_t *)&i->out_poll, handle_closed);
}

static void read_line(struct import *i)
{
	char data[4096];
	ssize_t n;

	while ((n = read(i->out, data, sizeof(data))) > 0)
		if (i->line.len < IMAGE_JOB_RESULT_MAX)
			buf_append(&i->line, data, (size_t)n);
	if (n == 0)
		uv_poll_stop(&i->out_poll);
}

static void out_readable(uv_poll_t *p, int status _unused_, int events _unused_)
{
	read_line(p->data);
}

static void exited(uv_poll_t *p, int status _unused_, int events _unused_)
{
	struct import *i = p->data;
	struct image_job_result result;
	siginfo_t info = { 0 };

	(void)waitid(P_PIDFD, (id_t)i->pidfd, &info, WEXITED | WNOHANG);
	read_line(i);
	i->line.len = strcspn(buf_str(&i->line), "\n");
	if (i->line.data)
		i->line.data[i->line.len] = '\0';
	image_job_result(buf_str(&i->line), info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status, &result);
	list_remove(&i->link);
	close_handles(i);
	run_next(i->daemon);
	if (!i->cancelled)
		i->request.done(&result, i->request.arg);
	image_job_result_deinit(&result);
}

/* --- the line ----------------------------------------------------------------------------------------------------------------------- */

static int fork_child(struct import *i)
{
	struct images *m = i->daemon->images;
	int out[2], r = 0;
	sigset_t all, old;
	pid_t podd = getpid();

	if (m->program_fd < 0)
		r = m->program_fd = spawn_load_helper("podd-image");
	if (r < 0)
		return r;
	if (pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	/* A signal to the child would run podd's handler, which writes to podd's own pipe. */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &old);
	pid_t pid = process_clone(0, -EBADF, &i->pidfd);
	if (pid == 0)
		child(i, m->store.root, m->program_fd, out[1], podd);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	(void)close(out[1]);
	i->out = out[0];
	(void)fcntl(i->out, F_SETFL, O_NONBLOCK);
	return MIN(pid, 0);
}

/* False: it could not be started, its end was told. */
static bool run(struct import *i)
{
	int r = fork_child(i);

	i->running = true;
	if (r < 0) { /* the host is out of something: podd itself could not go on without it either */
		log_error("starting podd-image: %s", strerror(-r));
		struct image_job_result result = { .reason = xstrdup("ErrImagePull"), .message = xstrdup(strerror(-r)) };
		void (*done)(const struct image_job_result *, void *) = i->request.done;
		void *arg = i->request.arg;
		import_free(i);
		done(&result, arg);
		image_job_result_deinit(&result);
		return false;
	}
	i->exit_poll.data = i->out_poll.data = i;
	(void)uv_poll_init(&i->daemon->loop, &i->exit_poll, i->pidfd);
	(void)uv_poll_init(&i->daemon->loop, &i->out_poll, i->out);
	i->open_handles = 2;
	(void)uv_poll_start(&i->exit_poll, UV_READABLE, exited);
	(void)uv_poll_start(&i->out_poll, UV_READABLE, out_readable);
	return true;
}

static bool source_is_busy(const struct images *m, const char *path)
{
	list_foreach(i, &m->imports, struct import, link)
		if (i->running && streq(i->request.path, path))
			return true;
	return false;
}

static void idle(uv_idle_t *handle)
{
	struct daemon *d = handle->data;
	struct images *m = d->images;
	size_t running = 0;

	uv_idle_stop(handle);
	list_foreach(i, &m->imports, struct import, link)
		running += i->running;
	list_foreach(i, &m->imports, struct import, link) {
		if (running == IMPORTS_RUNNING)
			break;
		if (i->running || source_is_busy(m, i->request.path))
			continue;
		running++;
		if (!run(i)) {
			run_next(d); /* the list may be another now */
			return;
		}
	}
}

struct import *import_start(struct daemon *d, const struct import_request *q)
{
	size_t count = 0;

	list_foreach(i, &d->images->imports, struct import, link)
		count++;
	if (count >= IMPORTS_MAX)
		return NULL;
	struct import *i = xnew(struct import);
	*i = (struct import){ .daemon = d, .arena = arena_new(), .request = *q, .pidfd = -EBADF, .out = -EBADF };
	i->request.path = copy(i->arena, q->path);
	i->request.job.transport = copy(i->arena, q->job.transport);
	i->request.job.select = copy(i->arena, q->job.select);
	i->request.job.name = copy(i->arena, q->job.name);
	i->request.job.stem = copy(i->arena, q->job.stem);
	list_append(&d->images->imports, &i->link);
	run_next(d);
	return i;
}

void import_cancel(struct import *i)
{
	if (!i->running) {
		import_free(i);
		return;
	}
	i->cancelled = true; /* its end is awaited: a source is not read twice at a time, and it counts */
	(void)process_signal(i->pidfd, SIGKILL);
}

void import_kill_all(struct daemon *d)
{
	list_foreach(i, &d->images->imports, struct import, link) {
		if (!i->running) {
			import_free(i);
			continue;
		}
		(void)process_signal(i->pidfd, SIGKILL);
		list_remove(&i->link);
		close_handles(i);
	}
}

bool import_any(const struct daemon *d)
{
	return !list_empty(&d->images->imports);
}
