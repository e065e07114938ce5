/* What happens in the world. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "trace/world.h"

static struct event event_for(enum event_type type, const struct world_pod *p, const char *container, uint32_t number)
{
	struct event e = { .type = type };

	(void)snprintf(e.id.uid, sizeof(e.id.uid), "%s", p->uid);
	(void)snprintf(e.id.container, sizeof(e.id.container), "%s", container);
	e.id.number = number;
	return e;
}

static void first_numbers(struct world_pod *p, struct event *e)
{
	for (size_t i = 0; i < p->want.count; i++)
		for (size_t j = 0; j < p->name_count; j++)
			if (streq(p->names[j].name, p->want.containers[i].name))
				e->first_numbers[i] = p->names[j].next;
}

static void set(struct world *w, struct world_pod *p, size_t limit)
{
	struct event e = event_for(EVENT_POD_SET, p, "", 0);

	e.pod = testpod_build(&p->want);
	p->known = true;
	first_numbers(p, &e);
	(void)world_step(w, &e, limit);
	pod_unref(e.pod);
}

void world_set(struct world *w, struct world_pod *p, const struct testpod *t, size_t limit)
{
	if (!p->known && p->anchor == ANCHOR_NONE)
		p->counts = true;
	for (size_t i = 0; i < p->name_count; i++) {
		p->names[i].dropped = p->names[i].dropped || !testpod_find(t, p->names[i].name);
		if (!testpod_same_spec(&p->want, t) || !p->manifest)
			p->names[i].ran = false;
	}
	for (size_t i = 0; i < p->proc_count; i++) {
		const struct testpod_container *want = testpod_find(t, p->procs[i].name);
		for (enum probe_kind kind = 0; kind < PROBE_MAX; kind++)
			p->procs[i].stale[kind] = p->procs[i].stale[kind] || !want || !want->probes[kind].failures;
	}
	p->want = *t;
	p->manifest = true;
	p->nameless = false;
	if (p->held && !testpod_same_spec(&p->held_for, t))
		p->held = false;
	set(w, p, limit);
}

void world_gone(struct world *w, struct world_pod *p, size_t limit)
{
	struct event e = event_for(EVENT_POD_GONE, p, "", 0);

	p->manifest = p->held = false;
	(void)world_step(w, &e, limit);
}

void world_ask(struct world *w, struct world_pod *p, enum event_type type, const char *container, size_t limit)
{
	struct event e = event_for(type, p, container, 0);

	if (type == EVENT_STOP_ASKED && p->manifest) {
		p->held = true; /* written before it is told */
		p->held_for = p->want;
	} else {
		p->held = false;
	}
	for (size_t i = 0; i < p->name_count; i++)
		p->names[i].ran = false;
	(void)world_step(w, &e, limit);
}

void world_evict(struct world *w, struct world_pod *p, size_t limit)
{
	struct event e = event_for(EVENT_EVICT, p, "", 0);

	e.failure = POD_FAILURE_DISK;
	(void)world_step(w, &e, limit);
}

void world_label(struct world *w, const char *label, size_t limit)
{
	struct event e = { .type = EVENT_NODE };

	w->label = (struct label){ label, "" };
	w->node.labels.count = *label != '\0';
	(void)world_step(w, &e, limit);
}

void world_stop_all(struct world *w, size_t limit)
{
	struct event e = { .type = EVENT_STOP_ASKED };

	for (size_t i = 0; i < w->pod_count; i++) {
		struct world_pod *p = &w->pods[i];
		if (p->manifest && !p->held)
			p->held_for = p->want;
		p->held = p->manifest;
		for (size_t j = 0; j < p->name_count; j++)
			p->names[j].ran = false;
	}
	(void)world_step(w, &e, limit);
}

void world_ready(struct world *w, struct world_pod *p, size_t limit)
{
	struct event e = event_for(EVENT_SANDBOX_READY, p, "", 0);

	p->anchor = ANCHOR_UP;
	e.sandbox.anchor = w->next_pid++;
	first_numbers(p, &e);
	(void)world_step(w, &e, limit);
}

void world_failed(struct world *w, struct world_pod *p, const char *reason, size_t limit)
{
	struct event e = event_for(EVENT_SANDBOX_FAILED, p, "", 0);

	p->anchor = ANCHOR_NONE;
	(void)snprintf(e.reason, sizeof(e.reason), "%s", reason);
	(void)world_step(w, &e, limit);
}

