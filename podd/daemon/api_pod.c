#include <stdio.h>
#include "base/clock.h"
#include "base/str.h"
#include "daemon/accept.h"
#include "daemon/api.h"

/* --- pods as a table --- */

static const struct {
	const char *name, *format, *description;
	int priority; /* 1: only with -o wide */
} columns[] = {
	{ "Name", "name", "Name of the pod.", 0 },
	{ "Ready", "", "Containers that are ready, of all.", 0 },
	{ "Status", "", "What the pod does, in one word.", 0 },
	{ "Restarts", "", "Restarts of all its containers, and when the last was.", 0 },
	{ "Age", "", "Time since podd accepted the manifest.", 0 },
	{ "IP", "", "Address of the pod.", 1 },
	{ "UID", "", "The pod's identity: it names its cgroup and its directories.", 1 },
	{ "QOS", "", "Class by which the kernel picks victims when memory is short.", 1 },
};

static void columns_json(struct jsonw *w)
{
	jsonw_key(w, "columnDefinitions");
	jsonw_array(w);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		jsonw_object(w);
		jsonw_member_str(w, "name", columns[i].name);
		jsonw_member_str(w, "type", "string");
		jsonw_member_str(w, "format", columns[i].format);
		jsonw_member_str(w, "description", columns[i].description);
		jsonw_member_int(w, "priority", columns[i].priority);
		jsonw_end(w);
	}
	jsonw_end(w);
}

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

static void cells_json(const struct daemon *d, const struct core_pod *p, struct jsonw *w)
{
	char text[64], host[INET_ADDRSTRLEN], age[CLOCK_AGE_SIZE];
	size_t ready = 0;

	for (size_t i = 0; i < p->container_count; i++)
		ready += core_container_ready(&p->containers[i]);
	jsonw_key(w, "cells");
	jsonw_array(w);
	jsonw_str(w, p->pod->metadata.name);
	(void)snprintf(text, sizeof(text), "%zu/%zu", ready, p->container_count);
	jsonw_str(w, text);
	jsonw_str(w, core_pod_status(p));
	restarts_text(p, text, sizeof(text));
	jsonw_str(w, text);
	clock_age(clock_wall() - p->created_wall, age);
	jsonw_str(w, age);
	api_host_address(d, host);
	jsonw_str(w, p->pod->spec.host_network ? host : *p->sandbox.ip ? p->sandbox.ip : "<none>");
	jsonw_str(w, p->uid);
	jsonw_str(w, qos_name(p->pod->qos));
	jsonw_end(w);
}

static void row_json(const struct daemon *d, const struct core_pod *p, struct jsonw *w)
{
	jsonw_object(w);
	cells_json(d, p, w);
	jsonw_key(w, "object");
	jsonw_object(w);
	jsonw_member_str(w, "kind", "PartialObjectMetadata");
	jsonw_member_str(w, "apiVersion", "meta.k8s.io/v1");
	api_pod_metadata_json(d, p, w);
	jsonw_end(w);
	jsonw_end(w);
}

/* --- lists --- */

static const char *label_value(const char *key, const void *arg)
{
	const struct core_pod *p = arg;
	const struct label_list *l = &p->pod->metadata.labels;

	for (size_t i = 0; i < l->count; i++)
		if (streq(l->items[i].name, key))
			return l->items[i].value;
	return NULL;
}

static const char *const field_names[] = { "metadata.name", "metadata.namespace", "metadata.uid",
	                                   "status.phase",  "status.podIP",       "spec.restartPolicy" };

static const char *field_value(const char *key, const void *arg)
{
	const struct core_pod *p = arg;
	const char *values[] = { p->pod->metadata.name,
		                 p->pod->metadata.namespace,
		                 p->uid,
		                 core_pod_phase(p),
		                 p->sandbox.ip,
		                 restart_policy_name(p->pod->spec.restart_policy) };
	_Static_assert(ARRAY_SIZE(values) == ARRAY_SIZE(field_names), "a value for each name");

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (streq(field_names[i], key))
			return values[i];
	return NULL;
}

static bool pod_selected(const struct core_pod *p, const char *namespace, const struct selector *labels,
                         const struct selector *fields)
{
	if (!p->pod) /* an anchor without a manifest: nothing is known of it but that it ends */
		return false;
	if (namespace && !streq(p->pod->metadata.namespace, namespace))
		return false;
	return selector_matches(labels, label_value, p) && selector_matches(fields, field_value, p);
}

static void list_begin(const struct daemon *d, bool table, struct jsonw *w)
{
	jsonw_object(w);
	jsonw_member_str(w, "kind", table ? "Table" : "PodList");
	jsonw_member_str(w, "apiVersion", table ? "meta.k8s.io/v1" : "v1");
	jsonw_key(w, "metadata");
	jsonw_object(w);
	api_version_member(w, d);
	jsonw_end(w);
	if (table)
		columns_json(w);
	jsonw_key(w, table ? "rows" : "items");
	jsonw_array(w);
}

void api_pod_list(struct http_request *q, void *arg)
{
	const struct api *a = arg;
	_cleanup_selector_ struct selector labels = SELECTOR_NULL, fields = SELECTOR_NULL;
	_cleanup_buf_ struct buf out = BUF_NULL;
	bool table = api_wants_table(q);
	struct jsonw w;

	if (!api_label_selector(q, &labels) || !api_field_selector(q, field_names, ARRAY_SIZE(field_names), &fields))
		return;
	jsonw_init(&w, &out);
	list_begin(a->d, table, &w);
	list_foreach(p, core_pods(a->d->core), struct core_pod, link) {
		if (!pod_selected(p, http_arg(q, 0), &labels, &fields))
			continue;
		if (table)
			row_json(a->d, p, &w);
		else
			api_pod_json(a->d, p, /* head= */ false, &w);
	}
	jsonw_end(&w);
	jsonw_end(&w);
	api_reply_json(q, &out);
}

void api_pod_get(struct http_request *q, void *arg)
{
	struct api *a = arg;
	const struct core_pod *p = api_find_pod(a, q);
	_cleanup_buf_ struct buf out = BUF_NULL;
	bool table = api_wants_table(q);
	struct jsonw w;

	if (!p)
		return;
	jsonw_init(&w, &out);
	if (table) {
		list_begin(a->d, table, &w);
		row_json(a->d, p, &w);
		jsonw_end(&w);
		jsonw_end(&w);
	} else {
		api_pod_json(a->d, p, /* head= */ true, &w);
	}
	api_reply_json(q, &out);
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
	else
		api_error(q, 405, p->pod->metadata.name, "pods", "pod \"%s\" has no manifest any more and is being stopped",
		          p->pod->metadata.name);
}
