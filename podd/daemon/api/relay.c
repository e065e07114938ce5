#include "daemon/api/relay.h"
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "daemon/api/api.h"
#include "wire/stream.h"

enum {
	READ_SIZE = 64 << 10,
	QUEUE_SIZE = 256 << 10, /* either way: beyond this the source waits */
	REST_SIZE = 256 << 10,  /* of each output, after the end */
	CELLS_MAX = 10000,      /* of a terminal, in each direction */
};

struct relay {
	struct http_request *q;
	uv_loop_t *loop;
	struct relay_callbacks cb;
	void *arg;
	uv_pipe_t in, out[2];
	bool in_known; /* relay_input() was called */
	bool in_open, in_keep;
	bool in_eof; /* closes when all is written */
	bool out_open[2], out_paused;
	bool finished, gone;
	unsigned open_handles;
	struct buf frames; /* from the client */
	char data[STREAM_HEADER_SIZE + READ_SIZE];
};

struct stdin_write {
	uv_write_t req;
	struct relay *x;
	char data[];
};

/* --- the end --- */

static void maybe_free(struct relay *x)
{
	if (x->open_handles || !x->gone)
		return;
	buf_deinit(&x->frames);
	free(x);
}

static void on_handle_closed(uv_handle_t *h)
{
	struct relay *x = h->data;

	x->open_handles--;
	maybe_free(x);
}

static void pipe_close(uv_pipe_t *p)
{
	if (p->loop && !uv_is_closing((uv_handle_t *)p)) /* one that was never opened is all zeros */
		uv_close((uv_handle_t *)p, on_handle_closed);
}

static void on_gone(void *arg)
{
	struct relay *x = arg;

	x->cb.gone(x->arg);
	x->gone = true;
	x->open_handles++; /* the last callback must come after this function */
	pipe_close(&x->in);
	pipe_close(&x->out[0]);
	pipe_close(&x->out[1]);
	x->open_handles--;
	maybe_free(x);
}

static void send_frame(struct relay *x, enum stream_channel channel, const void *data, size_t size)
{
	_cleanup_free_ char *frame = xcalloc(1, STREAM_HEADER_SIZE + size);

	stream_header((uint8_t *)frame, channel, size);
	memcpy(frame + STREAM_HEADER_SIZE, data, size);
	http_send(x->q, frame, STREAM_HEADER_SIZE + size);
}

/* What the command had written before its end is in the pipes. Who else still writes there is killed with the session. */
static void send_rest(struct relay *x, unsigned which)
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

void relay_finish(struct relay *x, int status, const char *error)
{
	_cleanup_buf_ struct buf body = BUF_NULL;

	if (x->finished || x->gone)
		return;
	x->finished = true;
	send_rest(x, 0);
	send_rest(x, 1);
	pipe_close(&x->in); /* also if the client takes its time: a socket of a pod would keep the pod's network alive */
	pipe_close(&x->out[0]);
	pipe_close(&x->out[1]);
	status_json(&body, WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), error);
	send_frame(x, STREAM_STATUS, body.data, body.len);
	http_finish(x->q);
}

/* --- outputs --- */

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *ret)
{
	struct relay *x = h->data;

	(void)suggested;
	*ret = uv_buf_init(x->data + STREAM_HEADER_SIZE, READ_SIZE); /* the frame's header goes in front */
}

static void on_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
	struct relay *x = stream->data;
	unsigned which = stream == (uv_stream_t *)&x->out[1];

	(void)b;
	if (n < 0) {
		send_rest(x, which); /* libuv takes the hang-up of a terminal for its end, though there is more to read */
		pipe_close(&x->out[which]);
		if (!x->out_open[!which] && x->cb.ended)
			x->cb.ended(n == UV_EOF ? 0 : (int)n, x->arg);
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
	struct relay *x = arg;

	if (!x->out_paused || x->finished || http_queued(x->q) > QUEUE_SIZE / 2)
		return;
	x->out_paused = false;
	for (unsigned i = 0; i < 2; i++)
		if (x->out_open[i])
			(void)uv_read_start((uv_stream_t *)&x->out[i], on_alloc, on_output);
}

/* --- the input --- */

static size_t stdin_queued(const struct relay *x)
{
	return uv_stream_get_write_queue_size((const uv_stream_t *)&x->in);
}

static void input_close(struct relay *x)
{
	uv_os_fd_t fd;

	x->in_open = false;
	if (uv_fileno((uv_handle_t *)&x->in, &fd) == 0)
		(void)shutdown(fd, SHUT_WR); /* of a socket, since its output is the same one; others are told by the close */
	pipe_close(&x->in);
}

