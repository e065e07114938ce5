#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "probe/link.h"
#include "probe/probe.h"
#include "wire/frame.h"

enum { STACK = 256 << 10 };

static void connect_check(const struct probe_job *j, struct probe_answer *ret)
{
	struct link l = LINK_NULL;

	l.deadline = clock_boot() + j->timeout_ms * NS_PER_MS;
	if (link_open(&l, j->host, j->port, j->tls, NULL) < 0)
		(void)snprintf(ret->error, sizeof(ret->error), "%s", l.error);
	link_close(&l);
}

static void *work(void *arg)
{
	_cleanup_free_ struct probe_job *j = arg;
	struct probe_answer answer = { .id = j->id };

	switch ((enum probe_job_kind)j->kind) {
	case PROBE_JOB_CONNECT:
		connect_check(j, &answer);
		break;
	case PROBE_JOB_HTTP:
		http_check(j, &answer);
		break;
	case PROBE_JOB_GRPC:
		grpc_check(j, &answer);
		break;
	}
	(void)frame_send(PROBE_FD, &answer, sizeof(answer), NULL, 0); /* a podd that is gone needs none */
	return NULL;
}

static int begin(const struct probe_job *job, const pthread_attr_t *attr)
{
	struct probe_job *j = xnew(struct probe_job);
	pthread_t thread;

	*j = *job;
	j->host[sizeof(j->host) - 1] = j->text[sizeof(j->text) - 1] = '\0';
	int error = pthread_create(&thread, attr, work, j);
	if (error)
		free(j);
	return -error;
}

int main(int argc, char **argv)
{
	struct probe_job job;
	pthread_attr_t attr;
	int fds[FRAME_FDS_MAX];
	size_t fd_count;

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("podd-probe " PODD_VERSION);
		return 0;
	}
	(void)prctl(PR_SET_NAME, "podd-probe"); /* it came as a memfd */
	(void)signal(SIGPIPE, SIG_IGN);
	link_setup();
	int r = confine();
	if (r < 0) {
		(void)fprintf(stderr, "podd-probe can't give up its privileges: %s\n", strerror(-r));
		return 1;
	}
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&attr, MAX((size_t)STACK, (size_t)PTHREAD_STACK_MIN));
	while (frame_recv(PROBE_FD, &job, sizeof(job), fds, &fd_count) == sizeof(job)) {
		struct probe_answer refusal = { .id = job.id };
		r = begin(&job, &attr);
		if (r < 0) {
			(void)snprintf(refusal.error, sizeof(refusal.error), "podd-probe: %s", strerror(-r));
			(void)frame_send(PROBE_FD, &refusal, sizeof(refusal), NULL, 0);
		}
	}
	_exit(0); /* whatever is under way: nobody asks any more */
}
