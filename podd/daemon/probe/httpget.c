#include "daemon/probe/httpget.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <http_parser.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/str.h"

struct httpget {
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned open_handles;
	int fd;
	bool connected, complete;
	struct buf request; /* what is left to send */
	size_t received;
	http_parser parser;
	httpget_done *done;
	void *arg;
	char peer[INET6_ADDRSTRLEN + 16];
};

static int find_port(const struct container *c, const struct int_or_string *port)
{
	for (size_t i = 0; port->text && i < c->ports.count; i++)
		if (streq0(c->ports.items[i].name, port->text))
			return c->ports.items[i].container_port;
	return port->number;
}

int httpget_address(const struct container *c, const struct int_or_string *port, const char **host, const char *pod_ip,
                    struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
	int number = find_port(c, port);

	*ret = (struct sockaddr_storage){ 0 };
	if (!*host || !**host)
		*host = *pod_ip ? pod_ip : "127.0.0.1"; /* with hostNetwork */
	else if (streq(*host, "localhost"))
		*host = "127.0.0.1";
	if (inet_pton(AF_INET, *host, &v4->sin_addr) == 1) {
		ret->ss_family = AF_INET;
		v4->sin_port = htons((uint16_t)number);
	} else if (inet_pton(AF_INET6, *host, &v6->sin6_addr) == 1) {
		ret->ss_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)number);
	}
	return number;
}

/* --- the request --------------------------------------------------------------------------------------------------------------------- */

static bool has_header(const struct http_get *g, const char *name)
{
	for (size_t i = 0; i < g->headers.count; i++)
		if (strcasecmp(g->headers.items[i].name, name) == 0)
			return true;
	return false;
}

/* What may not stand in a request line is escaped; a fragment is not sent. */
static void put_path(const char *path, struct buf *out)
{
	if (*path != '/')
		buf_putc(out, '/');
	for (const char *s = path; *s && *s != '#'; s++) {
		unsigned char c = (unsigned char)*s;
		if (c <= ' ' || c >= 0x7f)
			buf_printf(out, "%%%02X", c);
		else
			buf_putc(out, *s);
	}
}

void httpget_request(const struct http_get *g, const char *agent, const char *host, int port, struct buf *out)
{
	buf_puts(out, "GET ");
	put_path(g->path ? g->path : "/", out);
	buf_puts(out, " HTTP/1.1\r\n");
	if (!has_header(g, "Host"))
		buf_printf(out, strchr(host, ':') ? "Host: [%s]:%d\r\n" : "Host: %s:%d\r\n", host, port);
	if (!has_header(g, "User-Agent"))
		buf_printf(out, "User-Agent: %s/podd\r\n", agent); /* which many servers keep out of their logs */
	if (!has_header(g, "Accept"))
		buf_puts(out, "Accept: */*\r\n");
	for (size_t i = 0; i < g->headers.count; i++)
		if (*g->headers.items[i].value)
			buf_printf(out, "%s: %s\r\n", g->headers.items[i].name, g->headers.items[i].value);
	buf_puts(out, "Connection: close\r\n\r\n");
}

/* --- the exchange -------------------------------------------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *h)
{
	struct httpget *g = h->data;

	if (--g->open_handles)
		return;
	(void)close(g->fd);
	buf_deinit(&g->request);
	free(g);
}

static void finish(struct httpget *g, int status, const char *error)
{
	if (uv_is_closing((uv_handle_t *)&g->poll))
		return;
	uv_close((uv_handle_t *)&g->poll, on_closed);
	uv_close((uv_handle_t *)&g->timer, on_closed);
	g->done(g->arg, status, error);
}

static void fail(struct httpget *g, const char *what, int error)
{
	char text[HTTPGET_ERROR_SIZE];
	const char *why = strerror(error);

	(void)snprintf(text, sizeof(text), "%s: %s: %c%s", g->peer, what, tolower((unsigned char)*why), why + 1);
	finish(g, 0, text);
}

static void on_timeout(uv_timer_t *t)
{
	struct httpget *g = t->data;
	char text[HTTPGET_ERROR_SIZE];

	(void)snprintf(text, sizeof(text), g->connected ? "%s: timeout exceeded while awaiting the answer" : "%s: i/o timeout",
	               g->peer);
	finish(g, 0, text);
}

static int on_complete(http_parser *p)
{
	struct httpget *g = p->data;

	g->complete = p->status_code >= 200; /* 100 Continue and its like are followed by the answer */
	return 0;
}

