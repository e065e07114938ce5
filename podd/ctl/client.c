#include "ctl/client.h"
#include <fcntl.h>
#include <http_parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "ctl/ctl.h"

struct client {
	int fd;
	http_parser parser;
	struct client_request request;
	struct buf body, rest;
	bool done, too_large;
};

static char *socket_path(const struct args *a)
{
	const char *s = a->socket ? a->socket : getenv("PODD_SOCKET");

	return s && *s ? xstrdup(s) : xasprintf("%s/run/podd/podd.sock", streq(a->root, "/") ? "" : a->root);
}

/* Through /proc/self/fd, since a path below a long --root does not fit into sun_path. */
static int socket_connect(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	_cleanup_free_ char *dir = xstrdup(path);
	char *slash = strrchr(dir, '/');
	const char *name = slash ? slash + 1 : path;

	if (slash)
		*slash = '\0';
	_cleanup_close_ int dirfd = open(!slash ? "." : *dir ? dir : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return -errno;
	if (snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/%s", dirfd, name) >= (int)sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static int on_body(http_parser *p, const char *data, size_t n)
{
	struct client *c = p->data;

	if (c->request.sink && p->status_code / 100 == 2) {
		c->request.sink(data, n, c->request.arg);
		return 0;
	}
	c->too_large = c->body.len + n > CLIENT_REPLY_MAX;
	if (c->too_large)
		return -1;
	buf_append(&c->body, data, n);
	return 0;
}

static int on_complete(http_parser *p)
{
	struct client *c = p->data;

	c->done = true;
	http_parser_pause(p, 1);
	return 0;
}

static const http_parser_settings settings = { .on_body = on_body, .on_message_complete = on_complete };

int client_open(const struct args *a, const struct client_request *q, struct client **ret)
{
	_cleanup_client_ struct client *c = xnew(struct client);
	_cleanup_free_ char *path = socket_path(a);
	_cleanup_buf_ struct buf head = BUF_NULL;

	c->request = *q;
	http_parser_init(&c->parser, HTTP_RESPONSE);
	c->parser.data = c;
	c->fd = socket_connect(path);
	if (c->fd < 0)
		return c->fd;
	buf_printf(&head, "%s %s HTTP/1.1\r\nHost: podd\r\nAccept: %s\r\nContent-Length: %zu\r\n", q->method, q->path,
	           q->accept ? q->accept : "application/json", q->body ? strlen(q->body) : 0);
	if (q->upgrade)
		buf_printf(&head, "Connection: Upgrade\r\nUpgrade: %s\r\n\r\n", q->upgrade);
	else
		buf_puts(&head, "Connection: close\r\n\r\n");
	buf_puts(&head, q->body ? q->body : "");
	const char *p = head.data;
	for (size_t left = head.len; left;) {
		ssize_t n = send(c->fd, p, left, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		left -= (size_t)n;
	}
	*ret = TAKE_PTR(c);
	return 0;
}

int client_fd(const struct client *c)
{
	return c->fd;
}

int client_pump(struct client *c)
{
	char data[64 << 10];
	ssize_t n = read(c->fd, data, sizeof(data));

	if (n < 0)
		return errno == EINTR ? 1 : -errno;
	size_t used = http_parser_execute(&c->parser, &settings, data, (size_t)n);
	if (c->done) {
		buf_append(&c->rest, data + used, (size_t)n - used);
		return 0;
	}
	if (c->too_large)
		return -EFBIG;
	if (HTTP_PARSER_ERRNO(&c->parser) != HPE_OK)
		return -EPROTO;
	return n ? 1 : -ECONNRESET; /* the end came before the answer's end */
}

int client_finish(struct client *c)
{
	int r;

	do
		r = client_pump(c);
	while (r > 0);
	return r;
}

int client_code(const struct client *c)
{
	return (int)c->parser.status_code;
}

const struct buf *client_body(const struct client *c)
{
	return &c->body;
}

int client_take(struct client *c, struct buf *ret_data)
{
	*ret_data = c->rest;
	c->rest = BUF_NULL;
	return TAKE_FD(c->fd);
}

struct client *client_free(struct client *c)
{
	if (!c)
		return NULL;
	(void)fd_close(c->fd);
	buf_deinit(&c->body);
	buf_deinit(&c->rest);
	free(c);
	return NULL;
}

int client_unreachable(const struct args *a, int error)
{
	_cleanup_free_ char *path = socket_path(a);
	const char *hint = error == -EACCES                             ? "; only root may"
	                   : error == -ENOENT || error == -ECONNREFUSED ? "; is podd running, with this --root?"
	                                                                : "";

	return ctl_fail(CTL_UNREACHABLE, "podd can't be reached at %s: %s%s", path, strerror(-error), hint);
}

int client_refused(const struct client *c)
{
	json_t *status = json_loadb(buf_str(&c->body), c->body.len, 0, NULL);
	_cleanup_buf_ struct buf text = BUF_NULL;

	str_escape(&text, *json_text(status, "message") ? json_text(status, "message") : buf_str(&c->body));
	(void)fprintf(stderr, "Error from server (%s): %s\n",
	              *json_text(status, "reason") ? json_text(status, "reason") : "NotFound", buf_str(&text));
	json_decref(status);
	return CTL_NO;
}

int client_call(const struct args *a, const struct client_request *q, json_t **ret_json)
{
	_cleanup_client_ struct client *c = NULL;
	json_error_t error;

	int r = client_open(a, q, &c);
	if (r == 0)
		r = client_finish(c);
	if (r < 0)
		return client_unreachable(a, r);
	if (client_code(c) / 100 != 2)
		return client_refused(c);
	if (!ret_json)
		return CTL_YES;
	json_t *value = json_loadb(buf_str(&c->body), c->body.len, JSON_REJECT_DUPLICATES, &error);
	if (!value)
		return ctl_fail(CTL_NO, "podd's answer is not JSON: %s", error.text);
	*ret_json = value;
	return CTL_YES;
}

int client_json(const struct args *a, const char *method, const char *path, bool table, json_t **ret_json)
{
	struct client_request q = { .method = method, .path = path, .accept = table ? CLIENT_ACCEPT_TABLE : NULL };

	return client_call(a, &q, ret_json);
}
