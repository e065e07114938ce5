#include "core/pod.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "core/container.h"

#define TO(s) (1u << POD_STATE_##s)

static const unsigned legal[] = {
	[POD_STATE_PENDING] = TO(ADOPTING) | TO(CREATING) | TO(HELD) | TO(FINISHED),
	[POD_STATE_ADOPTING] = TO(RUNNING) | TO(DESTROYING),
	[POD_STATE_CREATING] = TO(RUNNING) | TO(PENDING) | TO(HELD) | TO(DESTROYING),
	[POD_STATE_RUNNING] = TO(STOPPING) | TO(FINISHED) | TO(DESTROYING),
	[POD_STATE_STOPPING] = TO(DESTROYING),
	[POD_STATE_DESTROYING] = TO(PENDING) | TO(HELD) | TO(FINISHED),
	[POD_STATE_HELD] = TO(PENDING),
	[POD_STATE_FINISHED] = TO(RUNNING) | TO(STOPPING) | TO(DESTROYING) | TO(PENDING) | TO(HELD),
};
_Static_assert(ARRAY_SIZE(legal) == POD_STATE_MAX, "every state says where it leads");

void pod_set_state(struct core *c, struct core_pod *p, enum pod_state to)
{
	assert(legal[p->state] & (1u << to));
	p->state = to;
	p->deadline = 0;
	list_remove(&p->waiting);
	core_touch(c, p);
}

struct core_container *pod_find_container(const struct core_pod *p, const char *name)
{
	for (size_t i = 0; i < p->container_count; i++)
		if (streq(p->containers[i].name, name))
			return &p->containers[i];
	return NULL;
}

static int64_t active_deadline(const struct core_pod *p)
{
	int64_t seconds = p->pod ? p->pod->spec.active_deadline_seconds : 0;

	return seconds && p->active_boot ? p->active_boot + seconds * NS_PER_SEC : 0;
}

bool pod_is_overdue(const struct core *c, const struct core_pod *p)
{
	int64_t deadline = active_deadline(p);

	return deadline && deadline <= c->boot;
}

int64_t pod_deadline(const struct core_pod *p)
{
	int64_t first = p->deadline, active = p->state == POD_STATE_RUNNING && !p->failure ? active_deadline(p) : 0;

	if (active && (!first || active < first))
		first = active;
	for (size_t i = 0; i < p->container_count; i++) {
		const struct core_container *k = &p->containers[i];
		if (k->deadline && (!first || k->deadline < first))
			first = k->deadline;
		if (k->hook_deadline && (!first || k->hook_deadline < first))
			first = k->hook_deadline;
		int64_t probe = probe_deadline(k);
		if (probe && (!first || probe < first))
			first = probe;
	}
	return first;
}

static bool pod_alive(const struct core_pod *p)
{
	for (size_t i = 0; i < p->container_count; i++)
		if (container_alive(&p->containers[i]))
			return true;
	return false;
}

bool pod_all_done(const struct core_pod *p)
{
	bool over = order_is_over(p);

	for (size_t i = 0; i < p->container_count; i++) {
		enum container_state s = p->containers[i].state;
		if (s != CONTAINER_STATE_DONE && !(over && s == CONTAINER_STATE_WAITING))
			return false;
	}
	return true;
}

/* ---- beginning and end of a sandbox ---- */

/* Its owner remembers how it ended, and its anchor is gone: of how its containers did, no more is known than the kubelet would say. */
static void conclude(struct core *c, struct core_pod *p)
{
	bool success = p->outcome == POD_OUTCOME_SUCCEEDED;

	for (size_t i = 0; i < p->container_count; i++) {
		struct core_container *k = &p->containers[i];
		if (k->state != CONTAINER_STATE_DONE)
			container_set_state(k, CONTAINER_STATE_DONE);
		k->passed = core_container_is_init(k);
		if (k->last.set)
			continue;
		k->last = (struct termination){ .set = true, .exit.code = success ? 0 : 137 };
		(void)snprintf(k->last.reason, sizeof(k->last.reason), "%s", success ? "Completed" : "ContainerStatusUnknown");
	}
	p->lost = true;
	pod_set_state(c, p, POD_STATE_FINISHED);
}

