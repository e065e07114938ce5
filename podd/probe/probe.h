/* podd-probe: checks that podd can't make in its loop, since they take TLS, HTTP/2 or a resolver that blocks. One process for all of them,
 * a thread for each that is under way: each is a line of steps with one deadline, and shares nothing with the others but the socket.
 *
 * It parses strangers' bytes, so it has no privilege and can change no file (confine.c). If they take it over, they can lie about
 * probes, and reach what any process of the host's network can reach. */
#pragma once
#include "wire/probe.h"

/* Each makes one check, and fills the answer's status and error. */
void http_check(const struct probe_job *j, struct probe_answer *ret);
void grpc_check(const struct probe_job *j, struct probe_answer *ret);

int confine(void); /* 0 or -errno */
