#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/alloc.h"
#include "base/str.h"
#include "core/jobs_internal.h"

struct jobs *jobs_new(void)
{
	struct jobs *js = xnew(struct jobs);

	list_init(&js->jobs);
	list_init(&js->forgotten);
	return js;
}

struct job_effect *jobs_effect(struct jobs *js, enum job_effect_type type, const char *uid)
{
	if (js->effect_count == js->effect_capacity) {
		js->effect_capacity = js->effect_capacity ? js->effect_capacity * 2 : 16;
		js->effects = xrealloc(js->effects, js->effect_capacity, sizeof(*js->effects));
	}
	struct job_effect *f = &js->effects[js->effect_count++];
	*f = (struct job_effect){ .type = type };
	(void)snprintf(f->uid, sizeof(f->uid), "%s", uid);
	return f;
}

void jobs_report(struct jobs *js, const char *uid, bool normal, const char *reason, const char *fmt, ...)
{
	struct job_effect *f = jobs_effect(js, JOB_EFFECT_REPORT, uid);
	va_list ap;

	f->normal = normal;
	(void)snprintf(f->reason, sizeof(f->reason), "%s", reason);
	va_start(ap, fmt);
	(void)vsnprintf(f->message, sizeof(f->message), fmt, ap);
	va_end(ap);
}

static void drop_effects(struct jobs *js)
{
	for (size_t i = 0; i < js->effect_count; i++)
		pod_unref(js->effects[i].pod);
	js->effect_count = 0;
}

static struct job *find(const struct jobs *js, const char *uid)
{
	list_foreach(j, &js->jobs, struct job, link)
		if (streq(j->uid, uid))
			return j;
	return NULL;
}

static struct job *add(struct jobs *js, const char *uid)
{
	struct job *j = xnew(struct job);

	(void)snprintf(j->uid, sizeof(j->uid), "%s", uid);
	list_append(&js->jobs, &j->link);
	return j;
}

void jobs_forget(struct jobs *js, struct job *j)
{
	list_remove(&j->link);
	list_append(&js->forgotten, &j->link);
}

static void bury(struct jobs *js)
{
	list_foreach(j, &js->forgotten, struct job, link) {
		list_remove(&j->link);
		pod_unref(&j->spec->template);
		free(j->pods);
		free(j);
	}
}

struct jobs *jobs_free(struct jobs *js)
{
	if (!js)
		return NULL;
	list_foreach(j, &js->jobs, struct job, link)
		jobs_forget(js, j);
	bury(js);
	drop_effects(js);
	free(js->effects);
	free(js);
	return NULL;
}

static void handle(struct jobs *js, const struct job_event *e)
{
	struct job *j = e->core_pod ? find(js, e->core_pod->pod->owner.uid) : find(js, e->uid);

	switch (e->type) {
	case JOB_EVENT_SET:
		job_set(js, j ? j : add(js, e->uid), e);
		break;
	case JOB_EVENT_GONE:
		if (j)
			j->gone = true;
		break;
	case JOB_EVENT_POD:
		if (j)
			job_saw_pod(js, j, e->core_pod);
		break;
	case JOB_EVENT_POD_GONE:
		list_foreach(o, &js->jobs, struct job, link)
			job_pod_is_gone(js, o, e->uid);
		break;
	case JOB_EVENT_GO:
		js->go = true;
		break;
	case JOB_EVENT_TICK:
		break;
	}
}

void jobs_step(struct jobs *js, const struct job_event *e, struct job_effects *out)
{
	drop_effects(js);
	bury(js);
	js->step++;
	js->boot = MAX(js->boot, e->boot);
	js->wall = e->wall;
	handle(js, e);
	list_foreach(j, &js->jobs, struct job, link)
		if (js->go)
			job_settle(js, j);
	*out = (struct job_effects){ js->effects, js->effect_count };
}

int64_t jobs_deadline(const struct jobs *js)
{
	int64_t first = 0;

	list_foreach(j, &js->jobs, const struct job, link) {
		int64_t d = js->go ? job_deadline(j) : 0;
		if (d && (!first || d < first))
			first = d;
	}
	return first;
}

const struct job *jobs_find(const struct jobs *js, const char *uid)
{
	struct job *j = find(js, uid);

	list_foreach(o, &js->forgotten, struct job, link)
		if (!j && streq(o->uid, uid))
			j = o;
	return j;
}

const struct list *jobs_all(const struct jobs *js)
{
	return &js->jobs;
}
