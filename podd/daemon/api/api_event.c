/* Events as a kind. Those that leave the record leave without a word: who keeps them forgets them by himself. */
#include <stdio.h>
#include "base/clock.h"
#include "base/str.h"
#include "daemon/api/api.h"
#include "daemon/record.h"

static const struct record_item *record_item(const void *item)
{
	return container_of(item, const struct record_item, feed);
}

static bool about_pod(const struct record_item *e)
{
	return *record_text(e, RECORD_POD);
}

static const char *kind_of(const struct record_item *e)
{
	return about_pod(e) ? record_text(e, RECORD_KIND) : "Node";
}

static const char *object_name(const struct api *a, const struct record_item *e)
{
	return about_pod(e) ? record_text(e, RECORD_POD) : a->d->config->node_name;
}

/* Kubernetes keeps the events of nodes in "default". */
static const char *namespace_of(const struct record_item *e)
{
	return about_pod(e) ? record_text(e, RECORD_NAMESPACE) : "default";
}

static const char *const fields[] = { "metadata.namespace",
	                              "involvedObject.kind",
	                              "involvedObject.name",
	                              "involvedObject.namespace",
	                              "involvedObject.uid",
	                              "type",
	                              "reason" };

static const char *field_value(const char *key, const void *item)
{
	const struct record_item *e = record_item(item);
	const char *values[] = { namespace_of(e),
		                 kind_of(e),
		                 record_text(e, RECORD_POD),
		                 record_text(e, RECORD_NAMESPACE),
		                 record_text(e, RECORD_UID),
		                 e->normal ? "Normal" : "Warning",
		                 record_text(e, RECORD_REASON) };
	_Static_assert(ARRAY_SIZE(values) == ARRAY_SIZE(fields), "a value for each field");

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (streq(fields[i], key))
			return values[i];
	return NULL;
}

static void item_metadata(const struct api *a, const struct feed_item *i, struct jsonw *w)
{
	const struct record_item *e = record_item(i);
	char name[300];

	(void)snprintf(name, sizeof(name), "%s.%llx", object_name(a, e), (unsigned long long)i->created);
	jsonw_object(w);
	jsonw_member_str(w, "name", name);
	jsonw_member_str(w, "namespace", namespace_of(e));
	api_version_member(w, i->version);
	api_time(w, "creationTimestamp", e->first_wall);
	jsonw_end(w);
}

static void involved_json(const struct api *a, const struct record_item *e, struct jsonw *w)
{
	const char *container = record_text(e, RECORD_CONTAINER);
	char path[CONTAINER_NAME_SIZE + 24];

	jsonw_key(w, "involvedObject");
	jsonw_object(w);
	jsonw_member_str(w, "kind", kind_of(e));
	jsonw_member_str(w, "apiVersion", str_ends(kind_of(e), "Job") ? "batch/v1" : "v1");
	if (about_pod(e))
		jsonw_member_str(w, "namespace", namespace_of(e));
	jsonw_member_str(w, "name", object_name(a, e));
	jsonw_member_str(w, "uid", record_text(e, RECORD_UID));
	if (*container) {
		(void)snprintf(path, sizeof(path), "spec.containers{%s}", container);
		jsonw_member_str(w, "fieldPath", path);
	}
	jsonw_end(w);
}

static void source_json(const struct api *a, struct jsonw *w)
{
	jsonw_key(w, "source");
	jsonw_object(w);
	jsonw_member_str(w, "component", "podd");
	jsonw_member_str(w, "host", a->d->config->node_name);
	jsonw_end(w);
}

static void item_object(const struct api *a, const struct feed_item *i, struct jsonw *w)
{
	const struct record_item *e = record_item(i);

	jsonw_object(w);
	jsonw_member_str(w, "kind", "Event");
	jsonw_member_str(w, "apiVersion", "v1");
	jsonw_key(w, "metadata");
	item_metadata(a, i, w);
	involved_json(a, e, w);
	jsonw_member_str(w, "reason", record_text(e, RECORD_REASON));
	jsonw_member_str(w, "message", record_text(e, RECORD_MESSAGE));
	source_json(a, w);
	api_time(w, "firstTimestamp", e->first_wall);
	api_time(w, "lastTimestamp", e->last_wall);
	jsonw_member_int(w, "count", e->count);
	jsonw_member_str(w, "type", e->normal ? "Normal" : "Warning");
	jsonw_end(w);
}

static const struct api_column columns[] = {
	{ "Last Seen", "", "Time since it last happened.", 0 }, { "Type", "", "Normal or Warning.", 0 },
	{ "Reason", "", "What happened, in one word.", 0 },     { "Object", "", "To whom it happened.", 0 },
	{ "Message", "", "What happened, for people.", 0 },     { "Count", "", "How often it happened.", 1 },
};

static void item_cells(const struct api *a, const struct feed_item *i, struct jsonw *w)
{
	const struct record_item *e = record_item(i);
	char age[CLOCK_AGE_SIZE], object[300], count[16];

	clock_age(clock_wall() - e->last_wall, age);
	(void)snprintf(object, sizeof(object), "%s/%s", about_pod(e) ? "pod" : "node", object_name(a, e));
	(void)snprintf(count, sizeof(count), "%u", e->count);
	jsonw_array(w);
	jsonw_str(w, age);
	jsonw_str(w, e->normal ? "Normal" : "Warning");
	jsonw_str(w, record_text(e, RECORD_REASON));
	jsonw_str(w, object);
	jsonw_str(w, record_text(e, RECORD_MESSAGE));
	jsonw_str(w, count);
	jsonw_end(w);
}

const struct api_kind api_event_kind = {
	.kind = "Event",
	.list_kind = "EventList",
	.resource = "events",
	.columns = columns,
	.column_count = ARRAY_SIZE(columns),
	.fields = fields,
	.field_count = ARRAY_SIZE(fields),
	.field = field_value,
	.object = item_object,
	.metadata = item_metadata,
	.cells = item_cells,
};

void api_event_list(struct http_request *q, void *arg)
{
	api_list(q, &((struct api *)arg)->events, http_arg(q, 0));
}
