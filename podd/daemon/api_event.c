#include <stdio.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "daemon/api.h"
#include "daemon/record.h"

/* What a request asks for: a list, or a stream that goes on. */
struct event_query {
	struct api *api;
	struct http_request *q;
	char namespace[64]; /* "": all */
	struct selector fields;
	bool watch, table;
	uint64_t after; /* sent up to this entry */
	struct record_watch record;
	struct jsonw *w;  /* of a list */
	struct buf *line; /* of a watch */
};

/* Kubernetes keeps the events of nodes in "default". */
static const char *namespace_of(const struct record_entry *e)
{
	return *e->namespace ? e->namespace : "default";
}

static const char *const field_names[] = {
	"involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid", "type", "reason",
	"metadata.namespace"
};

static const char *field_value(const char *key, const void *arg)
{
	const struct record_entry *e = arg;
	const char *values[] = { *e->pod ? "Pod" : "Node",         e->namespace, e->pod,         e->uid,
		                 e->normal ? "Normal" : "Warning", e->reason,    namespace_of(e) };
	_Static_assert(ARRAY_SIZE(values) == ARRAY_SIZE(field_names), "a value for each name");

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (streq(field_names[i], key))
			return values[i];
	return NULL;
}

static void event_json(const struct api *a, const struct record_entry *e, struct jsonw *w)
{
	char text[300];

	jsonw_object(w);
	jsonw_member_str(w, "kind", "Event");
	jsonw_member_str(w, "apiVersion", "v1");
	jsonw_key(w, "metadata");
	jsonw_object(w);
	(void)snprintf(text, sizeof(text), "%s.%llx", *e->pod ? e->pod : a->d->config->node_name, (unsigned long long)e->id);
	jsonw_member_str(w, "name", text);
	jsonw_member_str(w, "namespace", namespace_of(e));
	(void)snprintf(text, sizeof(text), "%lld", (long long)(a->d->started_wall / NS_PER_US + (int64_t)e->id));
	jsonw_member_str(w, "resourceVersion", text);
	api_time(w, "creationTimestamp", e->first_wall);
	jsonw_end(w);
	jsonw_key(w, "involvedObject");
	jsonw_object(w);
	jsonw_member_str(w, "kind", *e->pod ? "Pod" : "Node");
	jsonw_member_str(w, "apiVersion", "v1");
	if (*e->pod)
		jsonw_member_str(w, "namespace", e->namespace);
	jsonw_member_str(w, "name", *e->pod ? e->pod : a->d->config->node_name);
	jsonw_member_str(w, "uid", e->uid);
	if (*e->container) {
		(void)snprintf(text, sizeof(text), "spec.containers{%s}", e->container);
		jsonw_member_str(w, "fieldPath", text);
	}
	jsonw_end(w);
	jsonw_member_str(w, "reason", e->reason);
	jsonw_member_str(w, "message", e->message);
	jsonw_key(w, "source");
	jsonw_object(w);
	jsonw_member_str(w, "component", "podd");
	jsonw_end(w);
	api_time(w, "firstTimestamp", e->first_wall);
	api_time(w, "lastTimestamp", e->last_wall);
	jsonw_member_int(w, "count", e->count);
	jsonw_member_str(w, "type", e->normal ? "Normal" : "Warning");
	jsonw_end(w);
}

static const char *const columns[] = { "Last Seen", "Type", "Reason", "Object", "Message" };

static void columns_json(struct jsonw *w)
{
	jsonw_key(w, "columnDefinitions");
	jsonw_array(w);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		jsonw_object(w);
		jsonw_member_str(w, "name", columns[i]);
		jsonw_member_str(w, "type", "string");
		jsonw_member_str(w, "format", "");
		jsonw_member_str(w, "description", columns[i]);
		jsonw_member_int(w, "priority", 0);
		jsonw_end(w);
	}
	jsonw_end(w);
}

