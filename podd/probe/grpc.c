/* grpc.health.v1.Health/Check: one unary call over HTTP/2. Its two messages are small enough to be written and read by hand:
 * the request has a string (field 1), the answer an enum (field 1). */
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "probe/link.h"
#include "probe/probe.h"

enum { MESSAGE_MAX = 4096, TEXT_SIZE = 96, PREFIX = 5 /* of a message: a flag and its length */ };
enum { GRPC_DEADLINE_EXCEEDED = 4, GRPC_UNIMPLEMENTED = 12 };

struct call {
	struct link link;
	struct buf request;
	struct buf answer;
	int http_status, grpc_status; /* -1: none yet */
	char grpc_message[TEXT_SIZE];
	bool closed;
	uint32_t reset; /* HTTP/2's word for why, 0: none */
};

static ssize_t on_send_body(nghttp2_session *s, int32_t stream, uint8_t *out, size_t size, uint32_t *flags,
                            nghttp2_data_source *source, void *arg)
{
	struct call *c = arg;
	size_t n = MIN(size, c->request.len);

	(void)s;
	(void)stream;
	(void)source;
	memcpy(out, c->request.data, n);
	buf_consume(&c->request, n);
	if (!c->request.len)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

static int on_header(nghttp2_session *s, const nghttp2_frame *f, const uint8_t *name, size_t name_len, const uint8_t *value,
                     size_t value_len, uint8_t flags, void *arg)
{
	struct call *c = arg;
	const char *n = (const char *)name;

	(void)s;
	(void)f;
	(void)flags;
	if (name_len == 7 && memcmp(n, ":status", 7) == 0)
		c->http_status = atoi((const char *)value); /* nghttp2 ends its strings with NUL */
	else if (name_len == 11 && memcmp(n, "grpc-status", 11) == 0)
		c->grpc_status = atoi((const char *)value);
	else if (name_len == 12 && memcmp(n, "grpc-message", 12) == 0)
		(void)snprintf(c->grpc_message, sizeof(c->grpc_message), "%.*s", (int)MIN(value_len, (size_t)TEXT_SIZE),
		               (const char *)value);
	return 0;
}

static int on_data(nghttp2_session *s, uint8_t flags, int32_t stream, const uint8_t *data, size_t n, void *arg)
{
	struct call *c = arg;

	(void)s;
	(void)flags;
	(void)stream;
	if (n > MESSAGE_MAX - c->answer.len)
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	buf_append(&c->answer, data, n);
	return 0;
}

static int on_close(nghttp2_session *s, int32_t stream, uint32_t error, void *arg)
{
	struct call *c = arg;

	(void)s;
	(void)stream;
	c->closed = true;
	c->reset = error;
	return 0;
}

#define HEADER(n, v)                                                                                             \
	{                                                                                                        \
		(uint8_t *)(uintptr_t)(n), (uint8_t *)(uintptr_t)(v), strlen(n), strlen(v), NGHTTP2_NV_FLAG_NONE \
	}

static int submit(struct call *c, nghttp2_session *s, const struct probe_job *j)
{
	const nghttp2_nv headers[] = {
		HEADER(":method", "POST"),
		HEADER(":scheme", j->tls ? "https" : "http"),
		HEADER(":path", "/grpc.health.v1.Health/Check"),
		HEADER(":authority", c->link.peer),
		HEADER("content-type", "application/grpc"),
		HEADER("te", "trailers"),
		HEADER("user-agent", "kube-probe/podd"),
	};
	const nghttp2_data_provider body = { .read_callback = on_send_body };
	size_t n = strlen(j->text);
	unsigned char message[PREFIX + 3] = { 0 }; /* tag, and a length of two digits of 7 bits */
	size_t head = PREFIX;

	if (n > 0) {
		message[head++] = 1 << 3 | 2;
		if (n < 0x80) {
			message[head++] = (unsigned char)n;
		} else {
			message[head++] = (unsigned char)((n & 0x7f) | 0x80);
			message[head++] = (unsigned char)(n >> 7);
		}
	}
	size_t size = head - PREFIX + n;
	message[3] = (unsigned char)(size >> 8);
	message[4] = (unsigned char)size;
	buf_append(&c->request, message, head);
	buf_append(&c->request, j->text, n);
	if (nghttp2_submit_settings(s, NGHTTP2_FLAG_NONE, NULL, 0) != 0)
		return -ENOMEM;
	return nghttp2_submit_request(s, NULL, headers, sizeof(headers) / sizeof(*headers), &body, NULL) < 0 ? -ENOMEM : 0;
}

static int exchange(struct call *c, nghttp2_session *s)
{
	uint8_t data[4096];

	while (!c->closed) {
		const uint8_t *out;
		ssize_t n = nghttp2_session_mem_send(s, &out);
		int r = n < 0 ? -EPROTO : n > 0 ? link_write(&c->link, out, (size_t)n) : 0;
		if (r < 0)
			return r;
		if (n > 0)
			continue;
		int got = link_read(&c->link, data, sizeof(data));
		if (got < 0)
			return got;
		if (got == 0 || nghttp2_session_mem_recv(s, data, (size_t)got) < 0) {
			(void)snprintf(c->link.error, sizeof(c->link.error), "%.100s: %s", c->link.peer,
			               got ? "that is not HTTP/2" : "EOF");
			return -EPROTO;
		}
	}
	return 0;
}

static int call(struct call *c, const struct probe_job *j)
{
	nghttp2_session_callbacks *callbacks;
	nghttp2_session *s;

	if (nghttp2_session_callbacks_new(&callbacks) != 0)
		abort();
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
	if (nghttp2_session_client_new(&s, callbacks, c) != 0)
		abort();
	nghttp2_session_callbacks_del(callbacks);
	int r = submit(c, s, j);
	if (r == 0)
		r = exchange(c, s);
	nghttp2_session_del(s);
	return r;
}

/* The number of field 1; UNKNOWN, which is 0, is not sent. Unknown fields after it do not matter, and there are none before. */
static int health(const struct buf *answer)
{
	const unsigned char *m = (const unsigned char *)buf_str(answer);

	if (answer->len < PREFIX || m[0] != 0)
		return -EPROTO;
	return answer->len >= PREFIX + 2 && m[PREFIX] == 1 << 3 && m[PREFIX + 1] < 0x80 ? m[PREFIX + 1] : 0;
}

/* The kubelet's words. */
static void judge(const struct call *c, struct probe_answer *ret)
{
	static const char *const names[] = { "UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN" };
	char *out = ret->error;
	size_t size = sizeof(ret->error);
	int status = health(&c->answer);

	if (c->grpc_status == GRPC_UNIMPLEMENTED || (c->grpc_status < 0 && c->http_status == 404))
		(void)snprintf(out, size,
		               "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): %s",
		               *c->grpc_message ? c->grpc_message : "it does not know it");
	else if (c->grpc_status > 0)
		(void)snprintf(out, size, "error: health rpc probe failed: rpc error: code = %d desc = %s", c->grpc_status,
		               c->grpc_message);
	else if (c->grpc_status < 0 && c->reset)
		(void)snprintf(out, size, "error: health rpc probe failed: stream closed: %s", nghttp2_http2_strerror(c->reset));
	else if (c->grpc_status < 0 || status < 0)
		(void)snprintf(out, size, "error: health rpc probe failed: no answer of gRPC came, but HTTP status %d",
		               c->http_status);
	else if (status != 1)
		(void)snprintf(out, size, "service unhealthy (responded with \"%s\")",
		               (size_t)status < sizeof(names) / sizeof(*names) ? names[status] : "?");
}

void grpc_check(const struct probe_job *j, struct probe_answer *ret)
{
	struct call c = { .link = LINK_NULL, .grpc_status = -1 };
	bool connected = false;

	c.link.deadline = clock_boot() + j->timeout_ms * NS_PER_MS;
	int r = link_open(&c.link, j->host, j->port, j->tls, "h2");
	if (r == 0) {
		connected = true;
		r = call(&c, j);
	}
	if (r == -ETIMEDOUT && connected)
		(void)snprintf(ret->error, sizeof(ret->error), "timeout: health rpc did not complete within %gs",
		               j->timeout_ms / 1e3);
	else if (r == -ETIMEDOUT)
		(void)snprintf(ret->error, sizeof(ret->error), "timeout: failed to connect service \"%.100s\" within %gs",
		               c.link.peer, j->timeout_ms / 1e3);
	else if (r < 0 && !connected)
		(void)snprintf(ret->error, sizeof(ret->error), "error: failed to connect service: dial tcp %.140s", c.link.error);
	else if (r < 0)
		(void)snprintf(ret->error, sizeof(ret->error), "error: health rpc probe failed: %.150s", c.link.error);
	else
		judge(&c, ret);
	link_close(&c.link);
	buf_deinit(&c.request);
	buf_deinit(&c.answer);
}
