#include "core/container.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "core/pod.h"

/* How long a SIGKILL may take before it is repeated, and reported: only the kernel can hold up a process that long. */
#define KILL_INTERVAL (10 * NS_PER_SEC)
#define EVICTION_GRACE (1 * NS_PER_SEC) /* of whoever fills the disk: the kubelet's */
#define LATE_GRACE (2 * NS_PER_SEC)
#define GRACE_SECONDS_MAX INT64_C(315360000) /* ten years: no sum of it overflows */

#define TO(s) (1u << CONTAINER_STATE_##s)

static const unsigned legal[] = {
	/* adoption enters any state from here */
	[CONTAINER_STATE_WAITING] = TO(STARTING) | TO(RUNNING) | TO(STOPPING) | TO(BACKOFF) | TO(DONE),
	[CONTAINER_STATE_STARTING] = TO(RUNNING) | TO(BACKOFF) | TO(DONE) | TO(WAITING),
	[CONTAINER_STATE_RUNNING] = TO(STOPPING) | TO(BACKOFF) | TO(DONE) | TO(WAITING),
	[CONTAINER_STATE_STOPPING] = TO(BACKOFF) | TO(DONE) | TO(WAITING),
	[CONTAINER_STATE_BACKOFF] = TO(DONE) | TO(WAITING),
	[CONTAINER_STATE_DONE] = TO(STARTING) | TO(WAITING),
};
_Static_assert(ARRAY_SIZE(legal) == CONTAINER_STATE_MAX, "every state says where it leads");

void container_set_state(struct core_container *k, enum container_state to)
{
	assert(legal[k->state] & (1u << to));
	k->state = to;
	k->deadline = k->hook_deadline = 0;
	k->hooking = false;
	if (to != CONTAINER_STATE_BACKOFF && to != CONTAINER_STATE_STOPPING)
		k->reason[0] = k->message[0] = '\0';
}

bool container_alive(const struct core_container *k)
{
	return k->state == CONTAINER_STATE_STARTING || k->state == CONTAINER_STATE_RUNNING || k->state == CONTAINER_STATE_STOPPING;
}

bool container_stale(const struct core_container *k)
{
	return !k->spec || (k->role != CONTAINER_ROLE_DEBUG && k->launched && k->applied_hash != k->wanted_hash);
}

void container_want(const struct pod *pod, struct core_container *k)
{
	k->wanted_hash = container_edit_hash(pod, k->spec, k->resize_restarts);
	if (container_stale(k))
		return;
	/* Nothing but the resizePolicy may differ, which then holds from the next edit on. */
	k->resize_restarts = container_resize_restarts(k->spec);
	k->wanted_hash = container_edit_hash(pod, k->spec, k->resize_restarts);
	if (k->launched)
		k->applied_hash = k->wanted_hash;
}

void container_renew(struct core_container *k)
{
	if (k->state != CONTAINER_STATE_WAITING)
		container_set_state(k, CONTAINER_STATE_WAITING);
	k->backoff = 0;
	k->restart_wanted = false;
}

void container_forget(struct core_container *k)
{
	assert(!container_alive(k));
	container_renew(k);
	k->passed = false;
}

void container_launch(struct core *c, struct core_pod *p, struct core_container *k)
{
	assert(k->spec && p->state == POD_STATE_RUNNING);
	container_set_state(k, CONTAINER_STATE_STARTING);
	if (k->launched && !k->launch_void)
		k->restart_count++;
	k->number = k->next_number++;
	k->launched = true;
	k->launch_void = k->restart_wanted = k->hooked = k->hooking = k->signalled = k->killed = k->stuck = k->resize_due = false;
	k->started = k->ready = k->condemned = false;
	k->ready_wall = 0;
	k->pid = 0;
	k->started_boot = k->started_wall = 0;
	k->launch_boot = c->boot;
	k->resize_restarts = container_resize_restarts(k->spec);
	k->applied_hash = k->wanted_hash = container_edit_hash(p->pod, k->spec, k->resize_restarts);
	effect_note(c, p);
	effect_container(c, p, EFFECT_LAUNCH, k->name, k->number);
	core_touch(c, p);
}

