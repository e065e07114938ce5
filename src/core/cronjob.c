/* One cron job: when it makes jobs, and which of them it keeps. As Kubernetes' controller does it, but for a clock that was set back: there
 * nothing would begin until the clock has come to where it was. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/zone.h"
#include "core/jobs_internal.h"

enum { MISSED_MAX = 100, STEPS_MAX = 100000, SUCCESSES_KEPT = 3, FAILURES_KEPT = 1 };

static bool is_child(const struct cron_job *c, const struct job *j)
{
	return streq0(j->spec->template.owner.uid, c->uid);
}

static bool is_active(const struct job *j)
{
	return !job_is_finished(j) && !j->gone;
}

size_t cron_job_active(const struct jobs *js, const struct cron_job *c)
{
	size_t n = 0;

	list_foreach(j, &js->jobs, const struct job, link)
		n += is_child(c, j) && is_active(j);
	return n;
}

static void save(struct jobs *js, struct cron_job *c)
{
	c->changed = true;
	if (c->saved_step == js->step)
		return;
	c->saved_step = js->step;
	(void)jobs_effect(js, JOB_EFFECT_SAVE, c->uid);
}

/* --- when -------------------------------------------------------------------------------------------------------------------------- */

static int64_t seconds(int64_t wall)
{
	return wall / NS_PER_SEC;
}

/* The last time that is due by `now`, of those after `since`; -1: none. Of a long gap only the end is walked. */
static int64_t last_due(const struct cron_job *c, int64_t since, int64_t now, bool *ret_many)
{
	int64_t first = schedule_next(&c->schedule, c->zone, since), t = first, last = -1;
	int missed = 0;

	*ret_many = false;
	for (; t >= 0 && t <= now && missed <= MISSED_MAX; missed++) {
		last = t;
		t = schedule_next(&c->schedule, c->zone, t);
	}
	if (missed <= MISSED_MAX)
		return last;
	*ret_many = true;
	for (int64_t back = MAX((last - first) / MISSED_MAX, 1); now - back > since; back *= 2) {
		t = schedule_next(&c->schedule, c->zone, now - back);
		if (t >= 0 && t <= now)
			break;
	}
	for (int i = 0; t >= 0 && t <= now && i < STEPS_MAX; i++) {
		last = t;
		t = schedule_next(&c->schedule, c->zone, t);
	}
	return last;
}

static void say_once(struct jobs *js, struct cron_job *c, int64_t due, bool normal, const char *reason, const char *message)
{
	if (c->told_due == due && streq(c->told, reason))
		return;
	c->told_due = due;
	(void)snprintf(c->told, sizeof(c->told), "%s", reason);
	jobs_report(js, c->uid, normal, reason, "%s", message);
}

/* From when on times count that were not met. A clock that was set back has not reached the last one: from when that was seen. */
static int64_t counts_from(struct jobs *js, struct cron_job *c, int64_t now)
{
	if (c->since > now || (c->last > now && !c->set_back)) {
		save(js, c);
		c->since = now;
	}
	c->set_back = c->last > now;
	return c->set_back ? c->since : MAX(c->last, c->since);
}

/* The time for which a job is to begin now, or -1. */
static int64_t due_now(struct jobs *js, struct cron_job *c)
{
	const struct id *deadline = &c->spec->cron.starting_deadline;
	int64_t now = seconds(js->wall), since = counts_from(js, c, now);
	bool many, any;
	char message[MESSAGE_SIZE];
	struct civil t;

	int64_t from = deadline->set ? MAX(since, now - MIN(deadline->value, now)) : since;
	int64_t due = last_due(c, from, now, &many);
	if (many)
		say_once(js, c, due, false, "TooManyMissedTimes",
		         "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew");
	if (due < 0 && from > since && (due = last_due(c, since, now, &any)) >= 0 && due != c->last) {
		civil_of(due, &t);
		(void)snprintf(message, sizeof(message),
		               "Missed scheduled time to start a job: %04" PRId64 "-%02d-%02dT%02d:%02d:%02dZ", t.year, t.month,
		               t.day, t.hour, t.minute, t.second);
		say_once(js, c, due, false, "MissSchedule", message);
		return -1;
	}
	return due == c->last ? -1 : due;
}

/* --- its jobs ------------------------------------------------------------------------------------------------------------------------ */

static void end_job(struct jobs *js, struct cron_job *c, struct job *j)
{
	j->gone = true;
	c->changed = true;
	jobs_report(js, c->uid, true, "SuccessfulDelete", "Deleted job %s", j->spec->metadata.name);
}

static bool make_job(struct jobs *js, struct cron_job *c, const char *name)
{
	char text[POD_UID_SIZE + JOB_POD_NAME_SIZE], uid[POD_UID_SIZE];

	(void)snprintf(text, sizeof(text), "%s/%s", c->uid, name);
	jobs_derive_uid(text, uid);
	if (jobs_find(js, uid))
		return false;
	struct job *j = jobs_add(js, uid);
	j->spec = workload_job(c->spec, name, c->uid);
	j->template_hash = pod_spec_hash(&j->spec->template);
	j->created_wall = js->wall;
	job_save(js, j);
	jobs_report(js, c->uid, true, "SuccessfulCreate", "Created job %s", name);
	return true;
}

