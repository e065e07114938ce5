/* What an edit costs: a walk over the schema table along both pods. Each field that differs costs what its row says. */
#include <assert.h>
#include "base/alloc.h"
#include "base/str.h"
#include "manifest/manifest.h"
#include "manifest/path.h"
#include "manifest/schema.h"

struct any_list {
	const char *items;
	size_t count;
};

/* The worst difference so far, and where. */
struct diff {
	struct arena *arena;
	struct path path;
	enum edit worst;
	const char *field;
};

static void diff_object(struct diff *d, const struct schema *s, const void *from, const void *to);

static void note(struct diff *d, enum edit cost)
{
	_cleanup_buf_ struct buf text = BUF_NULL;

	if (cost <= d->worst)
		return;
	path_print(&d->path, &text);
	d->worst = cost;
	d->field = arena_strdup(d->arena, buf_str(&text));
}

static void diff_strings(struct diff *d, const struct field *f, const struct string_list *from, const struct string_list *to)
{
	bool same = from->count == to->count;

	for (size_t i = 0; same && i < to->count; i++)
		same = streq(from->items[i], to->items[i]);
	if (!same)
		note(d, f->edit);
}

static void diff_map(struct diff *d, const struct field *f, const struct label_list *from, const struct label_list *to)
{
	bool same = from->count == to->count;

	for (size_t i = 0; same && i < to->count; i++)
		same = streq(from->items[i].name, to->items[i].name) && streq(from->items[i].value, to->items[i].value);
	if (!same)
		note(d, f->edit);
}

/* Ports that are not published are words only: nothing of the pod depends on them. */
static bool publishes(const struct field *f, const struct any_list *l)
{
	const struct field *host_port = schema_find(f->object, "hostPort");

	for (size_t i = 0; host_port && i < l->count; i++) {
		int32_t port;
		memcpy(&port, l->items + i * f->object->size + host_port->offset, sizeof(port));
		if (port)
			return true;
	}
	return !host_port;
}

static void diff_objects(struct diff *d, const struct field *f, const struct any_list *from, const struct any_list *to)
{
	struct diff inner = { .arena = d->arena, .path = d->path };

	if (from->count != to->count)
		note(&inner, f->edit);
	for (size_t i = 0; i < MIN(from->count, to->count); i++) {
		path_index(&inner.path, i);
		diff_object(&inner, f->object, from->items + i * f->object->size, to->items + i * f->object->size);
		path_pop(&inner.path);
	}
	if (inner.worst == EDIT_RECREATE && !publishes(f, from) && !publishes(f, to))
		inner.worst = EDIT_UPDATE;
	if (inner.worst > d->worst) {
		d->worst = inner.worst;
		d->field = inner.field;
	}
}

static bool same_scalar(const struct field *f, const void *from, const void *to)
{
	switch (f->type) {
	case FIELD_STRING:
		return streq0(*(const char *const *)from, *(const char *const *)to);
	case FIELD_ENUM:
	case FIELD_TRISTATE:
		return *(const int *)from == *(const int *)to;
	case FIELD_BOOL:
		return *(const bool *)from == *(const bool *)to;
	case FIELD_INT32:
		return *(const int32_t *)from == *(const int32_t *)to;
	case FIELD_INT64:
		return *(const int64_t *)from == *(const int64_t *)to;
	case FIELD_ID: {
		const struct id *a = from, *b = to;
		return a->set == b->set && a->value == b->value;
	}
	case FIELD_QUANTITY: {
		const struct quantity *a = from, *b = to;
		return a->set == b->set && a->nano == b->nano;
	}
	case FIELD_OBJECT:
	case FIELD_OBJECTS:
	case FIELD_STRINGS:
	case FIELD_MAP:
	case FIELD_QUANTITY_MAP:
	case FIELD_INT_OR_STRING:
	case FIELD_INT32S:
	case FIELD_INT64S:
	case FIELD_LABEL_SELECTOR:
	case FIELD_TYPE_MAX:
		break;
	}
	assert(!"no scalar field of this type is built");
	return true;
}