static void kill_now(struct core *c, struct core_pod *p, struct core_container *k)
{
	k->killed = true;
	k->deadline = c->boot + KILL_INTERVAL;
	effect_container(c, p, EFFECT_KILL, k->name, k->number);
}

static int stop_signal(const struct core_container *k)
{
	const char *name = k->spec ? k->spec->lifecycle.stop_signal : NULL;
	return name ? signal_number(name) : 0;
}

static void send_signal(struct core *c, struct core_pod *p, struct core_container *k, int64_t deadline)
{
	k->signalled = true;
	k->hooking = false;
	k->hook_deadline = 0;
	k->deadline = deadline;
	effect_signal(c, p, k, stop_signal(k));
}

/* Who had to wait for its turn has at least this, even if the others have used up the grace period. (The kubelet's minimum.) */
static int64_t late_deadline(const struct core *c, const struct core_container *k)
{
	return MAX(k->deadline, c->boot + LATE_GRACE);
}

void container_stop_if_due(struct core *c, struct core_pod *p, struct core_container *k)
{
	if (!k->signalled && !k->killed && !k->hooking && order_may_stop(p, k))
		send_signal(c, p, k, late_deadline(c, k));
}

static void begin_stop(struct core *c, struct core_pod *p, struct core_container *k, int64_t deadline)
{
	container_set_state(k, CONTAINER_STATE_STOPPING);
	k->signalled = false;
	effect_note(c, p);
	if (deadline <= c->boot)
		kill_now(c, p, k);
	else if (!hook_begin(c, p, k, HOOK_PRE_STOP) && order_may_stop(p, k))
		send_signal(c, p, k, deadline);
	else
		k->deadline = deadline;
}

void container_abort(struct core *c, struct core_pod *p, struct core_container *k)
{
	effect_container(c, p, EFFECT_ABORT, k->name, k->number);
}

static int64_t grace_ns(int64_t seconds)
{
	return MIN(seconds, GRACE_SECONDS_MAX) * NS_PER_SEC;
}

void container_condemn(struct core *c, struct core_pod *p, struct core_container *k, const char *probe, int64_t grace_seconds)
{
	static const struct exit_info failed = { .code = 1 };
	bool again = backoff_again(p, k, &failed) != AGAIN_NO;

	k->condemned = true;
	begin_stop(c, p, k, c->boot + grace_ns(grace_seconds));
	effect_report(c, p, k, true, "Killing", "Container %s failed %s probe%s", k->name, probe,
	              again ? ", will be restarted" : "");
	core_touch(c, p);
}

void container_stop(struct core *c, struct core_pod *p, struct core_container *k)
{
	int64_t grace = p->restart_all ? 0 : core_pod_evicted(p) ? EVICTION_GRACE : grace_ns(p->grace_seconds);

	switch (k->state) {
	case CONTAINER_STATE_BACKOFF:
		container_set_state(k, CONTAINER_STATE_DONE);
		break;
	case CONTAINER_STATE_STARTING:
		/* In a pod that runs on, EVENT_STARTED will find that it is unwanted. */
		container_abort(c, p, k);
		if (order_ends(p) && !k->deadline)
			k->deadline = c->boot + MAX(grace, 1);
		break;
	case CONTAINER_STATE_RUNNING:
		begin_stop(c, p, k, c->boot + grace);
		if (k->restart_wanted && container_stale(k))
			effect_report(c, p, k, true, "Killing", "Container %s definition changed, will be restarted", k->name);
		else
			effect_report(c, p, k, true, "Killing", "Stopping container %s", k->name);
		break;
	case CONTAINER_STATE_WAITING: /* what is over starts nothing */
	case CONTAINER_STATE_STOPPING:
	case CONTAINER_STATE_DONE:
	case CONTAINER_STATE_MAX:
		break;
	}
	core_touch(c, p);
}

void container_stop_adopted(struct core *c, struct core_pod *p, struct core_container *k, int64_t deadline)
{
	begin_stop(c, p, k, deadline);
	core_touch(c, p);
}

