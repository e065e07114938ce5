#include <stdio.h>
#include <time.h>
#include "base/clock.h"
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/pods.h"
#include "ctl/until.h"

enum { POLL_MS = 50 };

static const struct {
	const char *name, *kubectl; /* its spelling */
} conditions[] = {
	[UNTIL_READY] = { "ready", "condition=Ready" },
	[UNTIL_COMPLETED] = { "completed", "jsonpath={.status.phase}=Succeeded" },
	[UNTIL_DELETED] = { "deleted", "delete" },
	[UNTIL_STOPPED] = { "stopped", "stopped" },
};
_Static_assert(ARRAY_SIZE(conditions) == UNTIL_MAX, "a name for each condition");

int until_deadline(const struct args *a, int64_t *ret)
{
	int64_t ns;

	*ret = 0;
	if (!a->timeout)
		return 0;
	if (str_duration(a->timeout, &ns) < 0 || ns < 0) {
		(void)ctl_fail(CTL_USAGE, "--timeout is a duration: 500ms, 30s, 5m");
		return -EINVAL;
	}
	*ret = clock_boot() + ns;
	return 0;
}

static bool condition_is(const json_t *pod, const char *type, const char *status)
{
	const json_t *c;
	size_t i;

	json_array_foreach(json_at(pod, "status.conditions"), i, c) {
		if (streq(json_text(c, "type"), type))
			return streq(json_text(c, "status"), status);
	}
	return false;
}

/* 1: it is so; 0: not yet; -1: never. `uid`: of the pod when the wait began, "" at first. */
static int judge(enum until until, const json_t *pod, char *uid, size_t uid_size)
{
	if (!*uid)
		(void)snprintf(uid, uid_size, "%s", json_text(pod, "metadata.uid"));
	switch (until) {
	case UNTIL_READY:
		if (streq(json_text(pod, "status.phase"), "Succeeded") || streq(json_text(pod, "status.phase"), "Failed"))
			return -1;
		return condition_is(pod, "Ready", "True");
	case UNTIL_COMPLETED:
		return streq(json_text(pod, "status.phase"), "Failed") ? -1 : streq(json_text(pod, "status.phase"), "Succeeded");
	case UNTIL_DELETED:
		return !streq(json_text(pod, "metadata.uid"), uid);
	case UNTIL_STOPPED:
		return streq(json_text(pod, "status.reason"), "Stopped");
	case UNTIL_MAX:
		break;
	}
	return -1;
}

/* One look. 1, 0, -1 as judge(); the code of an answer that is none goes to *ret_code. */
static int look(const struct args *a, const char *path, enum until until, char *uid, size_t uid_size, int *ret_code)
{
	struct client_request q = { .method = "GET", .path = path };
	_cleanup_client_ struct client *c = NULL;
	int r = client_open(a, &q, &c);

	if (r == 0)
		r = client_finish(c);
	if (r < 0) { /* podd may be on its way back */
		*ret_code = r;
		return 0;
	}
	*ret_code = client_code(c);
	if (client_code(c) == 404)
		return until == UNTIL_DELETED || until == UNTIL_STOPPED;
	json_t *pod = json_loadb(buf_str(client_body(c)), client_body(c)->len, 0, NULL);
	r = judge(until, pod, uid, uid_size);
	json_decref(pod);
	return r;
}

int until_pod(const struct args *a, const struct pod_ref *p, enum until until, int64_t deadline)
{
	_cleanup_buf_ struct buf path = BUF_NULL;
	const struct timespec pause = { .tv_nsec = POLL_MS * NS_PER_MS };
	char uid[64] = "";
	int code;

	pod_ref_path(p, &path);
	for (;;) {
		int r = look(a, path.data, until, uid, sizeof(uid), &code);
		if (r > 0)
			return CTL_YES;
		if (r < 0)
			return ctl_fail(CTL_NO, "pod %s will not become %s: it has ended", p->name, conditions[until].name);
		if (deadline ? clock_boot() >= deadline : code < 0)
			break;
		(void)nanosleep(&pause, NULL);
	}
	if (code < 0)
		return client_unreachable(a, code);
	if (code == 404)
		return ctl_fail(CTL_NO, "pods \"%s\" not found", p->name);
	return ctl_fail(CTL_NO, "timed out: pod %s is not %s", p->name, conditions[until].name);
}

int verb_wait(const struct args *a)
{
	enum until until = 0;
	_cleanup_pod_refs_ struct pod_refs pods = { 0 };
	int64_t deadline;

	while (until < UNTIL_STOPPED && a->condition && !streq(a->condition, conditions[until].name) &&
	       !streq(a->condition, conditions[until].kubectl))
		until++;
	if (!a->condition || until == UNTIL_STOPPED)
		return ctl_fail(CTL_USAGE, "--for is ready, completed or deleted (or condition=Ready, delete)");
	if (until_deadline(a, &deadline) < 0)
		return CTL_USAGE;
	if (!a->timeout)
		deadline = clock_boot() + 30 * NS_PER_SEC; /* kubectl's default */
	int worst = pod_refs_find(a, "wait", &pods);
	for (size_t i = 0; i < pods.count; i++) {
		int code = until_pod(a, &pods.items[i], until, deadline);
		if (code == CTL_YES)
			(void)printf("pod/%s %s\n", pods.items[i].name, conditions[until].name);
		worst = MAX(worst, code);
	}
	return worst;
}
