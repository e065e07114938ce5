/* One job. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "core/jobs_internal.h"

const char *job_pod_state_name(enum job_pod_state s)
{
	static const char *const names[] = {
		[JOB_POD_ACTIVE] = "active",
		[JOB_POD_SUCCEEDED] = "succeeded",
		[JOB_POD_FAILED] = "failed",
		[JOB_POD_ENDING] = "ending",
	};
	_Static_assert(ARRAY_SIZE(names) == JOB_POD_STATE_MAX, "a name for each state");

	return names[s];
}

const char *job_end_name(enum job_end e)
{
	static const char *const names[] = {
		[JOB_END_NONE] = "Running",
		[JOB_END_COMPLETE] = "Complete",
		[JOB_END_FAILED] = "Failed",
	};
	_Static_assert(ARRAY_SIZE(names) == JOB_END_MAX, "a name for each end");

	return names[e];
}

int32_t job_parallelism(const struct job *j)
{
	return j->spec->job.parallelism.set ? (int32_t)j->spec->job.parallelism.value : 1;
}

/* Kubernetes' default: with neither number one pod, with parallelism alone a queue of work that the pods know. */
int32_t job_completions(const struct job *j)
{
	if (j->spec->job.completions.set)
		return (int32_t)j->spec->job.completions.value;
	return j->spec->job.parallelism.set ? -1 : 1;
}

static int64_t backoff_limit(const struct job *j)
{
	return j->spec->job.backoff_limit.set ? j->spec->job.backoff_limit.value : JOB_BACKOFF_LIMIT;
}

size_t job_pods_in(const struct job *j, enum job_pod_state s)
{
	size_t n = 0;

	for (size_t i = 0; i < j->pod_count; i++)
		n += j->pods[i].state == s;
	return n;
}

bool job_is_finished(const struct job *j)
{
	return j->finished.wall != 0;
}

void job_save(struct jobs *js, struct job *j)
{
	j->changed = true;
	if (j->saved_step == js->step)
		return;
	j->saved_step = js->step;
	(void)jobs_effect(js, JOB_EFFECT_SAVE, j->uid);
}

static void tell_done(struct jobs *js, const struct job *j, enum pod_outcome outcome)
{
	struct job_effect *f = jobs_effect(js, JOB_EFFECT_DONE, j->uid);

	f->pod = pod_ref(&j->spec->template);
	f->outcome = outcome;
}

static enum pod_outcome outcome_of_job(const struct job *j)
{
	return j->end == JOB_END_COMPLETE ? POD_OUTCOME_SUCCEEDED
	       : j->end == JOB_END_FAILED ? POD_OUTCOME_FAILED
	                                  : POD_OUTCOME_OPEN;
}

static struct moment now(const struct jobs *js)
{
	return (struct moment){ js->boot, js->wall };
}

/* --- its pods ------------------------------------------------------------------------------------------------------------------------ */

/* Both follow from the job and the number. The name ends in five of Kubernetes' letters. */
static void name_pod(const struct job *j, struct job_pod *p)
{
	static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
	char text[POD_UID_SIZE + 16], suffix[6] = "";
	unsigned char b[SHA256_SIZE];

	(void)snprintf(text, sizeof(text), "%s/%u", j->uid, p->number);
	jobs_derive_uid(text, p->uid);
	sha256(text, strlen(text), b);
	for (int i = 0; i < 5; i++)
		suffix[i] = letters[b[16 + i] % (sizeof(letters) - 1)];
	(void)snprintf(p->name, sizeof(p->name), "%.57s-%s", j->spec->metadata.name, suffix);
}

struct job_pod *job_add_pod(struct job *j, uint32_t number)
{
	struct job_pod *p = xgrow(j->pods, j->pod_count);

	p->number = number;
	name_pod(j, p);
	return p;
}

static enum pod_outcome outcome_of(enum job_pod_state s)
{
	return s == JOB_POD_SUCCEEDED ? POD_OUTCOME_SUCCEEDED : s == JOB_POD_FAILED ? POD_OUTCOME_FAILED : POD_OUTCOME_OPEN;
}

static void want_pod(struct jobs *js, const struct job *j, const struct job_pod *p)
{
	struct job_effect *f = jobs_effect(js, JOB_EFFECT_POD_SET, p->uid);

	f->pod = workload_pod(j->spec, j->uid, p->name);
	f->outcome = outcome_of(p->state);
}

static void create_pod(struct jobs *js, struct job *j)
{
	job_save(js, j);
	struct job_pod *p = job_add_pod(j, j->next_number++);
	want_pod(js, j, p);
	jobs_report(js, j->uid, true, "SuccessfulCreate", "Created pod: %s", p->name);
}

