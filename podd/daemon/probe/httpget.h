/* A connection to a container and, if a request is given, one exchange of HTTP/1.1 over it. It ends by itself: with the answer's last byte,
 * with a failure, or at the timeout. What the server says is bounded in size, and parsed by the parser that serves podd's own socket.
 * Errors are in the words of Go's net package, which people know from the kubelet. */
#pragma once
#include <sys/socket.h>
#include <uv.h>
#include "base/buf.h"
#include "manifest/pod.h"

enum { HTTPGET_ERROR_SIZE = 192, HTTPGET_ANSWER_MAX = 10 << 10 };

/* status: of the answer, 0 without a request; error: NULL, or why there was none. */
typedef void httpget_done(void *arg, int status, const char *error);

/* request NULL: connects, no more. It is copied. 0, or -errno, and then `done` is not called. */
int httpget_start(uv_loop_t *loop, const struct sockaddr_storage *to, const char *request, int64_t timeout_ms, httpget_done *done,
                  void *arg);

/* Where `port`, perhaps one of the container's by name, answers: at *host, an address or "localhost", or at the pod's own address if it
 * is NULL or "", "" being the node's. *host becomes an address. The port's number; 0: there is none of that name. */
int httpget_address(const struct container *c, const struct int_or_string *port, const char **host, const char *pod_ip,
                    struct sockaddr_storage *ret);

/* The request as the kubelet makes it, as "<agent>/podd"; `host` and `port` are for its Host header, unless the headers have one. */
void httpget_request(const struct http_get *g, const char *agent, const char *host, int port, struct buf *out);
