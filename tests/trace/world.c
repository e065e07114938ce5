/* The world's state, and what effects do to it. */
#include "trace/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "core/note.h"

void world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->config.backoff = BACKOFF_DEFAULT;
	w->config.node = &w->node;
	w->node.labels.items = &w->label;
	w->core = core_new(&w->config);
	w->boot = NS_PER_SEC;
	w->wall = 1700000000 * NS_PER_SEC;
	w->next_pid = 100;
	w->internal_errors = true;
}

void world_deinit(struct world *w)
{
	for (size_t i = 0; i < w->pod_count; i++)
		buf_deinit(&w->pods[i].note);
	w->core = core_free(w->core);
}

void world_fail(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (*w->violation)
		return; /* the first one is the cause */
	va_start(ap, fmt);
	(void)vsnprintf(w->violation, sizeof(w->violation), fmt, ap);
	va_end(ap);
	if (w->log)
		buf_printf(w->log, "VIOLATION: %s\n", w->violation);
}

struct world_pod *world_pod(struct world *w, const char *uid)
{
	for (size_t i = 0; i < w->pod_count; i++)
		if (streq(w->pods[i].uid, uid))
			return &w->pods[i];
	return NULL;
}

struct world_pod *world_add(struct world *w, const char *uid)
{
	struct world_pod *p = world_pod(w, uid);

	if (!p && w->pod_count < WORLD_PODS) {
		p = &w->pods[w->pod_count++];
		(void)snprintf(p->uid, sizeof(p->uid), "%s", uid);
	}
	return p;
}

struct world_proc *world_proc(struct world_pod *p, const char *name, uint32_t number)
{
	for (size_t i = 0; i < p->proc_count; i++)
		if (p->procs[i].number == number && streq(p->procs[i].name, name))
			return &p->procs[i];
	return NULL;
}

struct world_proc *world_current(struct world_pod *p, const char *name)
{
	struct world_proc *found = NULL;

	for (size_t i = 0; i < p->proc_count; i++)
		if (streq(p->procs[i].name, name) && (!found || p->procs[i].number > found->number))
			found = &p->procs[i];
	return found;
}

static struct world_name *name_of(struct world *w, struct world_pod *p, const char *name)
{
	for (size_t i = 0; i < p->name_count; i++)
		if (streq(p->names[i].name, name))
			return &p->names[i];
	if (p->name_count == WORLD_NAMES) {
		world_fail(w, "model: too many container names");
		return &p->names[0];
	}
	struct world_name *n = &p->names[p->name_count++];
	memset(n, 0, sizeof(*n));
	(void)snprintf(n->name, sizeof(n->name), "%.15s", name);
	return n;
}

static const struct core_pod *pod_before(const struct world *w, const struct world_pod *p, const struct world_pod **ret)
{
	for (size_t i = 0; i < w->pod_count; i++)
		if (w->pods[i].manifest && streq(w->pods[i].want.name, p->want.after)) {
			*ret = &w->pods[i];
			return core_pod_by_uid(w->core, w->pods[i].uid);
		}
	return NULL;
}

bool world_may_begin(const struct world *w, const struct world_pod *p)
{
	const struct world_pod *before = NULL;
	const struct core_pod *cp = pod_before(w, p, &before);

	if (*p->want.for_label && !(w->node.labels.count && streq(w->label.name, p->want.for_label)))
		return false;
	if (!*p->want.after)
		return true;
	if (!cp)
		return false;
	if (p->want.until == AFTER_UNTIL_COMPLETED)
		return streq(core_pod_phase(cp), "Succeeded");
	if (p->want.until == AFTER_UNTIL_READY)
		return core_pod_ready(cp);
	for (size_t i = 0; i < before->want.count;
	     i++) { /* nobody was started who was not launched, or whose launch was called off */
		const struct core_container *k = core_container(cp, before->want.containers[i].name);
		if ((cp->state != POD_STATE_RUNNING && cp->state != POD_STATE_FINISHED) || !core_pod_initialized(cp) ||
		    !k->launched ||
		    (cp->failure && !k->last.set && k->state != CONTAINER_STATE_RUNNING && k->state != CONTAINER_STATE_STOPPING))
			return false;
	}
	return true;
}

