#include "daemon/probe/check.h"
#include <stdio.h>
#include <string.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "daemon/probe/httpget.h"
#include "daemon/probe/prober.h"

struct check {
	struct daemon *daemon;
	struct probe_job job;
	struct sockaddr_storage to; /* of family 0: the host is a name */
	bool any;                   /* answer will do */
	int64_t deadline;           /* boot time, ns */
	check_done *done;
	void *arg;
};

static void finish(struct check *k, enum probe_result result, const char *text)
{
	k->done(k->arg, result, text);
	free(k);
}

static void judge(struct check *k, int status, const char *error)
{
	char text[MESSAGE_SIZE] = "";
	bool http = k->job.kind == PROBE_JOB_HTTP;

	if (error)
		(void)snprintf(text, sizeof(text), "%s%s",
		               http                               ? "Get: "
		               : k->job.kind == PROBE_JOB_CONNECT ? "dial tcp "
		                                                  : "",
		               error);
	else if (http && !k->any && (status < 200 || status >= 400))
		(void)snprintf(text, sizeof(text), "HTTP probe failed with statuscode: %d", status);
	bool failed = *text;
	if (!failed && !k->any && status >= 300)
		(void)snprintf(text, sizeof(text), "Probe terminated redirects, statuscode: %d", status);
	finish(k, failed ? PROBE_FAILURE : PROBE_SUCCESS, text);
}

/* --- by podd-probe ---------------------------------------------------------------------------------------------------------------------- */

static void on_prober(void *arg, const struct probe_answer *answer, const char *why)
{
	struct check *k = arg;

	if (!answer)
		finish(k, PROBE_UNKNOWN, why);
	else
		judge(k, answer->status, *answer->error ? answer->error : NULL);
}

static void ask_prober(struct check *k)
{
	char text[MESSAGE_SIZE];
	int r = prober_ask(k->daemon->prober, &k->job, on_prober, k);

	if (r == 0)
		return;
	(void)snprintf(text, sizeof(text), "podd-probe: %s",
	               r == -EAGAIN  ? "it died, and is started anew"
	               : r == -EBUSY ? "256 probes are under way"
	                             : strerror(-r));
	finish(k, PROBE_UNKNOWN, text);
}

/* --- in podd's loop ---------------------------------------------------------------------------------------------------------------------- */

static void on_answer(void *arg, int status, const char *error)
{
	struct check *k = arg;

	int64_t left_ms = (k->deadline - clock_boot()) / NS_PER_MS;

	if (error || k->any || status < 300 || status >= 400) {
		judge(k, status, error);
		return;
	}
	k->job.timeout_ms = (uint32_t)MAX(left_ms, 1);
	ask_prober(k); /* it may lead to where the answer is */
}

static void ask(struct check *k, const char *request)
{
	struct probe_job *j = &k->job;
	char text[MESSAGE_SIZE];

	if (strlen(request) >= sizeof(j->text)) {
		(void)snprintf(text, sizeof(text), "the request is longer than %d bytes", PROBE_TEXT_SIZE - 1);
		finish(k, PROBE_UNKNOWN, text);
		return;
	}
	(void)strcpy(j->text, request);
	if (j->tls || j->kind == PROBE_JOB_GRPC || !k->to.ss_family) {
		ask_prober(k);
		return;
	}
	int r = httpget_start(&k->daemon->loop, &k->to, j->kind == PROBE_JOB_HTTP ? j->text : NULL, j->timeout_ms, on_answer, k);
	if (r == 0)
		return;
	(void)snprintf(text, sizeof(text), "dial tcp %.100s:%u: %s", j->host, j->port, strerror(-r));
	finish(k, PROBE_FAILURE, text);
}

/* --- what is asked ---------------------------------------------------------------------------------------------------------------------- */

/* NULL: the port is none, and `done` was told so. */
static struct check *check_new(struct daemon *d, const struct core_pod *p, const struct container *c, const char *host,
                               const struct int_or_string *port, int32_t timeout_s, check_done *done, void *arg)
{
	struct check *k = xnew(struct check);
	char text[MESSAGE_SIZE];
	int number = httpget_address(c, port, &host, p->sandbox.ip, &k->to);

	k->daemon = d;
	k->done = done;
	k->arg = arg;
	k->job.port = (uint32_t)number;
	k->job.timeout_ms = (uint32_t)MIN(timeout_s, INT32_MAX / 1000) * 1000;
	k->deadline = clock_boot() + k->job.timeout_ms * NS_PER_MS;
	(void)snprintf(k->job.host, sizeof(k->job.host), "%s", host);
	if (number)
		return k;
	(void)snprintf(text, sizeof(text), "couldn't find port: %s", port->text);
	finish(k, PROBE_UNKNOWN, text);
	return NULL;
}

static void get(struct check *k, const struct http_get *g, const char *agent)
{
	_cleanup_buf_ struct buf request = BUF_NULL;

	k->job.kind = PROBE_JOB_HTTP;
	k->job.tls = g->scheme == HTTP_SCHEME_HTTPS;
	httpget_request(g, agent, k->job.host, (int)k->job.port, &request);
	ask(k, buf_str(&request));
}

void check_http(struct daemon *d, const struct core_pod *p, const struct container *c, const struct http_get *g, int32_t timeout_s,
                check_done *done, void *arg)
{
	struct check *k = check_new(d, p, c, g->host, &g->port, timeout_s, done, arg);

	if (k)
		get(k, g, "kube-probe");
}

void check_hook(struct daemon *d, const struct core_pod *p, const struct container *c, const struct http_get *g, int32_t timeout_s,
                check_done *done, void *arg)
{
	struct check *k = check_new(d, p, c, g->host, &g->port, timeout_s, done, arg);

	if (!k)
		return;
	k->any = true;
	get(k, g, "kube-lifecycle");
}

void check_tcp(struct daemon *d, const struct core_pod *p, const struct container *c, const struct tcp_socket *t, int32_t timeout_s,
               check_done *done, void *arg)
{
	struct check *k = check_new(d, p, c, t->host, &t->port, timeout_s, done, arg);

	if (!k)
		return;
	k->job.kind = PROBE_JOB_CONNECT;
	ask(k, "");
}

void check_grpc(struct daemon *d, const struct core_pod *p, const struct container *c, const struct grpc_action *g,
                int32_t timeout_s, check_done *done, void *arg)
{
	const struct int_or_string port = { .number = g->port };
	struct check *k = check_new(d, p, c, NULL, &port, timeout_s, done, arg);

	k->job.kind = PROBE_JOB_GRPC; /* its port is a number: there is a check */
	k->job.tls = streq0(g->mode, "TLS");
	ask(k, g->service ? g->service : "");
}
