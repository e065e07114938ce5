#include <fcntl.h>
#include <stdio.h>
#include <strings.h>
#include "base/alloc.h"
#include "base/str.h"
#include "daemon/api/http_internal.h"

enum { READ_SIZE = 64 << 10, WAITING_MAX = 64 << 10 };

struct write {
	uv_write_t req;
	char data[];
};

static void conn_advance(struct http_request *q);

static void on_handle_closed(uv_handle_t *h)
{
	struct http_request *q = h->data;
	struct http_server *s = q->server;

	if (--q->open_handles)
		return;
	q->hangup_fd = fd_close(q->hangup_fd);
	if (q->callbacks.gone)
		q->callbacks.gone(q->arg);
	buf_deinit(&q->in);
	buf_deinit(&q->target);
	buf_deinit(&q->headers);
	buf_deinit(&q->body);
	url_deinit(&q->url);
	free(q);
	http_conn_freed(s);
}

void http_conn_close(struct http_request *q)
{
	if (q->state == HTTP_CLOSING)
		return;
	q->state = HTTP_CLOSING;
	list_remove(&q->link);
	uv_close((uv_handle_t *)&q->pipe, on_handle_closed);
	uv_close((uv_handle_t *)&q->idle, on_handle_closed);
	if (q->hangup_fd >= 0)
		uv_close((uv_handle_t *)&q->hangup, on_handle_closed);
}

struct http_request *http_conn_new(struct http_server *s)
{
	struct http_request *q = xnew(struct http_request);

	q->server = s;
	s->count++;
	list_init(&q->link);
	(void)uv_pipe_init(s->loop, &q->pipe, 0); /* neither can fail: they only fill in the handle */
	(void)uv_timer_init(s->loop, &q->idle);
	q->pipe.data = q->idle.data = q;
	q->open_handles = 2;
	q->hangup_fd = -EBADF;
	list_append(&s->connections, &q->link);
	return q;
}

/* --- bytes in --- */

static bool head_grow(struct http_request *q, size_t n)
{
	q->head_size += n;
	if (q->head_size > HTTP_HEAD_MAX)
		q->refused = 431;
	return !q->refused;
}

static int on_url(http_parser *p, const char *data, size_t n)
{
	struct http_request *q = p->data;

	if (!head_grow(q, n))
		return -1;
	buf_append(&q->target, data, n);
	return 0;
}

static int on_header_name(http_parser *p, const char *data, size_t n)
{
	struct http_request *q = p->data;

	if (!head_grow(q, n))
		return -1;
	if (q->in_value)
		buf_putc(&q->headers, '\0');
	q->in_value = false;
	buf_append(&q->headers, data, n);
	return 0;
}

static int on_header_value(http_parser *p, const char *data, size_t n)
{
	struct http_request *q = p->data;

	if (!head_grow(q, n))
		return -1;
	if (!q->in_value)
		buf_putc(&q->headers, '\0');
	q->in_value = true;
	buf_append(&q->headers, data, n);
	return 0;
}

static int on_headers_complete(http_parser *p)
{
	struct http_request *q = p->data;

	if (q->in_value)
		buf_putc(&q->headers, '\0');
	if (p->flags & F_CONTENTLENGTH && p->content_length > HTTP_BODY_MAX) {
		q->refused = 413;
		return -1;
	}
	return 0;
}

static int on_body(http_parser *p, const char *data, size_t n)
{
	struct http_request *q = p->data;

	if (q->body.len + n > HTTP_BODY_MAX) {
		q->refused = 413;
		return -1;
	}
	buf_append(&q->body, data, n);
	return 0;
}

static int on_message_complete(http_parser *p)
{
	struct http_request *q = p->data;

	q->whole = true;
	q->keep_alive = http_should_keep_alive(p);
	http_parser_pause(p, 1); /* what follows is the next request's */
	return 0;
}

static const http_parser_settings parser_settings = {
	.on_url = on_url,
	.on_header_field = on_header_name,
	.on_header_value = on_header_value,
	.on_headers_complete = on_headers_complete,
	.on_body = on_body,
	.on_message_complete = on_message_complete,
};

