/* HTTP/1.1 for a few local clients on a unix socket. The parser is http-parser; this is the only header that its users see.
 *
 * A request is read whole (head at most 16 KiB, body at most 1 MiB), then its route's handler is called once. The handler answers
 * with exactly one of
 *   http_reply()    a whole answer; the request is no longer the handler's afterwards
 *   http_stream()   an answer of unknown length, in chunks
 *   http_upgrade()  another protocol on this connection
 * After the last two, http_send() adds data and http_finish() ends it; the request stays valid until the callback `gone`, which is
 * called exactly once, never from within a function of this header, whether the client left, was too slow or all was sent.
 *
 * After the last two a client that ends its side has left.
 *
 * A client that does not read: http_send() beyond 1 MiB of unsent data closes the connection. A handler whose source can wait looks at
 * http_queued() and goes on at `drained`.
 *
 * Requests that a client sends ahead wait until it has taken the answer before.
 *
 * A connection has a timer only while podd waits for a request on it (30 s): without connections nothing here ever wakes podd. */
#pragma once
#include <uv.h>
#include "base/buf.h"
#include "wire/url.h"

struct daemon;
struct http_request;
struct http_server;

enum {
	HTTP_CONNECTIONS_MAX = 256,
	HTTP_HEAD_MAX = 16 << 10,
	HTTP_BODY_MAX = 1 << 20,
	HTTP_QUEUE_MAX = 1 << 20,
	HTTP_IDLE_MS = 30000,
	HTTP_ARGS_MAX = 4,
};

struct http_route {
	const char *method; /* NULL: any */
	const char *path;   /* "/version"; a segment "*" is anything and an argument of the handler */
	void (*handle)(struct http_request *q, void *arg);
};

struct http_service {
	const struct http_route *routes; /* the first that fits is taken */
	size_t route_count;
	/* Answers a request that has no handler or was refused here: 400, 404, 405, 413, 414, 431. */
	void (*fail)(struct http_request *q, int code, const char *message, void *arg);
	void (*released)(void *arg); /* the server is gone, and all its requests; may be NULL */
	void *arg;                   /* of all of these */
};

struct http_callbacks {
	void (*gone)(void *arg);
	void (*drained)(void *arg);                             /* may be NULL: something was written; see http_queued() */
	void (*data)(const char *data, size_t size, void *arg); /* after http_upgrade(); else NULL */
	void (*expired)(void *arg);                             /* of http_expire(); may be NULL */
};

struct http_server *http_new(uv_loop_t *loop, const struct http_service *service);
/* Listens on `name` in the directory, mode 0600, in place of a socket that is there. 0 or -errno. */
int http_listen(struct http_server *s, int dirfd, const char *name);
/* Serves a connected socket; fd is taken over, also on failure. -EPERM: the peer is not root; -EUSERS: too many connections. */
int http_serve(struct http_server *s, int fd);
/* Closes all; memory is released by the loop's next turns. Takes NULL, returns NULL. */
struct http_server *http_close(struct http_server *s);
void *http_server_arg(const struct http_server *s);

/* podd's server with podd's routes (api.c), on <root>/run/podd/podd.sock. NULL after a logged error. */
struct http_server *http_open(struct daemon *d);

const char *http_method(const struct http_request *q);
const char *http_arg(const struct http_request *q, size_t i); /* what stood for the route's i-th "*" */
const struct url *http_url(const struct http_request *q);
const char *http_header(const struct http_request *q, const char *name); /* NULL if absent; names in any case */
const struct buf *http_body(const struct http_request *q);

void http_reply(struct http_request *q, int code, const char *type, const void *data, size_t size);
void http_stream(struct http_request *q, int code, const char *type, const struct http_callbacks *cb, void *arg);
/* -EINVAL: the client did not ask for this protocol; answer otherwise. */
int http_upgrade(struct http_request *q, const char *protocol, const struct http_callbacks *cb, void *arg);

void http_send(struct http_request *q, const void *data, size_t size);
void http_finish(struct http_request *q);
void http_expire(struct http_request *q, uint64_t ms); /* `expired` is called then, unless the stream has ended */
size_t http_queued(const struct http_request *q);      /* bytes not yet taken by the kernel */
void http_pause(struct http_request *q, bool pause);   /* after http_upgrade(): no `data` for now; `gone` comes all the same */
