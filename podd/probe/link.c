#include "probe/link.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "base/cleanup.h"
#include "base/clock.h"

static SSL_CTX *ctx;

void link_setup(void)
{
	ctx = SSL_CTX_new(TLS_client_method());
	if (!ctx)
		abort();
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_security_level(ctx, 0); /* a short key is as good as any where nothing is verified */
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
}

static int fail(struct link *l, const char *what, int error)
{
	const char *why = strerror(error);

	if (error == ETIMEDOUT)
		(void)snprintf(l->error, sizeof(l->error), "%.100s: i/o timeout", l->peer);
	else
		(void)snprintf(l->error, sizeof(l->error), "%.100s: %s: %c%s", l->peer, what, tolower((unsigned char)*why),
		               why + 1);
	return -error;
}

static int await(struct link *l, short events)
{
	struct pollfd p = { .fd = l->fd, .events = events };

	for (;;) {
		int64_t left = (l->deadline - clock_boot()) / NS_PER_MS;
		int n = left < 0 ? 0 : poll(&p, 1, (int)MIN(left, 3600000) + 1);
		if (n > 0)
			return 0;
		if (n == 0 && clock_boot() >= l->deadline)
			return -ETIMEDOUT;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

static int connect_to(struct link *l, const struct addrinfo *a)
{
	struct linger linger = { 1, 1 }; /* as the kubelet: connections that are over must not use up the ports */
	int error = 0;
	socklen_t size = sizeof(error);

	l->fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return -errno;
	(void)setsockopt(l->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	if (connect(l->fd, a->ai_addr, a->ai_addrlen) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	int r = await(l, POLLOUT);
	if (r == 0)
		(void)getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return r < 0 ? r : -error;
}

static int dial(struct link *l, const char *host, unsigned port)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *all;
	char service[16];
	int r = -EADDRNOTAVAIL;

	(void)snprintf(service, sizeof(service), "%u", port);
	int e = getaddrinfo(host, service, &hints, &all);
	if (e != 0) {
		(void)snprintf(l->error, sizeof(l->error), "lookup %.100s: %s", host,
		               e == EAI_NONAME ? "no such host" : gai_strerror(e));
		return -EADDRNOTAVAIL;
	}
	for (struct addrinfo *a = all; a; a = a->ai_next) {
		l->fd = fd_close(l->fd);
		r = connect_to(l, a);
		if (r == 0 || r == -ETIMEDOUT)
			break;
	}
	freeaddrinfo(all);
	return r < 0 ? fail(l, "connect", -r) : 0;
}

/* What a call of OpenSSL says: 0: again, now that the descriptor is ready; -errno. */
static int again(struct link *l, int result)
{
	int reason = SSL_get_error(l->ssl, result);

	if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) {
		int r = await(l, reason == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT);
		return r < 0 ? fail(l, "tls", -r) : 0;
	}
	unsigned long code = ERR_peek_error();
	const char *text = code ? ERR_reason_error_string(code) : NULL;
	(void)snprintf(l->error, sizeof(l->error), "%.100s: tls: %s", l->peer, text ? text : "the connection was closed");
	ERR_clear_error();
	return -EPROTO;
}

static int shake_hands(struct link *l, const char *host, const char *alpn)
{
	unsigned char protocol[16], address[sizeof(struct in6_addr)];
	size_t n = alpn ? strlen(alpn) : 0;

	l->ssl = SSL_new(ctx);
	if (!l->ssl || SSL_set_fd(l->ssl, l->fd) != 1)
		return fail(l, "tls", ENOMEM);
	/* The name that is asked for; RFC 6066 has no addresses there. */
	if (inet_pton(AF_INET, host, address) != 1 && inet_pton(AF_INET6, host, address) != 1)
		(void)SSL_set_tlsext_host_name(l->ssl, host);
	if (n && n < sizeof(protocol)) {
		protocol[0] = (unsigned char)n;
		memcpy(protocol + 1, alpn, n);
		(void)SSL_set_alpn_protos(l->ssl, protocol, (unsigned)n + 1);
	}
	for (int result; (result = SSL_connect(l->ssl)) != 1;) {
		int r = again(l, result);
		if (r < 0)
			return r;
	}
	return 0;
}

int link_open(struct link *l, const char *host, unsigned port, bool tls, const char *alpn)
{
	(void)snprintf(l->peer, sizeof(l->peer), strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
	int r = dial(l, host, port);
	return r < 0 || !tls ? r : shake_hands(l, host, alpn);
}

int link_write(struct link *l, const void *data, size_t n)
{
	const char *at = data;

	while (n > 0) {
		int r, done = l->ssl ? SSL_write(l->ssl, at, (int)n) : (int)send(l->fd, at, n, MSG_NOSIGNAL);
		if (done > 0) {
			at += done;
			n -= (size_t)done;
			continue;
		}
		if (l->ssl)
			r = again(l, done);
		else if (errno != EAGAIN && errno != EINTR)
			return fail(l, "write", errno);
		else if ((r = await(l, POLLOUT)) < 0)
			return fail(l, "write", -r);
		if (r < 0)
			return r;
	}
	return 0;
}

int link_read(struct link *l, void *data, size_t n)
{
	for (;;) {
		int r, done = l->ssl ? SSL_read(l->ssl, data, (int)n) : (int)recv(l->fd, data, n, 0);
		if (done > 0 || (!l->ssl && done == 0) || (l->ssl && SSL_get_error(l->ssl, done) == SSL_ERROR_ZERO_RETURN))
			return done;
		if (l->ssl)
			r = again(l, done);
		else if (errno != EAGAIN && errno != EINTR)
			return fail(l, "read", errno);
		else if ((r = await(l, POLLIN)) < 0)
			return fail(l, "read", -r);
		if (r < 0)
			return r;
	}
}

void link_close(struct link *l)
{
	SSL_free(l->ssl);
	l->ssl = NULL;
	l->fd = fd_close(l->fd);
}