static void row_json(const struct api *a, const struct record_entry *e, struct jsonw *w)
{
	char age[CLOCK_AGE_SIZE], object[300];

	clock_age(clock_wall() - e->last_wall, age);
	(void)snprintf(object, sizeof(object), "%s/%s", *e->pod ? "pod" : "node", *e->pod ? e->pod : a->d->config->node_name);
	jsonw_object(w);
	jsonw_key(w, "cells");
	jsonw_array(w);
	jsonw_str(w, age);
	jsonw_str(w, e->normal ? "Normal" : "Warning");
	jsonw_str(w, e->reason);
	jsonw_str(w, object);
	jsonw_str(w, e->message);
	jsonw_end(w);
	jsonw_key(w, "object");
	jsonw_object(w);
	jsonw_member_str(w, "kind", "PartialObjectMetadata");
	jsonw_member_str(w, "apiVersion", "meta.k8s.io/v1");
	jsonw_key(w, "metadata");
	jsonw_object(w);
	jsonw_member_str(w, "namespace", namespace_of(e));
	jsonw_end(w);
	jsonw_end(w);
	jsonw_end(w);
}

static int on_entry(const struct record_entry *e, void *arg)
{
	struct event_query *v = arg;
	struct jsonw w;

	v->after = e->id;
	if (*v->namespace && !streq(v->namespace, namespace_of(e)))
		return 0;
	if (!selector_matches(&v->fields, field_value, e))
		return 0;
	if (v->table) {
		row_json(v->api, e, v->w);
	} else if (!v->watch) {
		event_json(v->api, e, v->w);
	} else {
		jsonw_init(&w, v->line);
		jsonw_object(&w);
		jsonw_member_str(&w, "type", e->count > 1 ? "MODIFIED" : "ADDED");
		jsonw_key(&w, "object");
		event_json(v->api, e, &w);
		jsonw_end(&w);
		buf_putc(v->line, '\n');
	}
	return 0;
}

static void watch_send(struct event_query *v)
{
	_cleanup_buf_ struct buf lines = BUF_NULL;

	v->line = &lines;
	(void)record_walk(v->api->d->record, v->after, on_entry, v);
	v->line = NULL;
	if (lines.len)
		http_send(v->q, lines.data, lines.len);
}

static void on_added(struct record_watch *w)
{
	watch_send(container_of(w, struct event_query, record));
}

static void on_gone(void *arg)
{
	struct event_query *v = arg;

	record_unwatch(&v->record);
	selector_deinit(&v->fields);
	free(v);
}

static void watch_begin(const struct event_query *from)
{
	static const struct http_callbacks callbacks = { .gone = on_gone };
	struct event_query *v = xnew(struct event_query);

	*v = *from;
	v->record.added = on_added;
	record_watch(v->api->d->record, &v->record);
	http_stream(v->q, 200, "application/json", &callbacks, v);
	watch_send(v);
}

static void list_send(struct event_query *v)
{
	_cleanup_buf_ struct buf out = BUF_NULL;
	struct jsonw w;

	jsonw_init(&w, &out);
	v->w = &w;
	jsonw_object(&w);
	jsonw_member_str(&w, "kind", v->table ? "Table" : "EventList");
	jsonw_member_str(&w, "apiVersion", v->table ? "meta.k8s.io/v1" : "v1");
	jsonw_key(&w, "metadata");
	jsonw_object(&w);
	api_version_member(&w, v->api->d);
	jsonw_end(&w);
	if (v->table)
		columns_json(&w);
	jsonw_key(&w, v->table ? "rows" : "items");
	jsonw_array(&w);
	(void)record_walk(v->api->d->record, 0, on_entry, v);
	jsonw_end(&w);
	jsonw_end(&w);
	api_reply_json(v->q, &out);
}

void api_event_list(struct http_request *q, void *arg)
{
	struct event_query v = { .api = arg, .q = q, .watch = url_bool(http_url(q), "watch") };

	v.table = !v.watch && api_wants_table(q);
	(void)snprintf(v.namespace, sizeof(v.namespace), "%s", http_arg(q, 0) ? http_arg(q, 0) : "");
	if (!api_field_selector(q, field_names, ARRAY_SIZE(field_names), &v.fields))
		return;
	if (v.watch) {
		watch_begin(&v); /* the selector is the stream's */
	} else {
		list_send(&v);
		selector_deinit(&v.fields);
	}
}
