/* One connection, shared by http.c (server, routes) and http_conn.c (bytes in, bytes out). A connection has one request at a time, so
 * the request is the connection: struct http_request.
 *
 *   READING    waits for a request, the idle timer runs
 *   HANDLING   a handler has the request; what the client sends meanwhile waits in `in`
 *   STREAMING  chunks go out
 *   RAW        after an upgrade
 *   CLOSING    uv_close was called; freed when both handles are closed */
#pragma once
#include <http_parser.h>
#include "base/list.h"
#include "daemon/api/http.h"

enum http_state { HTTP_READING, HTTP_HANDLING, HTTP_STREAMING, HTTP_RAW, HTTP_CLOSING };

struct http_server {
	uv_pipe_t pipe;
	bool listening, closed;
	const struct http_service *service;
	struct list connections; /* of struct http_request.link */
	size_t count;
	uv_loop_t *loop;
	int dirfd; /* of the socket's name, our own descriptor */
	char name[64];
};

struct http_request {
	struct list link; /* of http_server.connections; on none when CLOSING */
	struct http_server *server;
	uv_pipe_t pipe;
	uv_timer_t idle;
	uv_poll_t hangup; /* of a second descriptor of the socket; active while paused */
	int hangup_fd;
	unsigned open_handles;
	enum http_state state;

	http_parser parser;
	struct buf in;      /* read, not parsed yet; or raw bytes that wait */
	struct buf target;  /* as in the request line */
	struct buf headers; /* "name\0value\0", in pairs */
	size_t head_size;
	struct buf body;
	struct url url;
	bool in_value, whole, keep_alive, upgrade;
	int refused; /* status code of a limit that was hit while parsing; 0: none */
	const char *args[HTTP_ARGS_MAX];

	bool advancing; /* http_conn_advance() is on the stack */
	bool finishing; /* closes when all is written */
	bool half;      /* the client has ended its side */
	bool paused;
	struct http_callbacks callbacks;
	void *arg;
};

/* http_conn.c */
struct http_request *http_conn_new(struct http_server *s); /* its handles are initialised, not on the list yet */
int http_conn_start(struct http_request *q);
void http_conn_close(struct http_request *q);

/* http.c */
void http_dispatch(struct http_request *q);
void http_refuse(struct http_request *q, int code, const char *message);
void http_conn_freed(struct http_server *s);
