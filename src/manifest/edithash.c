/* Hashes of what an edit of a given cost would touch. Each field that is set to something else than its default adds a hash of its path
 * and value to a sum: the order of the table, and rows that later versions of podd add to it, change nothing. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "manifest/manifest.h"
#include "manifest/schema.h"

enum { TEXT_SIZE = 64 };

struct walk {
	enum edit cost;  /* EDIT_MAX: any */
	bool containers; /* go into the containers, too */
	uint64_t sum;
};

static uint64_t hash_add(uint64_t h, const char *s)
{
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	return (h ^ 0xff) * 1099511628211u; /* so that "ab", "c" is not "a", "bc" */
}

/* FNV alone spreads its last bytes badly, and sums of it would meet. (The finalizer of MurmurHash3.) */
static uint64_t mix(uint64_t h)
{
	h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdu;
	h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53u;
	return h ^ (h >> 33);
}

static void add(struct walk *w, const struct field *f, uint64_t path, const char *text)
{
	if ((f->edit == w->cost || w->cost == EDIT_MAX) && text && !streq0(text, f->fallback))
		w->sum += mix(hash_add(path, text));
}

static const char *number(int64_t v, char buf[static TEXT_SIZE])
{
	(void)snprintf(buf, TEXT_SIZE, "%" PRId64, v);
	return buf;
}

/* The value of a scalar as text; NULL when it is not set. */
static const char *scalar_text(const struct field *f, const void *at, char buf[static TEXT_SIZE])
{
	switch (f->type) {
	case FIELD_STRING:
		return *(const char *const *)at;
	case FIELD_ENUM: {
		int v = *(const int *)at;
		return v >= 0 && v < f->values->count ? f->values->words[v] : number(v, buf);
	}
	case FIELD_BOOL:
		return *(const bool *)at ? "true" : NULL;
	case FIELD_TRISTATE: {
		enum tristate t = *(const enum tristate *)at;
		return t == TRISTATE_UNSET ? NULL : t == TRISTATE_TRUE ? "true" : "false";
	}
	case FIELD_INT32: {
		int32_t v = *(const int32_t *)at;
		return v || f->fallback ? number(v, buf) : NULL;
	}
	case FIELD_INT64: {
		int64_t v = *(const int64_t *)at;
		return v || f->fallback ? number(v, buf) : NULL;
	}
	case FIELD_ID:
	case FIELD_MODE: {
		const struct id *id = at;
		return id->set ? number(id->value, buf) : NULL;
	}
	case FIELD_QUANTITY: {
		const struct quantity *q = at;
		if (!q->set)
			return NULL;
		(void)snprintf(buf, TEXT_SIZE, "%" PRIx64 ":%" PRIx64, (uint64_t)(q->nano >> 64), (uint64_t)q->nano);
		return buf;
	}
	case FIELD_INT_OR_STRING:
	case FIELD_OBJECT:
	case FIELD_OBJECTS:
	case FIELD_STRINGS:
	case FIELD_INT32S:
	case FIELD_INT64S:
	case FIELD_MAP:
	case FIELD_QUANTITY_MAP:
	case FIELD_LABEL_SELECTOR:
	case FIELD_TYPE_MAX:
		break;
	}
	assert(!"a stored field of a type that has no hash"); /* an edit of it would pass unnoticed */
	return NULL;
}

struct item_list { /* what every {items, count} of pod.h looks like */
	const char *items;
	size_t count;
};

static void walk_object(struct walk *w, const struct schema *s, const char *base, uint64_t path);

static void walk_list(struct walk *w, const struct field *f, const void *at, uint64_t path)
{
	const struct item_list *list = at;
	char buf[TEXT_SIZE];

	if (f->object == &schema_container && !w->containers)
		return;
	size_t count = 0;
	for (size_t i = 0; i < list->count; i++) {
		const char *item = list->items + i * f->object->size;
		if (schema_item_idle(f->object, item) && w->cost != EDIT_MAX)
			continue;
		/* Containers are known by name, the items of other lists by their place. */
		const char *key =
			f->object == &schema_container ? ((const struct container *)item)->name : number((int64_t)count, buf);
		walk_object(w, f->object, item, hash_add(path, key));
		count++;
	}
	if (count && f->object != &schema_container)
		add(w, f, path, number((int64_t)count, buf));
}

static void walk_field(struct walk *w, const struct field *f, const char *at, uint64_t path)
{
	char buf[TEXT_SIZE];

	if (f->type == FIELD_OBJECT || f->type == FIELD_QUANTITY_MAP) {
		if (f->object->starts_with_set && *(const bool *)at)
			add(w, f, path, "set");
		walk_object(w, f->object, at, path);
	} else if (f->type == FIELD_OBJECTS) {
		walk_list(w, f, at, path);
	} else if (f->type == FIELD_STRINGS) {
		const struct string_list *l = (const void *)at;
		for (size_t i = 0; i < l->count; i++)
			add(w, f, hash_add(path, number((int64_t)i, buf)), l->items[i]);
	} else if (f->type == FIELD_INT32S || f->type == FIELD_INT64S) {
		const struct int_list *l = (const void *)at;
		char value[TEXT_SIZE];
		for (size_t i = 0; i < l->count; i++)
			add(w, f, hash_add(path, number((int64_t)i, buf)), number(l->items[i], value));
	} else if (f->type == FIELD_MAP) {
		const struct label_list *l = (const void *)at;
		for (size_t i = 0; i < l->count; i++)
			add(w, f, hash_add(path, l->items[i].name), l->items[i].value);
	} else {
		add(w, f, path, scalar_text(f, at, buf));
	}
}

static void walk_object(struct walk *w, const struct schema *s, const char *base, uint64_t path)
{
	for (size_t i = 0; i < s->count; i++)
		if (field_stored(&s->fields[i]))
			walk_field(w, &s->fields[i], base + s->fields[i].offset, hash_add(path, s->fields[i].name));
}

uint64_t pod_edit_hash(const struct pod *p, enum edit cost)
{
	struct walk w = { cost, true, 0 };

	walk_object(&w, &schema_pod, (const char *)p, 0);
	/* The QoS class decides which part of the cgroup tree the pod lives in, and processes are not moved. */
	if (cost == EDIT_RECREATE)
		w.sum += mix(hash_add(0, qos_name(p->qos)));
	return w.sum;
}

uint64_t pod_spec_hash(const struct pod *p)
{
	struct walk w = { EDIT_MAX, true, 0 };

	walk_object(&w, &schema_spec, (const char *)&p->spec, 0);
	return w.sum;
}

uint64_t container_edit_hash(const struct pod *p, const struct container *c)
{
	struct walk w = { EDIT_RESTART, false, 0 };

	walk_object(&w, &schema_pod, (const char *)p, 0);
	walk_object(&w, &schema_container, (const char *)c, 1);
	return w.sum;
}
