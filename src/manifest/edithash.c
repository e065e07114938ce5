#include "manifest/edithash.h"
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/str.h"
#include "manifest/schema.h"

enum { TEXT_SIZE = 64 };

struct walk {
	unsigned restarts; /* resources whose edit costs more than their rows say */
	enum edit most;    /* what a fact costs at most at this place, whatever its row says */
	struct path path;
	edit_fact_fn fn;
	void *arg;
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

static enum edit cost_of(const struct walk *w, const struct field *f)
{
	enum edit cost = MIN(f->edit, w->most);
	bool restarts = cost == EDIT_RESIZE && ((streq(f->name, "cpu") && (w->restarts & RESTARTS_CPU)) ||
	                                        (streq(f->name, "memory") && (w->restarts & RESTARTS_MEMORY)));

	return restarts ? EDIT_RESTART : cost;
}

static void fact(struct walk *w, const struct field *f, uint64_t path, const char *text)
{
	if (text && !streq0(text, f->fallback))
		w->fn(&(struct edit_fact){ cost_of(w, f), mix(hash_add(path, text)), &w->path }, w->arg);
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
	case FIELD_INT_OR_STRING: { /* no name of a port is a number */
		const struct int_or_string *v = at;
		return v->text ? v->text : v->number ? number(v->number, buf) : NULL;
	}
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

/* What has no effect is told last, by its place in the manifest: the others keep their numbers whatever comes and goes between them. */
static void walk_idle(struct walk *w, const struct field *f, const struct item_list *list, uint64_t path)
{
	enum edit most = w->most;

	w->most = MIN(most, EDIT_UPDATE);
	for (size_t i = 0; i < list->count; i++) {
		const char *item = list->items + i * f->object->size;
		char buf[TEXT_SIZE];
		if (!schema_item_idle(f->object, item))
			continue;
		path_index(&w->path, i);
		walk_object(w, f->object, item, hash_add(hash_add(path, "idle"), number((int64_t)i, buf)));
		path_pop(&w->path);
	}
	w->most = most;
}

static void walk_list(struct walk *w, const struct field *f, const struct item_list *list, uint64_t path)
{
	size_t count = 0;
	char buf[TEXT_SIZE];

	for (size_t i = 0; i < list->count; i++)
		count += !schema_item_idle(f->object, list->items + i * f->object->size);
	fact(w, f, path, count ? number((int64_t)count, buf) : NULL);
	count = 0;
	for (size_t i = 0; i < list->count; i++) {
		const char *item = list->items + i * f->object->size;
		if (schema_item_idle(f->object, item))
			continue;
		path_index(&w->path, i);
		walk_object(w, f->object, item, hash_add(path, number((int64_t)count++, buf)));
		path_pop(&w->path);
	}
	walk_idle(w, f, list, path);
}

/* Annotations that podd acts upon. */
static struct field annotation_field(const struct field *f, const char *name)
{
	struct field own = *f;

	if (streq(name, "podd.dev/swap"))
		own.edit = EDIT_RESIZE;
	else if (streq(name, "podd.dev/ulimits") || streq(name, "podd.dev/devices") || streq(name, "podd.dev/tty"))
		own.edit = EDIT_RESTART;
	return own;
}

static void walk_field(struct walk *w, const struct field *f, const char *at, uint64_t path)
{
	char buf[TEXT_SIZE];

	if (f->type == FIELD_OBJECT || f->type == FIELD_QUANTITY_MAP) {
		if (f->object->starts_with_set && !*(const bool *)at)
			return; /* it is not there, whatever zeroes may mean in it */
		if (f->object->starts_with_set)
			fact(w, f, path, "set");
		walk_object(w, f->object, at, path);
	} else if (f->type == FIELD_OBJECTS) {
		walk_list(w, f, (const void *)at, path);
	} else if (f->type == FIELD_STRINGS) {
		const struct string_list *l = (const void *)at;
		for (size_t i = 0; i < l->count; i++)
			fact(w, f, hash_add(path, number((int64_t)i, buf)), l->items[i]);
	} else if (f->type == FIELD_INT32S || f->type == FIELD_INT64S) {
		const struct int_list *l = (const void *)at;
		char value[TEXT_SIZE];
		for (size_t i = 0; i < l->count; i++)
			fact(w, f, hash_add(path, number((int64_t)i, buf)), number(l->items[i], value));
	} else if (f->type == FIELD_MAP) {
		const struct label_list *l = (const void *)at;
		for (size_t i = 0; i < l->count; i++) {
			struct field own = annotation_field(f, l->items[i].name);
			fact(w, &own, hash_add(path, l->items[i].name), l->items[i].value);
		}
	} else {
		fact(w, f, path, scalar_text(f, at, buf));
	}
}

static void walk_object(struct walk *w, const struct schema *s, const char *base, uint64_t path)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct field *f = &s->fields[i];
		/* Containers and volumes are walked by themselves. */
		if (!field_stored(f) || f->object == &schema_container || f->object == &schema_volume)
			continue;
		path_key(&w->path, f->name);
		walk_field(w, f, base + f->offset, hash_add(path, f->name));
		path_pop(&w->path);
	}
}

/* --- whose facts -------------------------------------------------------------------------------------------------------------- */

/* Of those of the pod: the ones about each start of a container, or all others. */
struct sieve {
	bool restarts;
	edit_fact_fn fn;
	void *arg;
};

