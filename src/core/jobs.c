#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "base/str.h"
#include "core/jobs_internal.h"

struct jobs *jobs_new(void)
{
	struct jobs *js = xnew(struct jobs);

	list_init(&js->jobs);
	list_init(&js->forgotten);
	list_init(&js->crons);
	list_init(&js->forgotten_crons);
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

static struct cron_job *find_cron(const struct jobs *js, const char *uid)
{
	list_foreach(c, &js->crons, struct cron_job, link)
		if (streq(c->uid, uid))
			return c;
	return NULL;
}

struct job *jobs_add(struct jobs *js, const char *uid)
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

static struct cron_job *add_cron(struct jobs *js, const char *uid)
{
	struct cron_job *c = xnew(struct cron_job);

	(void)snprintf(c->uid, sizeof(c->uid), "%s", uid);
	list_append(&js->crons, &c->link);
	return c;
}

void jobs_forget_cron(struct jobs *js, struct cron_job *c)
{
	list_remove(&c->link);
	list_append(&js->forgotten_crons, &c->link);
}

/* RFC 9562, version 8. */
void jobs_derive_uid(const char *text, char ret[static POD_UID_SIZE])
{
	unsigned char b[SHA256_SIZE];

	sha256(text, strlen(text), b);
	b[6] = (b[6] & 0x0f) | 0x80;
	b[8] = (b[8] & 0x3f) | 0x80;
	(void)snprintf(ret, POD_UID_SIZE, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
	               b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static void bury(struct jobs *js)
{
	list_foreach(c, &js->forgotten_crons, struct cron_job, link) {
		list_remove(&c->link);
		pod_unref(&c->spec->template);
		zone_free(c->zone);
		free(c);
	}
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
	list_foreach(c, &js->crons, struct cron_job, link)
		jobs_forget_cron(js, c);
	bury(js);
	drop_effects(js);
	free(js->effects);
	free(js);
	return NULL;
}

static void set(struct jobs *js, struct job *j, const struct job_event *e)
{
	struct cron_job *c = find_cron(js, e->uid);

	if (pod_runs(e->pod) == WORKLOAD_CRON_JOB)
		cron_job_set(js, c ? c : add_cron(js, e->uid), e);
	else
		job_set(js, j ? j : jobs_add(js, e->uid), e);
}

/* A job whose cron job went when podd was not there to see it. */
static void end_orphans(struct jobs *js)
{
	list_foreach(j, &js->jobs, struct job, link)
		j->gone = j->gone || (j->spec->template.owner.uid && !find_cron(js, j->spec->template.owner.uid));
}

static void handle(struct jobs *js, const struct job_event *e)
{
	struct cron_job *c = find_cron(js, e->uid);
	struct job *j = e->core_pod ? find(js, e->core_pod->pod->owner.uid) : find(js, e->uid);

	switch (e->type) {
	case JOB_EVENT_SET:
		set(js, j, e);
		break;
	case JOB_EVENT_GONE:
		if (j)
			j->gone = true;
		if (c)
			c->gone = true;
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
		end_orphans(js);
		break;
	case JOB_EVENT_RUN:
		if (c)
			cron_job_run(js, c, e->name);
		break;
	case JOB_EVENT_TICK:
		break;
	}
}

/* Cron jobs make jobs and end them, and the end of a job is news for its cron job. */
static void settle(struct jobs *js)
{
	size_t before;

	do {
		before = js->effect_count;
		list_foreach(c, &js->crons, struct cron_job, link)
			cron_job_settle(js, c);
		list_foreach(j, &js->jobs, struct job, link)
			job_settle(js, j);
	} while (js->effect_count != before);
}

void jobs_step(struct jobs *js, const struct job_event *e, struct job_effects *out)
{
	drop_effects(js);
	bury(js);
	js->step++;
	js->boot = MAX(js->boot, e->boot);
	js->wall = e->wall;
	handle(js, e);
	if (js->go)
		settle(js);
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
	list_foreach(c, &js->crons, const struct cron_job, link) {
		int64_t d = c->next && js->go ? MAX(js->boot + (c->next - js->wall), 1) : 0;
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

const struct cron_job *jobs_find_cron(const struct jobs *js, const char *uid)
{
	struct cron_job *c = find_cron(js, uid);

	list_foreach(o, &js->forgotten_crons, struct cron_job, link)
		if (!c && streq(o->uid, uid))
			c = o;
	return c;
}

const struct list *jobs_crons(const struct jobs *js)
{
	return &js->crons;
}

void jobs_state_print(const struct jobs *js, const char *uid, struct buf *out)
{
	const struct job *j = jobs_find(js, uid);
	const struct cron_job *c = jobs_find_cron(js, uid);

	if (j)
		job_state_print(j, out);
	else if (c)
		cron_job_state_print(c, out);
}

const struct list *jobs_all(const struct jobs *js)
{
	return &js->jobs;
}
