/* The order between pods, as podd.dev/after has it.
 *
 * A sandbox is created only when each pod that is named has come as far as is asked. One that does not exist is waited for. This is asked once,
 * before the sandbox: a pod that runs, or was adopted, does not wait, whatever becomes of those before it.
 *
 * To stop is the reverse, among pods that are to stop at the same time: who is needed stays until those after it have ended. When all are to
 * stop, so does who ranks higher (core/rank.c).
 *
 * Who waits is on core.waiting, PENDING to begin or RUNNING to end, and is looked at again in every step, since any event can have been what it
 * waits for. What is named may be a job: `completed` then means all of it, and its end is remembered when its pods are gone. A cycle would
 * wait for ever: none of its members begins, and each names them all. */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "core/pod.h"

struct done_job {
	struct pod *template; /* a reference */
	enum pod_outcome outcome;
};

static const char *namespace_of(const struct core_pod *p, const struct after *a)
{
	return a->namespace ? a->namespace : p->pod->metadata.namespace;
}

/* The name is a pod's, or that of the job whose pod this is: the youngest that is wanted. */
struct core_pod *depend_find(const struct core *c, const struct core_pod *p, const struct after *a)
{
	struct core_pod *found = table_find_name(c, namespace_of(p, a), a->name);

	if (found)
		return found;
	list_foreach(o, &c->pods, struct core_pod, link)
		if (o->pod && o->wanted && streq0(o->pod->owner.name, a->name) &&
		    streq(o->pod->metadata.namespace, namespace_of(p, a)))
			found = o;
	return found;
}

static struct done_job *find_done(const struct core *c, const char *ns, const char *name)
{
	for (size_t i = 0; i < c->done_count; i++) {
		const struct pod_metadata *m = &c->done[i].template->metadata;
		if (streq(m->namespace, ns) && streq(m->name, name))
			return &c->done[i];
	}
	return NULL;
}

static bool job_has(const struct core *c, const struct core_pod *p, const struct after *a, enum pod_outcome outcome)
{
	const struct done_job *d = find_done(c, namespace_of(p, a), a->name);

	return d && d->outcome == outcome;
}

void depend_job_done(struct core *c, const struct event *e)
{
	struct done_job *known = find_done(c, e->pod->metadata.namespace, e->pod->metadata.name);

	if (known) {
		pod_unref(known->template);
		*known = c->done[--c->done_count];
	}
	if (e->outcome != POD_OUTCOME_OPEN)
		*xgrow(c->done, c->done_count) = (struct done_job){ pod_ref(e->pod), e->outcome };
}

void depend_deinit(struct core *c)
{
	for (size_t i = 0; i < c->done_count; i++)
		pod_unref(c->done[i].template);
	free(c->done);
}

static bool has_come(const struct core_pod *o, enum after_until until)
{
	switch (until) {
	case AFTER_UNTIL_READY:
		return core_pod_ready(o);
	case AFTER_UNTIL_STARTED:
		return (o->state == POD_STATE_RUNNING || o->state == POD_STATE_FINISHED) && status_begun(o);
	case AFTER_UNTIL_COMPLETED: /* of a job it is not one pod's success that counts */
		return !o->pod->owner.name && streq(core_pod_phase(o), "Succeeded");
	case AFTER_UNTIL_MAX:
		break;
	}
	return true;
}

/* The pods on the way to `to` have the one before them in `via`. As deep as the longest chain of pods. */
static bool search(struct core *c, struct core_pod *at, const struct core_pod *to)
{
	for (size_t i = 0; at->pod && i < at->pod->after.count; i++) {
		struct core_pod *o = depend_find(c, at, &at->pod->after.items[i]);
		if (!o || o->walk == c->walk)
			continue;
		o->walk = c->walk;
		o->via = at;
		if (o == to || search(c, o, to))
			return true;
	}
	return false;
}

static bool reaches(struct core *c, struct core_pod *from, const struct core_pod *to)
{
	c->walk++;
	return search(c, from, to);
}

static void print_name(struct buf *out, const struct core_pod *p, const struct core_pod *reader)
{
	if (!streq(p->pod->metadata.namespace, reader->pod->metadata.namespace))
		buf_printf(out, "%s/", p->pod->metadata.namespace);
	buf_puts(out, p->pod->metadata.name);
}

static bool in_cycle(struct core *c, struct core_pod *p, struct buf *ret_why)
{
	if (!reaches(c, p, p))
		return false;
	buf_puts(ret_why, "these pods wait for each other: ");
	print_name(ret_why, p, p);
	for (const struct core_pod *o = p->via;; o = o->via) {
		buf_puts(ret_why, " before ");
		print_name(ret_why, o, p);
		if (o == p)
			return true;
	}
}