static void on_idle(uv_timer_t *t)
{
	http_conn_close(t->data);
}

/* Back to waiting for a request. */
static void conn_reset(struct http_request *q)
{
	http_parser_init(&q->parser, HTTP_REQUEST);
	q->parser.data = q;
	buf_clear(&q->target);
	buf_clear(&q->headers);
	buf_clear(&q->body);
	url_deinit(&q->url);
	q->head_size = 0;
	q->in_value = q->whole = q->upgrade = false;
	q->state = HTTP_READING;
	(void)uv_timer_start(&q->idle, on_idle, HTTP_IDLE_MS, 0);
}

static void conn_refuse(struct http_request *q, int code)
{
	char text[128];

	q->state = HTTP_HANDLING;
	q->keep_alive = false; /* where the next request would begin is unknown */
	(void)uv_timer_stop(&q->idle);
	switch (code) {
	case 431:
		(void)snprintf(text, sizeof(text), "the request's head is larger than the limit of %d bytes", HTTP_HEAD_MAX);
		break;
	case 413:
		(void)snprintf(text, sizeof(text), "the request's body is larger than the limit of %d bytes", HTTP_BODY_MAX);
		break;
	case 414:
		(void)snprintf(text, sizeof(text), "the request's target has more than %d segments or %d parameters",
		               URL_SEGMENTS_MAX, URL_PARAMS_MAX);
		break;
	default:
		(void)snprintf(text, sizeof(text), "the request is not HTTP/1.1 as it should be");
	}
	http_refuse(q, code, text);
}

static void conn_handle(struct http_request *q)
{
	(void)uv_timer_stop(&q->idle);
	q->upgrade = q->parser.upgrade;
	if (q->upgrade)
		q->keep_alive = false; /* refused: what the client sends next is in a protocol that we do not speak */
	int r = url_parse(buf_str(&q->target), &q->url);
	if (r < 0) {
		conn_refuse(q, r == -E2BIG ? 414 : 400);
		return;
	}
	q->state = HTTP_HANDLING;
	http_dispatch(q);
}

static void conn_parse(struct http_request *q)
{
	size_t n = http_parser_execute(&q->parser, &parser_settings, q->in.data, q->in.len);

	buf_consume(&q->in, n);
	if (q->whole)
		conn_handle(q);
	else if (HTTP_PARSER_ERRNO(&q->parser) != HPE_OK)
		conn_refuse(q, q->refused ? q->refused : 400);
}

static void raw_deliver(struct http_request *q)
{
	_cleanup_buf_ struct buf data = q->in;

	q->in = BUF_NULL; /* the callback may pause, and more may be put back then */
	q->callbacks.data(data.data, data.len, q->arg);
}

