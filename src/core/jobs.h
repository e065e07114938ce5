/* What makes pods and counts their ends: jobs; and what makes jobs by the clock: cron jobs. A machine of its own above the core's, as
 * pure: events in, effects out, time is a field of the event. It sees a pod as the core shows it, and asks for pods and their end by
 * effects, which the shell hands to the core.
 *
 * A Job has `parallelism` pods at a time until `completions` have succeeded. A pod that failed is replaced after a back-off, until more
 * have failed than backoffLimit; with restartPolicy OnFailure its containers are restarted inside it, and their restarts are counted. What
 * ends the job (success, failure, the deadline) first ends the pods that still run; when none is left the job is finished, for good. Its
 * pods stay, for their logs, up to JOB_PODS_KEPT of them and ttlSecondsAfterFinished.
 *
 * Identity: a job is its uid, a pod of it a number that only grows. The pod's uid and name follow from both, so that a podd that comes
 * back knows its anchors again. What must survive is one small text (jobs_state_print()), written before the effect that it records: which
 * pods are there, which have ended and were counted, how it ended. A pod's end is counted, and its number struck off the active ones, by
 * the same write: so an end is counted once. Without the text the job begins anew.
 *
 * A CronJob makes a job at each time of its schedule, by the wall clock of its zone, of which the shell hands in the data; all else is
 * counted in boot time. Its jobs are as those of manifests, but that what must survive of them is their manifest, too; of itself it is the
 * last time that was due, so that what podd slept through is made up for, once. A clock that is set back is a clock like any other: the
 * schedule goes on from there.
 *
 * An edit of the template's spec begins a new run, with all counts at nothing, of a finished job too; other edits take effect in place. */
#pragma once
#include "core/core.h"
#include "base/zone.h"
#include "manifest/schedule.h"
#include "manifest/workload.h"

enum { JOB_PODS_KEPT = 16, JOB_POD_NAME_SIZE = 64, JOB_STATE_MAX = 64 << 10 };

struct moment { /* wall 0: not yet */
	int64_t boot, wall;
};

enum job_pod_state {
	JOB_POD_ACTIVE,
	JOB_POD_SUCCEEDED,
	JOB_POD_FAILED,
	JOB_POD_ENDING, /* it is to go, and is not counted */
	JOB_POD_STATE_MAX,
};
const char *job_pod_state_name(enum job_pod_state s);

struct job_pod {
	uint32_t number;
	char uid[POD_UID_SIZE], name[JOB_POD_NAME_SIZE];
	enum job_pod_state state;
	bool ready;
	uint32_t restarts;
};

enum job_end { JOB_END_NONE, JOB_END_COMPLETE, JOB_END_FAILED, JOB_END_MAX };
const char *job_end_name(enum job_end e); /* "Running", "Complete", "Failed" */

struct job {
	struct list link;
	char uid[POD_UID_SIZE];
	struct workload *spec; /* holds a reference of its template */
	bool gone;             /* its manifest is gone: it is forgotten when its pods are */
	bool suspended;
	bool cleaned; /* its time after the end is over */
	bool seen;    /* its cron job has told of its end */
	int64_t created_wall;
	struct moment started, finished;
	enum job_end end; /* decided; finished when its pods have ended too */
	char reason[REASON_SIZE], message[MESSAGE_SIZE];
	uint32_t succeeded, failed;
	uint32_t next_number;
	struct job_pod *pods; /* oldest first */
	size_t pod_count;

	/* The machine's own. */
	uint64_t template_hash; /* of the run */
	uint32_t failures;      /* in a row, since the last success */
	struct moment failed_at;
	uint64_t saved_step;
	bool changed;
};

struct cron_job {
	struct list link;
	char uid[POD_UID_SIZE];
	struct workload *spec; /* holds a reference of its template */
	bool gone;             /* it is forgotten when its jobs are */
	int64_t created_wall;
	int64_t last,
		last_success; /* wall, seconds: the last time that was due and begun, and when a job last succeeded; 0: never */
	int64_t next;         /* wall, ns; 0: never */

