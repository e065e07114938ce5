#include "daemon/api/api.h"
#include <stdarg.h>
#include <stdio.h>
#include <sys/utsname.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "daemon/controller.h"
#include "daemon/record.h"

static const struct {
	int code;
	const char *reason; /* Kubernetes' word for it */
} reasons[] = {
	{ 400, "BadRequest" }, { 404, "NotFound" },      { 405, "MethodNotAllowed" },
	{ 409, "Conflict" },   { 410, "Expired" },       { 413, "RequestEntityTooLarge" },
	{ 422, "Invalid" },    { 500, "InternalError" },
};

static const char *reason_of(int code)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].code == code)
			return reasons[i].reason;
	return "BadRequest";
}

void api_status_json(struct buf *out, int code, const char *name, const char *kind, const char *message)
{
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_object(&w);
	jsonw_member_str(&w, "kind", "Status");
	jsonw_member_str(&w, "apiVersion", "v1");
	jsonw_key(&w, "metadata");
	jsonw_object(&w);
	jsonw_end(&w);
	jsonw_member_str(&w, "status", "Failure");
	jsonw_member_str(&w, "message", message);
	jsonw_member_str(&w, "reason", reason_of(code));
	if (name || kind) {
		jsonw_key(&w, "details");
		jsonw_object(&w);
		if (name)
			jsonw_member_str(&w, "name", name);
		if (kind)
			jsonw_member_str(&w, "kind", kind);
		jsonw_end(&w);
	}
	jsonw_member_int(&w, "code", code);
	jsonw_end(&w);
}

void api_error(struct http_request *q, int code, const char *name, const char *kind, const char *fmt, ...)
{
	_cleanup_buf_ struct buf body = BUF_NULL;
	char message[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	api_status_json(&body, code, name, kind, message);
	http_reply(q, code, "application/json", body.data, body.len);
}

static void pod_not_found(struct http_request *q, const char *name)
{
	api_error(q, 404, name, "pods", "pods \"%s\" not found", name);
}

void api_success(struct http_request *q)
{
	static const char body[] = "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Success\"}";

	http_reply(q, 200, "application/json", body, sizeof(body) - 1);
}

void api_reply_json(struct http_request *q, const struct buf *json)
{
	http_reply(q, 200, "application/json", json->data, json->len);
}

/* Clients tell a missing path from a missing object by the type: text for the one, a Status for the other. */
static void fail(struct http_request *q, int code, const char *message, void *arg)
{
	(void)arg;
	if (code == 404)
		http_reply(q, code, "text/plain", message, strlen(message));
	else
		api_error(q, code, NULL, NULL, "%s", message);
}

const struct core_pod *api_find_pod(struct api *a, struct http_request *q)
{
	const struct core_pod *p = core_pod_by_name(a->d->core, http_arg(q, 0), http_arg(q, 1));

	if (!p || !p->pod) {
		pod_not_found(q, http_arg(q, 1));
		return NULL;
	}
	return p;
}

static const char *default_container(const struct core_pod *p)
{
	const struct label_list *l = &p->pod->metadata.annotations;

	for (size_t i = 0; i < l->count; i++)
		if (streq(l->items[i].name, "kubectl.kubernetes.io/default-container"))
			return l->items[i].value;
	return p->pod->spec.containers.count == 1 ? p->pod->spec.containers.items[0].name : NULL;
}

const struct core_container *api_find_container(struct http_request *q, const struct core_pod *p)
{
	const char *pod = p->pod->metadata.name, *name = url_param(http_url(q), "container");
	_cleanup_buf_ struct buf choice = BUF_NULL;

	if (!name || !*name)
		name = default_container(p);
	if (name) {
		const struct core_container *c = core_container(p, name);
		if (!c)
			api_error(q, 400, pod, "pods", "container %s is not valid for pod %s", name, pod);
		return c;
	}
	for (size_t i = 0; i < p->container_count; i++)
		buf_printf(&choice, "%s%s", i ? " " : "", p->containers[i].name);
	api_error(q, 400, pod, "pods", "a container name must be specified for pod %s, choose one of: [%s]", pod, buf_str(&choice));
	return NULL;
}

void api_time(struct jsonw *w, const char *key, int64_t wall)
{
	char text[CLOCK_TEXT_SIZE];

	clock_text(wall, text);
	jsonw_member_str(w, key, wall ? text : NULL);
}

void api_version_member(struct jsonw *w, uint64_t version)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)version);
	jsonw_member_str(w, "resourceVersion", text);
}

