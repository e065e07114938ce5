/* exec: a command inside a running container, its stdio as frames (wire/stream.h). Each side is as slow as the other: a client that
 * does not read stops the reading of the command's pipes, a command that does not read stops the reading of the connection. */
#include <fcntl.h>
#include <stdio.h>
#include <strings.h>
#include <sys/wait.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/api.h"
#include "daemon/session.h"
#include "wire/stream.h"

enum {
	READ_SIZE = 64 << 10,
	QUEUE_SIZE = 256 << 10, /* either way: beyond this the source waits */
	REST_SIZE = 256 << 10,  /* of each pipe, after the command's end */
	ARGS_MAX = 500,
};

struct exec {
	struct http_request *q;
	struct session *session;
	uv_pipe_t in, out[2]; /* our ends; out: stdout, stderr */
	bool in_open;         /* stdin was asked for and is not at its end */
	bool in_eof;          /* closes when all is written */
	bool out_open[2], out_paused;
	bool finished, gone;
	unsigned open_handles;
	struct buf frames; /* from the client */
	char data[STREAM_HEADER_SIZE + READ_SIZE];
};

struct stdin_write {
	uv_write_t req;
	struct exec *x;
	char data[];
};

/* --- the end --- */

static void on_handle_closed(uv_handle_t *h)
{
	struct exec *x = h->data;

	if (--x->open_handles || !x->gone)
		return;
	buf_deinit(&x->frames);
	free(x);
}

static void pipe_close(uv_pipe_t *p)
{
	if (!uv_is_closing((uv_handle_t *)p))
		uv_close((uv_handle_t *)p, on_handle_closed);
}

/* The connection is gone, in whatever way: so is the command. */
static void on_gone(void *arg)
{
	struct exec *x = arg;

	x->gone = true;
	x->session = session_free(x->session);
	x->open_handles++; /* the last callback must come after this function */
	pipe_close(&x->in);
	pipe_close(&x->out[0]);
	pipe_close(&x->out[1]);
	if (--x->open_handles)
		return;
	buf_deinit(&x->frames);
	free(x);
}

static void send_frame(struct exec *x, enum stream_channel channel, const void *data, size_t size)
{
	_cleanup_free_ char *frame = xcalloc(1, STREAM_HEADER_SIZE + size);

	stream_header((uint8_t *)frame, channel, size);
	memcpy(frame + STREAM_HEADER_SIZE, data, size);
	http_send(x->q, frame, STREAM_HEADER_SIZE + size);
}

/* What the command had written before its end is in the pipes. Who else still writes there is killed with the session. */
static void send_rest(struct exec *x, unsigned which)
{
	uv_os_fd_t fd;
	ssize_t n;

	if (!x->out_open[which] || uv_fileno((uv_handle_t *)&x->out[which], &fd) < 0)
		return;
	(void)uv_read_stop((uv_stream_t *)&x->out[which]);
	for (size_t sent = 0; sent < REST_SIZE; sent += (size_t)n) {
		n = read(fd, x->data, READ_SIZE);
		if (n <= 0)
			break;
		send_frame(x, STREAM_STDOUT + which, x->data, (size_t)n);
	}
	x->out_open[which] = false;
}

static void status_json(struct buf *out, int code, const char *error)
{
	char text[16], message[80];
	struct jsonw w;

	(void)snprintf(text, sizeof(text), "%d", code);
	(void)snprintf(message, sizeof(message), "command terminated with non-zero exit code: exit status %d", code);
	jsonw_init(&w, out);
	jsonw_object(&w);
	jsonw_key(&w, "metadata");
	jsonw_object(&w);
	jsonw_end(&w);
	jsonw_member_str(&w, "status", code ? "Failure" : "Success");
	if (code) {
		jsonw_member_str(&w, "reason", "NonZeroExitCode");
		jsonw_member_str(&w, "message", error ? error : message);
		jsonw_key(&w, "details");
		jsonw_object(&w);
		jsonw_key(&w, "causes");
		jsonw_array(&w);
		jsonw_object(&w);
		jsonw_member_str(&w, "reason", "ExitCode");
		jsonw_member_str(&w, "message", text);
		jsonw_end(&w);
		if (error) { /* it never ran: the client has to say why */
			jsonw_object(&w);
			jsonw_member_str(&w, "reason", "StartError");
			jsonw_member_str(&w, "message", error);
			jsonw_end(&w);
		}
		jsonw_end(&w);
		jsonw_end(&w);
	}
	jsonw_end(&w);
}

static void on_started(struct session *s, void *arg)
{
	(void)s;
	(void)arg;
}

static void on_ended(struct session *s, int status, const char *error, void *arg)
{
	_cleanup_buf_ struct buf body = BUF_NULL;
	struct exec *x = arg;

	(void)s;
	if (x->finished || x->gone)
		return;
	x->finished = true;
	send_rest(x, 0);
	send_rest(x, 1);
	status_json(&body, WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), error);
	send_frame(x, STREAM_STATUS, body.data, body.len);
	http_finish(x->q); /* then on_gone() */
}

/* --- from the command --- */

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *ret)
{
	struct exec *x = h->data;

	(void)suggested;
	*ret = uv_buf_init(x->data + STREAM_HEADER_SIZE, READ_SIZE); /* the frame's header goes in front */
}

static void on_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
	struct exec *x = stream->data;
	unsigned which = stream == (uv_stream_t *)&x->out[1];

	(void)b;
	if (n < 0) {
		x->out_open[which] = false;
		pipe_close(&x->out[which]);
		return;
	}
	if (n == 0)
		return;
	stream_header((uint8_t *)x->data, STREAM_STDOUT + which, (size_t)n);
	http_send(x->q, x->data, STREAM_HEADER_SIZE + (size_t)n);
	if (http_queued(x->q) <= QUEUE_SIZE)
		return;
	x->out_paused = true;
	for (unsigned i = 0; i < 2; i++)
		if (x->out_open[i])
			(void)uv_read_stop((uv_stream_t *)&x->out[i]);
}