static void apply_create(struct world *w, struct world_pod *p)
{
	if (p->anchor != ANCHOR_NONE)
		world_fail(w, "%s: a sandbox is created beside another", p->uid);
	if (!p->manifest)
		world_fail(w, "%s: a sandbox is created for what nobody wants", p->uid);
	for (size_t i = 0; i < w->pod_count; i++)
		if (&w->pods[i] != p && !w->pods[i].nameless && w->pods[i].anchor != ANCHOR_NONE &&
		    streq(w->pods[i].want.name, p->want.name))
			world_fail(w, "%s: runs beside its namesake %s", p->uid, w->pods[i].uid);
	if (!world_may_begin(w, p))
		world_fail(w, "%s: begins before %s is %s", p->uid, p->want.after, after_until_name(p->want.until));
	p->anchor = ANCHOR_CREATING;
	p->host = p->want.host;
	p->told_lost = p->ending = false;
	buf_clear(&p->note);
	for (size_t i = 0; i < p->name_count; i++)
		p->names[i].ran = p->names[i].passed = p->names[i].begun = false;
}

static void check_order(struct world *w, struct world_pod *p, const struct start_id *id)
{
	const struct testpod_container *me = testpod_find(&p->want, id->container);

	if (!me || me->role == CONTAINER_ROLE_DEBUG)
		return;
	for (size_t i = 0; &p->want.containers[i] < me; i++) {
		const struct testpod_container *before = &p->want.containers[i];
		const struct world_name *n = name_of(w, p, before->name);
		bool waits = before->probes[PROBE_STARTUP].failures && !n->begun;
		if (before->role != CONTAINER_ROLE_MEMBER && (!n->passed || waits))
			world_fail(w, "%s/%s#%u: launched before %s has passed", p->uid, id->container, id->number, before->name);
	}
}

static bool has_rule(const struct world_pod *p)
{
	for (size_t i = 0; i < p->want.count; i++)
		if (p->want.containers[i].rule.code)
			return true;
	return false;
}

static void apply_launch(struct world *w, struct world_pod *p, const struct start_id *id)
{
	struct world_name *n = name_of(w, p, id->container);
	const struct testpod_container *want = testpod_find(&p->want, id->container);

	if (p->anchor != ANCHOR_UP && p->anchor != ANCHOR_DEAD)
		world_fail(w, "%s/%s#%u: launched without a sandbox", p->uid, id->container, id->number);
	if (p->destroying)
		world_fail(w, "%s/%s#%u: launched while its sandbox is destroyed", p->uid, id->container, id->number);
	if (!want)
		world_fail(w, "%s/%s#%u: launched, and nobody wants it", p->uid, id->container, id->number);
	if (id->number < n->next)
		world_fail(w, "%s/%s#%u: the number was used", p->uid, id->container, id->number);
	check_order(w, p, id);
	if (n->ran && p->want.policy == RESTART_POLICY_NEVER && want && want->restart == CONTAINER_RESTART_AS_POD && !has_rule(p))
		world_fail(w, "%s/%s#%u: ran before, and restartPolicy is Never", p->uid, id->container, id->number);
	n->next = MAX(n->next, id->number + 1);
	for (size_t i = 0; i < p->proc_count; i++)
		if (streq(p->procs[i].name, id->container) && p->procs[i].state != PROC_DEAD)
			world_fail(w, "%s/%s#%u: launched while #%u may live", p->uid, id->container, id->number,
			           p->procs[i].number);
	if (*w->violation || p->anchor == ANCHOR_DEAD)
		return;
	if (p->proc_count == WORLD_PROCS) {
		world_fail(w, "%s: the anchor's table of starts is full, exits are not acknowledged", p->uid);
		return;
	}
	struct world_proc *q = &p->procs[p->proc_count++];
	*q = (struct world_proc){ .hook = HOOK_MAX, .number = id->number, .image = want->image, .limit = want->limit };
	(void)snprintf(q->name, sizeof(q->name), "%.15s", id->container);
}