/* Works off what was read. Not nested: a handler that answers at once comes back here through conn_next(). */
static void conn_advance(struct http_request *q)
{
	if (q->advancing)
		return;
	q->advancing = true;
	while (q->in.len && !q->finishing) {
		if (q->state == HTTP_READING && http_queued(q))
			break; /* who sends requests and reads no answers gets one answer into podd's memory, not all */
		if (q->state == HTTP_READING)
			conn_parse(q);
		else if (q->state == HTTP_RAW && !q->paused)
			raw_deliver(q);
		else
			break;
	}
	q->advancing = false;
	if (q->state == HTTP_CLOSING || !q->half || q->in.len)
		return;
	/* The client has ended its side. A whole answer is still sent; a stream has nobody who would ever say that he left. */
	if (q->state == HTTP_READING)
		http_finish(q);
	else if (q->state == HTTP_STREAMING || (q->state == HTTP_RAW && !q->finishing))
		http_conn_close(q);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *ret)
{
	struct http_request *q = h->data;

	(void)suggested;
	buf_reserve(&q->in, READ_SIZE);
	*ret = uv_buf_init(q->in.data + q->in.len, READ_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
	struct http_request *q = stream->data;

	(void)b;
	if (n == UV_EOF) {
		(void)uv_read_stop(stream);
		q->half = true;
		conn_advance(q);
		return;
	}
	if (n < 0) {
		http_conn_close(q);
		return;
	}
	q->in.len += (size_t)n;
	q->in.data[q->in.len] = '\0';
	conn_advance(q);
	if (q->state != HTTP_CLOSING && q->state != HTTP_RAW && q->in.len > WAITING_MAX)
		http_conn_close(q); /* many requests ahead of the answers: none of our clients does that */
	if (!q->in.len)
		buf_deinit(&q->in); /* a connection that waits holds no buffer, nor does one that only sends */
}

int http_conn_start(struct http_request *q)
{
	conn_reset(q);
	return uv_read_start((uv_stream_t *)&q->pipe, on_alloc, on_read);
}

static void on_hangup(uv_poll_t *p, int status, int events)
{
	(void)status;
	(void)events;
	http_conn_close(p->data);
}

/* A stream that is not read is not told of its end either, and a client that left while its input waits would keep its command alive.
 * epoll tells it by another descriptor of the same socket. */
static void hangup_watch(struct http_request *q)
{
	uv_os_fd_t fd;

	if (q->hangup_fd < 0) {
		if (uv_fileno((uv_handle_t *)&q->pipe, &fd) < 0)
			return;
		int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (copy < 0 || uv_poll_init(q->server->loop, &q->hangup, copy) < 0) {
			(void)fd_close(copy);
			return;
		}
		q->hangup.data = q;
		q->hangup_fd = copy;
		q->open_handles++;
	}
	(void)uv_poll_start(&q->hangup, UV_DISCONNECT, on_hangup);
}

void http_pause(struct http_request *q, bool pause)
{
	if (q->state != HTTP_RAW || q->paused == pause)
		return;
	q->paused = pause;
	if (pause) {
		(void)uv_read_stop((uv_stream_t *)&q->pipe);
		hangup_watch(q);
		return;
	}
	if (q->hangup_fd >= 0)
		(void)uv_poll_stop(&q->hangup);
	if (!q->half)
		(void)uv_read_start((uv_stream_t *)&q->pipe, on_alloc, on_read);
	conn_advance(q);
}

/* --- bytes out --- */

static void on_written(uv_write_t *req, int status)
{
	struct http_request *q = req->data;

	free(container_of(req, struct write, req));
	if (q->state == HTTP_CLOSING)
		return;
	if (status < 0)
		http_conn_close(q);
	else if (q->finishing && !http_queued(q))
		http_conn_close(q);
	else if (!q->finishing && q->callbacks.drained)
		q->callbacks.drained(q->arg);
	else if (q->state == HTTP_READING)
		conn_advance(q); /* requests that came before this answer was taken */
}

static void conn_write(struct http_request *q, const void *head, size_t head_size, const void *data, size_t size, const char *tail)
{
	size_t tail_size = strlen(tail), total = head_size + size + tail_size;

	if (q->state == HTTP_CLOSING)
		return;
	struct write *w = xcalloc(1, sizeof(*w) + total);
	w->req.data = q;
	memcpy(w->data, head, head_size);
	if (size)
		memcpy(w->data + head_size, data, size);
	memcpy(w->data + head_size + size, tail, tail_size);
	uv_buf_t b = uv_buf_init(w->data, (unsigned)total);
	if (uv_write(&w->req, (uv_stream_t *)&q->pipe, &b, 1, on_written) < 0) {
		free(w);
		http_conn_close(q);
	}
}

static void head_begin(struct buf *out, int code, const char *type)
{
	buf_printf(out, "HTTP/1.1 %d %s\r\n", code, http_status_str((enum http_status)code));
	if (type)
		buf_printf(out, "Content-Type: %s\r\n", type);
}

void http_reply(struct http_request *q, int code, const char *type, const void *data, size_t size)
{
	_cleanup_buf_ struct buf head = BUF_NULL;
	bool head_only = q->parser.method == HTTP_HEAD;

	if (q->state == HTTP_CLOSING)
		return;
	head_begin(&head, code, type);
	buf_printf(&head, "Content-Length: %zu\r\n%s\r\n", size, q->keep_alive ? "" : "Connection: close\r\n");
	conn_write(q, head.data, head.len, data, head_only ? 0 : size, "");
	if (!q->keep_alive) {
		http_finish(q);
		return;
	}
	conn_reset(q);
	conn_advance(q);
}

void http_stream(struct http_request *q, int code, const char *type, const struct http_callbacks *cb, void *arg)
{
	_cleanup_buf_ struct buf head = BUF_NULL;

	q->callbacks = *cb;
	q->arg = arg;
	head_begin(&head, code, type);
	buf_puts(&head, "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
	conn_write(q, head.data, head.len, NULL, 0, "");
	if (q->state != HTTP_CLOSING)
		q->state = HTTP_STREAMING;
}

int http_upgrade(struct http_request *q, const char *protocol, const struct http_callbacks *cb, void *arg)
{
	_cleanup_buf_ struct buf head = BUF_NULL;
	const char *wanted = http_header(q, "Upgrade");

	if (!q->upgrade || !wanted || strcasecmp(wanted, protocol) != 0)
		return -EINVAL;
	q->callbacks = *cb;
	q->arg = arg;
	head_begin(&head, 101, NULL);
	buf_printf(&head, "Connection: Upgrade\r\nUpgrade: %s\r\n\r\n", protocol);
	conn_write(q, head.data, head.len, NULL, 0, "");
	if (q->state != HTTP_CLOSING)
		q->state = HTTP_RAW;
	return 0;
}

void http_send(struct http_request *q, const void *data, size_t size)
{
	char chunk[24];

	if (q->state == HTTP_CLOSING || q->finishing || !size)
		return;
	if (q->state == HTTP_STREAMING) {
		int n = snprintf(chunk, sizeof(chunk), "%zx\r\n", size);
		conn_write(q, chunk, (size_t)n, data, size, "\r\n");
	} else {
		conn_write(q, "", 0, data, size, "");
	}
	if (q->state != HTTP_CLOSING && http_queued(q) > HTTP_QUEUE_MAX)
		http_conn_close(q);
}

void http_finish(struct http_request *q)
{
	if (q->state == HTTP_CLOSING || q->finishing)
		return;
	if (q->state == HTTP_STREAMING)
		conn_write(q, "", 0, "0\r\n\r\n", 5, "");
	if (q->state == HTTP_CLOSING)
		return;
	q->finishing = true;
	if (http_queued(q))
		(void)uv_timer_start(&q->idle, on_idle, HTTP_IDLE_MS,
		                     0); /* for a client that does not read; else on_written() closes */
	else
		http_conn_close(q);
}

static void on_expired(uv_timer_t *t)
{
	struct http_request *q = t->data;

	q->callbacks.expired(q->arg);
}

void http_expire(struct http_request *q, uint64_t ms)
{
	if (q->state == HTTP_STREAMING && !q->finishing)
		(void)uv_timer_start(&q->idle, on_expired, ms, 0); /* free while a handler has the request */
}

size_t http_queued(const struct http_request *q)
{
	return uv_stream_get_write_queue_size((const uv_stream_t *)&q->pipe);
}

/* --- the request --- */

const char *http_method(const struct http_request *q)
{
	return q->parser.method == HTTP_HEAD ? "GET" : http_method_str((enum http_method)q->parser.method);
}

const char *http_arg(const struct http_request *q, size_t i)
{
	return q->args[i];
}

const struct url *http_url(const struct http_request *q)
{
	return &q->url;
}

const char *http_header(const struct http_request *q, const char *name)
{
	const char *p = buf_str(&q->headers), *end = p + q->headers.len;

	while (p < end) {
		const char *value = p + strlen(p) + 1;
		if (value >= end)
			break;
		if (strcasecmp(p, name) == 0)
			return value;
		p = value + strlen(value) + 1;
	}
	return NULL;
}

const struct buf *http_body(const struct http_request *q)
{
	return &q->body;
}