static void on_drained(void *arg)
{
	struct exec *x = arg;

	if (!x->out_paused || x->finished || http_queued(x->q) > QUEUE_SIZE / 2)
		return;
	x->out_paused = false;
	for (unsigned i = 0; i < 2; i++)
		if (x->out_open[i])
			(void)uv_read_start((uv_stream_t *)&x->out[i], on_alloc, on_output);
}

/* --- to the command --- */

static size_t stdin_queued(const struct exec *x)
{
	return uv_stream_get_write_queue_size((const uv_stream_t *)&x->in);
}

static void on_stdin_written(uv_write_t *req, int status)
{
	struct stdin_write *w = container_of(req, struct stdin_write, req);
	struct exec *x = w->x;

	free(w);
	if (x->gone)
		return;
	if (status < 0 || (x->in_eof && !stdin_queued(x))) { /* EPIPE: the command reads no more, which is its right */
		x->in_open = false;
		pipe_close(&x->in);
	}
	if (!x->in_open || stdin_queued(x) <= QUEUE_SIZE / 2)
		http_pause(x->q, false);
}

static void stdin_take(struct exec *x, const char *data, size_t size)
{
	if (!x->in_open || x->in_eof)
		return;
	if (!size) {
		x->in_eof = true;
		if (!stdin_queued(x)) {
			x->in_open = false;
			pipe_close(&x->in);
		}
		return;
	}
	struct stdin_write *w = xcalloc(1, sizeof(*w) + size);
	w->x = x;
	memcpy(w->data, data, size);
	uv_buf_t b = uv_buf_init(w->data, (unsigned)size);
	if (uv_write(&w->req, (uv_stream_t *)&x->in, &b, 1, on_stdin_written) < 0) {
		free(w);
		x->in_open = false;
		pipe_close(&x->in);
	}
}

static void on_data(const char *data, size_t size, void *arg)
{
	struct exec *x = arg;
	enum stream_channel channel;
	const char *payload;
	size_t n;
	int r;

	buf_append(&x->frames, data, size);
	while ((r = stream_next(&x->frames, &channel, &payload, &n)) > 0) {
		if (channel == STREAM_STDIN)
			stdin_take(x, payload, n);
		buf_consume(&x->frames, STREAM_HEADER_SIZE + n);
	}
	if (r < 0)
		http_finish(x->q);
	else if (x->in_open && stdin_queued(x) > QUEUE_SIZE)
		http_pause(x->q, true);
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

/* Hands a descriptor to its handle, which owns it from then on. */
static bool pipe_open(struct exec *x, uv_loop_t *loop, uv_pipe_t *p, int *fd)
{
	(void)uv_pipe_init(loop, p, 0);
	p->data = x;
	x->open_handles++;
	if (*fd < 0 || uv_pipe_open(p, *fd) < 0)
		return false;
	(void)TAKE_FD(*fd);
	return true;
}

static void exec_run(struct api *a, struct exec *x, struct stdio *f)
{
	x->in_open = pipe_open(x, &a->d->loop, &x->in, &f->ours[0]);
	for (unsigned i = 0; i < 2; i++) {
		x->out_open[i] = pipe_open(x, &a->d->loop, &x->out[i], &f->ours[i + 1]);
		if (x->out_open[i])
			(void)uv_read_start((uv_stream_t *)&x->out[i], on_alloc, on_output);
	}
}

/* `command=` of the query, in order. */
static bool parse_command(struct http_request *q, struct string_list *ret)
{
	const struct url *u = http_url(q);

	for (size_t i = 0; i < u->param_count; i++)
		if (streq(u->params[i].name, "command") && ret->count < ARGS_MAX)
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
                       const struct string_list *argv)
{
	static const struct session_callbacks callbacks = { .started = on_started, .ended = on_ended };
	static const struct http_callbacks connection = { .gone = on_gone, .drained = on_drained, .data = on_data };
	struct stdio f;

	int r = stdio_make(url_bool(http_url(q), "stdin"), &f);
	if (r < 0) {
		start_failed(q, p, container, r);
		return;
	}
	struct exec *x = xnew(struct exec);
	x->q = q;
	r = session_start(a->d, p->uid, container, argv, TAKE_FD(f.theirs[0]), TAKE_FD(f.theirs[1]), TAKE_FD(f.theirs[2]),
	                  &callbacks, x, &x->session);
	if (r < 0) {
		start_failed(q, p, container, r);
	} else if (http_upgrade(q, STREAM_PROTOCOL, &connection, x) < 0) {
		(void)session_free(x->session);
		api_error(q, 400, NULL, NULL, "exec needs Connection: Upgrade and Upgrade: " STREAM_PROTOCOL);
	} else {
		exec_run(a, x, &f);
		x = NULL; /* the connection's, until on_gone() */
	}
	free(x);
	stdio_close(&f);
}

void api_exec(struct http_request *q, void *arg)
{
	struct api *a = arg;
	const struct core_pod *p = api_find_pod(a, q);
	const struct core_container *c = p ? api_find_container(q, p) : NULL;
	const char *upgrade = http_header(q, "Upgrade");
	struct string_list argv = { 0 };

	if (!c)
		return;
	if (!upgrade || strcasecmp(upgrade, STREAM_PROTOCOL) != 0)
		api_error(q, 400, NULL, NULL, "exec needs Connection: Upgrade and Upgrade: " STREAM_PROTOCOL);
	else if (parse_command(q, &argv))
		exec_start(a, q, p, c->name, &argv);
	free(argv.items);
}
