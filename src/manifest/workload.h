/* The kinds that make pods: Deployment, DaemonSet, StatefulSet, ReplicaSet, Job and CronJob. The template is a pod without a name. On one
 * machine each of the first four is one pod, which has the name of its object; that of a StatefulSet is called NAME-0, as its users expect.
 *
 * A Job and a CronJob stay objects (core/jobs.h). Their `template` is a pod with the object's name, namespace and uid that is never run itself:
 * its `workload` leads back here, its arena holds all, its references are the workload's, and its hash is of the whole object. Pods are made
 * of it by workload_pod(). */
#pragma once
#include "base/clock.h"
#include "base/jsonw.h"
#include "manifest/pod.h"

struct decoder;
struct workload_kind;

enum { JOB_PARALLELISM_MAX = 64, JOB_BACKOFF_LIMIT = 6, TIME_ZONE_MAX = 64 };

/* Between a job's retries, and restarts of its containers, as Kubernetes has them: a job is tried backoffLimit times and no more, so the
 * attempts must not all fall into the seconds in which what it needs is not there. podd.dev/restart-backoff in the template says otherwise. */
#define JOB_BACKOFF_INITIAL (10 * NS_PER_SEC)
#define JOB_BACKOFF_MAX (600 * NS_PER_SEC)

enum workload_runs { WORKLOAD_POD, WORKLOAD_JOB, WORKLOAD_CRON_JOB, WORKLOAD_RUNS_MAX };

enum failure_action { FAILURE_COUNT, FAILURE_IGNORE, FAILURE_FAIL_JOB, FAILURE_FAIL_INDEX, FAILURE_ACTION_MAX };

struct failure_codes {
	bool set;
	const char *container; /* NULL: any */
	struct exit_codes codes;
};

struct failure_condition {
	const char *type, *status;
};

struct failure_rule { /* of a list the first that matches holds */
	enum failure_action action;
	struct failure_codes on;
	struct failure_condition_list {
		struct failure_condition *items;
		size_t count;
	} conditions;
};

struct failure_rule_list {
	struct failure_rule *items;
	size_t count;
};

struct job_spec { /* numbers that are not set have Kubernetes' defaults */
	struct id parallelism, completions, backoff_limit, ttl;
	int64_t active_deadline; /* 0: none */
	bool suspend;
	struct failure_rule_list failure_rules;
};

enum concurrency { CONCURRENCY_ALLOW, CONCURRENCY_FORBID, CONCURRENCY_REPLACE, CONCURRENCY_MAX };

struct cron_spec {
	const char *schedule;
	const char *time_zone; /* NULL: the machine's */
	struct id starting_deadline, successes_kept, failures_kept;
	enum concurrency concurrency;
	bool suspend;
};

struct workload {
	enum workload_runs runs;
	struct pod_metadata metadata;
	struct pod template;              /* of the first four kinds metadata and spec alone */
	int32_t replicas;                 /* of a DaemonSet 1 */
	struct job_spec job;              /* of a Job, or of a CronJob's jobs */
	struct pod_metadata job_metadata; /* of a CronJob's jobs: labels and annotations */
	struct cron_spec cron;
};

const struct workload_kind *workload_kind_find(const char *name); /* NULL: it is none */
enum workload_runs workload_kind_runs(const struct workload_kind *k);
const char *workload_pod_suffix(const char *kind); /* what its pod's name has behind its own; also of other kinds */
/* Fills *ret, on the decoder's arena. True if Kubernetes would take it. */
bool workload_decode(struct decoder *d, const struct workload_kind *k, struct workload *ret);
void workload_complete(struct workload *w); /* of a Job or CronJob that was decoded: its template */

const char *workload_name(enum workload_runs r);  /* "Pod", "Job", "CronJob" */
enum workload_runs pod_runs(const struct pod *p); /* what a document's pod stands for */
/* The object, which reads back: apiVersion, kind, metadata, spec. `uid` may be NULL. */
void workload_json(const struct workload *w, const char *uid, struct jsonw *j);
void workload_spec_json(const struct workload *w, struct jsonw *j); /* "spec", with Kubernetes' defaults */

/* A pod of a job, with Kubernetes' labels; the job that a cron job makes. Each has one reference. */
struct pod *workload_pod(const struct workload *w, const char *job_uid, const char *name);
struct workload *workload_job(const struct workload *cron, const char *name, const char *cron_uid);
