/* What the files of the jobs' machine share. */
#pragma once
#include "core/jobs.h"

struct jobs {
	struct list jobs, crons, forgotten, forgotten_crons;
	bool go;
	int64_t boot, wall; /* of the event at hand */
	uint64_t step;
	struct job_effect *effects;
	size_t effect_count, effect_capacity;
};

/* jobs.c */
struct job_effect *jobs_effect(struct jobs *js, enum job_effect_type type, const char *uid);
void jobs_report(struct jobs *js, const char *uid, bool normal, const char *reason, const char *fmt, ...) _printf_(5, 6);
struct job *jobs_add(struct jobs *js, const char *uid);
void jobs_derive_uid(const char *text, char ret[static POD_UID_SIZE]); /* always the same of the same text */
void jobs_forget_cron(struct jobs *js, struct cron_job *c);
void jobs_forget(struct jobs *js, struct job *j); /* for good; it can be looked at until the next step */

/* job.c */
void job_set(struct jobs *js, struct job *j, const struct job_event *e);
void job_saw_pod(struct jobs *js, struct job *j, const struct core_pod *p);
void job_pod_is_gone(struct jobs *js, struct job *j, const char *pod_uid);
void job_settle(struct jobs *js, struct job *j);
int64_t job_deadline(const struct job *j);
struct job_pod *job_add_pod(struct job *j, uint32_t number);
void job_save(struct jobs *js, struct job *j); /* before the effects that it records; once a step */

/* cronjob.c */
void cron_job_set(struct jobs *js, struct cron_job *c, const struct job_event *e);
void cron_job_run(struct jobs *js, struct cron_job *c, const char *name);
void cron_job_settle(struct jobs *js, struct cron_job *c);
void cron_job_state_print(const struct cron_job *c, struct buf *out);

/* jobstate.c: false: not understood, and nothing was changed */
void job_state_print(const struct job *j, struct buf *out);
bool job_state_read(struct job *j, const char *text);
