/* Jobs and cron jobs in virtual time: schedules on clocks that jump, what is missed, what is remembered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "core/jobs.h"

/* A TZif file without transitions: the rule of its footer alone. */
static struct zone *zone_of(const char *rule)
{
	unsigned char file[256] = { 0 };
	size_t n = 0;

	for (int block = 0; block < 2; block++) {
		memcpy(file + n, "TZif2", 5);
		file[n + 39] = 1; /* types */
		file[n + 43] = 4; /* characters */
		n += 44 + 6 + 4;
	}
	n += (size_t)snprintf((char *)file + n, sizeof(file) - n, "\n%s\n", rule);
	struct zone *z = zone_new(file, n);
	assert_non_null(z);
	return z;
}

static int64_t at(const char *text)
{
	int64_t wall;

	assert_int_equal(clock_parse(text, &wall), 0);
	return wall;
}

/* The next times after `from`, as UTC, without the seconds. */
static void expect_times(const char *schedule, const char *rule, const char *from, const char *const *want)
{
	struct zone *z = rule ? zone_of(rule) : NULL;
	int64_t t = at(from) / NS_PER_SEC;
	struct schedule s;

	assert_true(schedule_parse(schedule, &s));
	for (; *want; want++) {
		char text[CLOCK_TEXT_SIZE];
		t = schedule_next(&s, z, t);
		clock_text(t * NS_PER_SEC, text);
		text[16] = '\0';
		assert_string_equal(text, *want);
	}
	zone_free(z);
}

#define TIMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void test_schedules(void **state _unused_)
{
	expect_times("*/20 * * * *", NULL, "2026-01-01T00:00:00Z",
	             TIMES("2026-01-01T00:20", "2026-01-01T00:40", "2026-01-01T01:00"));
	expect_times("5/15 22 * * *", NULL, "2026-01-01T22:30:00Z",
	             TIMES("2026-01-01T22:35", "2026-01-01T22:50", "2026-01-02T22:05"));
	expect_times("0 0 29 2 *", NULL, "2026-01-01T00:00:00Z", TIMES("2028-02-29T00:00", "2032-02-29T00:00"));
	expect_times("0 12 13 * fri", NULL, "2026-02-01T00:00:00Z",
	             TIMES("2026-02-06T12:00", "2026-02-13T12:00", "2026-02-20T12:00"));
	expect_times("0 12 */2 * fri", NULL, "2026-02-01T13:00:00Z",
	             TIMES("2026-02-03T12:00", "2026-02-05T12:00", "2026-02-06T12:00"));
	expect_times("0 12 * * 1-5", NULL, "2026-02-06T12:00:00Z", TIMES("2026-02-09T12:00", "2026-02-10T12:00"));
	expect_times("@monthly", NULL, "2026-11-22T00:00:00Z", TIMES("2026-12-01T00:00", "2027-01-01T00:00"));
	expect_times("@every 90m", NULL, "2026-11-22T00:00:00Z", TIMES("2026-11-22T01:30", "2026-11-22T03:00"));
	struct schedule s;
	assert_true(schedule_parse("0 0 30 2 *", &s));
	assert_int_equal(schedule_next(&s, NULL, 0), -1);
}

/* Berlin goes from 02:00 to 03:00 on the last Sunday of March, and from 03:00 to 02:00 on that of October. */
static void test_summer_time(void **state _unused_)
{
	const char *berlin = "CET-1CEST,M3.5.0,M10.5.0/3", *sydney = "AEST-10AEDT,M10.1.0,M4.1.0/3", *kolkata = "<+0530>-5:30";

	expect_times("30 3 * * *", berlin, "2026-03-27T12:00:00Z",
	             TIMES("2026-03-28T02:30", "2026-03-29T01:30", "2026-03-30T01:30"));
	expect_times("30 2 * * *", berlin, "2026-03-27T12:00:00Z", TIMES("2026-03-28T01:30", "2026-03-30T00:30"));
	expect_times("30 2 * * *", berlin, "2026-10-24T12:00:00Z",
	             TIMES("2026-10-25T00:30", "2026-10-25T01:30", "2026-10-26T01:30"));
	expect_times("0 * * * *", berlin, "2026-03-29T00:00:00Z", TIMES("2026-03-29T01:00", "2026-03-29T02:00"));
	expect_times("0 0 * * *", berlin, "2026-10-24T12:00:00Z", TIMES("2026-10-24T22:00", "2026-10-25T23:00"));
	expect_times("0 0 * * *", sydney, "2026-04-04T00:00:00Z", TIMES("2026-04-04T13:00", "2026-04-05T14:00"));
	expect_times("0 9 * * *", kolkata, "2026-01-01T00:00:00Z", TIMES("2026-01-01T03:30", "2026-01-02T03:30"));
	/* Santiago changes at midnight: there is none on that day. */
	expect_times("0 0 * * *", "<-04>4<-03>,M9.1.6/24,M4.1.6/24", "2026-09-05T00:00:00Z",
	             TIMES("2026-09-05T04:00", "2026-09-07T03:00"));
}

