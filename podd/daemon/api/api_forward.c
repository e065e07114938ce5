/* portforward: one connection to a port inside a pod; without a port one that carries nothing and lasts as long as the pod. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <strings.h>
#include <sys/socket.h>
#include "base/alloc.h"
#include "base/str.h"
#include "daemon/api/api.h"
#include "daemon/api/forward.h"
#include "daemon/api/relay.h"
#include "sys/netns.h"
#include "wire/stream.h"

enum { FORWARDS_MAX = 100 }; /* of one pod: others want connections to podd as well */

struct forward {
	struct list link; /* of sandbox.forwards */
	struct relay *relay;
	uv_poll_t poll; /* while it connects */
	int fd;         /* of `poll` */
	int64_t port;   /* 0: carries nothing */
	bool gone;
};

static void maybe_free(struct forward *x)
{
	if (x->gone && x->fd < 0)
		free(x);
}

static void on_poll_closed(uv_handle_t *h)
{
	struct forward *x = h->data;

	x->fd = fd_close(x->fd);
	maybe_free(x);
}

static void poll_close(struct forward *x)
{
	if (x->fd >= 0 && !uv_is_closing((uv_handle_t *)&x->poll))
		uv_close((uv_handle_t *)&x->poll, on_poll_closed);
}

static void on_gone(void *arg)
{
	struct forward *x = arg;

	list_remove(&x->link);
	x->gone = true;
	poll_close(x);
	maybe_free(x);
}

static void fail(struct forward *x, const char *what, int error)
{
	_cleanup_free_ char *text = xasprintf("%s port %lld in the pod: %s", what, (long long)x->port, strerror(-error));

	relay_finish(x->relay, 1 << 8, text);
}

static void on_ended(int error, void *arg)
{
	struct forward *x = arg;

	if (error)
		fail(x, "the connection to", error);
	else
		relay_finish(x->relay, 0, NULL);
}

static void on_connected(uv_poll_t *p, int status, int events)
{
	struct forward *x = p->data;
	int error = 0;
	socklen_t size = sizeof(error);

	(void)events;
	(void)status; /* EBADF, whatever the error is */
	if (getsockopt(x->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	_cleanup_close_ int in = error ? -EBADF : fcntl(x->fd, F_DUPFD_CLOEXEC, 3);
	_cleanup_close_ int out = in < 0 ? -EBADF : fcntl(x->fd, F_DUPFD_CLOEXEC, 3);
	if (out >= 0) {
		relay_output(x->relay, 0, TAKE_FD(out));
		relay_input(x->relay, TAKE_FD(in), false);
	} else {
		fail(x, "connecting to", error ? -error : -errno);
	}
	poll_close(x);
}

/* A full backlog makes even this connect(2) wait. */
static int begin(struct forward *x, uv_loop_t *loop, int netns_fd)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		                  .sin_port = htons((uint16_t)x->port),
		                  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	_cleanup_close_ int fd = netns_socket(netns_fd, AF_INET, SOCK_STREAM);

	if (fd < 0)
		return fd;
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
		return -errno;
	int r = uv_poll_init(loop, &x->poll, fd);
	if (r < 0)
		return r;
	x->poll.data = x;
	x->fd = TAKE_FD(fd);
	return uv_poll_start(&x->poll, UV_WRITABLE, on_connected);
}

static size_t forward_count(const struct sandbox *s)
{
	size_t n = 0;

	list_foreach(x, &s->forwards, const struct forward, link)
		n += x != NULL;
	return n;
}

void api_forward(struct http_request *q, void *arg)
{
	static const struct relay_callbacks connection = { .ended = on_ended, .gone = on_gone };
	struct api *a = arg;
	const struct core_pod *p = api_find_pod(a, q);
	struct sandbox *s = p ? sandbox_find(a->d, p->uid) : NULL;
	const char *port_text = url_param(http_url(q), "port"), *pod = p && p->pod ? p->pod->metadata.name : NULL;
	int64_t port = 0;

	if (!p)
		return;
	if (port_text && str_int(port_text, 1, 65535, &port) < 0) {
		api_error(q, 400, NULL, NULL, "port is a number from 1 to 65535");
		return;
	}
	if (!s || s->state != SANDBOX_UP || s->netns_fd < 0) {
		api_error(q, 400, pod, "pods", "the pod is not running");
		return;
	}
	if (forward_count(s) >= FORWARDS_MAX) {
		api_error(q, 429, pod, "pods", "more than %d connections are forwarded to the pod", FORWARDS_MAX);
		return;
	}
	struct forward *x = xnew(struct forward);
	*x = (struct forward){ .fd = -EBADF, .port = port };
	if (relay_new(q, &a->d->loop, &connection, x, &x->relay) < 0) {
		free(x);
		return;
	}
	list_append(&s->forwards, &x->link);
	int r = port ? begin(x, &a->d->loop, s->netns_fd) : 0;
	if (r < 0)
		fail(x, "connecting to", r);
	else if (!port)
		relay_input(x->relay, -EBADF, false);
}

void forward_end_all(struct sandbox *s)
{
	list_foreach(x, &s->forwards, struct forward, link) {
		list_remove(&x->link);
		relay_finish(x->relay, 1 << 8, "the pod has ended");
	}
}