static void on_stdin_written(uv_write_t *req, int status)
{
	struct stdin_write *w = container_of(req, struct stdin_write, req);
	struct relay *x = w->x;

	free(w);
	if (x->gone)
		return;
	if (status < 0 || (x->in_eof && !stdin_queued(x))) /* EPIPE: the command reads no more, which is its right */
		input_close(x);
	if (!x->in_open || stdin_queued(x) <= QUEUE_SIZE / 2)
		http_pause(x->q, false);
}

static void stdin_take(struct relay *x, const char *data, size_t size)
{
	if (!x->in_open || x->in_eof)
		return;
	if (!size) {
		x->in_eof = !x->in_keep;
		if (x->in_eof && !stdin_queued(x))
			input_close(x);
		return;
	}
	struct stdin_write *w = xcalloc(1, sizeof(*w) + size);
	w->x = x;
	memcpy(w->data, data, size);
	uv_buf_t b = uv_buf_init(w->data, (unsigned)size);
	if (uv_write(&w->req, (uv_stream_t *)&x->in, &b, 1, on_stdin_written) < 0) {
		free(w);
		input_close(x);
	}
}

/* Of a terminal; anything else refuses it. */
static void resize(struct relay *x, const char *data, size_t size)
{
	json_t *m = json_loadb(data, size, 0, NULL);
	json_int_t width = json_integer_value(json_object_get(m, "Width")),
		   height = json_integer_value(json_object_get(m, "Height"));
	struct winsize cells = { .ws_col = (unsigned short)width, .ws_row = (unsigned short)height };
	uv_os_fd_t fd;

	if (width > 0 && width <= CELLS_MAX && height > 0 && height <= CELLS_MAX && x->in_open &&
	    uv_fileno((uv_handle_t *)&x->in, &fd) == 0)
		(void)ioctl(fd, TIOCSWINSZ, &cells);
	json_decref(m);
}

static void take_frames(struct relay *x)
{
	enum stream_channel channel;
	const char *payload;
	size_t n;
	int r = 0;

	while (x->in_known && (r = stream_next(&x->frames, &channel, &payload, &n)) > 0) {
		if (channel == STREAM_STDIN)
			stdin_take(x, payload, n);
		else if (channel == STREAM_RESIZE)
			resize(x, payload, n);
		buf_consume(&x->frames, STREAM_HEADER_SIZE + n);
	}
	if (r < 0)
		http_finish(x->q);
	else
		http_pause(x->q, !x->in_known || (x->in_open && stdin_queued(x) > QUEUE_SIZE));
}

static void on_data(const char *data, size_t size, void *arg)
{
	struct relay *x = arg;

	buf_append(&x->frames, data, size);
	take_frames(x);
}

/* --- the beginning --- */

/* Hands a descriptor to its handle, which owns it from then on. */
static bool pipe_open(struct relay *x, uv_pipe_t *p, int fd)
{
	if (fd < 0)
		return false;
	(void)uv_pipe_init(x->loop, p, 0);
	p->data = x;
	x->open_handles++;
	if (uv_pipe_open(p, fd) == 0)
		return true;
	(void)fd_close(fd);
	return false;
}

void relay_input(struct relay *x, int fd, bool keep)
{
	x->in_known = true;
	x->in_keep = keep;
	x->in_open = pipe_open(x, &x->in, fd);
	take_frames(x);
}

void relay_output(struct relay *x, unsigned which, int fd)
{
	x->out_open[which] = pipe_open(x, &x->out[which], fd);
	if (x->out_open[which] && !x->out_paused)
		(void)uv_read_start((uv_stream_t *)&x->out[which], on_alloc, on_output);
}

int relay_new(struct http_request *q, uv_loop_t *loop, const struct relay_callbacks *cb, void *arg, struct relay **ret)
{
	static const struct http_callbacks connection = { .gone = on_gone, .drained = on_drained, .data = on_data };
	struct relay *x = xnew(struct relay);

	*x = (struct relay){ .q = q, .loop = loop, .cb = *cb, .arg = arg };
	int r = http_upgrade(q, STREAM_PROTOCOL, &connection, x);
	if (r == 0) {
		*ret = x;
		return 0;
	}
	free(x);
	api_error(q, 400, NULL, NULL, "this needs Connection: Upgrade and Upgrade: " STREAM_PROTOCOL);
	return r;
}