void pod_create_if_due(struct core *c, struct core_pod *p)
{
	if (p->state != POD_STATE_PENDING || !c->go || !p->wanted || (p->deadline && p->deadline > c->boot))
		return;
	if (p->outcome != POD_OUTCOME_OPEN) {
		conclude(c, p);
		return;
	}
	p->deadline = 0;
	/* A namesake of another uid that is not gone yet has the host's ports and the name: the pod follows when it is forgotten. */
	for (struct core_pod *o = table_namesake(c, p->pod, NULL); o; o = table_namesake(c, p->pod, o))
		if (o != p && o->state != POD_STATE_PENDING && o->state != POD_STATE_HELD)
			return;
	if (depend_blocks(c, p))
		return;
	p->applied = p->marks;
	for (size_t i = 0; i < p->container_count; i++) /* their work is undone with the sandbox it was done in */
		if (core_container_is_init(&p->containers[i]))
			container_forget(&p->containers[i]);
	if (!p->active_boot)
		p->active_boot = c->boot;
	pod_set_state(c, p, POD_STATE_CREATING);
	effect_pod(c, p, EFFECT_SANDBOX_CREATE);
}

static void back_off(struct core *c, struct core_pod *p)
{
	struct backoff_config b = backoff_of_sandbox(c);
	int64_t delay = backoff_next(&b, -1, &p->backoff);

	p->deadline = delay ? c->boot + delay : 0;
}

/* Who waited for a name can have it. */
void pod_release_name(struct core *c, const struct pod *pod)
{
	for (struct core_pod *o = pod ? table_namesake(c, pod, NULL) : NULL; o; o = table_namesake(c, pod, o))
		pod_create_if_due(c, o);
}

static void forget(struct core *c, struct core_pod *p)
{
	struct pod *pod = p->pod ? pod_ref(p->pod) : NULL;

	effect_pod(c, p, EFFECT_FORGET);
	table_remove(c, p);
	pod_release_name(c, pod);
	pod_unref(pod);
}

/* All begin anew, or those that the wanted version would start again. */
static void forget_containers(struct core_pod *p, bool all)
{
	for (size_t i = 0; i < p->container_count; i++) {
		struct core_container *k = &p->containers[i];
		bool again = k->spec && k->state == CONTAINER_STATE_DONE && backoff_again(p, k, &k->last.exit) != AGAIN_NO;
		if (k->spec && !k->passed && (all || again || container_stale(k)))
			container_forget(k);
	}
}

/* Nothing of the pod exists (any more). May free it. */
void pod_without_sandbox(struct core *c, struct core_pod *p, bool failed)
{
	bool anew = !p->lost || p->applied.recreate != p->marks.recreate || failure_is_lifted(p);

	p->has_sandbox = p->recreate = p->lost = p->restart_all = false;
	if (anew) {
		failure_lift(p);
		p->active_boot = 0;
	}
	p->sandbox = (struct sandbox_info){ 0 };
	p->sandbox_wall = 0;
	if (!p->wanted) {
		forget(c, p);
		return;
	}
	if (p->held) {
		pod_set_state(c, p, POD_STATE_HELD);
		return;
	}
	forget_containers(p, anew);
	if (p->state != POD_STATE_CREATING && pod_all_done(p)) {
		if (p->state != POD_STATE_FINISHED)
			pod_set_state(c, p, POD_STATE_FINISHED);
		p->lost = true; /* as is remembered without an anchor */
		return;
	}
	if (p->state != POD_STATE_PENDING)
		pod_set_state(c, p, POD_STATE_PENDING);
	if (failed)
		back_off(c, p);
	pod_create_if_due(c, p);
}

void pod_destroy(struct core *c, struct core_pod *p)
{
	for (size_t i = 0; i < p->container_count; i++)
		if (container_alive(&p->containers[i]))
			container_lost(c, p, &p->containers[i]);
	pod_set_state(c, p, POD_STATE_DESTROYING);
	effect_pod(c, p, EFFECT_SANDBOX_DESTROY);
}

void pod_stop_containers(struct core *c, struct core_pod *p)
{
	effect_note(c, p);
	for (size_t i = 0; i < p->container_count; i++)
		p->containers[i].restart_wanted = false;
	order_advance(c, p);
}

