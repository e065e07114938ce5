/* What podd and podd-probe say to each other over a SOCK_SEQPACKET pair: jobs one way, one answer to each the other way, in any order. Both
 * are whole structures, texts end with NUL. podd-probe ends when podd's end is closed. */
#pragma once
#include <stdint.h>

enum {
	PROBE_FD = 3, /* podd-probe's end */
	PROBE_HOST_SIZE = 256,
	PROBE_TEXT_SIZE = 7168, /* a request with its headers */
	PROBE_ERROR_SIZE = 192,
	PROBE_JOBS_MAX = 256, /* under way */
};

enum probe_job_kind {
	PROBE_JOB_CONNECT = 1, /* no more than that */
	PROBE_JOB_HTTP,        /* text: the request; redirects are followed within the host */
	PROBE_JOB_GRPC,        /* text: the service to ask for its health */
};

struct probe_job {
	uint64_t id;
	uint32_t kind, tls, port, timeout_ms;
	char host[PROBE_HOST_SIZE]; /* a name or an address */
	char text[PROBE_TEXT_SIZE];
};

struct probe_answer {
	uint64_t id;
	int32_t status; /* of HTTP */
	uint32_t reserved;
	char error[PROBE_ERROR_SIZE]; /* "": none */
};
