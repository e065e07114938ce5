/* A question to a container over the network, for a probe or a hook: a connection, a request, a call of gRPC's health service. The address
 * is the pod's, unless the manifest names another. What is plain and has an address is asked in podd's own loop (httpget.h); TLS, gRPC, names
 * and redirects are podd-probe's business (prober.h). */
#pragma once
#include "daemon/daemon.h"

/* Once, within the timeout. UNKNOWN: it could not be asked. `text`: what there is to say, also of a success ("": nothing), in the
 * kubelet's words. */
typedef void check_done(void *arg, enum probe_result result, const char *text);

void check_http(struct daemon *d, const struct core_pod *p, const struct container *c, const struct http_get *g, int32_t timeout_s,
                check_done *done, void *arg);
/* For a hook, where any answer is a success; a failure's text is without "Get". */
void check_hook(struct daemon *d, const struct core_pod *p, const struct container *c, const struct http_get *g, int32_t timeout_s,
                check_done *done, void *arg);
void check_tcp(struct daemon *d, const struct core_pod *p, const struct container *c, const struct tcp_socket *t, int32_t timeout_s,
               check_done *done, void *arg);
void check_grpc(struct daemon *d, const struct core_pod *p, const struct container *c, const struct grpc_action *g,
                int32_t timeout_s, check_done *done, void *arg);
