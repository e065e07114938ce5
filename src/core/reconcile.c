/* What is wanted against what is, at the least cost: nothing, limits in place, one container anew, the sandbox anew. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "core/container.h"
#include "core/pod.h"

struct core_container *pod_add_container(struct core_pod *p, const char *name)
{
	struct core_container *k = xgrow(p->containers, p->container_count);

	(void)snprintf(k->name, sizeof(k->name), "%s", name);
	return k;
}

void pod_raise_numbers(struct core_pod *p, const uint32_t *first_numbers)
{
	size_t n = p->pod ? pod_container_count(p->pod) : 0;

	for (size_t i = 0; i < n && i < CONTAINERS_MAX; i++)
		if (!container_alive(&p->containers[i]))
			p->containers[i].next_number = MAX(p->containers[i].next_number, first_numbers[i]);
}

/* One container of the new version: what is known of its namesake goes over. */
static void take_container(struct core_pod *p, const struct core_container *old, const struct pod *pod,
                           const struct container *spec)
{
	struct core_container *k = pod_add_container(p, spec->name);

	if (old)
		*k = *old;
	else
		k->next_number = p->number_floor;
	if (!k->spec && k->state == CONTAINER_STATE_STOPPING)
		k->restart_wanted = true; /* was on its way out, and is wanted again */
	k->spec = spec;
	k->role = order_role(pod, spec);
	container_want(pod, k);
}

bool pod_take_version(struct core *c, struct core_pod *p, struct pod *pod, const uint32_t *first_numbers)
{
	struct core_container *old = p->containers;
	size_t old_count = p->container_count;
	struct edit_marks marks = { pod_spec_hash(pod), pod_edit_hash(pod, EDIT_RECREATE), pod_edit_hash(pod, EDIT_RESIZE) };
	bool differs = !p->pod || marks.spec != p->marks.spec;

	p->marks = marks;
	p->grace_seconds = pod->spec.grace_seconds;
	p->containers = NULL;
	p->container_count = 0;
	for (size_t i = 0; i < pod_container_count(pod) && i < CONTAINERS_MAX; i++) {
		const struct container *spec = pod_container_at(pod, i);
		struct core_container *k = NULL;
		for (size_t j = 0; j < old_count && !k; j++)
			if (streq(old[j].name, spec->name))
				k = &old[j];
		take_container(p, k, pod, spec);
	}
	for (size_t j = 0; j < old_count; j++) {
		if (pod_find_container(p, old[j].name))
			continue;
		struct core_container *k = pod_add_container(p, old[j].name);
		*k = old[j];
		k->spec = NULL;
		k->role = CONTAINER_ROLE_MEMBER; /* nobody waits for it */
		k->restart_wanted = false;
	}
	free(old);
	table_rename(c, p, pod_ref(pod));
	pod_raise_numbers(p, first_numbers);
	return differs;
}

bool pod_must_stop(const struct core_pod *p)
{
	return !p->wanted || p->held || p->recreate || p->marks.recreate != p->applied.recreate || failure_is_lifted(p);
}

void pod_reconcile_resize(struct core *c, struct core_pod *p)
{
	if (p->applied.resize == p->marks.resize || pod_must_stop(p))
		return;
	/* Before the note that tells of it: done twice it is the same, but not done it would be missed. */
	p->applied.resize = p->marks.resize;
	effect_pod(c, p, EFFECT_RESIZE);
	for (size_t i = 0; i < p->container_count; i++)
		p->containers[i].resize_due = p->containers[i].state == CONTAINER_STATE_STARTING;
}

void pod_replace_container(struct core *c, struct core_pod *p, struct core_container *k)
{
	k->restart_wanted = k->spec != NULL;
	container_stop(c, p, k);
}

static void reconcile_container(struct core *c, struct core_pod *p, struct core_container *k)
{
	bool stale = container_stale(k);
	bool restarts = k->spec && backoff_again(p, k, &k->last.exit) != AGAIN_NO;

	switch (k->state) {
	case CONTAINER_STATE_WAITING: /* for its turn */
		break;
	case CONTAINER_STATE_STARTING: /* until it is known whether there is a process */
		if (stale)
			container_abort(c, p, k);
		break;
	case CONTAINER_STATE_RUNNING:
		if (stale || k->restart_wanted) /* asked for before it was adopted */
			pod_replace_container(c, p, k);
		break;
	case CONTAINER_STATE_STOPPING:
		k->restart_wanted = k->spec && (stale || k->restart_wanted);
		break;
	case CONTAINER_STATE_BACKOFF:
		if (!k->spec || (!stale && !restarts && k->last.set && k->last.number == k->number))
			container_set_state(k, CONTAINER_STATE_DONE);
		else if (stale)
			container_renew(k);
		break;
	case CONTAINER_STATE_DONE:
		/* An edit of an init container that has done its work counts from the next sandbox on; sidecars follow the others. */
		if (k->spec && k->role != CONTAINER_ROLE_SIDECAR && !k->passed && (stale || restarts))
			container_renew(k);
		break;
	case CONTAINER_STATE_MAX:
		break;
	}
}

void pod_reconcile(struct core *c, struct core_pod *p)
{
	core_touch(c, p);
	if (p->state == POD_STATE_FINISHED && !p->has_sandbox) {
		pod_without_sandbox(c, p, false);
		return;
	}
	if (pod_must_stop(p)) {
		if (!depend_stays(c, p))
			pod_stop(c, p);
		return;
	}
	if (p->state == POD_STATE_FINISHED)
		pod_set_state(c, p, POD_STATE_RUNNING); /* settled again at the end of the step */
	pod_reconcile_resize(c, p);
	if (p->failure == POD_FAILURE_OVERDUE && !pod_is_overdue(c, p))
		failure_lift(p);
	for (size_t i = 0; i < p->container_count; i++)
		reconcile_container(c, p, &p->containers[i]);
	if (p->applied.spec != p->marks.spec) {
		p->applied.spec = p->marks.spec;
		effect_note(c, p);
	}
}