const char *api_arch(const char *machine)
{
	if (streq(machine, "x86_64"))
		return "amd64";
	return streq(machine, "aarch64") ? "arm64" : machine;
}

static void get_version(struct http_request *q, void *arg)
{
	_cleanup_buf_ struct buf out = BUF_NULL;
	struct utsname host;
	struct jsonw w;

	(void)arg;
	(void)uname(&host);
	jsonw_init(&w, &out);
	jsonw_object(&w);
	jsonw_member_str(&w, "major", "1");
	jsonw_member_str(&w, "minor", API_MINOR);
	jsonw_member_str(&w, "gitVersion", API_GIT_VERSION);
	jsonw_member_str(&w, "gitCommit", "");
	jsonw_member_str(&w, "gitTreeState", "clean");
	jsonw_member_str(&w, "buildDate", "2026-01-01T00:00:00Z");
	jsonw_member_str(&w, "goVersion", "");
	jsonw_member_str(&w, "compiler", "gcc");
	_cleanup_free_ char *platform = xasprintf("linux/%s", api_arch(host.machine));
	jsonw_member_str(&w, "platform", platform);
	jsonw_end(&w);
	api_reply_json(q, &out);
}

static void get_health(struct http_request *q, void *arg)
{
	(void)arg;
	http_reply(q, 200, "text/plain", "ok", 2);
}

static void get_versions(struct http_request *q, void *arg)
{
	static const char body[] = "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"],\"serverAddressByClientCIDRs\":[]}";

	(void)arg;
	http_reply(q, 200, "application/json", body, sizeof(body) - 1);
}

#define BATCH_VERSION "{\"groupVersion\":\"batch/v1\",\"version\":\"v1\"}"
#define METRICS_VERSION "{\"groupVersion\":\"metrics.k8s.io/v1beta1\",\"version\":\"v1beta1\"}"

static void get_groups(struct http_request *q, void *arg)
{
	static const char body[] =
		"{\"kind\":\"APIGroupList\",\"apiVersion\":\"v1\",\"groups\":["
		"{\"name\":\"batch\",\"versions\":[" BATCH_VERSION "],\"preferredVersion\":" BATCH_VERSION "},"
		"{\"name\":\"metrics.k8s.io\",\"versions\":[" METRICS_VERSION "],\"preferredVersion\":" METRICS_VERSION "}]}";

	(void)arg;
	http_reply(q, 200, "application/json", body, sizeof(body) - 1);
}

static void get_batch_resources(struct http_request *q, void *arg)
{
	static const char body[] =
		"{\"kind\":\"APIResourceList\",\"apiVersion\":\"v1\",\"groupVersion\":\"batch/v1\",\"resources\":["
		"{\"name\":\"jobs\",\"singularName\":\"job\",\"namespaced\":true,\"kind\":\"Job\","
		"\"categories\":[\"all\"],\"verbs\":[\"get\",\"list\",\"watch\"]},"
		"{\"name\":\"cronjobs\",\"singularName\":\"cronjob\",\"namespaced\":true,\"kind\":\"CronJob\","
		"\"shortNames\":[\"cj\"],\"categories\":[\"all\"],\"verbs\":[\"get\",\"list\",\"watch\"]}]}";

	(void)arg;
	http_reply(q, 200, "application/json", body, sizeof(body) - 1);
}

static void get_metrics_resources(struct http_request *q, void *arg)
{
	static const char body[] =
		"{\"kind\":\"APIResourceList\",\"apiVersion\":\"v1\",\"groupVersion\":\"metrics.k8s.io/v1beta1\",\"resources\":["
		"{\"name\":\"pods\",\"singularName\":\"\",\"namespaced\":true,\"kind\":\"PodMetrics\",\"verbs\":[\"get\",\"list\"]}"
		"]}";

	(void)arg;
	http_reply(q, 200, "application/json", body, sizeof(body) - 1);
}

/* Clients fetch the schema before they write. An empty document is one that says nothing against what they send, so that podd's own
 * answer is what people see. */
static void get_openapi(struct http_request *q, void *arg)
{
	(void)arg;
	http_reply(q, 200, "application/com.github.proto-openapi.spec.v2.v1.0+protobuf", "", 0);
}