static void escalate(struct core *c, struct core_pod *p, struct core_container *k)
{
	if (k->killed && !k->stuck) {
		k->stuck = true;
		effect_report(c, p, k, false, "FailedKillPod", "Container %s did not end after SIGKILL; the kernel holds it",
		              k->name);
	}
	if (k->stuck && p->state == POD_STATE_STOPPING)
		pod_destroy(c, p); /* the sandbox's end takes it along, whatever the anchor's health */
	else
		kill_now(c, p, k);
}

void container_tick(struct core *c, struct core_pod *p, struct core_container *k)
{
	hook_tick(c, p, k);
	probe_tick(c, p, k);
	if (!k->deadline || k->deadline > c->boot)
		return;
	switch (k->state) {
	case CONTAINER_STATE_BACKOFF:
		container_set_state(k, CONTAINER_STATE_WAITING);
		break;
	case CONTAINER_STATE_STOPPING:
		if (!k->signalled && !k->killed) { /* whom it waited for is being killed now, or its hook takes too long */
			int64_t patience = order_patience(p, k);
			if (patience > c->boot) /* it began to stop before the pod did */
				k->deadline = patience;
			else
				send_signal(c, p, k, late_deadline(c, k));
			break;
		}
		escalate(c, p, k);
		break;
	case CONTAINER_STATE_STARTING:
		escalate(c, p, k);
		break;
	case CONTAINER_STATE_WAITING:
	case CONTAINER_STATE_RUNNING:
	case CONTAINER_STATE_DONE:
	case CONTAINER_STATE_MAX:
		k->deadline = 0;
		break;
	}
	core_touch(c, p);
}

static void record(struct core_container *k, const struct exit_info *exit, const char *reason, const char *message)
{
	struct termination *t = &k->last;

	if (t->set && t->number != k->number)
		k->before = *t;
	t->set = true;
	t->number = k->number;
	t->exit = *exit;
	t->started_wall = MIN(k->started_wall, exit->wall); /* the anchor may see the end before podd hears of the start */
	(void)snprintf(t->reason, sizeof(t->reason), "%s", reason);
	(void)snprintf(t->message, sizeof(t->message), "%s", message);
	k->pid = 0;
}

static const char *exit_reason(const struct exit_info *exit)
{
	if (exit->oom && exit->code != 0)
		return "OOMKilled";
	return exit->code == 0 ? "Completed" : "Error";
}

static void back_off(struct core *c, struct core_pod *p, struct core_container *k, const char *reason, const char *message)
{
	struct backoff_config b = backoff_of_pod(c, p);
	int64_t ran = k->started_boot ? c->boot - k->started_boot : -1;
	bool pull = streq(reason, "ErrImagePull"), first = k->backoff == 0;
	int64_t delay = backoff_next(&b, ran, &k->backoff);
	char why[REASON_SIZE], text[MESSAGE_SIZE]; /* the arguments may be k's own */

	/* A program that crashed may run the next moment; an image that is not there is not there then either. */
	if (delay == 0 && pull)
		delay = backoff_next(&b, ran, &k->backoff);
	if (delay == 0) {
		container_set_state(k, CONTAINER_STATE_WAITING);
		return;
	}
	(void)snprintf(why, sizeof(why), "%s", pull && !first ? "ImagePullBackOff" : reason);
	if (*message) /* else in the kubelet's words */
		(void)snprintf(text, sizeof(text), "%s", message);
	else
		(void)snprintf(text, sizeof(text), "back-off %.1fs restarting failed container=%s pod=%s_%s(%s)",
		               (double)delay / 1e9, k->name, p->pod->metadata.name, p->pod->metadata.namespace, p->uid);
	container_set_state(k, CONTAINER_STATE_BACKOFF);
	k->deadline = c->boot + delay;
	(void)snprintf(k->reason, sizeof(k->reason), "%s", why);
	(void)snprintf(k->message, sizeof(k->message), "%s", text);
	if (pull)
		effect_report(c, p, k, true, "BackOff", "Back-off %.1fs pulling image \"%s\"", (double)delay / 1e9, k->spec->image);
	else
		effect_report(c, p, k, false, "BackOff", "Back-off %.1fs restarting container %s", (double)delay / 1e9, k->name);
}

