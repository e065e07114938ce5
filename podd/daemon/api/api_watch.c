/* Watches. A watcher is a version and a note of what it was told of; what it has yet to see is made when its connection takes more. One
 * that does not read has at most API_WATCH_BATCH bytes and one object waiting in podd, however much changes, and nobody waits for it. */
#include <stdio.h>
#include <stdlib.h>
#include "base/alloc.h"
#include "base/str.h"
#include "daemon/api/api.h"

struct api_watch {
	struct list link;
	struct api_resource *resource;
	struct http_request *q;
	struct api_query query;
	bool bookmarks;
	bool headed;  /* the columns were sent */
	bool initial; /* the end of the first objects is still to be told */
	bool sending; /* a batch, or the answer's head: `drained` comes when the kernel has it */
	bool ending;
	uint64_t version, floor; /* told up to it; the feed's floor when all was asked for: ends before that concern others */
	uint8_t *told; /* a bit for each slot of the feed: of those that came up to `version`, the ones this watcher has */
	size_t told_size;
};

static bool was_told(const struct api_watch *w, const struct feed_item *i)
{
	/* The bit of an item that came later is its predecessor's in the slot. */
	return i->created <= w->version && i->slot / 8 < w->told_size && w->told[i->slot / 8] & 1u << i->slot % 8;
}

static void set_told(struct api_watch *w, const struct feed_item *i, bool told)
{
	size_t need = i->slot / 8 + 1;
	uint8_t bit = (uint8_t)(1u << i->slot % 8);

	if (need > w->told_size) {
		if (!told)
			return;
		w->told = xrealloc(w->told, need, 1);
		memset(w->told + w->told_size, 0, need - w->told_size);
		w->told_size = need;
	}
	if (told)
		w->told[i->slot / 8] |= bit;
	else
		w->told[i->slot / 8] &= (uint8_t)~bit;
}

/* --- lines --- */

static void bookmark(struct api_watch *w, bool initial_end, struct buf *out)
{
	struct jsonw j;

	jsonw_init(&j, out);
	jsonw_object(&j);
	jsonw_member_str(&j, "type", "BOOKMARK");
	jsonw_key(&j, "object");
	jsonw_object(&j);
	jsonw_member_str(&j, "kind", w->query.table ? "Table" : w->resource->kind->kind);
	const char *version = w->resource->kind->version;
	jsonw_member_str(&j, "apiVersion", w->query.table ? "meta.k8s.io/v1" : version ? version : "v1");
	jsonw_key(&j, "metadata");
	jsonw_object(&j);
	api_version_member(&j, w->version);
	if (initial_end) {
		jsonw_key(&j, "annotations");
		jsonw_object(&j);
		jsonw_member_str(&j, "k8s.io/initial-events-end", "true");
		jsonw_end(&j);
	}
	jsonw_end(&j);
	jsonw_end(&j);
	jsonw_end(&j);
	buf_putc(out, '\n');
}

/* Made once for all watchers, as long as the feed can keep it. */
static void make_text(const struct api_resource *s, struct feed_item *i)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	struct jsonw j;

	if (i->text)
		return;
	jsonw_init(&j, &text);
	s->kind->object(s->api, i, &j);
	size_t size = text.len + 1;
	feed_keep(s->feed, i, buf_take(&text), size);
}

static void tell(struct api_watch *w, struct feed_item *i, struct buf *out)
{
	bool told = was_told(w, i), selected = !i->gone && api_query_selects(&w->query, w->resource->kind, i);
	struct jsonw j;

	set_told(w, i, selected);
	w->version = i->version;
	if (!told && !selected)
		return;
	if (!w->query.table)
		make_text(w->resource, i);
	jsonw_init(&j, out);
	jsonw_object(&j);
	jsonw_member_str(&j, "type", !selected ? "DELETED" : told ? "MODIFIED" : "ADDED");
	jsonw_key(&j, "object");
	if (w->query.table)
		api_list_begin(w->resource->kind, true, !w->headed, i->version, &j);
	api_item_json(w->resource, &w->query, i, &j);
	if (w->query.table) {
		jsonw_end(&j);
		jsonw_end(&j);
	}
	w->headed = true;
	jsonw_end(&j);
	buf_putc(out, '\n');
}

static void expire(struct api_watch *w)
{
	_cleanup_buf_ struct buf out = BUF_NULL;
	char text[128];

	(void)snprintf(text, sizeof(text), "too old resource version: %llu (%llu)", (unsigned long long)w->version,
	               (unsigned long long)w->resource->feed->version);
	buf_puts(&out, "{\"type\":\"ERROR\",\"object\":");
	api_status_json(&out, 410, NULL, NULL, text);
	buf_puts(&out, "}\n");
	w->ending = true;
	http_send(w->q, out.data, out.len);
	http_finish(w->q);
}

/* --- the stream --- */

