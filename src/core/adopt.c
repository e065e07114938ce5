/* After podd's restart: the note (what podd had decided) and the snapshot (what became of it) give the states back.
 *
 *   snapshot        note about that number      then
 *   alive           any                         RUNNING, or STOPPING with the deadline of old
 *   ended           not recorded                the exit is handled as if it came now
 *   ended           recorded                    acknowledged again
 *   nothing         STARTING                    the launch never reached the anchor: again, with the next number (files of the lost one may be there)
 *   nothing         BACKOFF, DONE               as it was
 *   nothing         RUNNING, STOPPING           an anchor forgets nothing unasked, so this can't be; ended, status unknown
 *
 * No note and no start: an anchor of a sandbox that was never finished. It goes, and the pod begins anew. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "core/container.h"
#include "core/note.h"
#include "core/pod.h"

/* What is to be done about one container when all of them are known. */
struct finding {
	const struct adopted_start *alive, *ended; /* ended: only if the note does not know it */
	int64_t deadline;                          /* of a stop that was under way */
	bool vanished;
};

static void restore_pod(struct core *c, struct core_pod *p, const struct note *n, const struct adopt_info *a)
{
	p->has_sandbox = true;
	p->sandbox = a->sandbox;
	p->applied = p->marks;
	if (!p->pod)
		p->grace_seconds = n ? n->grace_seconds : 30;
	if (!n) {
		p->sandbox_wall = c->wall;
		p->sandbox_boot = c->boot;
		p->recreate = a->start_count == 0;
		if (!p->recreate)
			effect_report(c, p, NULL, false, "AnchorNoteLost",
			              "The anchor's note can't be read; restart counts begin anew");
		return;
	}
	if (n->comparable)
		p->applied = n->applied;
	for (size_t i = 0; i < n->container_count; i++)
		if (n->containers[i].resize_due)
			p->applied.resize = ~p->marks.resize; /* it may have started with the limits of before */
	p->recreate = n->recreate;
	p->restart_all = n->restart_all;
	p->active_boot = n->active_boot;
	if (n->failure)
		failure_set(p, n->failure, n->failure_item);
	p->generation = MAX(p->generation, n->generation + (p->pod && p->applied.spec != p->marks.spec));
	p->created_wall = n->created_wall;
	p->sandbox_wall = n->sandbox_wall;
	p->sandbox_boot = n->sandbox_boot;
	p->backoff = n->backoff;
	p->number_floor = MAX(p->number_floor, n->number_floor);
}

static void restore_counters(struct core_container *k, const struct note_container *n, bool comparable)
{
	if (n->launched)
		k->number = n->next_number - 1;
	k->next_number = MAX(k->next_number, n->next_number);
	k->restart_count = n->restart_count;
	k->backoff = (int64_t)n->backoff_ms * NS_PER_MS;
	k->launch_boot = n->launch_boot;
	k->launched = n->launched;
	k->launch_void = n->launch_void;
	k->passed = n->passed;
	k->hooked = n->hooked;
	k->started = n->started;
	k->ready = n->ready;
	k->condemned = n->condemned;
	k->restart_wanted = k->restart_wanted || n->restart_wanted;
	k->last = n->last;
	k->before = n->before;
	k->applied_hash = comparable ? n->applied_hash : k->wanted_hash;
	k->resize_restarts = comparable ? n->resize_restarts : k->resize_restarts;
}

/* One of two exits can't be decided upon any more, since a later start is known; none of two processes may stay. */
static void supersede(struct core *c, struct core_pod *p, struct core_container *k, const struct adopted_start **at,
                      const struct adopted_start *s)
{
	const struct adopted_start *old = *at;

	if (old && old->number > s->number) {
		old = s;
	} else {
		*at = s;
	}
	if (!old)
		return;
	if (old->pid)
		core_impossible(c, p, k, EVENT_ADOPT);
	effect_container(c, p, old->pid ? EFFECT_KILL : EFFECT_ACK, k->name, old->number);
}