static void read_some(struct httpget *g)
{
	static const http_parser_settings settings = { .on_message_complete = on_complete };
	char data[4096];

	ssize_t n = read(g->fd, data, sizeof(data));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		fail(g, "read", errno);
		return;
	}
	g->received += (size_t)n;
	size_t parsed = http_parser_execute(&g->parser, &settings, data, (size_t)n); /* of nothing: the end */
	bool bad = parsed != (size_t)n && !g->complete;
	if (g->complete || (!bad && g->received >= HTTPGET_ANSWER_MAX && g->parser.status_code))
		finish(g, g->parser.status_code, NULL);
	else if (n == 0)
		finish(g, 0, "EOF");
	else if (bad || g->received >= HTTPGET_ANSWER_MAX)
		finish(g, 0, "malformed HTTP response");
}

static void write_some(struct httpget *g)
{
	ssize_t n = send(g->fd, buf_str(&g->request), g->request.len, MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		fail(g, "write", errno);
	else if (n > 0)
		buf_consume(&g->request, (size_t)n);
}

static void on_event(uv_poll_t *p, int status _unused_, int events _unused_);

static void connected(struct httpget *g)
{
	int error = 0;
	socklen_t size = sizeof(error);

	g->connected = true;
	(void)getsockopt(g->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (error)
		fail(g, "connect", error);
	else if (!g->request.len)
		finish(g, 0, NULL);
}

static void on_event(uv_poll_t *p, int status _unused_, int events _unused_)
{
	struct httpget *g = p->data;

	if (!g->connected)
		connected(g);
	else if (g->request.len)
		write_some(g);
	else
		read_some(g); /* also if libuv tells of an error, which is as good as EBADF to it: read(2) says which one it is */
	if (!uv_is_closing((uv_handle_t *)p))
		(void)uv_poll_start(p, g->request.len ? UV_WRITABLE : UV_READABLE, on_event);
}

static void name_peer(const struct sockaddr_storage *to, char *out, size_t size)
{
	const struct sockaddr_in *v4 = (const void *)to;
	const struct sockaddr_in6 *v6 = (const void *)to;
	char text[INET6_ADDRSTRLEN] = "";
	bool six = to->ss_family == AF_INET6;

	(void)inet_ntop(to->ss_family, six ? (const void *)&v6->sin6_addr : (const void *)&v4->sin_addr, text, sizeof(text));
	(void)snprintf(out, size, six ? "[%s]:%u" : "%s:%u", text, ntohs(six ? v6->sin6_port : v4->sin_port));
}

int httpget_start(uv_loop_t *loop, const struct sockaddr_storage *to, const char *request, int64_t timeout_ms, httpget_done *done,
                  void *arg)
{
	socklen_t size = to->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	int fd = socket(to->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	struct linger linger = { 1, 1 }; /* as the kubelet: connections that are over must not use up the ports */
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	if (connect(fd, (const struct sockaddr *)to, size) < 0 && errno != EINPROGRESS) {
		int error = errno;
		(void)close(fd);
		return -error;
	}
	struct httpget *g = xnew(struct httpget);
	g->fd = fd;
	g->done = done;
	g->arg = arg;
	if (request)
		buf_puts(&g->request, request);
	name_peer(to, g->peer, sizeof(g->peer));
	http_parser_init(&g->parser, HTTP_RESPONSE);
	g->poll.data = g->timer.data = g->parser.data = g;
	(void)uv_poll_init(loop, &g->poll, fd); /* a socket can be watched */
	(void)uv_timer_init(loop, &g->timer);
	g->open_handles = 2;
	(void)uv_timer_start(&g->timer, on_timeout, (uint64_t)timeout_ms, 0);
	(void)uv_poll_start(&g->poll, UV_WRITABLE, on_event);
	return 0;
}