void pod_stop(struct core *c, struct core_pod *p)
{
	if (p->wanted && !p->held && !p->recreate)
		effect_report(c, p, NULL, true, "SandboxChanged", "Pod sandbox changed, it will be killed and re-created");
	p->recreate = true;
	p->lost = p->restart_all = false;
	p->backoff = 0;
	pod_set_state(c, p, POD_STATE_STOPPING);
	pod_stop_containers(c, p);
}

/* ---- events ---- */

static void on_anchor_found(struct core *c, struct core_pod *p, const struct event *e _unused_)
{
	p->has_sandbox = true;
	pod_set_state(c, p, POD_STATE_ADOPTING);
}

static void on_adopt(struct core *c, struct core_pod *p, const struct event *e)
{
	pod_adopt(c, p, &e->adopt);
}

static void on_ready(struct core *c, struct core_pod *p, const struct event *e)
{
	p->sandbox = e->sandbox;
	p->sandbox_wall = c->wall;
	p->sandbox_boot = c->boot;
	p->has_sandbox = true;
	p->lost = false;
	p->reason[0] = p->message[0] = '\0';
	pod_set_state(c, p, POD_STATE_RUNNING);
	pod_raise_numbers(p, e->first_numbers);
	pod_reconcile_resize(c, p);
	/* An anchor without a note is one that was never finished: this is what makes the sandbox count. */
	effect_note(c, p);
	effect_report(c, p, NULL, true, "SandboxCreated", "Created pod sandbox");
	pod_reconcile(c, p);
}

static void on_failed(struct core *c, struct core_pod *p, const struct event *e)
{
	(void)snprintf(p->reason, sizeof(p->reason), "%s", *e->reason ? e->reason : "FailedCreatePodSandBox");
	(void)snprintf(p->message, sizeof(p->message), "%s", e->message);
	effect_report(c, p, NULL, false, "FailedCreatePodSandBox", "%s", *p->message ? p->message : p->reason);
	core_touch(c, p);
	p->lost = true; /* what was done before this attempt stays done */
	pod_without_sandbox(c, p, true);
}

static void on_lost(struct core *c, struct core_pod *p, const struct event *e _unused_)
{
	effect_report(c, p, NULL, false, "AnchorLost", "The pod's anchor died, and with it the sandbox");
	p->lost = p->state != POD_STATE_STOPPING;
	p->has_sandbox = true;
	if (p->sandbox_boot && c->boot - p->sandbox_boot >= c->config.backoff.reset)
		p->backoff = 0;
	for (size_t i = 0; i < p->container_count; i++)
		if (p->containers[i].state == CONTAINER_STATE_BACKOFF)
			container_set_state(&p->containers[i], CONTAINER_STATE_WAITING);
	pod_destroy(c, p);
}

static void on_lost_again(struct core *c _unused_, struct core_pod *p _unused_, const struct event *e _unused_)
{
	/* The anchor died of EFFECT_SANDBOX_DESTROY, as it should. */
}

static void on_sandbox_gone(struct core *c, struct core_pod *p, const struct event *e _unused_)
{
	pod_without_sandbox(c, p, p->lost);
}

static void on_container(struct core *c, struct core_pod *p, const struct event *e)
{
	struct core_container *k = pod_find_container(p, e->id.container);

	if (e->type == EVENT_STARTED && p->state == POD_STATE_DESTROYING)
		return; /* it goes with the sandbox */
	if (k)
		container_event(c, p, k, e);
	else if (e->type == EVENT_EXITED || e->type == EVENT_START_FAILED)
		effect_container(c, p, EFFECT_ACK, e->id.container, e->id.number); /* of a container that an edit took out */
	else if (e->type != EVENT_HOOKED && e->type != EVENT_PROBED)
		core_impossible(c, p, NULL, e->type);
}

typedef void pod_handler(struct core *c, struct core_pod *p, const struct event *e);