static void end_pod(struct jobs *js, struct job *j, struct job_pod *p)
{
	if (p->state == JOB_POD_ENDING)
		return;
	job_save(js, j);
	if (p->state == JOB_POD_ACTIVE)
		jobs_report(js, j->uid, true, "SuccessfulDelete", "Deleted pod: %s", p->name);
	p->state = JOB_POD_ENDING;
	(void)jobs_effect(js, JOB_EFFECT_POD_GONE, p->uid);
}

static void end_pods(struct jobs *js, struct job *j, bool all)
{
	for (size_t i = 0; i < j->pod_count; i++)
		if (all || j->pods[i].state == JOB_POD_ACTIVE)
			end_pod(js, j, &j->pods[i]);
}

void job_pod_is_gone(struct jobs *js, struct job *j, const char *pod_uid)
{
	for (size_t i = 0; i < j->pod_count; i++)
		if (streq(j->pods[i].uid, pod_uid)) {
			job_save(js, j);
			memmove(&j->pods[i], &j->pods[i + 1], (j->pod_count - i - 1) * sizeof(*j->pods));
			j->pod_count--;
			return;
		}
}

/* --- how they end -------------------------------------------------------------------------------------------------------------------- */

static void decide(struct jobs *js, struct job *j, enum job_end end, const char *reason, const char *message)
{
	job_save(js, j);
	j->end = end;
	(void)snprintf(j->reason, sizeof(j->reason), "%s", reason);
	(void)snprintf(j->message, sizeof(j->message), "%s", message);
}

/* The first rule that one of its containers matches. */
static const struct failure_rule *find_rule(const struct job *j, const struct core_pod *p, const struct core_container **ret_of)
{
	const struct failure_rule_list *l = &j->spec->job.failure_rules;

	for (size_t i = 0; i < l->count; i++)
		for (size_t n = 0; n < p->container_count; n++) {
			const struct core_container *k = &p->containers[n];
			const struct failure_codes *on = &l->items[i].on;
			bool among = false;
			if (!on->set || !k->last.set || k->last.exit.code == 0 || (on->container && !streq(on->container, k->name)))
				continue;
			for (size_t c = 0; c < on->codes.values.count; c++)
				among = among || on->codes.values.items[c] == k->last.exit.code;
			if (among != (on->codes.operator== EXIT_OPERATOR_IN))
				continue;
			*ret_of = k;
			return &l->items[i];
		}
	return NULL;
}

static void pod_failed(struct jobs *js, struct job *j, const struct core_pod *p)
{
	const struct core_container *k = NULL;
	const struct failure_rule *rule = find_rule(j, p, &k);
	char message[MESSAGE_SIZE];

	if (rule && rule->action == FAILURE_FAIL_JOB && j->end == JOB_END_NONE) {
		(void)snprintf(message, sizeof(message),
		               "Container %s for pod %s/%s failed with exit code %d matching FailJob rule at index %zu", k->name,
		               p->pod->metadata.namespace, p->pod->metadata.name, k->last.exit.code,
		               (size_t)(rule - j->spec->job.failure_rules.items));
		decide(js, j, JOB_END_FAILED, "PodFailurePolicy", message);
	}
	j->failed += !rule || rule->action != FAILURE_IGNORE;
	j->failures++;
	j->failed_at = now(js);
}

/* Many ends in one step are possible, each is counted by itself. The core is told that it is counted: such a pod is never begun again. */
static void count_pod(struct jobs *js, struct job *j, struct job_pod *known, const struct core_pod *p, bool success)
{
	job_save(js, j);
	known->state = success ? JOB_POD_SUCCEEDED : JOB_POD_FAILED;
	known->ready = false;
	if (success) {
		j->succeeded++;
		j->failures = 0;
	} else {
		pod_failed(js, j, p);
	}
	want_pod(js, j, known);
}

void job_saw_pod(struct jobs *js, struct job *j, const struct core_pod *p)
{
	const char *phase = core_pod_phase(p);
	struct job_pod *known = NULL;
	uint32_t restarts = 0;

	for (size_t i = 0; i < j->pod_count; i++)
		if (streq(j->pods[i].uid, p->uid))
			known = &j->pods[i];
	if (!known || known->state != JOB_POD_ACTIVE)
		return;
	for (size_t i = 0; i < p->container_count; i++)
		restarts += p->containers[i].restart_count;
	bool ready = core_pod_ready(p);
	j->changed = j->changed || known->ready != ready;
	known->ready = ready;
	known->restarts = restarts;
	if (streq(phase, "Succeeded") || streq(phase, "Failed"))
		count_pod(js, j, known, p, streq(phase, "Succeeded"));
}

