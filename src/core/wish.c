/* What people want of a pod: that it is there, in this version; that it is not; that it stands still, or starts afresh. A wish changes
 * what is wanted, and then the state says whether it can be pursued at once or has to wait for what is under way. */
#include "base/str.h"
#include "core/container.h"
#include "core/pod.h"

void wish_set(struct core *c, struct core_pod *p, const struct event *e)
{
	bool back = !p->wanted;
	bool edited = !p->pod || !streq(p->pod->hash, e->pod->hash);

	p->wanted = true;
	p->outcome = e->outcome;
	p->deleted_wall = 0;
	if (!edited && !back)
		return;
	core_touch(c, p);
	if (!p->created_wall)
		p->created_wall = c->wall;
	struct pod *former = edited && p->pod ? pod_ref(p->pod) : NULL;
	bool spec_edited = edited && pod_take_version(c, p, e->pod, e->first_numbers);
	pod_release_name(c, former); /* an explicit uid may move to another name */
	pod_unref(former);
	if (spec_edited) {
		p->generation++;
		p->held = p->stop_all = false;
		p->backoff = 0;
		p->deadline = 0;
		p->reason[0] = p->message[0] = '\0';
	}
	if (edited)
		depend_warn(c, p);
	switch (p->state) {
	case POD_STATE_PENDING:
		pod_create_if_due(c, p);
		break;
	case POD_STATE_HELD:
		if (!p->held)
			pod_without_sandbox(c, p, false);
		break;
	case POD_STATE_RUNNING:
	case POD_STATE_FINISHED:
		pod_reconcile(c, p);
		break;
	case POD_STATE_ADOPTING: /* EVENT_ADOPT, EVENT_SANDBOX_READY and */
	case POD_STATE_CREATING: /* EVENT_SANDBOX_GONE will see it */
	case POD_STATE_STOPPING:
	case POD_STATE_DESTROYING:
	case POD_STATE_MAX:
		break;
	}
}

/* It is no longer to run, or no longer to stand still. */
static void pursue(struct core *c, struct core_pod *p)
{
	core_touch(c, p);
	switch (p->state) {
	case POD_STATE_PENDING:
	case POD_STATE_HELD:
	case POD_STATE_FINISHED:
		if (p->state == POD_STATE_FINISHED && p->has_sandbox)
			pod_stop(c, p);
		else if (p->state != POD_STATE_HELD || !p->held)
			pod_without_sandbox(c, p, false);
		break;
	case POD_STATE_RUNNING:
		pod_reconcile(c, p);
		break;
	case POD_STATE_ADOPTING:
	case POD_STATE_CREATING:
	case POD_STATE_STOPPING:
	case POD_STATE_DESTROYING:
	case POD_STATE_MAX:
		break;
	}
}

void wish_gone(struct core *c, struct core_pod *p, const struct event *e _unused_)
{
	if (!p->wanted)
		return;
	p->wanted = p->held = p->stop_all = false;
	p->deleted_wall = c->wall;
	pursue(c, p);
}

void wish_stop(struct core *c, struct core_pod *p, const struct event *e _unused_)
{
	if (p->held || !p->wanted)
		return;
	p->held = true;
	p->stop_all = c->replaying; /* perhaps of a stop of all that was under way: if not, order does no harm */
	pursue(c, p);
}

/* First all are held, since who stays for whom depends on who else is to leave. */
void wish_stop_all(struct core *c)
{
	list_foreach(p, &c->pods, struct core_pod, link)
		p->held = p->stop_all = p->wanted;
	list_foreach(p, &c->pods, struct core_pod, link)
		if (p->held)
			pursue(c, p);
}

void wish_start(struct core *c, struct core_pod *p, const struct event *e _unused_)
{
	bool held = p->held;

	p->held = p->stop_all = false;
	if (held && p->state == POD_STATE_HELD)
		pursue(c, p);
	if (p->state == POD_STATE_PENDING) { /* a hand at the box has mended what made it fail */
		p->backoff = p->deadline = 0;
		core_touch(c, p);
		pod_create_if_due(c, p);
	}
}

static void restart_container(struct core *c, struct core_pod *p, struct core_container *k)
{
	switch (k->state) {
	case CONTAINER_STATE_RUNNING:
		pod_replace_container(c, p, k);
		break;
	case CONTAINER_STATE_BACKOFF:
		container_renew(k);
		break;
	case CONTAINER_STATE_DONE:
		if (!k->passed) /* an init container runs once */
			container_renew(k);
		break;
	case CONTAINER_STATE_WAITING:
	case CONTAINER_STATE_STARTING:
	case CONTAINER_STATE_STOPPING: /* is on its way to a fresh start already */
	case CONTAINER_STATE_MAX:
		break;
	}
}

void wish_restart(struct core *c, struct core_pod *p, const struct event *e)
{
	if (p->held || p->state == POD_STATE_PENDING) {
		wish_start(c, p, e);
		return;
	}
	if (p->outcome != POD_OUTCOME_OPEN) /* it was counted */
		return;
	if (core_pod_evicted(p)) { /* what it held is gone: it begins anew as a whole */
		p->lost = false;
		p->recreate = p->has_sandbox;
		pursue(c, p);
		return;
	}
	bool finished = p->state == POD_STATE_FINISHED;
	core_touch(c, p);
	if (finished && p->has_sandbox)
		pod_set_state(c, p, POD_STATE_RUNNING);
	for (size_t i = 0; i < p->container_count; i++) {
		struct core_container *k = &p->containers[i];
		if (!k->spec || (*e->id.container && !streq(k->name, e->id.container)))
			continue;
		if (k->role == CONTAINER_ROLE_DEBUG && k->state != CONTAINER_STATE_BACKOFF) /* where it waits for its first run */
			continue;
		if (p->state == POD_STATE_RUNNING && finished && !*e->id.container)
			container_forget(k);
		else if (p->state == POD_STATE_RUNNING)
			restart_container(c, p, k);
		else if (p->state == POD_STATE_ADOPTING)
			k->restart_wanted = true;
		else if (finished)
			container_forget(k);
	}
	if (finished && !p->has_sandbox && !pod_all_done(p)) {
		pod_set_state(c, p, POD_STATE_PENDING);
		pod_create_if_due(c, p);
	}
}
