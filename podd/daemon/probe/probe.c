#include "daemon/probe/probe.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "daemon/probe/check.h"
#include "daemon/pod/sandbox.h"
#include "daemon/pod/session.h"

/* One that is being made. */
struct running {
	struct daemon *daemon;
	struct start_id id;
	enum probe_kind kind;

	/* Of a command. */
	struct session *session;
	struct string_list command; /* a reference of the pod keeps it */
	struct pod *pod;
	int32_t timeout;
	uv_poll_t output;
	uv_timer_t timer;
	unsigned open_handles;
	int fd;
	char text[MESSAGE_SIZE - 32]; /* the beginning of its output */
	size_t text_len;
};

static const struct probe *spec_of(const struct container *c, enum probe_kind kind)
{
	return kind == PROBE_STARTUP ? &c->startup : kind == PROBE_READINESS ? &c->readiness : &c->liveness;
}

static void tell(struct running *p, enum probe_result result, const char *text)
{
	struct event e = daemon_event(EVENT_PROBED, p->id.uid, p->id.container, p->id.number);

	e.probe = p->kind;
	e.result = result;
	(void)snprintf(e.message, sizeof(e.message), "%s", text);
	/* A stranger's words: they must not make lines of their own in a log. */
	for (char *s = e.message; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = ' ';
	for (size_t n = strlen(e.message); n && e.message[n - 1] == ' '; n--)
		e.message[n - 1] = '\0';
	daemon_step(p->daemon, &e);
}

/* --- over the network -------------------------------------------------------------------------------------------------------------- */

static void on_check(void *arg, enum probe_result result, const char *text)
{
	_cleanup_free_ struct running *p = arg;

	if (result == PROBE_SUCCESS && *text)
		daemon_report(p->daemon, p->id.uid, p->id.container, false, "ProbeWarning", "%s probe warning: %s",
		              probe_name(p->kind), text);
	tell(p, result, text);
}

/* --- a command -------------------------------------------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *h)
{
	struct running *p = h->data;

	if (--p->open_handles)
		return;
	(void)close(p->fd);
	(void)pod_unref(p->pod);
	free(p);
}

static void finish(struct running *p, enum probe_result result, const char *text)
{
	(void)session_free(p->session); /* and with it what still runs */
	uv_close((uv_handle_t *)&p->output, on_closed);
	uv_close((uv_handle_t *)&p->timer, on_closed);
	tell(p, result, text);
}

/* Only its beginning is of interest, but a program must not wait for its reader. */
static void read_output(struct running *p)
{
	char data[4096];
	ssize_t n = read(p->fd, data, sizeof(data));

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		(void)uv_poll_stop(&p->output);
	size_t take = MIN((size_t)MAX(n, 0), sizeof(p->text) - 1 - p->text_len);
	memcpy(p->text + p->text_len, data, take);
	p->text_len += take;
}

static void on_output(uv_poll_t *h, int status _unused_, int events _unused_)
{
	read_output(h->data);
}

static void on_timeout(uv_timer_t *t)
{
	struct running *p = t->data;
	const struct sandbox *s = sandbox_find(p->daemon, p->id.uid);
	_cleanup_buf_ struct buf text = BUF_NULL;

	buf_puts(&text, "command timed out: \"");
	for (size_t i = 0; i < p->command.count && text.len < MESSAGE_SIZE / 2; i++)
		buf_printf(&text, "%s%.100s", i ? " " : "", p->command.items[i]);
	buf_printf(&text, "\" timed out after %ds", p->timeout);
	finish(p, s && sandbox_is_stopped(s) ? PROBE_UNKNOWN : PROBE_FAILURE, buf_str(&text));
}

static void started(struct session *s _unused_, void *arg _unused_)
{
}

static void ended(struct session *s _unused_, int status, const char *error, void *arg)
{
	struct running *p = arg;

	read_output(p); /* what came with the end */
	if (error) {
		finish(p, PROBE_UNKNOWN, error);
		return;
	}
	if (status && !p->text_len && WIFSIGNALED(status))
		(void)snprintf(p->text, sizeof(p->text), "command was ended by signal %d", WTERMSIG(status));
	else if (status && !p->text_len)
		(void)snprintf(p->text, sizeof(p->text), "command exited with %d", WEXITSTATUS(status));
	finish(p, status ? PROBE_FAILURE : PROBE_SUCCESS, p->text);
}

static void run(struct running *p, const struct core_pod *cp, const struct probe *spec)
{
	static const struct session_callbacks callbacks = { .started = started, .ended = ended };
	int pipes[2] = { -EBADF, -EBADF };

	if (pipe2(pipes, O_CLOEXEC) < 0) {
		tell(p, PROBE_UNKNOWN, strerror(errno));
		free(p);
		return;
	}
	p->fd = pipes[0];
	p->command = spec->exec.command;
	p->pod = pod_ref(cp->pod);
	p->timeout = spec->timeout;
	p->output.data = p->timer.data = p;
	(void)uv_poll_init(&p->daemon->loop, &p->output, p->fd); /* a pipe can be watched; this makes our end not block */
	(void)uv_timer_init(&p->daemon->loop, &p->timer);
	p->open_handles = 2;
	const int stdio[3] = { open("/dev/null", O_RDONLY | O_CLOEXEC), fcntl(pipes[1], F_DUPFD_CLOEXEC, 0), pipes[1] };
	int r = session_start_probe(p->daemon, &p->id, &p->command, stdio, &callbacks, p, &p->session);
	if (r < 0) {
		finish(p, PROBE_UNKNOWN, strerror(-r));
		return;
	}
	(void)uv_timer_start(&p->timer, on_timeout, (uint64_t)p->timeout * 1000, 0);
	(void)uv_poll_start(&p->output, UV_READABLE, on_output);
}

void probe_make(struct daemon *d, const struct start_id *id, enum probe_kind kind)
{
	const struct core_pod *cp = core_pod_by_uid(d->core, id->uid);
	const struct container *c = cp && cp->pod ? pod_container(cp->pod, id->container) : NULL;
	const struct probe *spec = c ? spec_of(c, kind) : NULL;

	if (!spec || !spec->set)
		return; /* an edit of the same step took it out */
	struct running *p = xnew(struct running);
	*p = (struct running){ .daemon = d, .id = *id, .kind = kind };
	if (spec->exec.set)
		run(p, cp, spec);
	else if (spec->http_get.set)
		check_http(d, cp, c, &spec->http_get, spec->timeout, on_check, p);
	else if (spec->tcp_socket.set)
		check_tcp(d, cp, c, &spec->tcp_socket, spec->timeout, on_check, p);
	else
		check_grpc(d, cp, c, &spec->grpc, spec->timeout, on_check, p);
}
