#include "daemon/helper.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "sys/process.h"

enum { KEEP_MAX = 160 };

struct helper {
	uv_poll_t poll;
	int pidfd;
	helper_done *done; /* NULL: cancelled */
	void *arg;
};

static void closed(uv_handle_t *handle)
{
	struct helper *h = handle->data;

	(void)fd_close(h->pidfd);
	free(h);
}

static void ended(uv_poll_t *p, int status, int events)
{
	struct helper *h = p->data;
	siginfo_t info = { 0 };

	(void)status;
	(void)events;
	(void)waitid(P_PIDFD, (id_t)h->pidfd, &info, WEXITED | WNOHANG);
	uv_close((uv_handle_t *)p, closed);
	if (h->done)
		h->done(h->arg, info.si_code == CLD_EXITED ? -info.si_status : -EINTR);
}

static _Noreturn void child(const int *keep, size_t keep_count, helper_work *work, void *arg)
{
	int fds[KEEP_MAX];

	/* The API's socket and the connections above all: should podd die now, they must not seem open. */
	if (keep_count)
		memcpy(fds, keep, keep_count * sizeof(*keep));
	fd_close_others(fds, keep_count);
	_exit(-work(arg)); /* an errno fits an exit status */
}

struct helper *helper_start(uv_loop_t *loop, const int *keep, size_t keep_count, helper_work *work, helper_done *done, void *arg)
{
	sigset_t all, old;
	int pidfd = -EBADF;

	if (keep_count > KEEP_MAX)
		return NULL;
	/* A signal to the child would run podd's handler, which writes to podd's own pipe. */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &old);
	pid_t pid = process_clone(0, -EBADF, &pidfd);
	if (pid == 0)
		child(keep, keep_count, work, arg);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid < 0) {
		log_warning("starting a helper: %s, ignoring", strerror(-pid));
		return NULL;
	}
	struct helper *h = xnew(struct helper);
	*h = (struct helper){ .pidfd = pidfd, .done = done, .arg = arg };
	h->poll.data = h;
	if (uv_poll_init(loop, &h->poll, pidfd) < 0) { /* it goes on unseen */
		(void)fd_close(pidfd);
		free(h);
		return NULL;
	}
	(void)uv_poll_start(&h->poll, UV_READABLE, ended);
	return h;
}

void helper_cancel(struct helper *h)
{
	if (!h)
		return;
	h->done = NULL;
	(void)process_signal(h->pidfd, SIGKILL);
}

void helper_leave(struct helper *h)
{
	if (h && !uv_is_closing((uv_handle_t *)&h->poll))
		uv_close((uv_handle_t *)&h->poll, closed);
}
