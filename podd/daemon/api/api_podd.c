#include <stdio.h>
#include "base/alloc.h"
#include "base/str.h"
#include "daemon/intake/accept.h"
#include "daemon/api/api.h"
#include "daemon/census.h"
#include "manifest/manifest.h"

/* --- by hand: restart, stop, start --- */

/* `container` NULL: all of them. */
static void pod_asked(struct http_request *q, struct api *a, enum event_type type, const char *container)
{
	const struct core_pod *p = api_find_pod(a, q);

	if (!p)
		return;
	if (container && !core_container(p, container)) {
		api_error(q, 400, p->pod->metadata.name, "pods", "container %s is not valid for pod %s", container,
		          p->pod->metadata.name);
		return;
	}
	int r = type == EVENT_RESTART_ASKED ? 0 : accept_hold(a->d, p->uid, type == EVENT_STOP_ASKED);
	if (r < 0) { /* the next podd would undo it */
		api_error(q, 500, p->pod->metadata.name, "pods", "this can't be remembered: %s", strerror(-r));
		return;
	}
	struct event e = daemon_event(type, p->uid, container, 0);
	daemon_step(a->d, &e);
	api_success(q);
}

void api_podd_restart(struct http_request *q, void *arg)
{
	const char *container = url_param(http_url(q), "container");

	pod_asked(q, arg, EVENT_RESTART_ASKED, container && *container ? container : NULL);
}

void api_podd_stop(struct http_request *q, void *arg)
{
	pod_asked(q, arg, EVENT_STOP_ASKED, NULL);
}

void api_podd_start(struct http_request *q, void *arg)
{
	pod_asked(q, arg, EVENT_START_ASKED, NULL);
}

void api_podd_stop_all(struct http_request *q, void *arg)
{
	struct api *a = arg;
	struct event e = daemon_event(EVENT_STOP_ASKED, "", NULL, 0);
	int failed = 0;

	list_foreach(p, core_pods(a->d->core), struct core_pod, link) {
		int r = accept_hold(a->d, p->uid, true);
		failed = r < 0 ? r : failed;
	}
	daemon_step(a->d, &e);
	if (failed)
		api_error(q, 500, NULL, "pods", "the pods are stopped, but this can't be remembered: %s", strerror(-failed));
	else
		api_success(q);
}

/* --- status --- */

static const char *const file_states[] = {
	[FILE_OK] = "ok",
	[FILE_REFUSED] = "refused",
	[FILE_LAST_GOOD] = "lastGood",
	[FILE_PARTLY_GOOD] = "partlyGood",
};
_Static_assert(ARRAY_SIZE(file_states) == FILE_STATE_MAX, "a name for each state");

static const char *const severities[] = {
	[SEVERITY_ERROR] = "error",
	[SEVERITY_REFUSED] = "refused",
	[SEVERITY_NOTICE] = "notice",
};
_Static_assert(ARRAY_SIZE(severities) == SEVERITY_MAX, "a name for each severity");

static void diag_json(const struct diag *d, struct jsonw *w)
{
	jsonw_object(w);
	jsonw_member_str(w, "severity", severities[d->severity]);
	jsonw_member_int(w, "line", d->line);
	jsonw_member_int(w, "column", d->column);
	jsonw_member_str(w, "field", d->field);
	jsonw_member_str(w, "text", d->text);
	if (d->hint)
		jsonw_member_str(w, "hint", d->hint);
	jsonw_end(w);
}

static void file_json(const struct file_status *f, void *arg)
{
	struct jsonw *w = arg;

	jsonw_object(w);
	jsonw_member_str(w, "path", f->path);
	jsonw_member_str(w, "state", file_states[f->state]);
	jsonw_key(w, "findings");
	jsonw_array(w);
	for (size_t i = 0; i < f->diag_count; i++)
		diag_json(&f->diags[i], w);
	jsonw_end(w);
	jsonw_member_int(w, "findingsDropped", (int64_t)f->diags_dropped);
	jsonw_end(w);
}

static void strings_json(struct jsonw *w, const char *key, const char *const *items, size_t n)
{
	jsonw_key(w, key);
	jsonw_array(w);
	for (size_t i = 0; i < n; i++)
		jsonw_str(w, items[i]);
	jsonw_end(w);
}

void api_podd_status(struct http_request *q, void *arg)
{
	const struct daemon *d = ((struct api *)arg)->d;
	_cleanup_buf_ struct buf out = BUF_NULL;
	struct jsonw w;

	jsonw_init(&w, &out);
	jsonw_object(&w);
	jsonw_member_str(&w, "kind", "Status");
	jsonw_member_str(&w, "apiVersion", "podd.dev/v1");
	jsonw_member_str(&w, "version", PODD_VERSION);
	jsonw_member_int(&w, "pid", getpid());
	jsonw_member_str(&w, "nodeName", d->config->node_name);
	api_time(&w, "startedAt", d->started_wall);
	jsonw_member_bool(&w, "ready", d->ready);
	jsonw_member_int(&w, "refused", (int64_t)accept_refused(d->acceptor));
	strings_json(&w, "manifests", d->config->manifests, d->config->manifest_count);
	strings_json(&w, "missing", d->missing.items, d->missing.count);
	jsonw_key(&w, "files");
	jsonw_array(&w);
	accept_walk(d->acceptor, file_json, &w);
	jsonw_end(&w);
	jsonw_end(&w);
	api_reply_json(q, &out);
}

void api_podd_census(struct http_request *q, void *arg)
{
	struct api *a = arg;
	_cleanup_buf_ struct buf out = BUF_NULL;
	struct jsonw w;

	jsonw_init(&w, &out);
	census_json(a->d, &w);
	api_reply_json(q, &out);
}