static void test_bad_zones(void **state _unused_)
{
	unsigned char file[60] = "TZif2";

	assert_null(zone_new("", 0));
	assert_null(zone_new("TZif", 4));
	for (size_t n = 0; n <= sizeof(file); n++)
		assert_null(zone_new(file, n));
	memset(file + 5, 0xff, sizeof(file) - 5);
	assert_null(zone_new(file, sizeof(file)));
}

/* --- the machine ----------------------------------------------------------------------------------------------------------------------- */

struct box {
	struct jobs *jobs;
	int64_t boot, wall;
	struct buf said; /* "NAME REASON; ..." of the last step, and which pods were asked for */
};

static const struct workload *spec_of(const struct jobs *js, const char *uid)
{
	const struct job *j = jobs_find(js, uid);
	const struct cron_job *c = jobs_find_cron(js, uid);

	return j ? j->spec : c ? c->spec : NULL;
}

static void step(struct box *b, struct job_event *e)
{
	struct job_effects effects;

	e->boot = b->boot;
	e->wall = b->wall;
	buf_clear(&b->said);
	jobs_step(b->jobs, e, &effects);
	for (size_t i = 0; i < effects.count; i++) {
		const struct job_effect *f = &effects.items[i];
		if (f->type == JOB_EFFECT_REPORT)
			buf_printf(&b->said, "%s%s %s", b->said.len ? "; " : "", spec_of(b->jobs, f->uid)->metadata.name,
			           f->reason);
	}
}

static void begin(struct box *b, const char *wall)
{
	struct job_event go = { .type = JOB_EVENT_GO };

	*b = (struct box){ .jobs = jobs_new(), .boot = 1000 * NS_PER_SEC, .wall = at(wall) };
	step(b, &go);
}

static void finish(struct box *b)
{
	b->jobs = jobs_free(b->jobs);
	buf_deinit(&b->said);
}

static void set(struct box *b, const char *uid, const char *kind, const char *spec, struct zone *zone, const char *state)
{
	_cleanup_free_ char *text =
		xasprintf("apiVersion: batch/v1\nkind: %s\nmetadata: {name: %s}\nspec: {%s}\n", kind, uid, spec);
	struct job_event e = { .type = JOB_EVENT_SET, .zone = zone, .state = state, .same_boot = true };
	struct manifest m;

	manifest_read(uid, text, strlen(text), &m);
	assert_int_equal(m.document_count, 1);
	assert_non_null(m.documents[0].pod);
	e.pod = m.documents[0].pod;
	(void)snprintf(e.uid, sizeof(e.uid), "%s", uid);
	step(b, &e);
	manifest_deinit(&m);
}

#define TEMPLATE "template: {spec: {restartPolicy: Never, containers: [{name: a, image: x}]}}"
#define JOB_TEMPLATE "jobTemplate: {spec: {" TEMPLATE "}}"

/* Time passes, and the machine is asked when it wants to be. */
static void pass(struct box *b, int64_t seconds)
{
	struct job_event tick = { .type = JOB_EVENT_TICK };
	_cleanup_buf_ struct buf all = BUF_NULL;
	int64_t end = b->boot + seconds * NS_PER_SEC;

	for (int64_t due; (due = jobs_deadline(b->jobs)) && due <= end;) {
		b->wall += MAX(due - b->boot, 0);
		b->boot = MAX(b->boot, due);
		step(b, &tick);
		buf_printf(&all, "%s%s", all.len && b->said.len ? "; " : "", buf_str(&b->said));
	}
	b->wall += end - b->boot;
	b->boot = end;
	buf_clear(&b->said);
	buf_puts(&b->said, buf_str(&all));
}