static void pass(struct core_container *k)
{
	container_set_state(k, CONTAINER_STATE_DONE);
	k->passed = true;
}

static void follow_policy(struct core *c, struct core_pod *p, struct core_container *k)
{
	enum again again = backoff_again(p, k, &k->last.exit);

	if (again == AGAIN_NO) {
		container_set_state(k, CONTAINER_STATE_DONE);
		return;
	}
	bool hook = streq(k->reason, CORE_HOOK_ERROR);
	back_off(c, p, k, hook ? CORE_HOOK_ERROR : "CrashLoopBackOff", hook ? k->message : k->last.message);
	if (again == AGAIN_ALL) {
		p->restart_all = true;
		effect_report(c, p, k, true, "RestartAllContainers", "Container %s exited with %d, all containers are restarted",
		              k->name, k->last.exit.code);
	}
}

/* The start is over and recorded: what now? `retry`: it never ran, for a reason that restartPolicy has no say in. */
static void decide(struct core *c, struct core_pod *p, struct core_container *k, bool retry)
{
	bool again = k->restart_wanted || container_stale(k);

	k->restart_wanted = false;
	core_touch(c, p);
	if (p->state != POD_STATE_RUNNING || !k->spec || (k->role == CONTAINER_ROLE_DEBUG && !retry))
		container_set_state(k, CONTAINER_STATE_DONE);
	else if (again || p->restart_all)
		container_renew(k);
	else if (k->role == CONTAINER_ROLE_INIT && !retry && k->last.exit.code == 0)
		pass(k);
	else if (k->role == CONTAINER_ROLE_SIDECAR && order_is_over(p))
		container_set_state(k, CONTAINER_STATE_DONE);
	else if (retry && !p->failure)
		back_off(c, p, k, k->reason, k->message);
	else
		follow_policy(c, p, k);
}

void container_exited(struct core *c, struct core_pod *p, struct core_container *k, const struct exit_info *exit)
{
	record(k, exit, exit_reason(exit), "");
	if (!PLANTED_BUG(2))
		effect_note(c, p);
	effect_container(c, p, EFFECT_ACK, k->name, k->number);
	if (exit->oom)
		effect_report(c, p, k, false, "OOMKilling", "Container %s ran out of its memory limit", k->name);
	decide(c, p, k, false);
}

/* An image that can't be had or a plan that can't be made is no run of the container: Kubernetes keeps it waiting and tries again,
 * whatever the restartPolicy. A program that can't be executed has failed with 128. */
void container_start_failed(struct core *c, struct core_pod *p, struct core_container *k, const char *reason, const char *message)
{
	bool ended = !*reason || streq(reason, "StartError") || streq(reason, "ContainerCannotRun");
	char why[REASON_SIZE], text[MESSAGE_SIZE]; /* the arguments may be k's own */

	(void)snprintf(why, sizeof(why), "%s", ended ? "StartError" : reason);
	(void)snprintf(text, sizeof(text), "%s", message);
	if (ended) {
		struct exit_info exit = { .code = 128, .wall = c->wall };
		record(k, &exit, why, text);
	}
	k->launch_void = !ended;
	effect_note(c, p);
	effect_container(c, p, EFFECT_ACK, k->name, k->number);
	if (p->state == POD_STATE_RUNNING && !container_stale(k)) /* else nobody wants it any more */
		effect_report(c, p, k, false, "Failed", "Container %s: %s", k->name, *text ? text : why);
	(void)snprintf(k->reason, sizeof(k->reason), "%s", why);
	(void)snprintf(k->message, sizeof(k->message), "%s", text);
	decide(c, p, k, !ended);
}

static const char unknown[] = "ContainerStatusUnknown";

