#include "daemon/record.h"
#include <stdio.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"

/* An entry as it is kept: its strings one after the other, so that a thousand of them are kilobytes and not a megabyte, and
 * equality is one comparison. */
struct kept {
	struct list link;
	uint64_t id;
	int64_t first_wall, last_wall;
	uint32_t count;
	bool normal;
	size_t size;
	char text[];
};

struct record {
	struct list entries; /* of struct kept, in order of id */
	size_t count;
	uint64_t last;
	struct list watches; /* of struct record_watch */
};

struct record *record_new(void)
{
	struct record *r = xnew(struct record);

	list_init(&r->entries);
	list_init(&r->watches);
	return r;
}

struct record *record_free(struct record *r)
{
	if (!r)
		return NULL;
	list_foreach(k, &r->entries, struct kept, link)
		free(k);
	free(r);
	return NULL;
}

static void pack(const struct record_entry *e, struct buf *out)
{
	const char *strings[] = { e->uid, e->namespace, e->pod, e->container, e->reason, e->message };

	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		buf_append(out, strings[i], strlen(strings[i]) + 1);
}

static void unpack(const struct kept *k, struct record_entry *ret)
{
	struct record_entry e = {
		.id = k->id, .normal = k->normal, .first_wall = k->first_wall, .last_wall = k->last_wall, .count = k->count
	};
	const struct {
		char *field;
		size_t size;
	} fields[] = {
		{ e.uid, sizeof(e.uid) },       { e.namespace, sizeof(e.namespace) },
		{ e.pod, sizeof(e.pod) },       { e.container, sizeof(e.container) },
		{ e.reason, sizeof(e.reason) }, { e.message, sizeof(e.message) },
	};
	const char *p = k->text;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++, p += strlen(p) + 1)
		(void)snprintf(fields[i].field, fields[i].size, "%s", p);
	*ret = e;
}

static struct kept *find_equal(struct record *r, bool normal, const struct buf *text)
{
	list_foreach(k, &r->entries, struct kept, link)
		if (k->normal == normal && k->size == text->len && memcmp(k->text, text->data, k->size) == 0)
			return k;
	return NULL;
}

static struct kept *kept_new(struct record *r, bool normal, const struct buf *text)
{
	struct kept *k = xcalloc(1, sizeof(*k) + text->len);

	k->normal = normal;
	k->size = text->len;
	memcpy(k->text, text->data, text->len);
	list_init(&k->link);
	if (r->count == RECORD_MAX) {
		struct kept *oldest = list_entry(r->entries.next, struct kept, link);
		list_remove(&oldest->link);
		free(oldest);
	} else {
		r->count++;
	}
	return k;
}

void record_add(struct record *r, const struct record_entry *e)
{
	_cleanup_buf_ struct buf text = BUF_NULL;

	pack(e, &text);
	struct kept *k = find_equal(r, e->normal, &text);
	if (!k) {
		k = kept_new(r, e->normal, &text);
		k->first_wall = clock_wall();
	}
	k->id = ++r->last;
	k->last_wall = clock_wall();
	k->count++;
	list_remove(&k->link);
	list_append(&r->entries, &k->link);
	list_foreach(w, &r->watches, struct record_watch, link)
		w->added(w);
}

int record_walk(const struct record *r, uint64_t after, int (*fn)(const struct record_entry *e, void *arg), void *arg)
{
	struct record_entry e;

	list_foreach(k, &r->entries, struct kept, link) {
		if (k->id <= after)
			continue;
		unpack(k, &e);
		int stop = fn(&e, arg);
		if (stop)
			return stop;
	}
	return 0;
}

uint64_t record_last(const struct record *r)
{
	return r->last;
}

void record_watch(struct record *r, struct record_watch *w)
{
	list_append(&r->watches, &w->link);
}

void record_unwatch(struct record_watch *w)
{
	list_remove(&w->link);
}