static void set_clock(struct box *b, const char *wall)
{
	struct job_event tick = { .type = JOB_EVENT_TICK };

	b->wall = at(wall);
	step(b, &tick);
}

static const struct job *only_job(const struct box *b)
{
	assert_false(list_empty(jobs_all(b->jobs)));
	return list_entry(jobs_all(b->jobs)->next, const struct job, link);
}

/* The job's only active pod ends with this exit code. */
static void pod_ends(struct box *b, const struct job *j, int code)
{
	struct core_container k = { .name = "a", .state = CONTAINER_STATE_DONE, .last = { .set = true, .exit.code = code } };
	struct core_pod p = { .state = POD_STATE_FINISHED, .containers = &k, .container_count = 1 };
	struct job_event e = { .type = JOB_EVENT_POD, .core_pod = &p };
	const struct job_pod *active = NULL;

	for (size_t i = 0; i < j->pod_count; i++)
		if (j->pods[i].state == JOB_POD_ACTIVE)
			active = &j->pods[i];
	assert_non_null(active);
	(void)snprintf(p.uid, sizeof(p.uid), "%s", active->uid);
	p.pod = workload_pod(j->spec, j->uid, active->name);
	step(b, &e);
	pod_unref(p.pod);
}

static void pods_go(struct box *b, const struct job *j)
{
	for (size_t i = j->pod_count; i-- > 0;)
		if (j->pods[i].state == JOB_POD_ENDING) {
			struct job_event e = { .type = JOB_EVENT_POD_GONE };
			(void)snprintf(e.uid, sizeof(e.uid), "%s", j->pods[i].uid);
			step(b, &e);
		}
}

static void test_retries(void **state _unused_)
{
	struct box b;

	begin(&b, "2026-01-01T00:00:00Z");
	set(&b, "pi", "Job", "backoffLimit: 2, " TEMPLATE, NULL, NULL);
	assert_string_equal(buf_str(&b.said), "pi SuccessfulCreate");
	pod_ends(&b, only_job(&b), 1);
	assert_string_equal(buf_str(&b.said), "");
	pass(&b, 9);
	assert_string_equal(buf_str(&b.said), "");
	pass(&b, 1);
	assert_string_equal(buf_str(&b.said), "pi SuccessfulCreate");
	pod_ends(&b, only_job(&b), 1);
	pass(&b, 19);
	assert_string_equal(buf_str(&b.said), "");
	pass(&b, 1);
	assert_string_equal(buf_str(&b.said), "pi SuccessfulCreate");
	pod_ends(&b, only_job(&b), 1);
	assert_string_equal(buf_str(&b.said), "pi BackoffLimitExceeded");
	assert_int_equal(only_job(&b)->failed, 3);
	assert_int_equal(jobs_deadline(b.jobs), 0);
	finish(&b);
}

static void test_deadline_and_ttl(void **state _unused_)
{
	struct box b;

	begin(&b, "2026-01-01T00:00:00Z");
	set(&b, "pi", "Job", "activeDeadlineSeconds: 60, ttlSecondsAfterFinished: 100, " TEMPLATE, NULL, NULL);
	set_clock(&b, "2030-01-01T00:00:00Z"); /* counts for nothing */
	assert_string_equal(buf_str(&b.said), "");
	pass(&b, 60);
	assert_string_equal(buf_str(&b.said), "pi SuccessfulDelete");
	pods_go(&b, only_job(&b));
	assert_string_equal(buf_str(&b.said), "pi DeadlineExceeded");
	assert_false(only_job(&b)->cleaned);
	pass(&b, 100);
	assert_true(only_job(&b)->cleaned);
	finish(&b);
}

