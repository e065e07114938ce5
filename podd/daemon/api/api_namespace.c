/* Namespaces as a kind: those that pods are in, and "default". Nothing makes or deletes one but the pods that name it. */
#include <stdio.h>
#include <stdlib.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "daemon/api/api.h"

struct namespace_item {
	struct feed_item feed;
	char name[64];
	size_t pods;
	int64_t created_wall;
};

static const struct namespace_item *namespace_item(const void *item)
{
	return container_of(item, const struct namespace_item, feed);
}

void api_namespace_item_free(struct feed_item *i)
{
	free(container_of(i, struct namespace_item, feed));
}

static const char *const fields[] = { "metadata.name", "status.phase" };

static const char *field_value(const char *key, const void *item)
{
	if (streq(key, "metadata.name"))
		return namespace_item(item)->name;
	return streq(key, "status.phase") ? "Active" : NULL;
}

static const char *label_value(const char *key, const void *item)
{
	return streq(key, "kubernetes.io/metadata.name") ? namespace_item(item)->name : NULL;
}

static void item_metadata(const struct api *a, const struct feed_item *i, struct jsonw *w)
{
	const struct namespace_item *n = namespace_item(i);
	char uid[80];

	(void)a;
	(void)snprintf(uid, sizeof(uid), "namespace-%s", n->name);
	jsonw_object(w);
	jsonw_member_str(w, "name", n->name);
	jsonw_member_str(w, "uid", uid);
	api_version_member(w, i->version);
	api_time(w, "creationTimestamp", n->created_wall);
	jsonw_key(w, "labels");
	jsonw_object(w);
	jsonw_member_str(w, "kubernetes.io/metadata.name", n->name);
	jsonw_end(w);
	jsonw_end(w);
}

static void item_object(const struct api *a, const struct feed_item *i, struct jsonw *w)
{
	jsonw_object(w);
	jsonw_member_str(w, "kind", "Namespace");
	jsonw_member_str(w, "apiVersion", "v1");
	jsonw_key(w, "metadata");
	item_metadata(a, i, w);
	jsonw_key(w, "status");
	jsonw_object(w);
	jsonw_member_str(w, "phase", "Active");
	jsonw_end(w);
	jsonw_end(w);
}

static const struct api_column columns[] = {
	{ "Name", "name", "Name of the namespace.", 0 },
	{ "Status", "", "Always Active: a namespace without pods is not there.", 0 },
	{ "Age", "", "Time since podd knows of it.", 0 },
};

static void item_cells(const struct api *a, const struct feed_item *i, struct jsonw *w)
{
	char age[CLOCK_AGE_SIZE];

	(void)a;
	clock_age(clock_wall() - namespace_item(i)->created_wall, age);
	jsonw_array(w);
	jsonw_str(w, namespace_item(i)->name);
	jsonw_str(w, "Active");
	jsonw_str(w, age);
	jsonw_end(w);
}

const struct api_kind api_namespace_kind = {
	.kind = "Namespace",
	.list_kind = "NamespaceList",
	.resource = "namespaces",
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

void api_namespace_used(struct api *a, const char *name, bool used)
{
	struct namespace_item *n = NULL;

	list_foreach(i, &a->namespaces.feed->items, struct namespace_item, feed.link)
		if (!i->feed.gone && streq(i->name, name))
			n = i;
	if (!n) {
		n = xnew(struct namespace_item);
		(void)snprintf(n->name, sizeof(n->name), "%s", name);
		n->created_wall = clock_wall();
		feed_add(a->namespaces.feed, &n->feed);
	}
	if (used)
		n->pods++;
	else if (!--n->pods)
		api_resource_end(&a->namespaces, &n->feed);
}

void api_namespace_list(struct http_request *q, void *arg)
{
	api_list(q, &((struct api *)arg)->namespaces, NULL);
}

void api_namespace_get(struct http_request *q, void *arg)
{
	api_get(q, &((struct api *)arg)->namespaces, NULL, http_arg(q, 0));
}
