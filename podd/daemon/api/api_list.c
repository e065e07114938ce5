#include <stdio.h>
#include <stdlib.h>
#include "base/alloc.h"
#include "base/str.h"
#include "daemon/api/api.h"

void api_resource_init(struct api_resource *s, const struct api *a, const struct api_kind *k, struct feed *f)
{
	*s = (struct api_resource){ .api = a, .kind = k, .feed = f };
	list_init(&s->watches);
}

/* --- what a request wants --- */

static bool selector_param(struct http_request *q, const char *param, const char *what, struct selector *ret)
{
	const char *text = url_param(http_url(q), param);

	if (selector_parse(text, ret) == 0)
		return true;
	api_error(q, 400, NULL, NULL, "unable to parse the %s selector \"%s\" (at most %d terms)", what, text, SELECTOR_TERMS_MAX);
	return false;
}

bool api_query_init(const struct api_resource *s, struct http_request *q, const char *namespace, struct api_query *ret)
{
	const char *accept = http_header(q, "Accept"), *include = url_param(http_url(q), "includeObject");
	struct api_query v = { .labels = SELECTOR_NULL, .fields = SELECTOR_NULL };

	v.table = accept && strstr(accept, "as=Table") && strstr(accept, "g=meta.k8s.io");
	v.whole = include && streq(include, "Object");
	v.bare = include && streq(include, "None");
	(void)snprintf(v.namespace, sizeof(v.namespace), "%s", namespace ? namespace : "");
	if (!selector_param(q, "labelSelector", "label", &v.labels))
		return false;
	if (selector_param(q, "fieldSelector", "field", &v.fields)) {
		const char *unknown = selector_unknown(&v.fields, s->kind->fields, s->kind->field_count);
		if (!unknown) {
			*ret = v;
			return true;
		}
		api_error(q, 400, NULL, NULL, "field label not supported: %s", unknown);
	}
	api_query_deinit(&v);
	return false;
}

void api_query_deinit(struct api_query *v)
{
	selector_deinit(&v->labels);
	selector_deinit(&v->fields);
}

static const char *no_label(const char *key, const void *item)
{
	(void)key;
	(void)item;
	return NULL;
}

bool api_query_selects(const struct api_query *v, const struct api_kind *k, const struct feed_item *i)
{
	const char *namespace = *v->namespace ? k->field("metadata.namespace", i) : NULL;

	if (*v->namespace && (!namespace || !streq(namespace, v->namespace)))
		return false;
	return selector_matches(&v->labels, k->label ? k->label : no_label, i) && selector_matches(&v->fields, k->field, i);
}

/* --- one object --- */

/* The text of a feed's item: the object, then, if it is gone, its metadata and its cells; each ends with a NUL. */
static const char *kept_text(const struct feed_item *i, unsigned part)
{
	const char *text = i->text;

	while (part--)
		text += strlen(text) + 1;
	return text;
}

void api_resource_end(struct api_resource *s, struct feed_item *i)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	void (*const parts[])(const struct api *, const struct feed_item *, struct jsonw *) = { s->kind->object, s->kind->metadata,
		                                                                                s->kind->cells };
	struct jsonw w;

	feed_change(s->feed, i, false);
	for (size_t n = 0; n < ARRAY_SIZE(parts); n++) {
		jsonw_init(&w, &text);
		parts[n](s->api, i, &w);
		buf_putc(&text, '\0');
	}
	size_t size = text.len;
	feed_end(s->feed, i, buf_take(&text), size);
}

static void object_json(const struct api_resource *s, struct feed_item *i, struct jsonw *w)
{
	if (i->text)
		jsonw_raw(w, kept_text(i, 0));
	else
		s->kind->object(s->api, i, w);
}

static void row_json(const struct api_resource *s, const struct api_query *v, struct feed_item *i, struct jsonw *w)
{
	jsonw_object(w);
	jsonw_key(w, "cells");
	if (i->gone)
		jsonw_raw(w, kept_text(i, 2));
	else
		s->kind->cells(s->api, i, w);
	if (!v->bare)
		jsonw_key(w, "object");
	if (v->whole) {
		object_json(s, i, w);
	} else if (!v->bare) {
		jsonw_object(w);
		jsonw_member_str(w, "kind", "PartialObjectMetadata");
		jsonw_member_str(w, "apiVersion", "meta.k8s.io/v1");
		jsonw_key(w, "metadata");
		if (i->gone)
			jsonw_raw(w, kept_text(i, 1));
		else
			s->kind->metadata(s->api, i, w);
		jsonw_end(w);
	}
	jsonw_end(w);
}