static bool noted(struct world_pod *p, const struct start_id *id)
{
	struct note n;

	if (!note_read(p->note.data, p->note.len, &n))
		return false;
	const struct note_container *k = note_find(&n, id->container);
	if (!k) /* taken out by an edit: only that its number was used counts */
		return n.number_floor > id->number;
	/* A start that made no container leaves no termination, but the number is used up. */
	return k->last.set && k->last.number >= id->number ? true : k->launch_void && k->next_number > id->number;
}

static void apply_ack(struct world *w, struct world_pod *p, const struct start_id *id)
{
	struct world_proc *q = world_proc(p, id->container, id->number);

	if (!q || p->anchor != ANCHOR_UP)
		return;
	if (q->state != PROC_DEAD)
		world_fail(w, "%s/%s#%u: its exit is acknowledged while it lives", p->uid, q->name, q->number);
	else if (!p->destroying && !noted(p, id))
		world_fail(w, "%s/%s#%u: its exit is acknowledged before it is noted", p->uid, q->name, q->number);
	*q = p->procs[--p->proc_count];
}

/* In a pod that is to end: whom the sidecar serves has ended, or the grace period is used up. */
static void check_outlives(struct world *w, struct world_pod *p, const struct world_proc *sidecar)
{
	const struct testpod_container *s = testpod_find(&p->want, sidecar->name);

	if (!s || s->role != CONTAINER_ROLE_SIDECAR || sidecar->term || !p->ending || w->boot >= p->end_boot)
		return;
	for (size_t i = 0; i < p->proc_count; i++) {
		const struct world_proc *q = &p->procs[i];
		const struct testpod_container *k = testpod_find(&p->want, q->name);
		bool served = k && (k->role != CONTAINER_ROLE_SIDECAR || k > s);
		bool left = q->killed || (q->term && w->boot - q->term_boot >= p->want.grace * NS_PER_SEC);
		if (served && q->state == PROC_ALIVE && q->told_started && !left)
			world_fail(w, "%s/%s: told to stop before %s has ended", p->uid, sidecar->name, q->name);
	}
}

static void apply_signal(struct world *w, struct world_pod *p, const struct effect *f)
{
	struct world_proc *q = world_proc(p, f->id.container, f->id.number);

	if (!q)
		return;
	if (f->type == EFFECT_SIGNAL)
		check_outlives(w, p, q);
	if (!q->term)
		q->term_boot = w->boot;
	q->term = true;
	q->killed = q->killed || f->type == EFFECT_KILL;
}

static void apply_hook(struct world *w, struct world_pod *p, const struct effect *f)
{
	struct world_proc *q = world_proc(p, f->id.container, f->id.number);

	if (q && q->state == PROC_REQUESTED)
		world_fail(w, "%s/%s: hooked before it runs", p->uid, q->name);
	if (q)
		q->hook = f->hook;
}

static void apply_probe(struct world *w, struct world_pod *p, const struct effect *f)
{
	struct world_proc *q = world_proc(p, f->id.container, f->id.number);
	const struct testpod_container *want = testpod_find(&p->want, f->id.container);

	if (!q)
		return;
	if (q->state == PROC_REQUESTED || q->hook != HOOK_MAX)
		world_fail(w, "%s/%s: probed before it runs", p->uid, q->name);
	if (q->probed[f->probe] && !q->stale[f->probe])
		world_fail(w, "%s/%s: probed twice at once", p->uid, q->name);
	if (!want || !want->probes[f->probe].failures)
		world_fail(w, "%s/%s: probed, and nobody wants to know", p->uid, q->name);
	else if (f->probe != PROBE_STARTUP && want->probes[PROBE_STARTUP].failures && !q->begun)
		world_fail(w, "%s/%s: probed before its startup probe has succeeded", p->uid, q->name);
	q->probed[f->probe] = true;
	q->stale[f->probe] = false;
}

/* Only failures in a row that were told may condemn a container, and of liveness only when it has begun. */
static void check_condemned(struct world *w, struct world_pod *p, const struct effect *f)
{
	struct world_proc *q = world_proc(p, f->id.container, f->id.number);
	const struct testpod_container *want = testpod_find(&p->want, f->id.container);
	bool startup = strstr(f->message, "startup probe"), liveness = strstr(f->message, "liveness probe");
	enum probe_kind kind = startup ? PROBE_STARTUP : PROBE_LIVENESS;

	if (!q || !want || (!startup && !liveness))
		return;
	if (q->failures[kind] < want->probes[kind].failures)
		world_fail(w, "%s/%s: stopped after %d failures of a probe that may have %d", p->uid, q->name, q->failures[kind],
		           want->probes[kind].failures - 1);
	if (liveness && want->probes[PROBE_STARTUP].failures && !q->begun)
		world_fail(w, "%s/%s: stopped by liveness before it has begun", p->uid, q->name);
}

