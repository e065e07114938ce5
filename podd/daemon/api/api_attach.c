/* attach: what a container's own process prints from now on, its standard input and its terminal. */
#include <fcntl.h>
#include <strings.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/api/api.h"
#include "daemon/api/relay.h"
#include "daemon/pod/session.h"
#include "wire/stream.h"

struct attach {
	struct relay *relay;
	struct session *session;
	bool keep_input; /* the client's end of file does not close it */
	bool exited, silent;
	int status;
};

/* Only when both are known: the exit may be heard of before the log process has passed on the last line, or after. */
static void maybe_finish(struct attach *x)
{
	if (x->exited && x->silent)
		relay_finish(x->relay, x->status, NULL);
}

static void on_gone(void *arg)
{
	struct attach *x = arg;

	x->session = session_free(x->session);
	free(x);
}

static void on_silent(int error, void *arg)
{
	struct attach *x = arg;

	(void)error; /* the hang-up of a terminal is one */
	x->silent = true;
	maybe_finish(x);
}

static void on_attached(struct session *s, int input, void *arg)
{
	struct attach *x = arg;

	(void)s;
	relay_input(x->relay, input, x->keep_input);
}

static void on_ended(struct session *s, int status, const char *error, void *arg)
{
	struct attach *x = arg;

	(void)s;
	x->exited = true;
	x->status = status;
	if (error) /* never attached */
		relay_finish(x->relay, status, error);
	else
		maybe_finish(x);
}

static int pipes_make(unsigned count, int ours[static 2], int theirs[static 2])
{
	for (unsigned i = 0; i < count; i++) {
		int p[2];
		if (pipe2(p, O_CLOEXEC) < 0) {
			int r = -errno;
			(void)fd_close(theirs[0]);
			return r;
		}
		ours[i] = p[0];
		theirs[i] = p[1];
	}
	return 0;
}

static void attach_start(struct api *a, struct http_request *q, const struct core_pod *p, const struct core_container *c)
{
	static const struct session_callbacks callbacks = { .attached = on_attached, .ended = on_ended };
	static const struct relay_callbacks connection = { .ended = on_silent, .gone = on_gone };
	const char *pod = p->pod->metadata.name;
	int ours[2] = { -EBADF, -EBADF }, theirs[2] = { -EBADF, -EBADF };
	bool tty = c->spec->tty, input = tty || url_bool(http_url(q), "stdin");
	struct attach *x = xnew(struct attach);

	x->keep_input = tty || !c->spec->stdin_once;
	int r = pipes_make(tty ? 1 : 2, ours, theirs);
	if (r == 0)
		r = session_attach(a->d, p->uid, c->name, input, theirs, &callbacks, x, &x->session);
	if (r == -ESRCH || r == -ENOENT)
		api_error(q, 400, pod, "pods", "container %s of pod %s is not running", c->name, pod);
	else if (r < 0)
		api_error(q, 500, pod, "pods", "can't attach: %s", strerror(-r));
	else
		r = relay_new(q, &a->d->loop, &connection, x, &x->relay);
	if (r < 0) {
		(void)session_free(x->session);
		free(x);
	}
	for (unsigned i = 0; i < 2; i++)
		if (r < 0)
			(void)fd_close(ours[i]);
		else
			relay_output(x->relay, i, ours[i]);
}

void api_attach(struct http_request *q, void *arg)
{
	struct api *a = arg;
	const struct core_pod *p = api_find_pod(a, q);
	const struct core_container *c = p ? api_find_container(q, p) : NULL;
	const char *upgrade = http_header(q, "Upgrade"), *pod = p ? p->pod->metadata.name : NULL;

	if (!c)
		return;
	if (!upgrade || strcasecmp(upgrade, STREAM_PROTOCOL) != 0)
		api_error(q, 400, NULL, NULL, "attach needs Connection: Upgrade and Upgrade: " STREAM_PROTOCOL);
	else if (!c->spec)
		api_error(q, 400, pod, "pods", "container %s of pod %s is not running", c->name, pod);
	else if (pod_tty_container(p->pod) == c->spec)
		api_error(q, 400, pod, "pods", "container %s of pod %s is on the host's terminal /dev/%s", c->name, pod,
		          p->pod->tty);
	else if (url_bool(http_url(q), "stdin") && !c->spec->stdin_open)
		api_error(q, 400, pod, "pods", "container %s of pod %s takes no input: its manifest does not say stdin: true",
		          c->name, pod);
	else if (url_bool(http_url(q), "tty") && !c->spec->tty)
		api_error(q, 400, pod, "pods", "container %s of pod %s has no terminal: its manifest does not say tty: true",
		          c->name, pod);
	else
		attach_start(a, q, p, c);
}