static void diff_field(struct diff *d, const struct field *f, const void *from, const void *to)
{
	if (f->object == &schema_container) /* matched by name, each on its own */
		return;
	if (f->type == FIELD_OBJECT || f->type == FIELD_QUANTITY_MAP)
		diff_object(d, f->object, from, to);
	else if (f->type == FIELD_OBJECTS)
		diff_objects(d, f, from, to);
	else if (f->type == FIELD_STRINGS)
		diff_strings(d, f, from, to);
	else if (f->type == FIELD_MAP)
		diff_map(d, f, from, to);
	else if (!same_scalar(f, from, to))
		note(d, f->edit);
}

static void diff_object(struct diff *d, const struct schema *s, const void *from, const void *to)
{
	if (s->starts_with_set && *(const bool *)from != *(const bool *)to) {
		note(d, EDIT_RECREATE); /* another source of a volume */
		return;
	}
	for (size_t i = 0; i < s->count; i++) {
		const struct field *f = &s->fields[i];
		if (!field_stored(f))
			continue;
		path_key(&d->path, f->name);
		diff_field(d, f, (const char *)from + f->offset, (const char *)to + f->offset);
		path_pop(&d->path);
	}
}

static void diff_container(const struct pod *from, const struct pod *to, size_t index, struct pod_edit *e)
{
	const struct container *c = &to->spec.containers.items[index], *old = pod_container(from, c->name);
	struct diff d = { .arena = e->arena };

	path_key(&d.path, "spec");
	path_key(&d.path, "containers");
	path_index(&d.path, index);
	if (old)
		diff_object(&d, &schema_container, old, c);
	else
		note(&d, EDIT_RESTART);
	e->containers[index] = (struct container_edit){ .name = c->name, .edit = d.worst, .field = d.field };
}

static void worsen(struct pod_edit *e, enum edit cost, const char *field)
{
	if (cost > e->pod) {
		e->pod = cost;
		e->field = field;
	}
}

/* The uid is left out when the manifest doesn't name one: podd has chosen it then. */
static void diff_pod(const struct pod *from, const struct pod *to, struct pod_edit *e)
{
	struct diff d = { .arena = e->arena };
	struct pod_metadata metadata = to->metadata;

	if (!from->metadata.uid || !metadata.uid)
		metadata.uid = from->metadata.uid;
	path_key(&d.path, "metadata");
	diff_object(&d, &schema_metadata, &from->metadata, &metadata);
	path_pop(&d.path);
	path_key(&d.path, "spec");
	diff_object(&d, &schema_spec, &from->spec, &to->spec);
	worsen(e, d.worst, d.field);
}

void pod_diff(const struct pod *from, const struct pod *to, struct pod_edit *ret)
{
	struct pod_edit e = { .arena = arena_new(), .container_count = to->spec.containers.count };

	e.containers = arena_new_array(e.arena, struct container_edit, e.container_count);
	diff_pod(from, to, &e);
	for (size_t i = 0; i < e.container_count; i++) {
		diff_container(from, to, i, &e);
		worsen(&e, e.containers[i].edit, e.containers[i].field);
	}
	for (size_t i = 0; i < from->spec.containers.count; i++)
		if (!pod_container(to, from->spec.containers.items[i].name))
			worsen(&e, EDIT_RESTART, "spec.containers");
	/* The QoS class decides which part of the cgroup tree the pod lives in, and processes are not moved. */
	if (from->qos != to->qos)
		worsen(&e, EDIT_RECREATE, e.field ? e.field : "spec.containers");
	*ret = e;
}

void pod_edit_deinit(struct pod_edit *e)
{
	e->arena = arena_free(e->arena);
}

const char *edit_name(enum edit e)
{
	static const char *const names[] = {
		[EDIT_NONE] = "none",       [EDIT_UPDATE] = "update",     [EDIT_RESIZE] = "resize",
		[EDIT_RESTART] = "restart", [EDIT_RECREATE] = "recreate",
	};
	_Static_assert(ARRAY_SIZE(names) == EDIT_MAX, "a name for each edit");
	return names[e];
}
