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

static void diff_numbers(struct diff *d, const struct field *f, const struct int_list *from, const struct int_list *to)
{
	bool same = from->count == to->count;

	for (size_t i = 0; same && i < to->count; i++)
		same = from->items[i] == to->items[i];
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

/* The items that have an effect; those that have none may come and go. */
static size_t effective(const struct field *f, const struct any_list *l, const char **ret)
{
	size_t n = 0;

	for (size_t i = 0; i < l->count; i++)
		if (!schema_item_idle(f->object, l->items + i * f->object->size))
			ret[n++] = l->items + i * f->object->size;
	return n;
}

static void diff_objects(struct diff *d, const struct field *f, const struct any_list *from, const struct any_list *to)
{
	_cleanup_free_ const char **old = xcalloc(from->count, sizeof(*old)), **new = xcalloc(to->count, sizeof(*new));
	size_t old_count = effective(f, from, old), new_count = effective(f, to, new);

	if (old_count != new_count)
		note(d, f->edit);
	else if (from->count != to->count)
		note(d, EDIT_UPDATE);
	for (size_t i = 0; i < MIN(old_count, new_count); i++) {
		path_index(&d->path, (size_t)(new[i] - to->items) / f->object->size);
		diff_object(d, f->object, old[i], new[i]);
		path_pop(&d->path);
	}
	for (size_t i = 0; i < MIN(from->count, to->count) && d->worst == EDIT_NONE; i++) {
		struct diff idle = { .arena = d->arena, .path = d->path };
		diff_object(&idle, f->object, from->items + i * f->object->size, to->items + i * f->object->size);
		if (idle.worst)
			note(d, EDIT_UPDATE);
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
	case FIELD_ID:
	case FIELD_MODE: {
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
	if (f->type == FIELD_OBJECT && f->object->starts_with_set && *(const bool *)from != *(const bool *)to)
		note(d, f->edit); /* as another source of a volume */
	else if (f->type == FIELD_OBJECT || f->type == FIELD_QUANTITY_MAP)
		diff_object(d, f->object, from, to);
	else if (f->type == FIELD_OBJECTS)
		diff_objects(d, f, from, to);
	else if (f->type == FIELD_STRINGS)
		diff_strings(d, f, from, to);
	else if (f->type == FIELD_INT32S || f->type == FIELD_INT64S)
		diff_numbers(d, f, from, to);
	else if (f->type == FIELD_MAP)
		diff_map(d, f, from, to);
	else if (!same_scalar(f, from, to))
		note(d, f->edit);
}

static void diff_object(struct diff *d, const struct schema *s, const void *from, const void *to)
{
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
	const struct container none = { 0 };
	struct diff d = { .arena = e->arena };

	path_key(&d.path, "spec");
	path_key(&d.path, "containers");
	path_index(&d.path, index);
	if (!old)
		note(&d, EDIT_RESTART);
	diff_object(&d, &schema_container, old ? old : &none, c);
	e->containers[index] = (struct container_edit){ .name = c->name, .edit = d.worst, .field = d.field };
}

static void worsen(struct pod_edit *e, enum edit cost, const char *field)
{
	if (cost > e->pod) {
		e->pod = cost;
		e->field = field;
	}
}

/* A removed container costs nobody else anything, unless the sandbox did something for it. */
static void diff_removed(const struct container *old, struct pod_edit *e)
{
	const struct container none = { .name = old->name, .image = old->image };
	struct diff d = { .arena = e->arena };

	path_key(&d.path, "spec");
	path_key(&d.path, "containers");
	note(&d, EDIT_RESTART);
	diff_object(&d, &schema_container, old, &none);
	worsen(e, d.worst, d.worst == EDIT_RECREATE ? d.field : "spec.containers");
}

static void diff_pod(const struct pod *from, const struct pod *to, struct pod_edit *e)
{
	struct diff d = { .arena = e->arena };

	path_key(&d.path, "metadata");
	diff_object(&d, &schema_metadata, &from->metadata, &to->metadata);
	path_pop(&d.path);
	path_key(&d.path, "spec");
	diff_object(&d, &schema_spec, &from->spec, &to->spec);
	worsen(e, d.worst, d.field);
	/* Whether a uid is written down or chosen by podd is the same; two different ones are two pods. */
	if (from->metadata.uid && to->metadata.uid && !streq(from->metadata.uid, to->metadata.uid))
		worsen(e, EDIT_RECREATE, "metadata.uid");
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
			diff_removed(&from->spec.containers.items[i], &e);
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