void world_anchor_dies(struct world_pod *p)
{
	p->anchor = ANCHOR_DEAD;
	p->counts = false;
	for (size_t i = 0; i < p->name_count; i++)
		p->names[i].ran = p->names[i].ran && p->want.policy != RESTART_POLICY_NEVER;
}

void world_tell_lost(struct world *w, struct world_pod *p, size_t limit)
{
	struct event e = event_for(EVENT_SANDBOX_LOST, p, "", 0);

	p->told_lost = true;
	p->adopt_due = false;
	(void)world_step(w, &e, limit);
}

void world_destroyed(struct world *w, struct world_pod *p, size_t limit)
{
	struct event e = event_for(EVENT_SANDBOX_GONE, p, "", 0);

	p->anchor = ANCHOR_NONE;
	p->destroying = false;
	p->proc_count = 0;
	(void)world_step(w, &e, limit);
}

static struct world_pod *owner(struct world *w, const struct world_proc *q)
{
	for (size_t i = 0; i < w->pod_count; i++)
		if (q >= w->pods[i].procs && q < w->pods[i].procs + WORLD_PROCS)
			return &w->pods[i];
	return NULL;
}

static struct world_name *name_of(struct world *w, struct world_proc *q)
{
	struct world_pod *p = owner(w, q);

	for (size_t i = 0; i < p->name_count; i++)
		if (streq(p->names[i].name, q->name))
			return &p->names[i];
	return NULL;
}

void world_proc_runs(struct world *w, struct world_proc *q)
{
	struct world_name *n = name_of(w, q);
	const struct testpod_container *want = testpod_find(&owner(w, q)->want, q->name);

	q->state = PROC_ALIVE;
	q->pid = w->next_pid++;
	q->started_wall = w->wall;
	n->real++;
	n->passed = n->passed || (want && want->role == CONTAINER_ROLE_SIDECAR);
	n->ran = want && want->image == q->image; /* else it is due to be replaced */
}

void world_proc_ends(struct world *w, struct world_proc *q, int code, int signal, bool oom)
{
	if (q->state == PROC_REQUESTED)
		name_of(w, q)->real++; /* the anchor has a record of it, though it never ran */
	const struct testpod_container *want = testpod_find(&owner(w, q)->want, q->name);
	if (q->state == PROC_ALIVE && want && want->role == CONTAINER_ROLE_INIT && code == 0)
		name_of(w, q)->passed = true;
	q->failed = q->state == PROC_REQUESTED;
	q->state = PROC_DEAD;
	q->pid = 0;
	q->exit = (struct exit_info){ .code = code, .signal = signal, .oom = oom, .wall = w->wall };
}

void world_tell_started(struct world *w, struct world_pod *p, struct world_proc *q, size_t limit)
{
	struct event e = event_for(EVENT_STARTED, p, q->name, q->number);

	e.pid = q->pid;
	q->told_started = true;
	(void)world_step(w, &e, limit);
}

void world_tell_hooked(struct world *w, struct world_pod *p, struct world_proc *q, const char *error, size_t limit)
{
	struct event e = event_for(EVENT_HOOKED, p, q->name, q->number);

	e.hook = q->hook;
	q->hook = HOOK_MAX;
	(void)snprintf(e.message, sizeof(e.message), "%s", error);
	(void)world_step(w, &e, limit);
}

void world_tell_probed(struct world *w, struct world_pod *p, struct world_proc *q, enum probe_kind kind, enum probe_result result,
                       size_t limit)
{
	struct event e = event_for(EVENT_PROBED, p, q->name, q->number);

	e.probe = kind;
	e.result = result;
	q->probed[kind] = false;
	if (result == PROBE_SUCCESS)
		q->failures[kind] = 0;
	else if (result == PROBE_FAILURE)
		q->failures[kind]++;
	if (kind == PROBE_STARTUP && result == PROBE_SUCCESS)
		q->begun = name_of(w, q)->begun = true;
	(void)snprintf(e.message, sizeof(e.message), "%s", result == PROBE_SUCCESS ? "" : "it said no");
	(void)world_step(w, &e, limit);
}

void world_tell_failed(struct world *w, struct world_pod *p, struct world_proc *q, const char *reason, size_t limit)
{
	struct event e = event_for(EVENT_START_FAILED, p, q->name, q->number);

	(void)snprintf(e.reason, sizeof(e.reason), "%s", reason);
	q->told_exit = true;
	if (q->state == PROC_REQUESTED) /* the shell itself failed: the anchor never heard of it */
		*q = p->procs[--p->proc_count];
	(void)world_step(w, &e, limit);
}

