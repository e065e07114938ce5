/* A request of HTTP/1.1. Redirects are followed as the kubelet does: within the host, ten at most; one that leads elsewhere ends it, and is
 * the answer. */
#include <http_parser.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "probe/link.h"
#include "probe/probe.h"

enum { ANSWER_MAX = 10 << 10, REDIRECTS_MAX = 10, LOCATION_SIZE = 2048 };

struct exchange {
	struct link link;
	char host[PROBE_HOST_SIZE];
	unsigned port;
	bool tls;
	struct buf request;
	/* Of the answer. */
	int status;
	bool complete, in_location, location_over;
	char location[LOCATION_SIZE];
};

static int on_field(http_parser *p, const char *at, size_t n)
{
	struct exchange *e = p->data;

	/* A name in two pieces is no Location then: a redirect less is followed, no more. */
	e->location_over |= *e->location && e->in_location;
	e->in_location = n == 8 && strncasecmp(at, "Location", n) == 0 && !e->location_over;
	return 0;
}

static int on_value(http_parser *p, const char *at, size_t n)
{
	struct exchange *e = p->data;
	size_t used = strlen(e->location);

	if (e->in_location && n < sizeof(e->location) - used) {
		memcpy(e->location + used, at, n);
		e->location[used + n] = '\0';
	}
	return 0;
}

static int on_complete(http_parser *p)
{
	struct exchange *e = p->data;

	e->complete = p->status_code >= 200; /* 100 Continue and its like are followed by the answer */
	return 0;
}

static int ask(struct exchange *e)
{
	static const http_parser_settings settings = { .on_header_field = on_field,
		                                       .on_header_value = on_value,
		                                       .on_message_complete = on_complete };
	char data[4096];
	size_t received = 0;
	http_parser parser;

	e->complete = e->in_location = e->location_over = false;
	e->location[0] = '\0';
	http_parser_init(&parser, HTTP_RESPONSE);
	parser.data = e;
	int r = link_open(&e->link, e->host, e->port, e->tls, NULL);
	if (r == 0)
		r = link_write(&e->link, e->request.data, e->request.len);
	while (r == 0 && !e->complete && (received < ANSWER_MAX || !parser.status_code)) {
		int n = link_read(&e->link, data, sizeof(data));
		if (n < 0)
			return n;
		size_t parsed = http_parser_execute(&parser, &settings, data, (size_t)n); /* of nothing: the end */
		received += (size_t)n;
		if (!e->complete && (n == 0 || parsed != (size_t)n || (received >= ANSWER_MAX && !parser.status_code))) {
			(void)snprintf(e->link.error, sizeof(e->link.error), n ? "malformed HTTP response" : "EOF");
			return -EPROTO;
		}
	}
	e->status = parser.status_code;
	return r;
}

static bool is_redirect(int status)
{
	return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

/* The same request for another target; `host` NULL: the Host header stays. */
static void aim(struct exchange *e, const char *target, size_t size, const char *host)
{
	_cleanup_buf_ struct buf next = BUF_NULL;

	buf_puts(&next, "GET ");
	if (!size || *target != '/')
		buf_putc(&next, '/');
	for (size_t i = 0; i < size && target[i] != '#'; i++)
		if (target[i] <= ' ' || target[i] == 0x7f)
			buf_printf(&next, "%%%02X", (unsigned char)target[i]);
		else
			buf_putc(&next, target[i]);
	buf_puts(&next, " HTTP/1.1\r\n");
	const char *line = strstr(e->request.data, "\r\n") + 2;
	for (const char *end; (end = strstr(line, "\r\n")); line = end + 2)
		if (host && strncasecmp(line, "Host:", 5) == 0)
			buf_printf(&next, "Host: %s\r\n", host);
		else
			buf_append(&next, line, (size_t)(end + 2 - line));
	buf_deinit(&e->request);
	e->request = (struct buf){ next.data, next.len, next.cap };
	next = BUF_NULL;
}

/* Relative to the path of the request that was answered. */
static void follow_relative(struct exchange *e)
{
	_cleanup_buf_ struct buf path = BUF_NULL;
	const char *old = e->request.data + strlen("GET ");
	size_t n = strcspn(old, " ?");

	if (*e->location != '/') {
		while (*e->location != '?' && n > 0 && old[n - 1] != '/')
			n--;
		buf_append(&path, old, n);
	}
	buf_puts(&path, e->location);
	aim(e, buf_str(&path), path.len, NULL);
}

/* False: it leads to another host, or nowhere. */
static bool follow(struct exchange *e)
{
	struct http_parser_url u;
	const char *l = e->location;
	char authority[PROBE_HOST_SIZE + 16];

	if (!*l || str_after(l, "//"))
		return false;
	if (!strstr(l, "://")) {
		follow_relative(e);
		return true;
	}
	http_parser_url_init(&u);
	if (http_parser_parse_url(l, strlen(l), 0, &u) != 0 || !(u.field_set & (1 << UF_HOST)))
		return false;
	size_t host = u.field_data[UF_HOST].len, begin = u.field_data[UF_HOST].off;
	if (host != strlen(e->host) || strncasecmp(l + begin, e->host, host) != 0)
		return false;
	e->tls = strncasecmp(l, "https:", 6) == 0;
	e->port = u.field_set & (1 << UF_PORT) ? u.port : e->tls ? 443 : 80;
	bool path = u.field_set & (1 << UF_PATH), query = u.field_set & (1 << UF_QUERY);
	size_t from = path ? u.field_data[UF_PATH].off : query ? u.field_data[UF_QUERY].off - 1U : strlen(l);
	(void)snprintf(authority, sizeof(authority), strchr(e->host, ':') ? "[%s]:%u" : "%s:%u", e->host, e->port);
	aim(e, l + from, strlen(l + from), authority);
	return true;
}

void http_check(const struct probe_job *j, struct probe_answer *ret)
{
	struct exchange e = { .link = LINK_NULL, .port = j->port, .tls = j->tls };
	int r = 0;

	e.link.deadline = clock_boot() + j->timeout_ms * NS_PER_MS;
	(void)strcpy(e.host, j->host);
	buf_puts(&e.request, j->text);
	for (int i = 0; i <= REDIRECTS_MAX; i++) {
		r = ask(&e);
		link_close(&e.link);
		if (r < 0 || !is_redirect(e.status) || !follow(&e))
			break;
		if (i == REDIRECTS_MAX) {
			(void)snprintf(e.link.error, sizeof(e.link.error), "stopped after %d redirects", REDIRECTS_MAX);
			r = -ELOOP;
		}
	}
	if (r < 0)
		(void)snprintf(ret->error, sizeof(ret->error), "%s", e.link.error);
	ret->status = e.status;
	buf_deinit(&e.request);
}
