/* Who comes first. A pod's rank is its priority, or that of a pod that comes after it (podd.dev/after) if that is higher: else an unimportant
 * pod could keep an important one from beginning, or an important one end before those that need it.
 *
 * Of pods that may begin in the same step the highest begins first. Of pods that `stop --all` stops, each tier of one rank ends before the
 * next higher one. This can't wait for ever: along podd.dev/after ranks never rise, so in a circle of pods that wait for each other to end
 * all would have one rank; then only podd.dev/after made them wait, and of its own circles nobody waits (core/depend.c). */
#include "base/str.h"
#include "core/pod.h"

static const struct core_priority_class system_classes[] = {
	{ "system-node-critical", 2000001000 },
	{ "system-cluster-critical", 2000000000 },
};

static const struct core_priority_class *find_class(const struct core_node *n, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(system_classes); i++)
		if (streq(name, system_classes[i].name))
			return &system_classes[i];
	for (size_t i = 0; n && i < n->class_count; i++)
		if (streq(name, n->classes[i].name))
			return &n->classes[i];
	return NULL;
}

int32_t core_pod_priority(const struct core *c, const struct core_pod *p)
{
	const struct core_node *n = c->config.node;

	if (!p->pod)
		return 0;
	const struct pod_spec *spec = &p->pod->spec;
	const char *name = spec->priority_class ? spec->priority_class : "";
	const struct core_priority_class *class = *name ? find_class(n, name) : NULL;
	if (class)
		return class->value;
	return spec->priority || *name || !n ? spec->priority : n->default_priority;
}

bool rank_known(const struct core *c, const struct core_pod *p, struct buf *ret_why)
{
	const struct pod_spec *spec = &p->pod->spec;

	if (!spec->priority_class || !*spec->priority_class)
		return true;
	const struct core_priority_class *class = find_class(c->config.node, spec->priority_class);
	if (!class)
		buf_printf(ret_why, "no PriorityClass with name %s was found", spec->priority_class);
	else if (spec->priority && spec->priority != class->value)
		buf_printf(ret_why, "priority %d is not that of PriorityClass %s, which is %d", spec->priority,
		           spec->priority_class, class->value);
	return !ret_why->len;
}

/* As many rounds as the longest chain of podd.dev/after has pods. */
static void raise_ranks(struct core *c)
{
	bool raised = !PLANTED_BUG(6);

	list_foreach(p, &c->pods, struct core_pod, link)
		p->rank = core_pod_priority(c, p);
	while (raised) {
		raised = false;
		list_foreach(p, &c->pods, struct core_pod, link)
			for (size_t i = 0; p->pod && i < p->pod->after.count; i++) {
				struct core_pod *o = depend_find(c, p, &p->pod->after.items[i]);
				if (!o || o->rank >= p->rank)
					continue;
				o->rank = p->rank;
				raised = true;
			}
	}
	c->ranked = true;
}

int32_t rank_of(struct core *c, const struct core_pod *p)
{
	if (!c->ranked)
		raise_ranks(c);
	return p->rank;
}

/* By insertion: the list is as good as sorted each time, and equals keep their order. */
void rank_sort_waiting(struct core *c)
{
	list_foreach(p, &c->waiting, struct core_pod, waiting) {
		struct list *at = p->waiting.prev;
		while (at != &c->waiting && rank_of(c, list_entry(at, struct core_pod, waiting)) < rank_of(c, p))
			at = at->prev;
		if (at == p->waiting.prev)
			continue;
		list_remove(&p->waiting);
		list_append(at->next, &p->waiting);
	}
}
