/* What pods use: the kernel's counters as they are (podd's stats), and rates as Kubernetes' metrics. Nothing is sampled while nobody
 * asks: a rate is over the time since the last question that is at least a second old, at first over the container's life. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/api/api.h"
#include "daemon/pod/sandbox.h"

#define METRICS "metrics.k8s.io/v1beta1"

struct api_sample {
	struct list link;
	struct start_id id;
	int64_t boot, window;  /* when, and since when the rate is */
	uint64_t cpu_ns, rate; /* rate in ns each second */
};

enum { SAMPLE_AGE_MIN_S = 1, NET_DEV_MAX = 1 << 20 };

/* --- what a request is about --- */

struct stats {
	struct api *api;
	struct jsonw w;
	struct api_query query;
	struct buf net_dev; /* /proc/self/net/dev: all links of the host in one read */
	char now[CLOCK_TEXT_NS_SIZE];
};

static const struct feed_item *next_pod(const struct stats *s, const struct feed_item *after)
{
	const struct feed *f = &s->api->pod_feed;

	for (const struct list *l = after ? after->link.next : f->items.next; l != &f->items; l = l->next) {
		const struct feed_item *i = list_entry(l, const struct feed_item, link);
		if (!i->gone && api_query_selects(&s->query, &api_pod_kind, i))
			return i;
	}
	return NULL;
}

static bool container_usage(const struct daemon *d, const struct core_pod *p, const struct core_container *c,
                            struct cgroup_usage *ret)
{
	struct sandbox *s = sandbox_find((struct daemon *)d, p->uid);
	char path[SANDBOX_LEAF_SIZE];

	if (!s || !d->cgroups || (c->state != CONTAINER_STATE_RUNNING && c->state != CONTAINER_STATE_STOPPING))
		return false;
	sandbox_leaf(s, c->name, c->number, path);
	return cgroup_usage(d->cgroups, path, ret) == 0;
}

/* --- podd's stats --- */

/* The host's end receives what the pod sends. */
static void network_json(struct stats *s, const struct core_pod *p)
{
	static const char *const names[] = { "txBytes", "txPackets", "rxBytes", "rxPackets" };
	char name[PODNET_IFNAME_SIZE], pattern[PODNET_IFNAME_SIZE + 2];
	unsigned long long v[4];

	podnet_ifname(p->uid, name);
	(void)snprintf(pattern, sizeof(pattern), "%s:", name);
	const char *at = strstr(buf_str(&s->net_dev), pattern);
	if (!at || sscanf(at + strlen(pattern), "%llu %llu %*u %*u %*u %*u %*u %*u %llu %llu", &v[0], &v[1], &v[2], &v[3]) != 4)
		return;
	jsonw_key(&s->w, "network");
	jsonw_object(&s->w);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		jsonw_member_int(&s->w, names[i], (int64_t)v[i]);
	jsonw_end(&s->w);
}

static void usage_json(struct jsonw *w, const struct cgroup_usage *u)
{
	jsonw_member_int(w, "cpuNanoseconds", (int64_t)u->cpu_ns);
	jsonw_member_int(w, "memoryBytes", (int64_t)u->memory);
	if (u->memory_max)
		jsonw_member_int(w, "memoryLimitBytes", (int64_t)u->memory_max);
	jsonw_member_int(w, "pids", (int64_t)u->pids);
}

static void pod_stats_json(struct stats *s, const struct core_pod *p)
{
	struct jsonw *w = &s->w;

	jsonw_object(w);
	jsonw_member_str(w, "namespace", p->pod->metadata.namespace);
	jsonw_member_str(w, "name", p->pod->metadata.name);
	jsonw_member_str(w, "uid", p->uid);
	network_json(s, p);
	jsonw_key(w, "containers");
	jsonw_array(w);
	for (size_t i = 0; i < p->container_count; i++) {
		const struct core_container *c = &p->containers[i];
		struct cgroup_usage u;
		bool runs = container_usage(s->api->d, p, c, &u);
		jsonw_object(w);
		jsonw_member_str(w, "name", c->name);
		jsonw_member_bool(w, "running", runs);
		jsonw_member_int(w, "restarts", c->restart_count);
		if (runs) {
			api_time(w, "startedAt", c->started_wall);
			usage_json(w, &u);
		}
		jsonw_end(w);
	}
	jsonw_end(w);
	jsonw_end(w);
}

/* --- Kubernetes' metrics --- */

static void drop_samples(struct api *a)
{
	list_foreach(s, &a->samples, struct api_sample, link) {
		const struct core_pod *p = core_pod_by_uid(a->d->core, s->id.uid);
		const struct core_container *c = p ? core_container(p, s->id.container) : NULL;
		if (c && c->number == s->id.number)
			continue;
		list_remove(&s->link);
		free(s);
	}
}

void api_stats_deinit(struct api *a)
{
	list_foreach(s, &a->samples, struct api_sample, link)
		free(s);
}

static struct api_sample *sample(struct api *a, const struct core_pod *p, const struct core_container *c)
{
	struct api_sample *s;