void world_tell_exit(struct world *w, struct world_pod *p, struct world_proc *q, size_t limit)
{
	struct event e = event_for(EVENT_EXITED, p, q->name, q->number);

	e.exit = q->exit;
	q->told_exit = true;
	(void)world_step(w, &e, limit);
}

void world_tell_adopt(struct world *w, struct world_pod *p, size_t limit)
{
	struct event e = event_for(EVENT_ADOPT, p, "", 0);
	struct adopted_start starts[WORLD_PROCS];

	for (size_t i = 0; i < p->proc_count; i++) {
		struct world_proc *q = &p->procs[i];
		starts[i] = (struct adopted_start){ .number = q->number,
			                            .pid = q->pid,
			                            .started_wall = q->started_wall,
			                            .exit = q->exit,
			                            .launch_failed = q->failed };
		(void)snprintf(starts[i].container, sizeof(starts[i].container), "%s", q->name);
		q->told_started = q->state == PROC_ALIVE || q->told_started;
		q->told_exit = q->state == PROC_DEAD;
	}
	e.adopt = (struct adopt_info){
		.note = p->note.data, .note_size = p->note.len, .starts = starts, .start_count = p->proc_count
	};
	p->adopt_due = false;
	(void)world_step(w, &e, limit);
}

void world_tick(struct world *w, size_t limit)
{
	struct event e = { .type = EVENT_TICK };

	(void)world_step(w, &e, limit);
}

typedef unsigned chooser(void *user, unsigned below);

/* What was under way in podd ends with it. */
static void interrupt(struct world *w, struct world_pod *p, chooser *choose, void *user)
{
	if (p->anchor == ANCHOR_CREATING)
		p->anchor = choose(user, 2) ? ANCHOR_UP : ANCHOR_NONE; /* an anchor without a note, or nothing that stays */
	if (p->destroying && p->anchor == ANCHOR_UP && choose(user, 3) == 2)
		p->anchor = ANCHOR_DEAD;
	p->destroying = p->told_lost = false;
	if (p->anchor == ANCHOR_DEAD && choose(user, 2)) { /* the shell swept it away before it began */
		p->anchor = ANCHOR_NONE;
		p->proc_count = 0;
	}
	for (size_t i = 0; i < p->proc_count; i++) {
		struct world_proc *q = &p->procs[i];
		q->told_started = q->told_exit = false;
		q->hook = HOOK_MAX;
		memset(q->probed, 0, sizeof(q->probed));
		memset(q->failures, 0, sizeof(q->failures));
		if (q->state != PROC_REQUESTED)
			continue;
		if (choose(user, 2)) /* the message was in the anchor's socket, or was never sent */
			p->procs[i--] = p->procs[--p->proc_count];
		else
			world_proc_runs(w, q);
	}
	if (!p->manifest && p->anchor == ANCHOR_NONE && p->known) {
		p->known = false; /* the shell's own sweep forgets what has neither manifest nor anchor */
		p->name_count = 0;
	}
	if (p->anchor == ANCHOR_NONE) /* the core forgets what it counted with the sandbox */
		for (size_t i = 0; i < p->name_count; i++)
			p->names[i].ran = false;
	if (p->anchor == ANCHOR_NONE)
		p->counts = false;
}

static void introduce(struct world *w, struct world_pod *p, bool held, chooser *choose, void *user)
{
	struct event found = event_for(EVENT_ANCHOR_FOUND, p, "", 0), stop = event_for(EVENT_STOP_ASKED, p, "", 0);

	if (p->manifest)
		set(w, p, ALL_EFFECTS);
	if (held)
		(void)world_step(w, &stop, ALL_EFFECTS);
	if (p->anchor == ANCHOR_NONE)
		return;
	p->known = true;
	p->nameless = !p->manifest;
	(void)world_step(w, &found, ALL_EFFECTS);
	if (p->anchor == ANCHOR_DEAD)
		world_tell_lost(w, p, ALL_EFFECTS);
	else if (choose(user, 4) < 3)
		world_tell_adopt(w, p, ALL_EFFECTS);
	else
		p->adopt_due = true; /* a slow anchor */
}

void world_restart(struct world *w, chooser *choose, void *user)
{
	struct event go = { .type = EVENT_GO };

	if (w->log)
		buf_puts(w->log, "         podd restarts\n");
	w->core = core_free(w->core);
	w->core = core_new(&w->config);
	bool held[WORLD_PODS] = { false };
	for (size_t i = 0; i < w->pod_count; i++) {
		struct world_pod *p = &w->pods[i];
		held[i] = p->held && testpod_same_spec(&p->held_for, &p->want);
		interrupt(w, p, choose, user);
		introduce(w, p, held[i], choose, user);
	}
	for (size_t i = 0; i < w->pod_count; i++)
		w->pods[i].held = held[i]; /* the core holds back the wish until EVENT_GO */
	(void)world_step(w, &go, ALL_EFFECTS);
}