static bool missed(const struct api_watch *w)
{
	const struct feed *f = w->resource->feed;

	return f->floor > MAX(w->version, w->floor) || w->version > f->version;
}

static void fill(struct api_watch *w, struct buf *out)
{
	const struct feed *f = w->resource->feed;
	struct feed_item *i;

	while (!missed(w) && (i = feed_next(f, w->version))) {
		if (out->len >= API_WATCH_BATCH)
			return;
		tell(w, i, out);
	}
	if (missed(w)) /* a text that was made has taken the place of one that this watcher needed */
		return;
	w->version = f->version;
	if (w->initial)
		bookmark(w, /* initial_end= */ true, out);
	w->initial = false;
}

static void advance(struct api_watch *w)
{
	_cleanup_buf_ struct buf out = BUF_NULL;

	if (w->ending || w->sending)
		return;
	if (missed(w)) {
		expire(w);
		return;
	}
	fill(w, &out);
	if (!out.len)
		return;
	w->sending = true;
	http_send(w->q, out.data, out.len);
}

static void on_drained(void *arg)
{
	struct api_watch *w = arg;

	w->sending = false;
	advance(w);
}

static void on_expired(void *arg)
{
	_cleanup_buf_ struct buf out = BUF_NULL;
	struct api_watch *w = arg;

	if (w->ending)
		return;
	/* Up to where it was told, also if nothing of that was for it: it can go on from there. */
	if (w->bookmarks && w->version && !w->initial) {
		bookmark(w, /* initial_end= */ false, &out);
		http_send(w->q, out.data, out.len);
	}
	w->ending = true;
	http_finish(w->q);
}

static void on_gone(void *arg)
{
	struct api_watch *w = arg;

	list_remove(&w->link);
	api_query_deinit(&w->query);
	free(w->told);
	free(w);
}

/* Whether the terms on what never changes hold. */
static bool same_object(const struct api_query *v, const struct api_kind *k, const struct feed_item *i)
{
	if (*v->namespace && !streq(k->field("metadata.namespace", i), v->namespace))
		return false;
	for (size_t n = 0; n < v->fields.count; n++) {
		const struct selector one = { .terms = &v->fields.terms[n], .count = 1 };
		if (str_after(one.terms->key, "metadata.") && !selector_matches(&one, k->field, i))
			return false;
	}
	return true;
}

/* Notes what a client has that was told up to w->version by an earlier watch or a list. What selectors look at may have changed since:
 * such an object is taken for told, as the end of an unknown one does no harm, and one that is never ended does. */
static void resume(struct api_watch *w)
{
	const struct api_kind *k = w->resource->kind;

	list_foreach(i, &w->resource->feed->items, struct feed_item, link) {
		if (i->created > w->version || (i->gone && i->version <= w->version))
			continue;
		bool altered = i->altered > w->version && same_object(&w->query, k, i);
		set_told(w, i, altered || api_query_selects(&w->query, k, i));
	}
}

/* "" and "0" are any version: all that is there comes first, as it does when it is asked for. */
static bool parse_version(struct http_request *q, struct api_watch *w)
{
	const char *text = url_param(http_url(q), "resourceVersion");
	bool asked = url_bool(http_url(q), "sendInitialEvents");
	int64_t version = 0;

	if (text && *text && str_int(text, 0, INT64_MAX, &version) < 0) {
		api_error(q, 400, NULL, NULL, "resourceVersion \"%s\" is not a number", text);
		return false;
	}
	if (asked || version == 0)
		w->floor = w->resource->feed->floor;
	else
		w->version = (uint64_t)version;
	w->initial = asked && w->bookmarks;
	return true;
}

void api_watch_begin(struct http_request *q, struct api_resource *s, struct api_query *v)
{
	static const struct http_callbacks callbacks = { .gone = on_gone, .drained = on_drained, .expired = on_expired };
	const char *timeout = url_param(http_url(q), "timeoutSeconds");
	struct api_watch *w = xnew(struct api_watch);
	int64_t seconds = 0;

	*w = (struct api_watch){ .resource = s, .q = q, .query = *v, .bookmarks = url_bool(http_url(q), "allowWatchBookmarks") };
	list_init(&w->link);
	if (timeout && str_int(timeout, 0, INT32_MAX, &seconds) < 0) {
		api_error(q, 400, NULL, NULL, "timeoutSeconds \"%s\" is not a number of seconds", timeout);
		on_gone(w);
		return;
	}
	if (!parse_version(q, w)) {
		on_gone(w);
		return;
	}
	list_append(&s->watches, &w->link);
	w->sending = true;
	http_stream(q, 200, "application/json", &callbacks, w);
	if (seconds)
		http_expire(q, (uint64_t)seconds * 1000);
	if (w->version && !missed(w))
		resume(w);
}

void api_resource_changed(struct api_resource *s)
{
	list_foreach(w, &s->watches, struct api_watch, link)
		advance(w);
}