static void find_starts(struct core *c, struct core_pod *p, struct core_container *k, const struct adopt_info *a, struct finding *f)
{
	for (size_t i = 0; i < a->start_count; i++) {
		const struct adopted_start *s = &a->starts[i];
		if (!streq(s->container, k->name))
			continue;
		k->next_number = MAX(k->next_number, s->number + 1);
		if (s->pid)
			supersede(c, p, k, &f->alive, s);
		else if (k->last.set && k->last.number >= s->number)
			effect_container(c, p, EFFECT_ACK, k->name, s->number);
		else
			supersede(c, p, k, &f->ended, s);
	}
	if (f->alive && f->ended) {
		effect_container(c, p, EFFECT_ACK, k->name, f->ended->number);
		f->ended = NULL;
	}
}

/* As if it ran: so that what comes next, an exit above all, finds the container where it left podd's sight. */
static void restore_start(struct core *c, struct core_container *k, const struct adopted_start *s, const struct note *n, bool noted)
{
	container_set_state(k, CONTAINER_STATE_RUNNING);
	if (!n)
		k->applied_hash = k->wanted_hash; /* nothing says that it is an old one */
	else if (!noted)
		k->applied_hash =
			~k->wanted_hash; /* an edit took it out and another one put it in: not the version that is wanted now */
	k->number = s->number;
	k->launched = true;
	k->launch_void = false;
	bool gate = k->spec && (k->spec->lifecycle.post_start.set || probe_wanted(k, PROBE_STARTUP));
	k->passed = k->passed || (k->role == CONTAINER_ROLE_SIDECAR && !s->launch_failed && !gate);
	k->pid = s->pid;
	k->started_wall = s->started_wall;
	/* Boot time of the launch by the note; the snapshot has only wall time, which may have been set since. */
	int64_t boot = noted ? k->launch_boot : c->boot - (c->wall - s->started_wall);
	k->started_boot = MAX(1, MIN(boot, c->boot));
}

static void restore_absent(struct core_container *k, const struct note_container *n, struct finding *f)
{
	bool recorded = n->last.set && n->last.number == k->number;

	switch (n->state) {
	case CONTAINER_STATE_BACKOFF:
		container_set_state(k, CONTAINER_STATE_BACKOFF);
		k->deadline = n->deadline;
		(void)snprintf(k->reason, sizeof(k->reason), "%s", n->reason);
		(void)snprintf(k->message, sizeof(k->message), "%s", n->message);
		if (!*k->message && streq(k->reason, "ImagePullBackOff") && k->spec) /* the note had no room */
			(void)snprintf(k->message, sizeof(k->message), "Back-off pulling image \"%s\"", k->spec->image);
		break;
	case CONTAINER_STATE_DONE:
		if (recorded)
			container_set_state(k, CONTAINER_STATE_DONE);
		break;
	case CONTAINER_STATE_STARTING:
		k->launch_void = n->launched;
		if (PLANTED_BUG(1))
			k->next_number = k->number;
		break;
	case CONTAINER_STATE_RUNNING:
	case CONTAINER_STATE_STOPPING:
		f->vanished = !recorded;
		if (f->vanished)
			container_set_state(k, CONTAINER_STATE_RUNNING);
		break;
	case CONTAINER_STATE_WAITING:
	case CONTAINER_STATE_MAX:
		break;
	}
}

static void restore_container(struct core *c, struct core_pod *p, struct core_container *k, const struct note *n,
                              const struct adopt_info *a, struct finding *f)
{
	const struct note_container *nc = n ? note_find(n, k->name) : NULL;

	if (nc)
		restore_counters(k, nc, n->comparable);
	if (nc && k->spec)
		container_want(p->pod, k);
	find_starts(c, p, k, a, f);
	if (f->alive || f->ended)
		restore_start(c, k, f->alive ? f->alive : f->ended, n, nc != NULL);
	else if (nc)
		restore_absent(k, nc, f);
	bool ending = nc && (nc->state == CONTAINER_STATE_STOPPING || (nc->state == CONTAINER_STATE_STARTING && nc->deadline));
	if (f->alive && ending)
		f->deadline = nc->deadline ? nc->deadline : 1;
}