static void get_resources(struct http_request *q, void *arg)
{
	static const char body[] =
		"{\"kind\":\"APIResourceList\",\"apiVersion\":\"v1\",\"groupVersion\":\"v1\",\"resources\":["
		"{\"name\":\"pods\",\"singularName\":\"pod\",\"namespaced\":true,\"kind\":\"Pod\",\"shortNames\":[\"po\"],"
		"\"categories\":[\"all\"],\"verbs\":[\"get\",\"list\",\"watch\"]},"
		"{\"name\":\"pods/log\",\"singularName\":\"\",\"namespaced\":true,\"kind\":\"Pod\",\"verbs\":[\"get\"]},"
		"{\"name\":\"pods/ephemeralcontainers\",\"singularName\":\"\",\"namespaced\":true,\"kind\":\"Pod\","
		"\"verbs\":[\"get\",\"patch\",\"update\"]},"
		"{\"name\":\"events\",\"singularName\":\"event\",\"namespaced\":true,\"kind\":\"Event\",\"shortNames\":[\"ev\"],"
		"\"verbs\":[\"list\",\"watch\"]},"
		"{\"name\":\"namespaces\",\"singularName\":\"namespace\",\"namespaced\":false,\"kind\":\"Namespace\","
		"\"shortNames\":[\"ns\"],\"verbs\":[\"get\",\"list\",\"watch\"]},"
		"{\"name\":\"nodes\",\"singularName\":\"node\",\"namespaced\":false,\"kind\":\"Node\",\"shortNames\":[\"no\"],"
		"\"verbs\":[\"get\",\"list\",\"watch\"]}]}";

	(void)arg;
	http_reply(q, 200, "application/json", body, sizeof(body) - 1);
}

#define POD "/api/v1/namespaces/*/pods/*"
#define PODD "/apis/podd.dev/v1"
#define METRICS "/apis/metrics.k8s.io/v1beta1"
#define BATCH "/apis/batch/v1"
#define PODD_POD PODD "/namespaces/*/pods/*"

static const struct http_route routes[] = {
	{ "GET", "/version", get_version },
	{ "GET", "/openapi/v2", get_openapi },
	{ "GET", "/healthz", get_health },
	{ "GET", "/livez", get_health },
	{ "GET", "/readyz", get_health },
	{ "GET", "/api", get_versions },
	{ "GET", "/apis", get_groups },
	{ "GET", "/api/v1", get_resources },
	{ "GET", "/api/v1/pods", api_pod_list },
	{ "GET", "/api/v1/namespaces/*/pods", api_pod_list },
	{ NULL, "/api/v1/namespaces/*/pods", api_pod_write },
	{ "GET", POD, api_pod_get },
	{ NULL, POD, api_pod_write },
	{ "GET", POD "/log", api_log_get },
	{ "GET", POD "/ephemeralcontainers", api_debug_get },
	{ "PATCH", POD "/ephemeralcontainers", api_debug_add },
	{ "PUT", POD "/ephemeralcontainers", api_debug_add },
	{ "GET", "/api/v1/namespaces", api_namespace_list },
	{ "GET", "/api/v1/namespaces/*", api_namespace_get },
	{ "GET", "/api/v1/nodes", api_node_list },
	{ "GET", "/api/v1/nodes/*", api_node_get },
	{ "GET", "/api/v1/events", api_event_list },
	{ "GET", "/api/v1/namespaces/*/events", api_event_list },
	{ "POST", PODD_POD "/exec", api_exec },
	{ "POST", PODD_POD "/attach", api_attach },
	{ "POST", PODD_POD "/copy", api_copy },
	{ "POST", PODD_POD "/portforward", api_forward },
	{ "POST", PODD_POD "/restart", api_podd_restart },
	{ "POST", PODD_POD "/stop", api_podd_stop },
	{ "POST", PODD_POD "/start", api_podd_start },
	{ "POST", PODD "/stop", api_podd_stop_all },
	{ "GET", PODD "/status", api_podd_status },
	{ "GET", PODD "/stats", api_stats_list },
	{ "GET", PODD "/namespaces/*/stats", api_stats_list },
	{ "GET", BATCH, get_batch_resources },
	{ "GET", BATCH "/jobs", api_job_list },
	{ "GET", BATCH "/namespaces/*/jobs", api_job_list },
	{ "GET", BATCH "/namespaces/*/jobs/*", api_job_get },
	{ "GET", BATCH "/cronjobs", api_cron_job_list },
	{ "GET", BATCH "/namespaces/*/cronjobs", api_cron_job_list },
	{ "GET", BATCH "/namespaces/*/cronjobs/*", api_cron_job_get },
	{ "POST", PODD "/namespaces/*/cronjobs/*/run", api_cron_job_run },
	{ "GET", METRICS, get_metrics_resources },
	{ "GET", METRICS "/pods", api_metrics_list },
	{ "GET", METRICS "/namespaces/*/pods", api_metrics_list },
	{ "GET", METRICS "/namespaces/*/pods/*", api_metrics_get },
	{ "GET", PODD "/census", api_podd_census },
	{ "GET", PODD "/images", api_image_list },
	{ "POST", PODD "/images", api_image_import },
	{ "POST", PODD "/images/prune", api_image_prune },
};

