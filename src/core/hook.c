/* Hooks of a container: postStart, before it counts as started; preStop, before the stop signal, inside the grace period.
 *
 * A hook that sleeps is a deadline. One that acts is an effect, and its end an event. After podd's restart one whose end podd did not see is
 * asked for again; the shell does not run a command twice that the anchor still knows. Without a grace period, and when the pod is
 * restarted as a whole, nothing is hooked. A hook that outlasts the grace period is left alone, and the container has two more seconds. */
#include <stdio.h>

#include "base/clock.h"
#include "base/str.h"
#include "core/container.h"
#include "core/pod.h"

static const struct hook *spec_of(const struct core_container *k, enum hook_kind h)
{
	return !k->spec ? NULL : h == HOOK_POST_START ? &k->spec->lifecycle.post_start : &k->spec->lifecycle.pre_stop;
}

bool hook_begin(struct core *c, struct core_pod *p, struct core_container *k, enum hook_kind h)
{
	const struct hook *spec = spec_of(k, h);

	k->hooking = spec && spec->set;
	k->hook_deadline = 0;
	if (!k->hooking)
		return false;
	if (spec->sleep.set)
		k->hook_deadline = c->boot + MAX(spec->sleep.seconds * NS_PER_SEC, 1);
	else
		effect_hook(c, p, k, h);
	core_touch(c, p);
	return true;
}

static void fail(struct core *c, struct core_pod *p, struct core_container *k, const char *error)
{
	(void)snprintf(k->reason, sizeof(k->reason), "%s", CORE_HOOK_ERROR);
	(void)snprintf(k->message, sizeof(k->message), "PostStartHook failed: %.*s", MESSAGE_SIZE - 32, error);
	container_stop(c, p, k);
}

static void over(struct core *c, struct core_pod *p, struct core_container *k, const char *error)
{
	enum hook_kind h = k->state == CONTAINER_STATE_RUNNING ? HOOK_POST_START : HOOK_PRE_STOP;

	k->hooking = false;
	k->hook_deadline = 0;
	core_touch(c, p);
	if (*error)
		effect_report(c, p, k, false, h == HOOK_POST_START ? "FailedPostStartHook" : "FailedPreStopHook",
		              "%sHook failed: %s", hook_name(h), error);
	if (h == HOOK_PRE_STOP)
		return; /* the stop signal follows when it is its turn */
	if (*error)
		fail(c, p, k, error);
	else
		container_hooked(c, p, k);
}

void hook_tick(struct core *c, struct core_pod *p, struct core_container *k)
{
	if (k->hooking && k->hook_deadline && k->hook_deadline <= c->boot)
		over(c, p, k, "");
}

void hook_event(struct core *c, struct core_pod *p, struct core_container *k, const struct event *e)
{
	enum container_state during = e->hook == HOOK_POST_START ? CONTAINER_STATE_RUNNING : CONTAINER_STATE_STOPPING;

	/* It may be over by another end: the container's, or the grace period's. */
	if (k->hooking && k->state == during && k->number == e->id.number)
		over(c, p, k, e->message);
}