static void apply_abort(struct world_pod *p, const struct effect *f)
{
	struct world_proc *q = world_proc(p, f->id.container, f->id.number);

	if (q && q->state == PROC_REQUESTED)
		q->aborted = true;
}

static void apply_resize(struct world *w, struct world_pod *p)
{
	if (p->anchor != ANCHOR_UP && p->anchor != ANCHOR_DEAD)
		world_fail(w, "%s: resized without a sandbox", p->uid);
	for (size_t i = 0; i < p->proc_count; i++) {
		struct world_proc *q = &p->procs[i];
		const struct testpod_container *want = testpod_find(&p->want, q->name);
		if (want && q->state == PROC_ALIVE) /* one that is being launched has no cgroup yet */
			q->limit = want->limit;
	}
}

static void apply_forget(struct world *w, struct world_pod *p)
{
	if (p->anchor != ANCHOR_NONE)
		world_fail(w, "%s: forgotten while its sandbox is there", p->uid);
	if (p->manifest)
		world_fail(w, "%s: forgotten while it is wanted", p->uid);
	p->known = p->counts = false;
	p->name_count = 0;
}

static void apply(struct world *w, const struct effect *f)
{
	struct world_pod *p = world_pod(w, f->id.uid);

	if (!p || !p->known) {
		world_fail(w, "%s: %s for a pod that is gone", f->id.uid, effect_name(f->type));
		return;
	}
	switch (f->type) {
	case EFFECT_SANDBOX_CREATE:
		apply_create(w, p);
		break;
	case EFFECT_SANDBOX_DESTROY:
		if (p->anchor == ANCHOR_NONE || p->destroying)
			world_fail(w, "%s: there is no sandbox to destroy", p->uid);
		p->destroying = true;
		p->counts = false;
		break;
	case EFFECT_LAUNCH:
		apply_launch(w, p, &f->id);
		break;
	case EFFECT_ABORT:
		apply_abort(p, f);
		break;
	case EFFECT_HOOK:
		apply_hook(w, p, f);
		break;
	case EFFECT_PROBE:
		apply_probe(w, p, f);
		break;
	case EFFECT_SIGNAL:
	case EFFECT_KILL:
		apply_signal(w, p, f);
		break;
	case EFFECT_ACK:
		apply_ack(w, p, &f->id);
		break;
	case EFFECT_NOTE:
		if (p->anchor == ANCHOR_UP) {
			buf_clear(&p->note);
			core_note(core_pod_by_uid(w->core, p->uid), &p->note);
			if (p->note.len > NOTE_SIZE_MAX)
				world_fail(w, "%s: the note is too large", p->uid);
		}
		break;
	case EFFECT_RESIZE:
		apply_resize(w, p);
		break;
	case EFFECT_FORGET:
		apply_forget(w, p);
		break;
	case EFFECT_REPORT:
		check_condemned(w, p, f);
		if (w->internal_errors && streq(f->reason, "InternalError"))
			world_fail(w, "%s: %s", p->uid, f->message);
		break;
	case EFFECT_CHANGED:
	case EFFECT_MAX:
		break;
	}
}

static void print_effect(struct buf *out, const struct effect *f)
{
	buf_printf(out, "%s%s %s", out->len ? "; " : "", effect_name(f->type), f->id.uid);
	if (*f->id.container && f->type == EFFECT_REPORT)
		buf_printf(out, "/%s", f->id.container);
	else if (*f->id.container)
		buf_printf(out, "/%s#%u", f->id.container, f->id.number);
	if (f->type == EFFECT_SIGNAL)
		buf_printf(out, " %d", f->signal ? f->signal : SIGTERM);
	if (f->type == EFFECT_HOOK)
		buf_printf(out, " %s", hook_name(f->hook));
	if (f->type == EFFECT_PROBE)
		buf_printf(out, " %s", probe_name(f->probe));
	if (f->type == EFFECT_REPORT)
		buf_printf(out, " %s", f->reason);
}

