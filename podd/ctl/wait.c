#include <stdio.h>
#include <strings.h>
#include <time.h>
#include "base/clock.h"
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/pods.h"
#include "ctl/until.h"

enum { POLL_MS = 50 };

static const struct {
	const char *name, *kubectl, *also; /* kubectl's spelling, in letters of any case */
} conditions[] = {
	[UNTIL_READY] = { .name = "ready", .kubectl = "condition=Ready" },
	[UNTIL_COMPLETED] = { .name = "completed", .kubectl = "condition=Complete", .also = "jsonpath={.status.phase}=Succeeded" },
	[UNTIL_FAILED] = { .name = "failed", .kubectl = "condition=Failed" },
	[UNTIL_DELETED] = { .name = "deleted", .kubectl = "delete" },
	[UNTIL_STOPPED] = { .name = "stopped", .kubectl = "stopped" },
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

/* As a job's condition, or as a pod's phase. */
static bool has_ended_as(const json_t *object, const char *condition, const char *phase)
{
	return condition_is(object, condition, "True") || streq(json_text(object, "status.phase"), phase);
}

/* 1: it is so; 0: not yet; -1: never. `uid`: of the pod when the wait began, "" at first. */
static int judge(enum until until, const json_t *pod, char *uid, size_t uid_size)
{
	bool succeeded = has_ended_as(pod, "Complete", "Succeeded"), failed = has_ended_as(pod, "Failed", "Failed");

	if (!*uid)
		(void)snprintf(uid, uid_size, "%s", json_text(pod, "metadata.uid"));
	switch (until) {
	case UNTIL_READY:
		if (succeeded || failed)
			return -1;
		return condition_is(pod, "Ready", "True");
	case UNTIL_COMPLETED:
		return failed ? -1 : succeeded;
	case UNTIL_FAILED:
		return succeeded ? -1 : failed;
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
			return ctl_fail(CTL_NO, "%s %s will not become %s: it has ended", pod_ref_kind(p), p->name,
			                conditions[until].name);
		if (deadline ? clock_boot() >= deadline : code < 0)
			break;
		(void)nanosleep(&pause, NULL);
	}
	if (code < 0)
		return client_unreachable(a, code);
	if (code == 404)
		return ctl_fail(CTL_NO, "%ss \"%s\" not found", pod_ref_kind(p), p->name);
	return ctl_fail(CTL_NO, "timed out: %s %s is not %s", pod_ref_kind(p), p->name, conditions[until].name);
}

static bool means(const char *condition, enum until until)
{
	return streq(condition, conditions[until].name) || strcasecmp(condition, conditions[until].kubectl) == 0 ||
	       streq0(conditions[until].also, condition);
}

int verb_wait(const struct args *a)
{
	enum until until = 0;
	_cleanup_pod_refs_ struct pod_refs pods = { 0 };
	int64_t deadline;

	while (until < UNTIL_STOPPED && a->condition && !means(a->condition, until))
		until++;
	if (!a->condition || until == UNTIL_STOPPED)
		return ctl_fail(CTL_USAGE, "--for is ready, completed, failed or deleted (or condition=Complete, delete)");
	if (until_deadline(a, &deadline) < 0)
		return CTL_USAGE;
	if (!a->timeout)
		deadline = clock_boot() + 30 * NS_PER_SEC; /* kubectl's default */
	int worst = pod_refs_find(a, "wait", true, &pods);
	for (size_t i = 0; i < pods.count; i++) {
		int code = until_pod(a, &pods.items[i], until, deadline);
		if (code == CTL_YES)
			(void)printf("%s/%s %s\n", pod_ref_kind(&pods.items[i]), pods.items[i].name, conditions[until].name);
		worst = MAX(worst, code);
	}
	return worst;
}