/* What is printed is read by the next podd, which does not run again what has ended, and an edit of the template runs anew. */
static void test_memory(void **state _unused_)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	struct box b;

	begin(&b, "2026-01-01T00:00:00Z");
	set(&b, "pi", "Job", "completions: 2, " TEMPLATE, NULL, NULL);
	pod_ends(&b, only_job(&b), 0);
	assert_string_equal(buf_str(&b.said), "pi SuccessfulCreate");
	jobs_state_print(b.jobs, "pi", &text);
	finish(&b);
	begin(&b, "2026-01-01T00:01:00Z");
	set(&b, "pi", "Job", "completions: 2, " TEMPLATE, NULL, text.data);
	assert_string_equal(buf_str(&b.said), "");
	assert_int_equal(only_job(&b)->succeeded, 1);
	pod_ends(&b, only_job(&b), 0);
	assert_string_equal(buf_str(&b.said), "pi Completed");
	buf_clear(&text);
	jobs_state_print(b.jobs, "pi", &text);
	finish(&b);
	begin(&b, "2026-01-01T00:02:00Z");
	set(&b, "pi", "Job", "completions: 2, " TEMPLATE, NULL, text.data);
	assert_string_equal(buf_str(&b.said), "");
	assert_int_equal(only_job(&b)->end, JOB_END_COMPLETE);
	set(&b, "pi", "Job", "template: {spec: {restartPolicy: Never, containers: [{name: a, image: w}]}}", NULL, NULL);
	assert_string_equal(buf_str(&b.said), "pi TemplateChanged; pi SuccessfulCreate");
	finish(&b);
	begin(&b, "2026-01-01T00:03:00Z");
	set(&b, "pi", "Job", TEMPLATE, NULL, "counts 1\n"); /* not understood */
	assert_string_equal(buf_str(&b.said), "pi SuccessfulCreate");
	finish(&b);
}

static void test_cron(void **state _unused_)
{
	struct box b;

	begin(&b, "2026-01-01T00:00:30Z");
	set(&b, "cr", "CronJob", "schedule: '*/5 * * * *', successfulJobsHistoryLimit: 1, " JOB_TEMPLATE, NULL, NULL);
	assert_string_equal(buf_str(&b.said), "");
	pass(&b, 300);
	assert_string_equal(buf_str(&b.said), "cr SuccessfulCreate; cr-29453765 SuccessfulCreate");
	pod_ends(&b, only_job(&b), 0);
	assert_string_equal(buf_str(&b.said), "cr-29453765 Completed; cr SawCompletedJob");
	pass(&b, 300);
	assert_string_equal(buf_str(&b.said), "cr SuccessfulCreate; cr-29453770 SuccessfulCreate");
	pod_ends(&b, list_entry(jobs_all(b.jobs)->prev, const struct job, link), 0);
	assert_string_equal(buf_str(&b.said), "cr-29453770 Completed; cr SawCompletedJob; cr SuccessfulDelete");
	finish(&b);
}

static void test_concurrency(void **state _unused_)
{
	struct box b;

	begin(&b, "2026-01-01T00:00:30Z");
	set(&b, "cr", "CronJob", "schedule: '* * * * *', concurrencyPolicy: Forbid, " JOB_TEMPLATE, NULL, NULL);
	pass(&b, 30);
	assert_string_equal(buf_str(&b.said), "cr SuccessfulCreate; cr-29453761 SuccessfulCreate");
	pass(&b, 60);
	assert_string_equal(buf_str(&b.said), "cr JobAlreadyActive");
	pass(&b, 20);
	pod_ends(&b, only_job(&b), 0); /* late, but it is made up for */
	assert_string_equal(buf_str(&b.said),
	                    "cr-29453761 Completed; cr SawCompletedJob; cr SuccessfulCreate; cr-29453762 SuccessfulCreate");
	set(&b, "cr", "CronJob", "schedule: '* * * * *', concurrencyPolicy: Replace, " JOB_TEMPLATE, NULL, NULL);
	pass(&b, 40);
	assert_non_null(
		strstr(buf_str(&b.said),
	               "cr SuccessfulDelete; cr SuccessfulCreate; cr-29453762 SuccessfulDelete; cr-29453763 SuccessfulCreate"));
	finish(&b);
}