static void begin(struct jobs *js, struct cron_job *c, int64_t due)
{
	char name[JOB_POD_NAME_SIZE];
	int unit = c->schedule.every % 60 ? 1 : 60; /* "@every 10s" has more than one a minute */

	(void)snprintf(name, sizeof(name), "%s-%" PRId64, c->spec->metadata.name, due / unit);
	if (c->spec->cron.concurrency == CONCURRENCY_FORBID && cron_job_active(js, c)) {
		say_once(js, c, due, true, "JobAlreadyActive",
		         "Not starting job because prior execution is running and concurrency policy is Forbid");
		return;
	}
	list_foreach(j, &js->jobs, struct job, link)
		if (c->spec->cron.concurrency == CONCURRENCY_REPLACE && is_child(c, j) && is_active(j))
			end_job(js, c, j);
	save(js, c);
	c->last = due;
	(void)make_job(js, c, name); /* else the clock was set back, and it is there already */
}

/* Jobs that have ended are told of once, and the oldest go. */
static void keep_history(struct jobs *js, struct cron_job *c)
{
	const struct id *limits[] = { &c->spec->cron.successes_kept, &c->spec->cron.failures_kept };
	int64_t kept[] = { limits[0]->set ? limits[0]->value : SUCCESSES_KEPT, limits[1]->set ? limits[1]->value : FAILURES_KEPT };
	int64_t count[2] = { 0 };

	list_foreach(j, &js->jobs, struct job, link) {
		if (!is_child(c, j) || !job_is_finished(j) || j->gone)
			continue;
		count[j->end == JOB_END_FAILED]++;
		if (j->seen)
			continue;
		save(js, c);
		job_save(js, j);
		j->seen = true;
		if (j->end == JOB_END_COMPLETE)
			c->last_success = seconds(j->finished.wall);
		jobs_report(js, c->uid, true, "SawCompletedJob", "Saw completed job: %s, condition: %s", j->spec->metadata.name,
		            job_end_name(j->end));
	}
	list_foreach(j, &js->jobs, struct job, link) { /* oldest first */
		bool failed = j->end == JOB_END_FAILED;
		if (!is_child(c, j) || !job_is_finished(j) || j->gone)
			continue;
		if (j->cleaned || count[failed] > kept[failed]) {
			count[failed]--;
			end_job(js, c, j);
		}
	}
}

/* --- life -------------------------------------------------------------------------------------------------------------------------- */

static void forget(struct jobs *js, struct cron_job *c)
{
	bool any = false;

	list_foreach(j, &js->jobs, struct job, link)
		if (is_child(c, j))
			any = j->gone = true;
	if (any)
		return;
	(void)jobs_effect(js, JOB_EFFECT_FORGET, c->uid);
	jobs_forget_cron(js, c);
}

void cron_job_settle(struct jobs *js, struct cron_job *c)
{
	if (c->gone) {
		forget(js, c);
		return;
	}
	keep_history(js, c);
	c->next = 0;
	if (!c->spec->cron.suspend && !c->lost_zone) {
		int64_t due = due_now(js, c), now = seconds(js->wall);
		if (due >= 0)
			begin(js, c, due);
		int64_t next = schedule_next(&c->schedule, c->zone, now);
		c->next = next < 0 ? 0 : next * NS_PER_SEC;
	}
	if (c->changed)
		(void)jobs_effect(js, JOB_EFFECT_CHANGED, c->uid);
	c->changed = false;
}

void cron_job_run(struct jobs *js, struct cron_job *c, const char *name)
{
	(void)make_job(js, c, name);
	c->changed = true;
}

/* --- wishes -------------------------------------------------------------------------------------------------------------------------- */

void cron_job_state_print(const struct cron_job *c, struct buf *out)
{
	buf_printf(out, "cron %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n", c->created_wall, c->since, c->last,
	           c->last_success);
}

static bool same_schedule(const struct cron_spec *a, const struct cron_spec *b)
{
	return streq(a->schedule, b->schedule) && streq0(a->time_zone, b->time_zone);
}

void cron_job_set(struct jobs *js, struct cron_job *c, const struct job_event *e)
{
	struct workload *former = c->spec;

	c->spec = (struct workload *)pod_ref(e->pod)->workload;
	(void)schedule_parse(c->spec->cron.schedule, &c->schedule); /* it was judged with the manifest */
	zone_free(c->zone);
	c->zone = e->zone;
	c->lost_zone = e->zone_lost;
	c->gone = false;
	c->changed = true;
	if (!former && (!e->state || sscanf(e->state, "cron %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64, &c->created_wall,
	                                    &c->since, &c->last, &c->last_success) != 4)) {
		c->created_wall = js->wall;
		c->since = seconds(js->wall);
		save(js, c);
	}
	if (former &&
	    !same_schedule(&former->cron, &c->spec->cron)) { /* what the new one would have been due before is not missed */
		save(js, c);
		c->since = seconds(js->wall);
	}
	if (c->lost_zone)
		jobs_report(js, c->uid, false, "UnknownTimeZone", "invalid timeZone: \"%s\": unknown time zone",
		            c->spec->cron.time_zone ? c->spec->cron.time_zone : "Local");
	pod_unref(former ? &former->template : NULL);
}
