/* Pods as a kind: what selectors see of them, their table, and when they come, change and go for those who watch.
 *
 * A uid that is being replaced is hidden: while the old pod of a name ends, its successor waits already, and clients know an object by
 * its name. The one that is wanted is the one that is shown (core_pod_by_name), the other is told as gone. */
#include <stdio.h>
#include <stdlib.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "daemon/intake/accept.h"
#include "daemon/api/api.h"

struct pod_item {
	struct feed_item feed;
	char uid[POD_UID_SIZE];
	struct buf
		facts; /* what selectors see, as it was last: the values of `fields`, then key and value of each label; NULs between */
};

void api_pod_item_free(struct feed_item *i)
{
	struct pod_item *p = container_of(i, struct pod_item, feed);

	buf_deinit(&p->facts);
	free(p);
}

/* Also one that has just been forgotten: its last text is made then. */
static const struct core_pod *item_pod(const struct api *a, const struct feed_item *i)
{
	const char *uid = container_of(i, const struct pod_item, feed)->uid;
	const struct core_pod *p = core_pod_by_uid(a->d->core, uid);

	return p ? p : core_pod_forgotten(a->d->core, uid);
}

/* --- facts --- */

static const char *const fields[] = { "metadata.name", "metadata.namespace", "metadata.uid",      "spec.nodeName",
	                              "status.phase",  "status.podIP",       "spec.restartPolicy" };

static void add_fact(struct buf *out, const char *s)
{
	buf_append(out, s, strlen(s) + 1);
}

static void pod_facts(const struct daemon *d, const struct core_pod *p, struct buf *out)
{
	const struct pod_metadata *m = &p->pod->metadata;
	const char *values[] = { m->name,
		                 m->namespace,
		                 p->uid,
		                 d->config->node_name,
		                 core_pod_phase(p),
		                 p->sandbox.ip,
		                 restart_policy_name(p->pod->spec.restart_policy) };
	_Static_assert(ARRAY_SIZE(values) == ARRAY_SIZE(fields), "a value for each field");

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		add_fact(out, values[i]);
	for (size_t i = 0; i < m->labels.count; i++) {
		add_fact(out, m->labels.items[i].name);
		add_fact(out, m->labels.items[i].value);
	}
}

static const char *field_value(const char *key, const void *item)
{
	const char *p = container_of(item, const struct pod_item, feed)->facts.data;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++, p += strlen(p) + 1)
		if (streq(fields[i], key))
			return p;
	return NULL;
}

static const char *label_value(const char *key, const void *item)
{
	const struct buf *facts = &container_of(item, const struct pod_item, feed)->facts;
	const char *p = facts->data, *end = facts->data + facts->len;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		p += strlen(p) + 1;
	while (p < end) {
		const char *value = p + strlen(p) + 1;
		if (streq(p, key))
			return value;
		p = value + strlen(value) + 1;
	}
	return NULL;
}

/* --- the table --- */

static const struct api_column columns[] = {
	{ "Name", "name", "Name of the pod.", 0 },
	{ "Ready", "", "Containers that are ready, of all.", 0 },
	{ "Status", "", "What the pod does, in one word.", 0 },
	{ "Restarts", "", "Restarts of all its containers, and when the last was.", 0 },
	{ "Age", "", "Time since podd accepted the manifest.", 0 },
	{ "IP", "", "Address of the pod.", 1 },
	{ "Node", "", "This machine.", 1 },
	{ "UID", "", "The pod's identity: it names its cgroup and its directories.", 1 },
	{ "QOS", "", "Class by which the kernel picks victims when memory is short.", 1 },
};

static void restarts_text(const struct core_pod *p, char *out, size_t size)
{
	uint32_t restarts = 0;
	int64_t last = 0;
	char age[CLOCK_AGE_SIZE];

	for (size_t i = 0; i < p->container_count; i++) {
		const struct core_container *c = &p->containers[i];
		restarts += c->restart_count;
		if (c->restart_count && c->last.set)
			last = MAX(last, c->last.exit.wall);
	}
	clock_age(clock_wall() - last, age);
	if (last)
		(void)snprintf(out, size, "%u (%s ago)", restarts, age);
	else
		(void)snprintf(out, size, "%u", restarts);
}

static void item_cells(const struct api *a, const struct feed_item *i, struct jsonw *w)
{
	const struct core_pod *p = item_pod(a, i);
	char text[64], host[INET_ADDRSTRLEN], age[CLOCK_AGE_SIZE];
	char status[POD_STATUS_SIZE];
	size_t ready = 0, total = 0;

	for (size_t n = 0; n < p->container_count; n++) {
		const struct core_container *c = &p->containers[n];
		if (c->role == CONTAINER_ROLE_INIT || c->role == CONTAINER_ROLE_DEBUG) /* as kubectl counts */
			continue;
		ready += core_container_ready(c);
		total++;
	}
	jsonw_array(w);
	jsonw_str(w, p->pod->metadata.name);
	(void)snprintf(text, sizeof(text), "%zu/%zu", ready, total);
	jsonw_str(w, text);
	jsonw_str(w, core_pod_status(p, status));
	restarts_text(p, text, sizeof(text));
	jsonw_str(w, text);
	clock_age(clock_wall() - p->created_wall, age);
	jsonw_str(w, age);
	api_host_address(a->d, host);
	jsonw_str(w, p->pod->spec.host_network ? host : *p->sandbox.ip ? p->sandbox.ip : "<none>");
	jsonw_str(w, a->d->config->node_name);
	jsonw_str(w, p->uid);
	jsonw_str(w, qos_name(p->pod->qos));
	jsonw_end(w);
}

