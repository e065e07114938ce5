#include "daemon/api/http.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/api/http_internal.h"

struct http_server *http_new(uv_loop_t *loop, const struct http_service *service)
{
	struct http_server *s = xnew(struct http_server);

	s->service = service;
	s->loop = loop;
	s->dirfd = -EBADF;
	list_init(&s->connections);
	return s;
}

void *http_server_arg(const struct http_server *s)
{
	return s->service->arg;
}

static void server_maybe_free(struct http_server *s)
{
	if (!s->closed || s->listening || s->count)
		return;
	const struct http_service *v = s->service;
	(void)fd_close(s->dirfd);
	free(s);
	if (v->released)
		v->released(v->arg);
}

static void on_server_closed(uv_handle_t *h)
{
	struct http_server *s = h->data;

	s->listening = false;
	server_maybe_free(s);
}

struct http_server *http_close(struct http_server *s)
{
	if (!s)
		return NULL;
	s->closed = true;
	if (s->listening) {
		(void)unlinkat(s->dirfd, s->name, 0);
		uv_close((uv_handle_t *)&s->pipe, on_server_closed);
	}
	list_foreach(q, &s->connections, struct http_request, link)
		http_conn_close(q);
	server_maybe_free(s);
	return NULL;
}

void http_conn_freed(struct http_server *s)
{
	s->count--;
	server_maybe_free(s);
}

/* The socket's mode protects it already; this also holds for a descriptor that was passed on. */
static int peer_check(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return -errno;
	return peer.uid == 0 ? 0 : -EPERM;
}

static int connection_begin(struct http_request *q)
{
	uv_os_fd_t fd;
	int r = uv_fileno((uv_handle_t *)&q->pipe, &fd);

	if (r == 0)
		r = peer_check(fd);
	if (r == 0 && q->server->count > HTTP_CONNECTIONS_MAX)
		r = -EUSERS;
	if (r == 0)
		r = http_conn_start(q);
	if (r < 0)
		http_conn_close(q);
	return r;
}

static void on_connection(uv_stream_t *stream, int status)
{
	struct http_server *s = stream->data;

	if (status < 0)
		return;
	struct http_request *q = http_conn_new(s);
	if (uv_accept(stream, (uv_stream_t *)&q->pipe) < 0)
		http_conn_close(q);
	else
		(void)connection_begin(q); /* who is refused sees the connection closed */
}

int http_serve(struct http_server *s, int fd)
{
	struct http_request *q = http_conn_new(s);
	int r = uv_pipe_open(&q->pipe, fd);

	if (r < 0) {
		(void)close(fd);
		http_conn_close(q);
		return r;
	}
	return connection_begin(q);
}

/* The socket is bound under a temporary name and renamed, so that its name always leads to a podd that answers. Names go through
 * /proc/self/fd since a path below a long --root does not fit into sun_path. */
static int socket_make(int dirfd, const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char tmp[80];
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	(void)snprintf(tmp, sizeof(tmp), ".tmp-%s", name);
	if (snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/%s", dirfd, tmp) >= (int)sizeof(a.sun_path))
		return -ENAMETOOLONG;
	(void)unlinkat(dirfd, tmp, 0);
	/* The kernel gives a bound socket the mode of its inode, less the umask: no moment in which others could connect. */
	if (fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 128) < 0)
		return -errno;
	if (fchmodat(dirfd, tmp, 0600, 0) < 0 || renameat(dirfd, tmp, dirfd, name) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int http_listen(struct http_server *s, int dirfd, const char *name)
{
	if (snprintf(s->name, sizeof(s->name), "%s", name) >= (int)sizeof(s->name))
		return -ENAMETOOLONG;
	s->dirfd = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
	if (s->dirfd < 0)
		return -errno;
	_cleanup_close_ int fd = socket_make(s->dirfd, name);
	if (fd < 0)
		return fd;
	int r = uv_pipe_init(s->loop, &s->pipe, 0);
	if (r < 0)
		return r;
	s->pipe.data = s;
	s->listening = true; /* from here on the handle has to be closed */
	r = uv_pipe_open(&s->pipe, fd);
	if (r < 0)
		return r;
	(void)TAKE_FD(fd);
	return uv_listen((uv_stream_t *)&s->pipe, 128, on_connection);
}

/* Whether the path fits; the handler's arguments are set then. */
static bool route_matches(const char *route, struct http_request *q)
{
	size_t i = 0, args = 0;

	memset(q->args, 0, sizeof(q->args));
	for (const char *p = route; *p; i++) {
		size_t n = strcspn(++p, "/"); /* past the '/' */
		if (!n && !*p)
			break;
		if (i == q->url.segment_count)
			return false;
		const char *segment = q->url.segments[i];
		if (n == 1 && *p == '*' && args < HTTP_ARGS_MAX)
			q->args[args++] = segment;
		else if (strlen(segment) != n || memcmp(segment, p, n) != 0)
			return false;
		p += n;
	}
	return i == q->url.segment_count;
}

void http_refuse(struct http_request *q, int code, const char *message)
{
	q->server->service->fail(q, code, message, q->server->service->arg);
}

void http_dispatch(struct http_request *q)
{
	const struct http_service *v = q->server->service;
	bool path_known = false;

	for (size_t i = 0; i < v->route_count; i++) {
		if (!route_matches(v->routes[i].path, q))
			continue;
		path_known = true;
		if (!v->routes[i].method || streq(v->routes[i].method, http_method(q))) {
			v->routes[i].handle(q, v->arg);
			return;
		}
	}
	if (path_known)
		http_refuse(q, 405, "the server does not allow this method on the requested resource");
	else
		http_refuse(q, 404, "404 page not found");
}