	/* The machine's own. */
	struct schedule schedule;
	struct zone *zone; /* NULL: UTC */
	bool lost_zone;    /* there is no such zone */
	int64_t since;     /* wall, seconds: it has this schedule */
	bool set_back;     /* the clock was, to before `last` */
	int64_t told_due;  /* why that time was passed over has been told */
	char told[REASON_SIZE];
	uint64_t saved_step;
	bool changed;
};

enum job_event_type {
	JOB_EVENT_SET,      /* wanted: `pod` is the template of a Job or CronJob (a reference is taken); also an edit */
	JOB_EVENT_GONE,     /* no longer wanted */
	JOB_EVENT_POD,      /* `core_pod` has changed */
	JOB_EVENT_POD_GONE, /* nothing is left of the pod `uid` */
	JOB_EVENT_GO,       /* all is known that can be; before it nothing is decided */
	JOB_EVENT_TICK,     /* the deadline was reached, or somebody has set the clock */
	JOB_EVENT_RUN,      /* by hand: the cron job `uid` is to make a job now, called `name` */
};

struct job_event {
	enum job_event_type type;
	int64_t boot, wall; /* now, ns */
	char uid[POD_UID_SIZE];
	struct pod *pod;                 /* SET */
	const char *state;               /* SET: what was saved, or NULL */
	bool same_boot;                  /* SET: the state was saved since the machine started */
	struct zone *zone;               /* SET, of a CronJob: taken over */
	bool zone_lost;                  /* SET: there is no such zone */
	char name[JOB_POD_NAME_SIZE];    /* RUN */
	const struct core_pod *core_pod; /* POD */
};

enum job_effect_type {
	JOB_EFFECT_SAVE,     /* keep jobs_state_print() of `uid`; precedes what it records */
	JOB_EFFECT_POD_SET,  /* `pod` is wanted, with `outcome` (EVENT_POD_SET) */
	JOB_EFFECT_POD_GONE, /* the pod `uid` is not */
	JOB_EFFECT_DONE,     /* the job `uid` has ended as `outcome` says, or with OUTCOME_OPEN it has not: EVENT_JOB_DONE */
	JOB_EFFECT_REPORT,   /* tell people of the job: `normal`, `reason`, `message` */
	JOB_EFFECT_CHANGED,  /* its status changed */
	JOB_EFFECT_FORGET,   /* nothing is left of it: what was saved goes */
};

struct job_effect {
	enum job_effect_type type;
	char uid[POD_UID_SIZE];
	struct pod *pod; /* POD_SET; DONE: the template. Holds until the next step */
	enum pod_outcome outcome;
	bool normal;
	char reason[REASON_SIZE], message[MESSAGE_SIZE];
};

struct job_effects {
	struct job_effect *items;
	size_t count;
};

struct jobs;

struct jobs *jobs_new(void);
struct jobs *jobs_free(struct jobs *js); /* takes NULL, returns NULL */
/* As core_step(). */
void jobs_step(struct jobs *js, const struct job_event *e, struct job_effects *out);
int64_t jobs_deadline(const struct jobs *js); /* boot ns, 0: none */

const struct job *jobs_find(const struct jobs *js, const char *uid); /* also one that the last step has forgotten */
const struct list *jobs_all(const struct jobs *js);                  /* of struct job.link, oldest first */
const struct cron_job *jobs_find_cron(const struct jobs *js, const char *uid);
const struct list *jobs_crons(const struct jobs *js);
size_t cron_job_active(const struct jobs *js, const struct cron_job *c); /* jobs of it that have not finished */

int32_t job_parallelism(const struct job *j);
int32_t job_completions(const struct job *j); /* -1: one success of any is enough */
size_t job_pods_in(const struct job *j, enum job_pod_state s);
bool job_is_finished(const struct job *j);

/* What must survive of the job or cron job, as lines of text. */
void jobs_state_print(const struct jobs *js, const char *uid, struct buf *out);