void api_item_json(const struct api_resource *s, const struct api_query *v, struct feed_item *i, struct jsonw *w)
{
	if (v->table)
		row_json(s, v, i, w);
	else
		object_json(s, i, w);
}

/* --- lists --- */

static void columns_json(const struct api_kind *k, bool heading, struct jsonw *w)
{
	jsonw_key(w, "columnDefinitions");
	jsonw_array(w);
	for (size_t i = 0; heading && i < k->column_count; i++) {
		const struct api_column *c = &k->columns[i];
		jsonw_object(w);
		jsonw_member_str(w, "name", c->name);
		jsonw_member_str(w, "type", "string");
		jsonw_member_str(w, "format", c->format);
		jsonw_member_str(w, "description", c->description);
		jsonw_member_int(w, "priority", c->priority);
		jsonw_end(w);
	}
	jsonw_end(w);
}

void api_list_begin(const struct api_kind *k, bool table, bool heading, uint64_t version, struct jsonw *w)
{
	jsonw_object(w);
	jsonw_member_str(w, "kind", table ? "Table" : k->list_kind);
	jsonw_member_str(w, "apiVersion", table ? "meta.k8s.io/v1" : k->version ? k->version : "v1");
	jsonw_key(w, "metadata");
	jsonw_object(w);
	api_version_member(w, version);
	jsonw_end(w);
	if (table)
		columns_json(k, heading, w);
	jsonw_key(w, table ? "rows" : "items");
	jsonw_array(w);
}

static int by_name(const void *pa, const void *pb, void *arg)
{
	const struct feed_item *a = *(struct feed_item *const *)pa, *b = *(struct feed_item *const *)pb;
	const struct api_kind *k = arg;
	const char *na = k->field("metadata.namespace", a), *nb = k->field("metadata.namespace", b);
	int r = na && nb ? strcmp(na, nb) : 0;

	return r ? r : strcmp(k->field("metadata.name", a), k->field("metadata.name", b));
}

static void list_reply(struct http_request *q, const struct api_resource *s, const struct api_query *v)
{
	_cleanup_buf_ struct buf out = BUF_NULL;
	struct feed_item **items = NULL;
	size_t count = 0;
	struct jsonw w;

	list_foreach(i, &s->feed->items, struct feed_item, link)
		if (!i->gone && api_query_selects(v, s->kind, i))
			*xgrow(items, count) = i;
	if (s->kind->by_name && count)
		qsort_r(items, count, sizeof(*items), by_name, (void *)s->kind);
	jsonw_init(&w, &out);
	api_list_begin(s->kind, v->table, true, s->feed->version, &w);
	for (size_t i = 0; i < count; i++)
		api_item_json(s, v, items[i], &w);
	jsonw_end(&w);
	jsonw_end(&w);
	api_reply_json(q, &out);
	free(items);
}

void api_list(struct http_request *q, struct api_resource *s, const char *namespace)
{
	struct api_query v;

	if (!api_query_init(s, q, namespace, &v))
		return;
	if (url_bool(http_url(q), "watch")) {
		api_watch_begin(q, s, &v);
		return;
	}
	list_reply(q, s, &v);
	api_query_deinit(&v);
}

static struct feed_item *find(const struct api_resource *s, const char *namespace, const char *name)
{
	list_foreach(i, &s->feed->items, struct feed_item, link) {
		const char *ns = s->kind->field("metadata.namespace", i);
		if (!i->gone && streq(s->kind->field("metadata.name", i), name) && (!namespace || (ns && streq(ns, namespace))))
			return i;
	}
	return NULL;
}

void api_get(struct http_request *q, struct api_resource *s, const char *namespace, const char *name)
{
	_cleanup_buf_ struct buf out = BUF_NULL;
	struct feed_item *i = find(s, namespace, name);
	struct api_query v;
	struct jsonw w;

	if (!i) {
		api_error(q, 404, name, s->kind->resource, "%s \"%s\" not found", s->kind->resource, name);
		return;
	}
	if (!api_query_init(s, q, NULL, &v))
		return;
	jsonw_init(&w, &out);
	if (v.table)
		api_list_begin(s->kind, true, true, s->feed->version, &w);
	api_item_json(s, &v, i, &w);
	if (v.table) {
		jsonw_end(&w);
		jsonw_end(&w);
	}
	api_reply_json(q, &out);
	api_query_deinit(&v);
}
