/* podctl restart, stop, start: pods by hand. */
#include <stdio.h>
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/pods.h"
#include "ctl/until.h"
#include "wire/url.h"

static int act(const struct args *a, const struct pod_ref *p, const char *verb)
{
	_cleanup_buf_ struct buf path = BUF_NULL;

	pod_ref_own_path(p, verb, &path);
	if (a->container)
		url_add(&path, "container", a->container);
	return client_json(a, "POST", path.data, false, NULL);
}

/* `until` UNTIL_MAX: not waited for. `done`: "restarted"... */
static int act_each(const struct args *a, const char *verb, const char *done, enum until until)
{
	_cleanup_pod_refs_ struct pod_refs pods = { 0 };
	int64_t deadline = 0;

	if (until_deadline(a, &deadline) < 0)
		return CTL_USAGE;
	int worst = pod_refs_find(a, verb, false, &pods);
	for (size_t i = 0; i < pods.count; i++) {
		const struct pod_ref *p = &pods.items[i];
		int code = act(a, p, verb);
		if (code == CTL_YES && until != UNTIL_MAX)
			code = until_pod(a, p, until, deadline);
		if (code == CTL_YES)
			(void)printf("pod/%s %s\n", p->name, done);
		worst = MAX(worst, code);
	}
	return worst;
}

int verb_restart(const struct args *a)
{
	return act_each(a, "restart", "restarted", UNTIL_MAX);
}

int verb_start(const struct args *a)
{
	return act_each(a, "start", "started", UNTIL_MAX);
}

static int stop_all(const struct args *a)
{
	int64_t deadline = 0;
	json_t *pods, *pod;
	size_t i;

	if (until_deadline(a, &deadline) < 0)
		return CTL_USAGE;
	int code = client_json(a, "POST", "/apis/podd.dev/v1/stop", false, NULL);
	if (code != CTL_YES || !a->wait)
		return code;
	code = client_json(a, "GET", "/api/v1/pods", false, &pods);
	if (code != CTL_YES)
		return code;
	json_array_foreach(json_at(pods, "items"), i, pod) {
		struct pod_ref p = { 0 };
		(void)snprintf(p.namespace, sizeof(p.namespace), "%s", json_text(pod, "metadata.namespace"));
		(void)snprintf(p.name, sizeof(p.name), "%s", json_text(pod, "metadata.name"));
		code = MAX(code, until_pod(a, &p, UNTIL_STOPPED, deadline));
	}
	json_decref(pods);
	return code;
}

int verb_stop(const struct args *a)
{
	if (!a->all)
		return act_each(a, "stop", "stopped", a->wait ? UNTIL_STOPPED : UNTIL_MAX);
	if (a->word_count || a->selector)
		return ctl_fail(CTL_USAGE, "names, a selector or --all: one of them");
	return stop_all(a);
}
