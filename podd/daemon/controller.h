/* The shell of the jobs' machine (core/jobs.h), Jobs and CronJobs: hands it what happens and carries out what it asks for. Its pods go to
 * the core as those of manifests do, by EVENT_POD_SET and EVENT_POD_GONE.
 *
 * What a job must remember is <state>/jobs/<uid>: "podd-job 1 <sha256 of the rest>", the boot's id, then the lines of jobs_state_print(),
 * and for a job of a cron job "spec" and its manifest.
 * Written by rename before what it records is done; fsync follows in a child, since a run that a power cut made podd forget is one
 * too many, and no more. A file that is damaged is set aside, and the job begins anew. */
#pragma once
#include "core/jobs.h"
#include "daemon/daemon.h"

int controller_new(struct daemon *d, struct controller **ret);
void controller_free(struct controller *k); /* takes NULL */

void controller_want(struct daemon *d, const char *uid, struct pod *template); /* NULL: it is wanted no more */
void controller_load(struct daemon *d);                                        /* the jobs of cron jobs, when these are known */
void controller_run(struct daemon *d, const char *uid, const char *name);      /* this cron job, by hand */
void controller_go(struct daemon *d);                                          /* EVENT_GO was given */
void controller_tick(struct daemon *d);
int64_t controller_deadline(const struct daemon *d);

/* For effects. */
void controller_pod_changed(struct daemon *d, const char *uid);
void controller_pod_forgotten(struct daemon *d, const char *uid);

const struct jobs *controller_jobs(const struct daemon *d);
const struct pod *controller_template(const struct daemon *d, const char *uid); /* of the job or cron job, or NULL */
