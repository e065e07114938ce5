/* What an edit costs: the worst fact that one of both versions has and the other has not. */
#include <stdlib.h>
#include "base/alloc.h"
#include "base/str.h"
#include "manifest/edithash.h"

struct entry {
	uint64_t key; /* of cost, path and value */
	enum edit cost;
	const char *field;
};

struct facts {
	struct arena *arena;
	struct entry *items;
	size_t count;
};

static void keep(const struct edit_fact *f, void *arg)
{
	struct facts *l = arg;
	_cleanup_buf_ struct buf text = BUF_NULL;

	path_print(f->path, &text);
	*xgrow(l->items, l->count) = (struct entry){ f->hash + f->cost, f->cost, arena_strdup(l->arena, buf_str(&text)) };
}

static int by_key(const void *a, const void *b)
{
	uint64_t x = ((const struct entry *)a)->key, y = ((const struct entry *)b)->key;

	return (x > y) - (x < y);
}

/* The first of the worst facts of `l` that `other` does not have, if it is worse than what is known. */
static void worst_missing(const struct facts *l, const struct facts *other, enum edit *cost, const char **field)
{
	struct entry *sorted = xnew_array(struct entry, other->count + 1);

	for (size_t i = 0; i < other->count; i++)
		sorted[i] = other->items[i];
	qsort(sorted, other->count, sizeof(*sorted), by_key);
	for (size_t i = 0; i < l->count; i++) {
		const struct entry *e = &l->items[i];
		if (e->cost <= *cost || bsearch(e, sorted, other->count, sizeof(*sorted), by_key))
			continue;
		*cost = e->cost;
		*field = e->field;
	}
	free(sorted);
}

static void compare(struct facts *from, struct facts *to, enum edit *cost, const char **field)
{
	worst_missing(to, from, cost, field);
	worst_missing(from, to, cost, field);
	free(from->items);
	free(to->items);
}

static void worsen(struct pod_edit *e, enum edit cost, const char *field)
{
	if (cost > e->pod) {
		e->pod = cost;
		e->field = field;
	}
}

/* Either may be NULL: the container is new, or is taken out. That costs nobody else anything, unless the sandbox does something for it. */
static void diff_container(const struct pod *from, const struct container *old, const struct pod *to, const struct container *new,
                           struct pod_edit *e)
{
	struct container_edit *ce = &e->containers[e->container_count++];
	const struct container *either = old ? old : new;
	struct facts a = { .arena = e->arena }, b = { .arena = e->arena };

	*ce = (struct container_edit){ .name = either->name, .added = !old, .removed = !new };
	if (!old || !new)
		ce->edit = EDIT_RESTART;
	if (!old && pod_is_init(to, new)) /* the pod is recreated for it */
		ce->field = "spec.initContainers";
	else if (!old)
		ce->field = arena_printf(e->arena, "spec.containers[%zu]", (size_t)(new - to->spec.containers.items));
	if (!new)
		ce->field = pod_is_init(from, old) ? "spec.initContainers" : "spec.containers";
	unsigned restarts = container_resize_restarts(either);
	if (old)
		edit_container_facts(from, old, restarts, keep, &a);
	if (new)
		edit_container_facts(to, new, restarts, keep, &b);
	compare(&a, &b, &ce->edit, &ce->field);
	worsen(e, ce->edit, ce->field);
}

static void diff_pod(const struct pod *from, const struct pod *to, struct pod_edit *e)
{
	struct facts a = { .arena = e->arena }, b = { .arena = e->arena };

	edit_pod_facts(from, keep, &a);
	edit_pod_facts(to, keep, &b);
	compare(&a, &b, &e->own, &e->own_field);
	/* Whether a uid is written down or chosen by podd is the same; two different ones are two pods. */
	if (from->metadata.uid && to->metadata.uid && !streq(from->metadata.uid, to->metadata.uid)) {
		e->own = EDIT_RECREATE;
		e->own_field = "metadata.uid";
	}
	worsen(e, e->own, e->own_field);
}

void pod_diff(const struct pod *from, const struct pod *to, struct pod_edit *ret)
{
	size_t old = pod_container_count(from), new = pod_container_count(to);
	struct pod_edit e = { .arena = arena_new() };

	e.containers = arena_new_array(e.arena, struct container_edit, old + new);
	diff_pod(from, to, &e);
	for (size_t i = 0; i < new; i++)
		diff_container(from, pod_container(from, pod_container_at(to, i)->name), to, pod_container_at(to, i), &e);
	for (size_t i = 0; i < old; i++)
		if (!pod_container(to, pod_container_at(from, i)->name))
			diff_container(from, pod_container_at(from, i), to, NULL, &e);
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