/* --- the run ------------------------------------------------------------------------------------------------------------------------- */

/* When a pod may take the place of the last that failed; boot ns, 0: at once. */
static int64_t retry_at(const struct job *j)
{
	const struct pod_backoff *b = &j->spec->template.backoff;
	int64_t delay = b->initial;

	if (!j->failures)
		return 0;
	for (uint32_t i = 1; i < j->failures && delay < b->max; i++)
		delay *= 2;
	return MAX(j->failed_at.boot + MIN(delay, b->max), 1);
}

static int64_t overdue_at(const struct job *j)
{
	int64_t seconds = j->spec->job.active_deadline;

	return seconds && j->started.wall ? MAX(j->started.boot + MIN(seconds, INT32_MAX) * NS_PER_SEC, 1) : 0;
}

static bool too_many_restarts(const struct job *j)
{
	int64_t restarts = 0;

	if (j->spec->template.spec.restart_policy != RESTART_POLICY_ON_FAILURE)
		return false;
	for (size_t i = 0; i < j->pod_count; i++)
		if (j->pods[i].state == JOB_POD_ACTIVE)
			restarts += j->pods[i].restarts;
	return backoff_limit(j) ? restarts >= backoff_limit(j) : restarts > 0;
}

static bool has_succeeded(const struct job *j)
{
	int32_t completions = job_completions(j);

	if (completions < 0)
		return j->succeeded > 0 && !job_pods_in(j, JOB_POD_ACTIVE);
	return j->succeeded >= (uint32_t)completions;
}

/* In Kubernetes' order. */
static void judge(struct jobs *js, struct job *j)
{
	int64_t due = overdue_at(j);

	if (j->failed > backoff_limit(j) || too_many_restarts(j))
		decide(js, j, JOB_END_FAILED, "BackoffLimitExceeded", "Job has reached the specified backoff limit");
	else if (due && due <= js->boot)
		decide(js, j, JOB_END_FAILED, "DeadlineExceeded", "Job was active longer than specified deadline");
	else if (has_succeeded(j))
		decide(js, j, JOB_END_COMPLETE, "CompletionsReached", "Reached expected number of succeeded pods");
}

static size_t wanted_pods(const struct job *j)
{
	size_t parallelism = (size_t)job_parallelism(j);

	if (job_completions(j) < 0) /* the first success says that there is no more work: those that run come to their end */
		return j->succeeded ? MIN(job_pods_in(j, JOB_POD_ACTIVE), parallelism) : parallelism;
	return MIN(parallelism, (size_t)job_completions(j) - j->succeeded);
}

static void adjust_pods(struct jobs *js, struct job *j)
{
	size_t wanted = wanted_pods(j), active = job_pods_in(j, JOB_POD_ACTIVE);

	for (size_t i = j->pod_count; i-- > 0 && active > wanted;) /* the youngest has done the least */
		if (j->pods[i].state == JOB_POD_ACTIVE) {
			end_pod(js, j, &j->pods[i]);
			active--;
		}
	for (; active < wanted && retry_at(j) <= js->boot; active++)
		create_pod(js, j);
}

static void suspend(struct jobs *js, struct job *j)
{
	if (!j->suspended) {
		job_save(js, j);
		j->suspended = true;
		j->started = (struct moment){ 0 };
		jobs_report(js, j->uid, true, "Suspended", "Job suspended");
	}
	end_pods(js, j, false);
}

static void begin(struct jobs *js, struct job *j)
{
	if (j->started.wall)
		return;
	job_save(js, j);
	j->started = now(js);
	if (j->suspended)
		jobs_report(js, j->uid, true, "Resumed", "Job resumed");
	j->suspended = false;
}

/* It was decided how it ends; when nothing runs any more it is so. */
static void finish(struct jobs *js, struct job *j)
{
	end_pods(js, j, false);
	if (job_pods_in(j, JOB_POD_ENDING))
		return;
	job_save(js, j);
	j->finished = now(js);
	if (j->end == JOB_END_COMPLETE)
		jobs_report(js, j->uid, true, "Completed", "Job completed");
	else
		jobs_report(js, j->uid, false, j->reason, "%s", j->message);
	tell_done(js, j, outcome_of_job(j));
}

static int64_t ttl_at(const struct job *j)
{
	const struct id *ttl = &j->spec->job.ttl;

	return ttl->set && job_is_finished(j) && !j->cleaned ? MAX(j->finished.boot + ttl->value * NS_PER_SEC, 1) : 0;
}