	list_foreach(known, &a->samples, struct api_sample, link)
		if (streq(known->id.uid, p->uid) && streq(known->id.container, c->name) && known->id.number == c->number)
			return known;
	s = xnew(struct api_sample);
	(void)snprintf(s->id.uid, sizeof(s->id.uid), "%s", p->uid);
	(void)snprintf(s->id.container, sizeof(s->id.container), "%s", c->name);
	s->id.number = c->number;
	s->boot = c->started_boot;
	list_append(&a->samples, &s->link);
	return s;
}

static const struct api_sample *take_sample(struct api *a, const struct core_pod *p, const struct core_container *c,
                                            uint64_t cpu_ns)
{
	struct api_sample *s = sample(a, p, c);
	int64_t now = clock_boot(), passed = now - s->boot;

	if (passed >= SAMPLE_AGE_MIN_S * NS_PER_SEC || (!s->window && passed > 0)) {
		s->rate = (uint64_t)((double)(cpu_ns - s->cpu_ns) * (double)NS_PER_SEC / (double)passed);
		s->window = passed;
		s->boot = now;
		s->cpu_ns = cpu_ns;
	}
	return s;
}

static void pod_metrics_json(struct stats *s, const struct core_pod *p)
{
	struct jsonw *w = &s->w;
	char text[40];
	int64_t window = 0;

	jsonw_object(w);
	jsonw_member_str(w, "kind", "PodMetrics");
	jsonw_member_str(w, "apiVersion", METRICS);
	jsonw_key(w, "metadata");
	jsonw_object(w);
	jsonw_member_str(w, "name", p->pod->metadata.name);
	jsonw_member_str(w, "namespace", p->pod->metadata.namespace);
	api_time(w, "creationTimestamp", clock_wall());
	jsonw_end(w);
	api_time(w, "timestamp", clock_wall());
	jsonw_key(w, "containers");
	jsonw_array(w);
	for (size_t i = 0; i < p->container_count; i++) {
		const struct core_container *c = &p->containers[i];
		struct cgroup_usage u;
		if (!container_usage(s->api->d, p, c, &u))
			continue;
		const struct api_sample *rate = take_sample(s->api, p, c, u.cpu_ns);
		window = MAX(window, rate->window);
		jsonw_object(w);
		jsonw_member_str(w, "name", c->name);
		jsonw_key(w, "usage");
		jsonw_object(w);
		(void)snprintf(text, sizeof(text), "%llun", (unsigned long long)rate->rate);
		jsonw_member_str(w, "cpu", text);
		(void)snprintf(text, sizeof(text), "%lluKi", (unsigned long long)u.memory / 1024);
		jsonw_member_str(w, "memory", text);
		jsonw_end(w);
		jsonw_end(w);
	}
	jsonw_end(w);
	(void)snprintf(text, sizeof(text), "%lldms", (long long)(window / NS_PER_MS));
	jsonw_member_str(w, "window", text);
	jsonw_end(w);
}

/* --- requests --- */

static void reply(struct http_request *q, struct api *a, const char *kind, const char *version,
                  void (*item)(struct stats *s, const struct core_pod *p))
{
	_cleanup_buf_ struct buf out = BUF_NULL;
	struct stats s = { .api = a, .net_dev = BUF_NULL };

	if (!api_query_init(&a->pods, q, http_arg(q, 0), &s.query))
		return;
	drop_samples(a);
	(void)file_read(AT_FDCWD, "/proc/self/net/dev", NET_DEV_MAX, &s.net_dev);
	clock_text_ns(clock_wall(), s.now);
	jsonw_init(&s.w, &out);
	jsonw_object(&s.w);
	jsonw_member_str(&s.w, "kind", kind);
	jsonw_member_str(&s.w, "apiVersion", version);
	jsonw_key(&s.w, "metadata");
	jsonw_object(&s.w);
	jsonw_end(&s.w);
	jsonw_member_str(&s.w, "time", s.now);
	jsonw_key(&s.w, "items");
	jsonw_array(&s.w);
	for (const struct feed_item *i = NULL; (i = next_pod(&s, i));)
		item(&s, core_pod_by_uid(a->d->core, api_pod_kind.field("metadata.uid", i)));
	jsonw_end(&s.w);
	jsonw_end(&s.w);
	api_reply_json(q, &out);
	buf_deinit(&s.net_dev);
	api_query_deinit(&s.query);
}

void api_stats_list(struct http_request *q, void *arg)
{
	reply(q, arg, "PodStatsList", "podd.dev/v1", pod_stats_json);
}

void api_metrics_list(struct http_request *q, void *arg)
{
	reply(q, arg, "PodMetricsList", METRICS, pod_metrics_json);
}

/* kubectl asks for one by name. */
void api_metrics_get(struct http_request *q, void *arg)
{
	struct api *a = arg;
	_cleanup_buf_ struct buf out = BUF_NULL;
	struct stats s = { .api = a };
	const struct core_pod *p = api_find_pod(a, q);

	if (!p)
		return;
	drop_samples(a);
	jsonw_init(&s.w, &out);
	pod_metrics_json(&s, p);
	api_reply_json(q, &out);
}