/* Who is ready is left alone, so that there is an end to it: while an answer is waited for nothing is due. */
static bool drain_probes(struct world *w, struct world_pod *p, struct world_proc *q)
{
	const struct core_pod *cp = core_pod_by_uid(w->core, p->uid);
	const struct core_container *k = cp ? core_container(cp, q->name) : NULL;

	for (enum probe_kind kind = 0; kind < PROBE_LIVENESS; kind++)
		if (q->probed[kind] && q->state == PROC_ALIVE && k && k->state == CONTAINER_STATE_RUNNING &&
		    !core_container_ready(k)) {
			world_tell_probed(w, p, q, kind, PROBE_SUCCESS, ALL_EFFECTS);
			return true;
		}
	return false;
}

static bool drain_pod(struct world *w, struct world_pod *p)
{
	if (p->adopt_due && p->anchor == ANCHOR_UP)
		world_tell_adopt(w, p, ALL_EFFECTS);
	else if (p->anchor == ANCHOR_DEAD && !p->told_lost)
		world_tell_lost(w, p, ALL_EFFECTS);
	else if (p->destroying)
		world_destroyed(w, p, ALL_EFFECTS);
	else if (p->anchor == ANCHOR_CREATING)
		world_ready(w, p, ALL_EFFECTS);
	else if (p->anchor == ANCHOR_UP) {
		for (size_t i = 0; i < p->proc_count; i++) {
			struct world_proc *q = &p->procs[i];
			if (q->state == PROC_REQUESTED && q->aborted) {
				world_tell_failed(w, p, q, "Aborted", ALL_EFFECTS);
				return true;
			}
			if (q->state == PROC_REQUESTED)
				world_proc_runs(w, q);
			if (q->state == PROC_ALIVE && q->told_started && q->hook != HOOK_MAX) {
				world_tell_hooked(w, p, q, "", ALL_EFFECTS);
				return true;
			}
			if (drain_probes(w, p, q))
				return true;
			if (q->state == PROC_ALIVE && q->term)
				world_proc_ends(w, q, q->killed ? 137 : 143, q->killed ? 9 : 15, false);
			const struct testpod_container *want = testpod_find(&p->want, q->name);
			if (q->state == PROC_ALIVE && q->told_started && want && want->role == CONTAINER_ROLE_INIT)
				world_proc_ends(w, q, 0, 0, false);
			if (q->state == PROC_ALIVE && !q->told_started)
				world_tell_started(w, p, q, ALL_EFFECTS);
			else if (q->state == PROC_DEAD && q->failed && !q->told_exit)
				world_tell_failed(w, p, q, "StartError", ALL_EFFECTS);
			else if (q->state == PROC_DEAD && !q->told_exit)
				world_tell_exit(w, p, q, ALL_EFFECTS);
			else
				continue;
			return true;
		}
		return false;
	} else {
		return false;
	}
	return true;
}

void world_drain(struct world *w)
{
	for (int rounds = 0; !*w->violation; rounds++) {
		bool busy = false;
		if (rounds == 2000) {
			world_fail(w, "does not come to rest");
			return;
		}
		for (size_t i = 0; i < w->pod_count && !*w->violation; i++)
			busy = drain_pod(w, &w->pods[i]) || busy;
		if (busy)
			continue;
		int64_t next = core_deadline(w->core);
		if (!next)
			return;
		w->wall += MAX(next - w->boot, 0);
		w->boot = MAX(w->boot, next);
		world_tick(w, ALL_EFFECTS);
	}
}

static enum restart_policy policy_of(const struct world_pod *p, const struct testpod_container *want)
{
	return want->restart == CONTAINER_RESTART_AS_POD ? p->want.policy : (enum restart_policy)(want->restart - 1);
}