static void clean(struct jobs *js, struct job *j)
{
	int64_t due = ttl_at(j);

	if (!due || due > js->boot)
		return;
	job_save(js, j);
	j->cleaned = true;
	end_pods(js, j, true);
}

static void drop_oldest(struct jobs *js, struct job *j)
{
	size_t ended = job_pods_in(j, JOB_POD_SUCCEEDED) + job_pods_in(j, JOB_POD_FAILED);

	for (size_t i = 0; i < j->pod_count && ended > JOB_PODS_KEPT; i++)
		if (j->pods[i].state == JOB_POD_SUCCEEDED || j->pods[i].state == JOB_POD_FAILED) {
			end_pod(js, j, &j->pods[i]);
			ended--;
		}
}

static void forget(struct jobs *js, struct job *j)
{
	end_pods(js, j, true);
	if (j->pod_count)
		return;
	tell_done(js, j, POD_OUTCOME_OPEN);
	(void)jobs_effect(js, JOB_EFFECT_FORGET, j->uid);
	jobs_forget(js, j);
}

void job_settle(struct jobs *js, struct job *j)
{
	if (j->gone) {
		forget(js, j);
		return;
	}
	if (j->end == JOB_END_NONE && j->spec->job.suspend) {
		suspend(js, j);
	} else if (j->end == JOB_END_NONE) {
		begin(js, j);
		judge(js, j);
		if (j->end == JOB_END_NONE)
			adjust_pods(js, j);
	}
	if (j->end != JOB_END_NONE && !job_is_finished(j))
		finish(js, j);
	clean(js, j);
	drop_oldest(js, j);
	if (j->changed)
		(void)jobs_effect(js, JOB_EFFECT_CHANGED, j->uid);
	j->changed = false;
}

int64_t job_deadline(const struct job *j)
{
	if (j->gone || j->suspended)
		return 0;
	if (j->end != JOB_END_NONE)
		return ttl_at(j);
	int64_t due = overdue_at(j), retry = job_pods_in(j, JOB_POD_ACTIVE) < wanted_pods(j) ? retry_at(j) : 0;
	return due && retry ? MIN(due, retry) : due ? due : retry;
}

/* --- wishes -------------------------------------------------------------------------------------------------------------------------- */

/* All is open again; what is there of the run before goes. */
static void begin_anew(struct jobs *js, struct job *j)
{
	job_save(js, j);
	end_pods(js, j, true);
	if (j->end != JOB_END_NONE)
		tell_done(js, j, POD_OUTCOME_OPEN);
	j->started = j->finished = j->failed_at = (struct moment){ 0 };
	j->end = JOB_END_NONE;
	j->reason[0] = j->message[0] = '\0';
	j->succeeded = j->failed = j->failures = 0;
	j->cleaned = j->suspended = false;
	jobs_report(js, j->uid, true, "TemplateChanged", "The template was edited: the job begins anew");
}

/* By the wall clock, if the machine was started since. */
static void carry_over(const struct jobs *js, struct moment *m, bool same_boot)
{
	if (m->wall && !same_boot)
		m->boot = js->boot - MAX(js->wall - m->wall, 0);
}

static void restore(struct jobs *js, struct job *j, const struct job_event *e)
{
	if (!e->state || !job_state_read(j, e->state))
		return;
	carry_over(js, &j->started, e->same_boot);
	carry_over(js, &j->finished, e->same_boot);
	carry_over(js, &j->failed_at, e->same_boot);
	for (size_t i = 0; i < j->pod_count; i++) {
		want_pod(js, j, &j->pods[i]);
		if (j->pods[i].state == JOB_POD_ENDING)
			(void)jobs_effect(js, JOB_EFFECT_POD_GONE, j->pods[i].uid);
	}
	if (job_is_finished(j))
		tell_done(js, j, outcome_of_job(j));
}

void job_set(struct jobs *js, struct job *j, const struct job_event *e)
{
	uint64_t hash = pod_spec_hash(e->pod);
	struct workload *former = j->spec;
	bool fresh = !former;

	j->spec = (struct workload *)pod_ref(e->pod)->workload;
	pod_unref(former ? &former->template : NULL);
	j->gone = false;
	j->changed = true;
	if (fresh) {
		j->created_wall = js->wall;
		restore(js, j, e);
	}
	if (j->template_hash && j->template_hash != hash && !e->pod->owner.uid) /* that of a cron job's job is never edited */
		begin_anew(js, j);
	j->template_hash = hash;
}
