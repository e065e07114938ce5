#include "core/core.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "core/internal.h"
#include "core/pod.h"

struct core *core_new(const struct core_config *config)
{
	struct core *c = xnew(struct core);

	c->config = *config;
	list_init(&c->pods);
	list_init(&c->timed);
	list_init(&c->touched);
	list_init(&c->waiting);
	list_init(&c->forgotten);
	return c;
}

struct core *core_free(struct core *c)
{
	if (!c)
		return NULL;
	list_foreach(p, &c->pods, struct core_pod, link)
		table_remove(c, p);
	table_bury(c);
	deferred_clear(c);
	depend_deinit(c);
	free(c->effects);
	free(c);
	return NULL;
}

void core_touch(struct core *c, struct core_pod *p)
{
	if (list_empty(&p->touched))
		list_append(&c->touched, &p->touched);
}

void core_impossible(struct core *c, struct core_pod *p, const struct core_container *k, enum event_type t)
{
	effect_report(c, p, k, false, "InternalError", "podd did not expect event \"%s\" while %s%s%s", event_name(t),
	              pod_state_name(p->state), k ? ", container " : "", k ? container_state_name(k->state) : "");
}

/* Until EVENT_GO a manifest only makes its pod known, so that its anchor finds it; all else is held back. */
static void learn(struct core *c, const struct event *e)
{
	struct core_pod *p = table_find(c, e->id.uid);
	bool known = e->type == EVENT_POD_SET || e->type == EVENT_ANCHOR_FOUND;

	if (!known || (p && p->state == POD_STATE_ADOPTING && e->type == EVENT_ANCHOR_FOUND)) {
		deferred_push(c, e);
		return;
	}
	pod_event(c, p ? p : table_add(c, e->id.uid), e);
}

void core_dispatch(struct core *c, const struct event *e)
{
	struct core_pod *p = table_find(c, e->id.uid);

	if (!p && (e->type == EVENT_POD_SET || e->type == EVENT_ANCHOR_FOUND))
		p = table_add(c, e->id.uid);
	if (p) /* about a pod that is gone, events are late, and there is nobody to tell */
		pod_event(c, p, e);
	else if (e->type == EVENT_STOP_ASKED && !*e->id.uid)
		wish_stop_all(c);
}

static void go(struct core *c, const struct event *e)
{
	if (c->go)
		return;
	c->go = true;
	c->replaying = true;
	deferred_replay(c);
	c->replaying = false;
	deferred_clear(c);
	c->wall = e->wall;
	list_foreach(p, &c->pods, struct core_pod, link)
		if (p->state == POD_STATE_PENDING)
			depend_enqueue(c, p); /* the highest begins first */
}

static void tick(struct core *c)
{
	list_foreach(p, &c->timed, struct core_pod, timed)
		pod_tick(c, p);
}

void core_timed(struct core *c, struct core_pod *p)
{
	bool due = pod_deadline(p) != 0;

	if (due && list_empty(&p->timed))
		list_append(&c->timed, &p->timed);
	else if (!due)
		list_remove(&p->timed);
}

/* A pod may be touched again while it is settled; what settling does is monotonous, so this ends. */
static void settle_touched(struct core *c)
{
	while (!list_empty(&c->touched)) {
		struct core_pod *p = list_entry(c->touched.next, struct core_pod, touched);
		enum pod_state before = p->state;

		pod_settle(c, p);
		if (p->state != before)
			continue;
		list_remove(&p->touched);
		core_timed(c, p);
		if (c->go)
			effect_pod(c, p, EFFECT_CHANGED);
	}
}

static void settle(struct core *c)
{
	do {
		settle_touched(c);
		if (c->go)
			depend_retry(c);
	} while (!list_empty(&c->touched));
}

void core_step(struct core *c, const struct event *e, struct effects *out)
{
	table_bury(c);
	c->step++;
	c->effect_count = 0;
	c->boot = MAX(c->boot, e->boot);
	c->wall = e->wall;
	if (e->type == EVENT_POD_SET || e->type == EVENT_POD_GONE || e->type == EVENT_NODE)
		c->ranked = false;
	if (e->type == EVENT_GO)
		go(c, e);
	else if (e->type == EVENT_TICK)
		tick(c);
	else if (e->type == EVENT_JOB_DONE)
		depend_job_done(c, e);
	else if (c->go)
		core_dispatch(c, e);
	else if (e->type != EVENT_NODE)
		learn(c, e);
	settle(c); /* EVENT_NODE: who waits is looked at again in any step */
	*out = (struct effects){ c->effects, c->effect_count };
}

int64_t core_deadline(const struct core *c)
{
	int64_t first = 0;

	if (!c->go)
		return 0;
	list_foreach(p, &c->timed, const struct core_pod, timed) {
		int64_t d = pod_deadline(p);
		if (d && (!first || d < first))
			first = d;
	}
	return first;
}

const struct core_pod *core_pod_by_uid(const struct core *c, const char *uid)
{
	return table_find(c, uid);
}

const struct core_pod *core_pod_by_name(const struct core *c, const char *ns, const char *name)
{
	return table_find_name(c, ns, name);
}

const struct core_pod *core_pod_forgotten(const struct core *c, const char *uid)
{
	return table_find_forgotten(c, uid);
}

const struct list *core_pods(const struct core *c)
{
	return &c->pods;
}

const struct core_container *core_container(const struct core_pod *p, const char *name)
{
	return pod_find_container(p, name);
}