static void sift(const struct edit_fact *f, void *arg)
{
	const struct sieve *s = arg;

	if ((f->cost == EDIT_RESTART) == s->restarts)
		s->fn(f, s->arg);
}

static void volume_facts(struct walk *w, const struct pod *p, const struct volume *v)
{
	w->path.depth = 0;
	path_key(&w->path, "spec");
	path_key(&w->path, "volumes");
	path_index(&w->path, (size_t)(v - p->spec.volumes.items));
	walk_object(w, &schema_volume, (const char *)v, hash_add(2, v->name));
}

/* Which init containers there are, of which kind, in which order. */
static void order_facts(struct walk *w, const struct container_list *l)
{
	const struct field *f = schema_lookup("spec.initContainers");
	char buf[TEXT_SIZE];

	w->path.depth = 0;
	path_key(&w->path, "spec");
	path_key(&w->path, f->name);
	for (size_t i = 0; i < l->count; i++) {
		uint64_t place = hash_add(hash_add(3, f->name), number((int64_t)i, buf));
		fact(w, f, place, l->items[i].name);
		fact(w, f, place, l->items[i].restart == CONTAINER_RESTART_ALWAYS ? "a sidecar" : NULL);
	}
}

void edit_pod_facts(const struct pod *p, edit_fact_fn fn, void *arg)
{
	struct sieve sieve = { false, fn, arg };
	struct walk own = { .most = EDIT_RECREATE, .fn = sift, .arg = &sieve };
	struct walk volumes = { .most = EDIT_UPDATE, .fn = fn, .arg = arg };

	walk_object(&own, &schema_pod, (const char *)p, 0);
	order_facts(&own, &p->spec.init_containers);
	for (size_t i = 0; i < p->spec.volumes.count; i++)
		volume_facts(&volumes, p, &p->spec.volumes.items[i]);
}

void edit_container_facts(const struct pod *p, const struct container *c, unsigned restarts, edit_fact_fn fn, void *arg)
{
	struct sieve sieve = { true, fn, arg };
	struct walk own = { .restarts = restarts, .most = EDIT_RECREATE, .fn = fn, .arg = arg };
	struct walk volumes = { .most = EDIT_RESTART, .fn = fn, .arg = arg };
	struct walk common = { .most = EDIT_RECREATE, .fn = sift, .arg = &sieve };

	bool init = pod_is_init(p, c), ephemeral = pod_is_ephemeral(p, c);
	const struct container_list *list = init ? &p->spec.init_containers : ephemeral ? &p->spec.ephemeral : &p->spec.containers;
	path_key(&own.path, "spec");
	path_key(&own.path, init ? "initContainers" : ephemeral ? "ephemeralContainers" : "containers");
	path_index(&own.path, (size_t)(c - list->items));
	walk_object(&own, &schema_container, (const char *)c, 1);
	for (size_t i = 0; i < c->mounts.count; i++) {
		const struct volume *v = pod_volume(p, c->mounts.items[i].name);
		if (v)
			volume_facts(&volumes, p, v);
	}
	walk_object(&common, &schema_pod, (const char *)p, 0);
}

/* --- sums --------------------------------------------------------------------------------------------------------------------- */

struct sum {
	enum edit cost;   /* EDIT_MAX: any */
	const char *salt; /* the container's name; NULL: none */
	uint64_t value;
};

static void add(const struct edit_fact *f, void *arg)
{
	struct sum *s = arg;

	if (s->cost == f->cost || s->cost == EDIT_MAX)
		s->value += s->salt ? mix(hash_add(f->hash, s->salt)) : f->hash;
}

static void add_spec(const struct edit_fact *f, void *arg)
{
	if (streq(f->path->steps[0].key, "spec"))
		add(f, arg);
}

unsigned container_resize_restarts(const struct container *c)
{
	unsigned restarts = 0;

	for (size_t i = 0; i < c->resize.count; i++)
		if (c->resize.items[i].restart == RESIZE_RESTART_CONTAINER)
			restarts |= c->resize.items[i].resource == RESIZE_CPU ? RESTARTS_CPU : RESTARTS_MEMORY;
	return restarts;
}

static void add_containers(const struct pod *p, struct sum *sum)
{
	for (size_t i = 0; i < pod_container_count(p); i++) {
		const struct container *c = pod_container_at(p, i);
		if (pod_is_ephemeral(p, c)) /* no edit of the manifest adds one */
			continue;
		sum->salt = c->name;
		edit_container_facts(p, c, 0, add, sum);
	}
}

uint64_t pod_edit_hash(const struct pod *p, enum edit cost)
{
	struct sum sum = { .cost = cost };

	edit_pod_facts(p, add, &sum);
	add_containers(p, &sum);
	/* The QoS class decides which part of the cgroup tree the pod lives in, and processes are not moved. */
	if (cost == EDIT_RECREATE)
		sum.value += mix(hash_add(0, qos_name(p->qos)));
	return sum.value;
}

uint64_t pod_spec_hash(const struct pod *p)
{
	struct sum sum = { .cost = EDIT_MAX };

	edit_pod_facts(p, add_spec, &sum);
	add_containers(p, &sum);
	return sum.value;
}

uint64_t container_edit_hash(const struct pod *p, const struct container *c, unsigned restarts)
{
	struct sum sum = { .cost = EDIT_RESTART };

	edit_container_facts(p, c, restarts, add, &sum);
	return sum.value;
}
