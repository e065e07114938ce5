/* Probes of a container, by the kubelet's rules.
 *
 * The startup probe begins when the postStart hook has ended, the two others when it has succeeded; the first probe is due
 * initialDelaySeconds after the start, each other one at its slot, whole periods later, however late the one before it was made: so the
 * probes of many containers stay as spread as their starts were, also when a new podd has begun with one of each. Results count when they
 * come successThreshold or failureThreshold times in a row: startup lets the container count as started, readiness makes it ready or
 * unready, a failure of startup or liveness condemns it. A probe that could not be made counts for nothing. What stops is not probed.
 *
 * That a container is started, and whether it is ready, are in the note; the counts begin anew with a new podd. */
#include <string.h>

#include "base/clock.h"
#include "core/container.h"
#include "core/pod.h"

static const struct probe *spec_of(const struct core_container *k, enum probe_kind kind)
{
	const struct probe *spec = NULL;

	switch (k->spec ? kind : PROBE_MAX) {
	case PROBE_STARTUP:
		spec = &k->spec->startup;
		break;
	case PROBE_READINESS:
		spec = &k->spec->readiness;
		break;
	case PROBE_LIVENESS:
		spec = &k->spec->liveness;
		break;
	case PROBE_MAX:
		break;
	}
	return spec && spec->set ? spec : NULL;
}

bool probe_wanted(const struct core_container *k, enum probe_kind kind)
{
	return spec_of(k, kind);
}

static bool its_turn(const struct core_container *k, enum probe_kind kind)
{
	return k->state == CONTAINER_STATE_RUNNING && k->hooked && probe_wanted(k, kind) &&
	       (k->started == (kind != PROBE_STARTUP) || PLANTED_BUG(5));
}

/* An edit may bring a probe, and take one away that was waited for: what nobody asks about is so. */
void probe_skip(struct core *c, struct core_pod *p, struct core_container *k)
{
	if (k->state != CONTAINER_STATE_RUNNING || !k->hooked)
		return;
	if (!k->started && !probe_wanted(k, PROBE_STARTUP))
		container_begun(c, p, k);
	if (k->started && !probe_wanted(k, PROBE_READINESS))
		k->ready = true;
}

static int64_t period_of(const struct core_pod *p, const struct probe *spec)
{
	return p->pod->probe_period ? p->pod->probe_period : spec->period * NS_PER_SEC;
}

/* From its slot on; where that has passed, at once, and the slot is the last one that has. */
static void arm(struct core *c, struct core_probe *pr, int64_t slot, int64_t period)
{
	pr->slot = slot < c->boot ? c->boot - (c->boot - slot) % period : slot;
	pr->due = MAX(c->boot, slot);
}

void probe_arm(struct core *c, struct core_pod *p, struct core_container *k)
{
	for (enum probe_kind kind = 0; kind < PROBE_MAX; kind++) {
		struct core_probe *pr = &k->probes[kind];
		if (!its_turn(k, kind))
			memset(pr, 0, sizeof(*pr));
		else if (!pr->due && !pr->running)
			arm(c, pr, k->started_boot + spec_of(k, kind)->delay * NS_PER_SEC, period_of(p, spec_of(k, kind)));
	}
}

int64_t probe_deadline(const struct core_container *k)
{
	int64_t first = 0;

	for (enum probe_kind kind = 0; kind < PROBE_MAX; kind++)
		if (k->probes[kind].due && (!first || k->probes[kind].due < first))
			first = k->probes[kind].due;
	return first;
}

void probe_tick(struct core *c, struct core_pod *p, struct core_container *k)
{
	for (enum probe_kind kind = 0; kind < PROBE_MAX; kind++) {
		struct core_probe *pr = &k->probes[kind];
		if (!pr->due || pr->due > c->boot)
			continue;
		pr->due = 0;
		pr->running = true;
		effect_probe(c, p, k, kind);
	}
}

static void hold(struct core *c, struct core_pod *p, struct core_container *k, enum probe_kind kind, bool good)
{
	const struct probe *spec = spec_of(k, kind);

	if (kind == PROBE_READINESS && k->ready != good) {
		k->ready = good;
		k->ready_wall = c->wall;
		effect_note(c, p);
		core_touch(c, p);
	} else if (kind == PROBE_STARTUP && good) {
		container_begun(c, p, k);
		effect_note(c, p);
	} else if (kind != PROBE_READINESS && !good) {
		container_condemn(c, p, k, kind == PROBE_STARTUP ? "startup" : "liveness",
		                  spec->grace_seconds ? spec->grace_seconds : p->grace_seconds);
	}
}

void probe_event(struct core *c, struct core_pod *p, struct core_container *k, const struct event *e)
{
	struct core_probe *pr = &k->probes[e->probe];
	const struct probe *spec = spec_of(k, e->probe);

	if (!pr->running || !spec)
		return; /* an edit took it away */
	int64_t period = period_of(p, spec);
	pr->running = false;
	arm(c, pr, pr->slot + period, period);
	core_timed(c, p);
	if (e->result == PROBE_UNKNOWN) {
		effect_report(c, p, k, false, "Unhealthy", "%s probe errored: %s", probe_name(e->probe), e->message);
		return;
	}
	if (e->result == PROBE_FAILURE)
		effect_report(c, p, k, false, "Unhealthy", "%s probe failed: %s", probe_name(e->probe), e->message);
	pr->run = pr->last == e->result ? MIN(pr->run, INT32_MAX - 1) + 1 : 1;
	pr->last = e->result;
	if (pr->run >= (e->result == PROBE_SUCCESS ? spec->successes : spec->failures))
		hold(c, p, k, e->probe, e->result == PROBE_SUCCESS);
}