static void add_stranger(struct core *c, struct core_pod *p, const struct note_container *n, const struct adopted_start *s)
{
	if (pod_find_container(p, s->container))
		return;
	p->number_floor = MAX(p->number_floor, s->number + 1);
	if (s->pid) {
		struct core_container *k = pod_add_container(p, s->container);
		k->role = n ? n->role : CONTAINER_ROLE_MEMBER;
		return;
	}
	effect_note(c, p);
	effect_container(c, p, EFFECT_ACK, s->container, s->number);
}

/* Containers that the manifest does not have (any more): those that are alive must be stopped, in the order that the note has, of the others only
 * the numbers count. */
static void add_strangers(struct core *c, struct core_pod *p, const struct note *n, const struct adopt_info *a)
{
	for (size_t i = 0; n && i < n->container_count; i++)
		for (size_t j = 0; j < a->start_count; j++)
			if (note_find(n, a->starts[j].container) == &n->containers[i])
				add_stranger(c, p, &n->containers[i], &a->starts[j]);
	for (size_t j = 0; j < a->start_count; j++)
		add_stranger(c, p, NULL, &a->starts[j]);
}

/* Without a note: who was started after it shows that it has passed. */
static void infer_order(struct core_pod *p)
{
	bool later = false;

	for (size_t i = p->container_count; i-- > 0;) {
		struct core_container *k = &p->containers[i];
		if (k->role == CONTAINER_ROLE_DEBUG)
			continue;
		if (later && k->role != CONTAINER_ROLE_MEMBER)
			k->passed = true;
		if (later && k->role == CONTAINER_ROLE_INIT && k->state == CONTAINER_STATE_WAITING)
			container_set_state(k, CONTAINER_STATE_DONE);
		later = later || (k->spec && k->launched);
	}
}

static void handle(struct core *c, struct core_pod *p, struct core_container *k, const struct finding *f)
{
	const struct adopted_start *s = f->ended;

	if (s && s->launch_failed) {
		k->started_boot = k->started_wall = 0;
		container_start_failed(c, p, k, "StartError", "its program could not be started");
	} else if (s) {
		container_exited(c, p, k, &s->exit);
	} else if (f->vanished) {
		container_lost(c, p, k);
	} else if (f->deadline) {
		container_stop_adopted(c, p, k, f->deadline);
	} else if (f->alive && !k->hooked && p->state == POD_STATE_RUNNING && !hook_begin(c, p, k, HOOK_POST_START)) {
		container_hooked(c, p, k);
	}
}

void pod_adopt(struct core *c, struct core_pod *p, const struct adopt_info *a)
{
	struct note *n = xnew(struct note);

	if (!note_read(a->note, a->note_size, n)) {
		free(n);
		n = NULL;
	}
	restore_pod(c, p, n, a);
	pod_reconcile_resize(c, p); /* before any note */
	add_strangers(c, p, n, a);
	struct finding *found = xnew_array(struct finding, p->container_count);
	for (size_t i = 0; i < p->container_count; i++)
		restore_container(c, p, &p->containers[i], n, a, &found[i]);
	if (!n)
		infer_order(p);

	pod_set_state(c, p, POD_STATE_RUNNING);
	bool stop = pod_must_stop(p) && !depend_stays(c, p);
	if (stop)
		pod_set_state(c, p, POD_STATE_STOPPING); /* before the exits are handled: none of them leads to a launch */
	p->recreate = stop;
	for (size_t i = 0; i < p->container_count; i++)
		handle(c, p, &p->containers[i], &found[i]);
	if (stop)
		pod_stop_containers(c, p);
	else
		pod_reconcile(c, p);
	free(found);
	free(n);
}