void container_lost(struct core *c, struct core_pod *p, struct core_container *k)
{
	struct exit_info exit = { .code = 137, .signal = SIGKILL, .wall = c->wall };
	bool again = k->spec && p->state == POD_STATE_RUNNING &&
	             (k->restart_wanted || container_stale(k) || backoff_again(p, k, &exit) != AGAIN_NO);

	record(k, &exit, unknown, "");
	container_set_state(k, again ? CONTAINER_STATE_WAITING : CONTAINER_STATE_DONE);
	core_touch(c, p);
}

void container_hooked(struct core *c, struct core_pod *p, struct core_container *k)
{
	k->hooked = true;
	if (k->spec && k->spec->lifecycle.post_start.set)
		effect_note(c, p);
	if (!probe_wanted(k, PROBE_STARTUP))
		container_begun(c, p, k);
	core_touch(c, p);
}

void container_begun(struct core *c, struct core_pod *p, struct core_container *k)
{
	k->started = true;
	k->ready = !probe_wanted(k, PROBE_READINESS);
	k->passed = k->passed || k->role == CONTAINER_ROLE_SIDECAR;
	core_touch(c, p);
}

static void started(struct core *c, struct core_pod *p, struct core_container *k, int32_t pid)
{
	int64_t deadline = k->deadline;

	container_set_state(k, CONTAINER_STATE_RUNNING);
	k->pid = pid;
	k->started_boot = c->boot;
	k->started_wall = c->wall;
	core_touch(c, p);
	effect_report(c, p, k, true, "Started", "Started container %s", k->name);
	if (deadline) {
		/* The grace period began with the wish, not with this late start. */
		begin_stop(c, p, k, k->killed ? 0 : deadline);
		effect_report(c, p, k, true, "Killing", "Stopping container %s", k->name);
		return;
	}
	if (!hook_begin(c, p, k, HOOK_POST_START))
		container_hooked(c, p, k);
	if (k->resize_due)
		effect_pod(c, p, EFFECT_RESIZE);
	k->resize_due = false;
	if (container_stale(k) && !PLANTED_BUG(3))
		pod_replace_container(c, p, k);
}

/* An event about a start that is over: the exit was recorded, if there was one, so that the anchor may forget it. A process that is
 * alive under an old number would be a second instance. */
static void late(struct core *c, struct core_pod *p, struct core_container *k, const struct event *e)
{
	if (e->type == EVENT_STARTED) {
		core_impossible(c, p, k, e->type);
		effect_container(c, p, EFFECT_KILL, k->name, e->id.number);
		return;
	}
	if (k->last.set && k->last.number == e->id.number && streq(k->last.reason, unknown) && e->type == EVENT_EXITED) {
		uint32_t current = k->number;
		k->number = e->id.number;
		record(k, &e->exit, exit_reason(&e->exit), "");
		k->number = current;
		core_touch(c, p);
	}
	effect_container(c, p, EFFECT_ACK, k->name, e->id.number);
}

void container_event(struct core *c, struct core_pod *p, struct core_container *k, const struct event *e)
{
	bool answer = e->type == EVENT_HOOKED || e->type == EVENT_PROBED; /* of what ended with its start */

	if (answer && (e->id.number != k->number || !container_alive(k)))
		return;
	if ((e->id.number != k->number && !PLANTED_BUG(4)) || !container_alive(k)) {
		late(c, p, k, e);
		return;
	}
	if (e->type == EVENT_HOOKED)
		hook_event(c, p, k, e);
	else if (e->type == EVENT_PROBED)
		probe_event(c, p, k, e);
	else if (e->type == EVENT_EXITED)
		container_exited(c, p, k, &e->exit);
	else if (e->type == EVENT_STARTED && k->state == CONTAINER_STATE_STARTING)
		started(c, p, k, e->pid);
	else if (e->type == EVENT_START_FAILED && k->state == CONTAINER_STATE_STARTING)
		container_start_failed(c, p, k, e->reason, e->message);
	else if (e->type != EVENT_STARTED || e->pid != k->pid) /* the same start may be told twice, by snapshot and by message */
		core_impossible(c, p, k, e->type);
}
