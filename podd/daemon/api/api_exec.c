/* exec: a command inside a running container, with or without a terminal of its own; copy: podd-launch as that command. */
#include <fcntl.h>
#include <strings.h>
#include <sys/socket.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/api/api.h"
#include "daemon/api/relay.h"
#include "daemon/pod/session.h"
#include "wire/stream.h"
#include "wire/terminal.h"

struct exec {
	struct relay *relay;
	struct session *session;
	int terminal; /* the socket over which the terminal's master comes */
};

/* The connection is gone, in whatever way: so is the command. */
static void on_gone(void *arg)
{
	struct exec *x = arg;

	x->session = session_free(x->session);
	(void)fd_close(x->terminal);
	free(x);
}

static void on_started(struct session *s, void *arg)
{
	struct exec *x = arg;
	int master, copy = -EBADF;

	(void)s;
	if (x->terminal < 0)
		return;
	int r = terminal_take(x->terminal, &master);
	if (r == 0) {
		copy = fcntl(master, F_DUPFD_CLOEXEC, 3);
		relay_output(x->relay, 0, copy);
		relay_input(x->relay, master, true);
	} else {
		relay_finish(x->relay, 126 << 8, r == -EPERM ? "what the container handed out is no terminal" : strerror(-r));
	}
}

static void on_ended(struct session *s, int status, const char *error, void *arg)
{
	struct exec *x = arg;

	(void)s;
	relay_finish(x->relay, status, error);
}

/* --- the beginning --- */

struct stdio {
	int ours[3], theirs[3];
};

static void stdio_close(struct stdio *f)
{
	for (unsigned i = 0; i < 3; i++) {
		f->ours[i] = fd_close(f->ours[i]);
		f->theirs[i] = fd_close(f->theirs[i]);
	}
}

static int stdio_make(bool with_stdin, struct stdio *ret)
{
	struct stdio f = { { -EBADF, -EBADF, -EBADF }, { -EBADF, -EBADF, -EBADF } };
	int p[2], r = 0;

	for (unsigned i = 0; i < 3 && r == 0; i++) {
		if (i == 0 && !with_stdin) {
			f.theirs[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
			r = f.theirs[0] < 0 ? -errno : 0;
		} else if (pipe2(p, O_CLOEXEC) < 0) {
			r = -errno;
		} else {
			f.ours[i] = p[i == 0];
			f.theirs[i] = p[i != 0];
		}
	}
	if (r < 0) {
		stdio_close(&f);
		return r;
	}
	*ret = f;
	return 0;
}

/* podd-launch sends the terminal that it makes over its standard input. */
static int stdio_make_terminal(struct stdio *ret)
{
	struct stdio f = { { -EBADF, -EBADF, -EBADF }, { -EBADF, -EBADF, -EBADF } };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	f.ours[0] = pair[0];
	f.theirs[0] = pair[1];
	for (unsigned i = 1; i < 3; i++)
		f.theirs[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (fcntl(f.ours[0], F_SETFL, O_NONBLOCK) < 0 || f.theirs[1] < 0 || f.theirs[2] < 0) {
		int r = -errno;
		stdio_close(&f);
		return r;
	}
	*ret = f;
	return 0;
}

/* `command=` of the query, in order. */
static bool parse_command(struct http_request *q, struct string_list *ret)
{
	const struct url *u = http_url(q);

	for (size_t i = 0; i < u->param_count; i++)
		if (streq(u->params[i].name, "command"))
			*xgrow(ret->items, ret->count) = u->params[i].value;
	if (ret->count && *ret->items[0])
		return true;
	api_error(q, 400, NULL, NULL, "you must specify at least one command for the container");
	return false;
}

static void start_failed(struct http_request *q, const struct core_pod *p, const char *container, int r)
{
	const char *pod = p->pod->metadata.name;

	if (r == -ESRCH)
		api_error(q, 400, pod, "pods", "container %s of pod %s is not running", container, pod);
	else
		api_error(q, r == -ENOENT ? 404 : 500, pod, "pods", "the command can't be started: %s", strerror(-r));
}

static void exec_start(struct api *a, struct http_request *q, const struct core_pod *p, const char *container,
                       const struct string_list *argv, enum session_kind kind, bool input)
{
	static const struct session_callbacks callbacks = { .started = on_started, .ended = on_ended };
	static const struct relay_callbacks connection = { .gone = on_gone };
	bool tty = kind == SESSION_TERMINAL;
	struct stdio f;

	int r = tty ? stdio_make_terminal(&f) : stdio_make(input, &f);
	if (r < 0) {
		start_failed(q, p, container, r);
		return;
	}
	struct exec *x = xnew(struct exec);
	x->terminal = -EBADF;
	const int theirs[] = { TAKE_FD(f.theirs[0]), TAKE_FD(f.theirs[1]), TAKE_FD(f.theirs[2]) };
	r = session_start(a->d, p->uid, container, argv, kind, theirs, &callbacks, x, &x->session);
	if (r < 0) {
		start_failed(q, p, container, r);
		free(x);
	} else if (relay_new(q, &a->d->loop, &connection, x, &x->relay) < 0) {
		(void)session_free(x->session);
		free(x);
	} else if (tty) {
		x->terminal = TAKE_FD(f.ours[0]);
	} else {
		relay_input(x->relay, TAKE_FD(f.ours[0]), false);
		relay_output(x->relay, 0, TAKE_FD(f.ours[1]));
		relay_output(x->relay, 1, TAKE_FD(f.ours[2]));
	}
	stdio_close(&f);
}

static bool upgrades(struct http_request *q, const char *what)
{
	const char *upgrade = http_header(q, "Upgrade");

	if (upgrade && strcasecmp(upgrade, STREAM_PROTOCOL) == 0)
		return true;
	api_error(q, 400, NULL, NULL, "%s needs Connection: Upgrade and Upgrade: " STREAM_PROTOCOL, what);
	return false;
}

void api_exec(struct http_request *q, void *arg)
{
	struct api *a = arg;
	const struct core_pod *p = api_find_pod(a, q);
	const struct core_container *c = p ? api_find_container(q, p) : NULL;
	struct string_list argv = { 0 };

	if (c && upgrades(q, "exec") && parse_command(q, &argv))
		exec_start(a, q, p, c->name, &argv, url_bool(http_url(q), "tty") ? SESSION_TERMINAL : SESSION_COMMAND,
		           url_bool(http_url(q), "stdin"));
	free(argv.items);
}

void api_copy(struct http_request *q, void *arg)
{
	struct api *a = arg;
	const struct core_pod *p = api_find_pod(a, q);
	const struct core_container *c = p ? api_find_container(q, p) : NULL;
	const char *from = url_param(http_url(q), "from"), *to = url_param(http_url(q), "to"),
		   *name = url_param(http_url(q), "name");
	const char *words[] = { from ? from : to, name };
	struct string_list argv = { .items = words, .count = from ? 1 : 2 };

	if (!c || !upgrades(q, "copy"))
		return;
	if (!from == !to || (to && !name) || !*words[0])
		api_error(q, 400, NULL, NULL, "copy needs from=PATH, or to=PATH and name=NAME");
	else
		exec_start(a, q, p, c->name, &argv, SESSION_COPY, to);
}