/* The same in every state: wishes, and what may come late. */
#define COMMON                                                                                             \
	[EVENT_POD_SET] = wish_set, [EVENT_POD_GONE] = wish_gone, [EVENT_RESTART_ASKED] = wish_restart,    \
	[EVENT_STOP_ASKED] = wish_stop, [EVENT_START_ASKED] = wish_start, [EVENT_STARTED] = on_container,  \
	[EVENT_START_FAILED] = on_container, [EVENT_EXITED] = on_container, [EVENT_HOOKED] = on_container, \
	[EVENT_PROBED] = on_container, [EVENT_EVICT] = failure_on_evict

/* An empty place is an event that the state can't have. */
static pod_handler *const handlers[POD_STATE_MAX][EVENT_MAX] = {
	[POD_STATE_PENDING] = { COMMON, [EVENT_ANCHOR_FOUND] = on_anchor_found },
	[POD_STATE_ADOPTING] = { COMMON, [EVENT_ADOPT] = on_adopt, [EVENT_SANDBOX_LOST] = on_lost },
	[POD_STATE_CREATING] = { COMMON, [EVENT_SANDBOX_READY] = on_ready, [EVENT_SANDBOX_FAILED] = on_failed,
	                         [EVENT_SANDBOX_LOST] = on_lost },
	[POD_STATE_RUNNING] = { COMMON, [EVENT_SANDBOX_LOST] = on_lost },
	[POD_STATE_STOPPING] = { COMMON, [EVENT_SANDBOX_LOST] = on_lost },
	[POD_STATE_DESTROYING] = { COMMON, [EVENT_SANDBOX_LOST] = on_lost_again, [EVENT_SANDBOX_GONE] = on_sandbox_gone },
	[POD_STATE_HELD] = { COMMON },
	[POD_STATE_FINISHED] = { COMMON, [EVENT_SANDBOX_LOST] = on_lost },
};

void pod_event(struct core *c, struct core_pod *p, const struct event *e)
{
	pod_handler *h = handlers[p->state][e->type];

	if (h)
		h(c, p, e);
	else
		core_impossible(c, p, NULL, e->type);
}

void pod_tick(struct core *c, struct core_pod *p)
{
	if (p->state == POD_STATE_RUNNING && !p->failure && pod_is_overdue(c, p))
		failure_begin(c, p, POD_FAILURE_OVERDUE, 0);
	if (p->deadline && p->deadline <= c->boot)
		pod_create_if_due(c, p);
	for (size_t i = p->container_count; i-- > 0;) /* who is waited for is killed before who waits is told */
		container_tick(c, p, &p->containers[i]);
}

/* Containers that an edit took out and that have ended. Their numbers stay used up. */
static void sweep(struct core_pod *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->container_count; i++) {
		struct core_container *k = &p->containers[i];
		if (!k->spec && !container_alive(k)) {
			p->number_floor = MAX(p->number_floor, k->next_number);
			continue;
		}
		if (kept != i)
			p->containers[kept] = *k;
		kept++;
	}
	p->container_count = kept;
}

/* All that ran was killed. Who caused it may have to wait. */
static void begin_again(struct core *c, struct core_pod *p)
{
	p->restart_all = false;
	effect_note(c, p);
	for (size_t i = 0; i < p->container_count; i++) {
		struct core_container *k = &p->containers[i];
		if (k->state != CONTAINER_STATE_BACKOFF && k->role != CONTAINER_ROLE_DEBUG)
			container_forget(k);
		k->passed = false;
	}
}

void pod_settle(struct core *c, struct core_pod *p)
{
	sweep(p);
	if (p->state == POD_STATE_RUNNING && p->restart_all && !pod_alive(p))
		begin_again(c, p);
	for (size_t i = 0; i < p->container_count; i++)
		probe_skip(c, p, &p->containers[i]);
	if (p->state == POD_STATE_RUNNING || p->state == POD_STATE_STOPPING)
		order_advance(c, p);
	for (size_t i = 0; i < p->container_count; i++)
		probe_arm(c, p, &p->containers[i]);
	if (p->state == POD_STATE_RUNNING && pod_all_done(p) && pod_must_stop(p))
		pod_stop(c, p); /* it stayed for another pod, and is of no use to it any more */
	else if (p->state == POD_STATE_RUNNING && pod_all_done(p))
		pod_set_state(c, p, POD_STATE_FINISHED);
	else if (p->state == POD_STATE_STOPPING && !pod_alive(p))
		pod_destroy(c, p);
}