static void item_object(const struct api *a, const struct feed_item *i, struct jsonw *w)
{
	api_pod_json(a->d, item_pod(a, i), i->version, w);
}

static void item_metadata(const struct api *a, const struct feed_item *i, struct jsonw *w)
{
	api_pod_metadata_json(a->d, item_pod(a, i), i->version, w);
}

const struct api_kind api_pod_kind = {
	.kind = "Pod",
	.list_kind = "PodList",
	.resource = "pods",
	.columns = columns,
	.column_count = ARRAY_SIZE(columns),
	.fields = fields,
	.field_count = ARRAY_SIZE(fields),
	.by_name = true,
	.field = field_value,
	.label = label_value,
	.object = item_object,
	.metadata = item_metadata,
	.cells = item_cells,
};

/* --- coming and going --- */

static struct pod_item *find(const struct api *a, const char *uid)
{
	list_foreach(i, &a->pod_feed.items, struct pod_item, feed.link)
		if (!i->feed.gone && streq(i->uid, uid))
			return i;
	return NULL;
}

static void hide(struct api *a, const char *uid)
{
	struct pod_item *i = find(a, uid);

	if (!i)
		return;
	api_namespace_used(a, field_value("metadata.namespace", &i->feed), false);
	api_resource_end(&a->pods, &i->feed);
}

static void show(struct api *a, const struct core_pod *p)
{
	const struct pod_metadata *m = &p->pod->metadata;
	struct pod_item *i = xnew(struct pod_item);

	list_foreach(o, core_pods(a->d->core), const struct core_pod, link)
		if (o != p && o->pod && streq(o->pod->metadata.name, m->name) && streq(o->pod->metadata.namespace, m->namespace))
			hide(a, o->uid);
	(void)snprintf(i->uid, sizeof(i->uid), "%s", p->uid);
	pod_facts(a->d, p, &i->facts);
	feed_add(&a->pod_feed, &i->feed);
	api_namespace_used(a, m->namespace, true);
}

static void change(struct api *a, const struct core_pod *p, struct pod_item *i)
{
	struct buf facts = BUF_NULL;

	pod_facts(a->d, p, &facts);
	bool altered = facts.len != i->facts.len || memcmp(facts.data, i->facts.data, facts.len) != 0;
	buf_deinit(&i->facts);
	i->facts = facts;
	feed_change(&a->pod_feed, &i->feed, altered);
}

void api_pod_changed(struct api *a, const char *uid)
{
	const struct core_pod *p = core_pod_by_uid(a->d->core, uid);

	if (!p || !p->pod) /* an anchor without a manifest: nothing is known of it but that it ends */
		return;
	if (core_pod_by_name(a->d->core, p->pod->metadata.namespace, p->pod->metadata.name) != p) {
		hide(a, uid);
		return;
	}
	struct pod_item *i = find(a, uid);
	if (i)
		change(a, p, i);
	else
		show(a, p);
}

void api_pod_forgotten(struct api *a, const char *uid)
{
	hide(a, uid);
}

/* --- requests --- */

void api_pod_list(struct http_request *q, void *arg)
{
	api_list(q, &((struct api *)arg)->pods, http_arg(q, 0));
}

void api_pod_get(struct http_request *q, void *arg)
{
	api_get(q, &((struct api *)arg)->pods, http_arg(q, 0), http_arg(q, 1));
}

void api_pod_write(struct http_request *q, void *arg)
{
	struct api *a = arg;

	if (!http_arg(q, 1)) {
		api_error(q, 405, NULL, "pods", "pods are defined by the files in %s; put one there", a->d->config->manifests[0]);
		return;
	}
	const struct core_pod *p = api_find_pod(a, q);
	if (!p)
		return;
	const char *source = accept_source(a->d->acceptor, p->uid);
	if (source)
		api_error(q, 405, p->pod->metadata.name, "pods", "pod \"%s\" is defined by %s; edit that file",
		          p->pod->metadata.name, source);
	else if (p->pod->owner.kind)
		api_error(q, 405, p->pod->metadata.name, "pods", "pod \"%s\" is of the %s \"%s\"; edit that one's file",
		          p->pod->metadata.name, p->pod->owner.kind, p->pod->owner.name);
	else
		api_error(q, 405, p->pod->metadata.name, "pods", "pod \"%s\" has no manifest any more and is being stopped",
		          p->pod->metadata.name);
}