static bool lacks(struct core *c, const struct core_pod *p, struct buf *ret_why)
{
	for (size_t i = 0; i < p->pod->after.count; i++) {
		const struct after *a = &p->pod->after.items[i];
		const struct core_pod *o = depend_find(c, p, a);
		if ((o && has_come(o, a->until)) || job_has(c, p, a, POD_OUTCOME_SUCCEEDED))
			continue;
		buf_puts(ret_why, ret_why->len ? ", " : "waits for ");
		if (a->namespace)
			buf_printf(ret_why, "%s/", a->namespace);
		buf_printf(ret_why, "%s to be %s%s", a->name, after_until_name(a->until),
		           job_has(c, p, a, POD_OUTCOME_FAILED) ? " (the job has failed)"
		           : !o                                 ? " (there is no such pod)"
		           : o->pod->owner.name                 ? ""
		           : o->state == POD_STATE_FINISHED     ? " (it has ended)"
		                                                : "");
	}
	return ret_why->len > 0;
}

void depend_enqueue(struct core *c, struct core_pod *p)
{
	if (list_empty(&p->waiting))
		list_append(&c->waiting, &p->waiting);
}

static void block(struct core *c, struct core_pod *p, bool normal, const char *reason, const struct buf *why)
{
	char message[MESSAGE_SIZE];

	depend_enqueue(c, p);
	(void)snprintf(message, sizeof(message), "%s", buf_str(why));
	if (p->blocked && streq(p->reason, reason) && streq(p->message, message))
		return;
	p->blocked = true;
	(void)snprintf(p->reason, sizeof(p->reason), "%s", reason);
	memcpy(p->message, message, sizeof(p->message));
	effect_report(c, p, NULL, normal, reason, "%s", message);
	core_touch(c, p);
}

bool depend_blocks(struct core *c, struct core_pod *p)
{
	_cleanup_buf_ struct buf why = BUF_NULL;

	if (!place_suits(c, p, &why)) {
		block(c, p, false, CORE_NODE_AFFINITY, &why);
		return true;
	}
	if (!rank_known(c, p, &why)) {
		block(c, p, false, "PriorityClassNotFound", &why);
		return true;
	}
	if (in_cycle(c, p, &why)) {
		block(c, p, false, "DependencyCycle", &why);
		return true;
	}
	if (lacks(c, p, &why)) {
		block(c, p, true, "WaitingFor", &why);
		return true;
	}
	if (p->blocked)
		p->reason[0] = p->message[0] = '\0';
	p->blocked = false;
	return false;
}

void depend_warn(struct core *c, struct core_pod *p)
{
	_cleanup_buf_ struct buf why = BUF_NULL;

	if (c->go && p->state != POD_STATE_PENDING && in_cycle(c, p, &why))
		effect_report(c, p, NULL, false, "DependencyCycle", "%s", buf_str(&why));
}

static bool leaves(const struct core_pod *p)
{
	return !p->wanted || p->held;
}

static bool names(const struct core *c, const struct core_pod *p, const struct core_pod *named)
{
	for (size_t i = 0; p->pod && i < p->pod->after.count; i++)
		if (depend_find(c, p, &p->pod->after.items[i]) == named)
			return true;
	return false;
}

static bool exists(const struct core_pod *p)
{
	return p->state != POD_STATE_PENDING && p->state != POD_STATE_HELD && p->state != POD_STATE_FINISHED;
}

/* Of two that are to end: this one first. */
static bool precedes(struct core *c, struct core_pod *o, struct core_pod *p)
{
	if (o->stop_all && p->stop_all && rank_of(c, o) < rank_of(c, p))
		return true;
	return names(c, o, p) && !reaches(c, p, o);
}

bool depend_stays(struct core *c, struct core_pod *p)
{
	if (!leaves(p) || p->recreate)
		return false;
	list_foreach(o, &c->pods, struct core_pod, link)
		if (o != p && leaves(o) && exists(o) && precedes(c, o, p)) {
			depend_enqueue(c, p);
			return true;
		}
	return false;
}

void depend_retry(struct core *c)
{
	rank_sort_waiting(c);
	list_foreach(p, &c->waiting, struct core_pod, waiting) {
		if (p->state == POD_STATE_PENDING) {
			pod_create_if_due(c, p);
		} else if (!depend_stays(c, p)) {
			list_remove(&p->waiting);
			pod_reconcile(c, p);
		}
	}
}
