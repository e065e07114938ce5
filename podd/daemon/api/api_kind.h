/* One kind of object, as lists, tables and watches need it. All kinds are served by the same code:
 *
 *   api_list.c   a list or one object, plain or as a Table
 *   api_watch.c  what changes, as a stream
 *
 * An object that is there is made into JSON when somebody asks; the last text of one that is gone is kept by the feed. */
#pragma once
#include "base/jsonw.h"
#include "daemon/api/feed.h"
#include "daemon/api/http.h"
#include "daemon/api/selector.h"

struct api;

enum { API_WATCH_BATCH = 32 << 10 }; /* bytes that wait for one watcher, with one object more */

struct api_column {
	const char *name, *format, *description;
	int priority; /* 1: only with -o wide */
};

struct api_kind {
	const char *kind, *list_kind, *resource; /* "Pod", "PodList", "pods" */
	const char *version;                     /* of its API; NULL: v1 */
	const struct api_column *columns;
	size_t column_count;
	const char *const *fields; /* that a fieldSelector may name; what is below metadata stays as it is */
	size_t field_count;
	bool by_name; /* has a field metadata.name, and lists in order of namespace and name; else in that of the last change */
	/* Of a field and of a label; the argument is the struct feed_item. NULL where there is none; `label` may be NULL. */
	const char *(*field)(const char *key, const void *item);
	const char *(*label)(const char *key, const void *item);
	/* The object with kind and apiVersion, its metadata (a value), its cells (an array). Not for what is gone. */
	void (*object)(const struct api *a, const struct feed_item *i, struct jsonw *w);
	void (*metadata)(const struct api *a, const struct feed_item *i, struct jsonw *w);
	void (*cells)(const struct api *a, const struct feed_item *i, struct jsonw *w);
};

struct api_resource {
	const struct api *api;
	const struct api_kind *kind;
	struct feed *feed;
	struct list watches; /* of struct api_watch.link */
};

void api_resource_init(struct api_resource *s, const struct api *a, const struct api_kind *k, struct feed *f);

/* What a request wants to see, and in which shape. */
struct api_query {
	char namespace[64]; /* "": all */
	struct selector labels, fields;
	bool table;
	bool whole, bare; /* Table: rows with the object, or with nothing, rather than with its metadata */
};

/* False after an error. */
bool api_query_init(const struct api_resource *s, struct http_request *q, const char *namespace, struct api_query *ret);
void api_query_deinit(struct api_query *v);
bool api_query_selects(const struct api_query *v, const struct api_kind *k, const struct feed_item *i);
/* The row of a Table, or the object. */
void api_item_json(const struct api_resource *s, const struct api_query *v, struct feed_item *i, struct jsonw *w);
/* Opens a Table or a list of this version, up to its array of rows or items: two ends to write. `heading`: with the columns. */
void api_list_begin(const struct api_kind *k, bool table, bool heading, uint64_t version, struct jsonw *w);

/* The answer to a list, also if it asks for a watch; and to a get. */
void api_list(struct http_request *q, struct api_resource *s, const char *namespace);
void api_get(struct http_request *q, struct api_resource *s, const char *namespace, const char *name);
void api_watch_begin(struct http_request *q, struct api_resource *s, struct api_query *v); /* takes the selectors over */

/* Something of the feed has changed: the watchers go on. */
void api_resource_changed(struct api_resource *s);
/* The object is about to go: its last text. For feed_end(). */
void api_resource_end(struct api_resource *s, struct feed_item *i);