/* podd was down, or the clock was set: of what was missed one job is begun, and none after the deadline. */
static void test_missed(void **state _unused_)
{
	const char *hourly = "schedule: '0 * * * *', " JOB_TEMPLATE,
		   *strict = "schedule: '0 * * * *', startingDeadlineSeconds: 60, " JOB_TEMPLATE,
		   *each_minute = "schedule: '* * * * *', " JOB_TEMPLATE;
	_cleanup_buf_ struct buf text = BUF_NULL;
	struct box b;

	begin(&b, "2026-01-01T00:30:00Z");
	set(&b, "cr", "CronJob", hourly, NULL, NULL);
	jobs_state_print(b.jobs, "cr", &text);
	set_clock(&b, "2026-01-01T05:10:00Z");
	assert_string_equal(buf_str(&b.said), "cr SuccessfulCreate; cr-29454060 SuccessfulCreate");
	finish(&b);
	begin(&b, "2026-01-01T05:10:00Z");
	set(&b, "cr", "CronJob", strict, NULL, text.data);
	assert_string_equal(buf_str(&b.said), "cr MissSchedule");
	pass(&b, 600);
	assert_string_equal(buf_str(&b.said), "");
	pass(&b, 3600);
	assert_string_equal(buf_str(&b.said), "cr SuccessfulCreate; cr-29454120 SuccessfulCreate");
	finish(&b);
	begin(&b, "2026-01-01T05:10:30Z");
	set(&b, "cr", "CronJob", each_minute, NULL, text.data);
	assert_string_equal(buf_str(&b.said), "cr TooManyMissedTimes; cr SuccessfulCreate; cr-29454070 SuccessfulCreate");
	finish(&b);
}

static void test_clock_set_back(void **state _unused_)
{
	struct box b;

	begin(&b, "2026-01-01T10:00:30Z");
	set(&b, "cr", "CronJob", "schedule: '*/5 * * * *', " JOB_TEMPLATE, NULL, NULL);
	pass(&b, 300);
	assert_string_equal(buf_str(&b.said), "cr SuccessfulCreate; cr-29454365 SuccessfulCreate");
	set_clock(&b, "2026-01-01T10:04:58Z"); /* by seconds: the same time is not due twice */
	pass(&b, 60);
	assert_string_equal(buf_str(&b.said), "");
	set_clock(&b, "2026-01-01T08:01:00Z"); /* by hours: it goes on from there */
	assert_string_equal(buf_str(&b.said), "");
	pass(&b, 300);
	assert_string_equal(buf_str(&b.said), "cr SuccessfulCreate; cr-29454245 SuccessfulCreate");
	finish(&b);
}

static void test_suspend_and_edit(void **state _unused_)
{
	struct box b;

	begin(&b, "2026-01-01T00:00:30Z");
	set(&b, "cr", "CronJob", "schedule: '* * * * *', suspend: true, " JOB_TEMPLATE, NULL, NULL);
	assert_int_equal(jobs_deadline(b.jobs), 0);
	pass(&b, 3600);
	set(&b, "cr", "CronJob", "schedule: '0 * * * *', " JOB_TEMPLATE, NULL, NULL);
	assert_string_equal(buf_str(&b.said), ""); /* another schedule has missed nothing */
	pass(&b, 3600);
	assert_string_equal(buf_str(&b.said), "cr SuccessfulCreate; cr-29453880 SuccessfulCreate");
	set(&b, "cr", "CronJob", "schedule: '0 12 * * *', timeZone: Europe/Berlin, " JOB_TEMPLATE,
	    zone_of("CET-1CEST,M3.5.0,M10.5.0/3"), NULL);
	assert_int_equal(jobs_find_cron(b.jobs, "cr")->next, at("2026-01-01T11:00:00Z"));
	finish(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schedules),      cmocka_unit_test(test_summer_time),      cmocka_unit_test(test_bad_zones),
		cmocka_unit_test(test_retries),        cmocka_unit_test(test_deadline_and_ttl), cmocka_unit_test(test_memory),
		cmocka_unit_test(test_cron),           cmocka_unit_test(test_concurrency),      cmocka_unit_test(test_missed),
		cmocka_unit_test(test_clock_set_back), cmocka_unit_test(test_suspend_and_edit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