/* It has ended, or never began: may it be left so? */
static void check_rest(struct world *w, struct world_pod *p, const struct core_pod *cp, const struct core_container *k,
                       const struct testpod_container *want)
{
	enum restart_policy policy = policy_of(p, want);
	bool finished = cp->state == POD_STATE_FINISHED;

	if (world_current(p, want->name))
		world_fail(w, "%s/%s: at rest, but its last exit was not acknowledged", p->uid, want->name);
	else if (cp->failure || (finished && !core_pod_initialized(cp)))
		return;
	else if (want->role == CONTAINER_ROLE_SIDECAR && finished)
		return;
	else if (k->state == CONTAINER_STATE_WAITING)
		world_fail(w, "%s/%s: is not started", p->uid, want->name);
	else if (want->role == CONTAINER_ROLE_INIT && k->passed)
		return;
	else if (want->role == CONTAINER_ROLE_SIDECAR)
		world_fail(w, "%s/%s: a sidecar is done, and its pod is not", p->uid, want->name);
	else if (policy == RESTART_POLICY_ALWAYS)
		world_fail(w, "%s/%s: done, and restartPolicy is Always", p->uid, want->name);
	else if (policy == RESTART_POLICY_ON_FAILURE && k->last.exit.code != 0)
		world_fail(w, "%s/%s: failed, and restartPolicy is OnFailure", p->uid, want->name);
}

static void check_container(struct world *w, struct world_pod *p, const struct core_pod *cp, const struct testpod_container *want)
{
	const struct core_container *k = core_container(cp, want->name);
	struct world_proc *q = world_current(p, want->name);

	if (!k || !k->spec) {
		world_fail(w, "%s/%s: unknown to the core", p->uid, want->name);
	} else if (k->state == CONTAINER_STATE_DONE || k->state == CONTAINER_STATE_WAITING) {
		check_rest(w, p, cp, k, want);
	} else if (!q || q->state != PROC_ALIVE || k->state != CONTAINER_STATE_RUNNING || q->number != k->number) {
		world_fail(w, "%s/%s: does not run (%s)", p->uid, want->name, container_state_name(k->state));
	} else if (!core_container_ready(k)) {
		world_fail(w, "%s/%s: is not ready", p->uid, want->name);
	} else if (q->image != want->image) {
		world_fail(w, "%s/%s: runs version %d instead of %d", p->uid, want->name, q->image, want->image);
	} else if (q->limit != want->limit) {
		world_fail(w, "%s/%s: has the limit %d instead of %d", p->uid, want->name, q->limit, want->limit);
	}
	/* The last start may not have come to pass before the pod was over. */
	if (!k || !p->counts || (k->launch_void && cp->state == POD_STATE_FINISHED))
		return;
	for (size_t i = 0; i < p->name_count; i++)
		if (streq(p->names[i].name, want->name) && p->names[i].real && !p->names[i].dropped &&
		    k->restart_count != p->names[i].real - 1)
			world_fail(w, "%s/%s: %u restarts counted, were %u", p->uid, want->name, k->restart_count,
			           p->names[i].real - 1);
}

static void check_wanted(struct world *w, struct world_pod *p, const struct core_pod *cp)
{
	if (!cp) {
		world_fail(w, "%s: wanted, and unknown to the core", p->uid);
		return;
	}
	if (p->held) {
		if (p->anchor != ANCHOR_NONE || cp->state != POD_STATE_HELD)
			world_fail(w, "%s: held, but %s", p->uid, pod_state_name(cp->state));
		return;
	}
	if (cp->state == POD_STATE_PENDING && cp->blocked && (!world_may_begin(w, p) || streq(cp->reason, "DependencyCycle")))
		return;
	if (cp->state != POD_STATE_RUNNING && cp->state != POD_STATE_FINISHED) {
		world_fail(w, "%s: wanted, but %s", p->uid, pod_state_name(cp->state));
		return;
	}
	if (p->anchor == ANCHOR_UP && p->host != p->want.host)
		world_fail(w, "%s: its sandbox is of an older version", p->uid);
	for (size_t i = 0; i < p->want.count; i++)
		check_container(w, p, cp, &p->want.containers[i]);
	for (size_t i = 0; i < p->proc_count; i++)
		if (p->procs[i].state == PROC_ALIVE && !testpod_find(&p->want, p->procs[i].name))
			world_fail(w, "%s/%s: runs, and nobody wants it", p->uid, p->procs[i].name);
}

void world_check_end(struct world *w)
{
	for (size_t i = 0; i < w->pod_count && !*w->violation; i++) {
		struct world_pod *p = &w->pods[i];
		const struct core_pod *cp = core_pod_by_uid(w->core, p->uid);
		if (p->manifest)
			check_wanted(w, p, cp);
		else if (cp || p->anchor != ANCHOR_NONE || p->proc_count)
			world_fail(w, "%s: not wanted, but %s", p->uid, cp ? pod_state_name(cp->state) : "not gone");
	}
}