static void print_event(struct buf *out, const struct world *w, const struct event *e)
{
	buf_printf(out, "%8lld %s %s", (long long)((w->boot - NS_PER_SEC) / NS_PER_MS), event_name(e->type), e->id.uid);
	if (*e->id.container)
		buf_printf(out, "/%s#%u", e->id.container, e->id.number);
	if (e->type == EVENT_EXITED)
		buf_printf(out, " code=%d", e->exit.code);
	if (e->type == EVENT_PROBED)
		buf_printf(out, " %s result=%d", probe_name(e->probe), (int)e->result);
	if (e->type == EVENT_POD_SET)
		buf_printf(out, " %s", e->pod->hash);
}

/* Of pods that are told to stop, the one that comes after the other ends first; unless each is after the other. */
static void check_stays(struct world *w, const struct world_pod *p)
{
	for (size_t i = 0; i < w->pod_count && p->held && !*p->want.after; i++) {
		const struct world_pod *o = &w->pods[i];
		const struct core_pod *co = core_pod_by_uid(w->core, o->uid);
		if (o != p && o->held && o->manifest && streq(o->want.after, p->want.name) && co && co->state == POD_STATE_RUNNING)
			world_fail(w, "%s: stops before %s, which comes after it", p->uid, o->uid);
	}
}

static void watch_end(struct world *w, struct world_pod *p)
{
	const struct core_pod *cp = core_pod_by_uid(w->core, p->uid);
	bool ends = cp && cp->state == POD_STATE_STOPPING;

	if (ends && !p->ending)
		check_stays(w, p);
	if (ends && !p->ending)
		p->end_boot = w->boot + p->want.grace * NS_PER_SEC;
	if (cp && cp->state != POD_STATE_PENDING && cp->state != POD_STATE_ADOPTING) /* where a new podd begins */
		p->ending = ends;
}

/* What need not be probed has begun as soon as it runs, and an edit that asks for a probe afterwards does not change that. */
static void watch_begun(struct world_pod *p)
{
	for (size_t i = 0; i < p->want.count; i++) {
		const struct testpod_container *want = &p->want.containers[i];
		for (size_t j = 0; j < p->name_count && !want->probes[PROBE_STARTUP].failures; j++)
			if (streq(p->names[j].name, want->name))
				p->names[j].begun = p->names[j].begun || p->names[j].passed;
		for (size_t j = 0; j < p->proc_count && !want->probes[PROBE_STARTUP].failures; j++)
			if (streq(p->procs[j].name, want->name))
				p->procs[j].begun = p->procs[j].begun || p->procs[j].told_started;
	}
}

size_t world_step(struct world *w, struct event *e, size_t limit)
{
	struct effects effects;
	struct buf text = BUF_NULL, *out = w->log ? &text : w->effects;

	e->boot = w->boot;
	e->wall = w->wall;
	if (w->log)
		print_event(w->log, w, e);
	core_step(w->core, e, &effects);
	for (size_t i = 0; i < w->pod_count; i++)
		watch_end(w, &w->pods[i]);
	for (size_t i = 0; i < effects.count && i < limit; i++) {
		if (out)
			print_effect(out, &effects.items[i]);
		if (w->log && i + 1 == effects.count)
			buf_printf(w->log, " -> %s\n", buf_str(out));
		if (!*w->violation)
			apply(w, &effects.items[i]);
	}
	if (w->log && (!effects.count || limit < effects.count))
		buf_printf(w->log, " -> %s%s\n", buf_str(out), effects.count ? " [podd dies here]" : "");
	/* The shell's file of what is held follows the core. */
	for (size_t i = 0; i < w->pod_count && limit >= effects.count; i++) {
		const struct core_pod *cp = core_pod_by_uid(w->core, w->pods[i].uid);
		if (cp && !cp->held)
			w->pods[i].held = false;
	}
	for (size_t i = 0; i < w->pod_count; i++)
		watch_begun(&w->pods[i]);
	buf_deinit(&text);
	return effects.count;
}