struct api *api_of(struct daemon *d)
{
	return d->http ? http_server_arg(d->http) : NULL;
}

static void on_wake(uv_idle_t *h)
{
	struct api *a = h->data;

	(void)uv_idle_stop(h);
	api_resource_changed(&a->pods);
	api_resource_changed(&a->events);
	api_resource_changed(&a->namespaces);
	api_resource_changed(&a->jobs);
	api_resource_changed(&a->cron_jobs);
}

void api_wake(struct api *a)
{
	(void)uv_idle_start(&a->wake, on_wake);
}

void api_changed(struct daemon *d, const char *uid)
{
	struct api *a = api_of(d);

	if (!a)
		return;
	api_pod_changed(a, uid);
	api_log_changed(a, uid);
	api_wake(a);
}

void api_forgotten(struct daemon *d, const char *uid)
{
	struct api *a = api_of(d);

	if (!a)
		return;
	api_pod_forgotten(a, uid);
	api_wake(a);
}

void api_reported(struct daemon *d)
{
	struct api *a = api_of(d);

	if (a)
		api_wake(a);
}

void api_ready(struct daemon *d)
{
	list_foreach(p, core_pods(d->core), const struct core_pod, link)
		api_changed(d, p->uid);
	list_foreach(j, jobs_all(controller_jobs(d)), const struct job, link)
		api_workload_changed(d, j->uid);
	list_foreach(c, jobs_crons(controller_jobs(d)), const struct cron_job, link)
		api_workload_changed(d, c->uid);
}

/* --- beginning and end --- */

static void on_closed(uv_handle_t *h)
{
	struct api *a = h->data;

	feed_deinit(&a->pod_feed);
	feed_deinit(&a->namespace_feed);
	feed_deinit(&a->node_feed);
	feed_deinit(&a->job_feed);
	feed_deinit(&a->cron_job_feed);
	api_stats_deinit(a);
	free(a);
}

static void released(void *arg)
{
	uv_close((uv_handle_t *)&((struct api *)arg)->wake, on_closed);
}

static struct api *api_new(struct daemon *d)
{
	struct api *a = xnew(struct api);
	uint64_t version = (uint64_t)(d->started_wall / NS_PER_US);

	a->d = d;
	list_init(&a->logs);
	list_init(&a->samples);
	(void)uv_idle_init(&d->loop, &a->wake);
	a->wake.data = a;
	feed_init(&a->pod_feed, version, api_pod_item_free);
	feed_init(&a->namespace_feed, version, api_namespace_item_free);
	feed_init(&a->node_feed, version, api_node_item_free);
	feed_init(&a->job_feed, version, api_job_item_free);
	feed_init(&a->cron_job_feed, version, api_job_item_free);
	api_resource_init(&a->pods, a, &api_pod_kind, &a->pod_feed);
	api_resource_init(&a->events, a, &api_event_kind, &d->record->feed);
	api_resource_init(&a->namespaces, a, &api_namespace_kind, &a->namespace_feed);
	api_resource_init(&a->nodes, a, &api_node_kind, &a->node_feed);
	api_resource_init(&a->jobs, a, &api_job_kind, &a->job_feed);
	api_resource_init(&a->cron_jobs, a, &api_cron_job_kind, &a->cron_job_feed);
	api_namespace_used(a, "default", true);
	api_node_add(a);
	a->service = (struct http_service){
		.routes = routes, .route_count = ARRAY_SIZE(routes), .fail = fail, .released = released, .arg = a
	};
	return a;
}

struct http_server *http_open(struct daemon *d)
{
	struct http_server *s = http_new(&d->loop, &api_new(d)->service);
	int r = http_listen(s, d->run_fd, "podd.sock");

	if (r < 0) {
		log_error("can't listen on %s: %s", config_path(d->config, "/run/podd/podd.sock"), strerror(-r));
		return http_close(s);
	}
	return s;
}
