/* The kinds that make pods: Deployment, DaemonSet, StatefulSet, ReplicaSet, Job and CronJob. The template is a pod without a name. On one
 * machine each of the first four is one pod, which has the name of its object; that of a StatefulSet is called NAME-0, as its users expect. */
#pragma once
#include "manifest/pod.h"

struct decoder;
struct workload_kind;

struct workload {
	struct pod_metadata metadata;
	struct pod template;  /* metadata and spec alone */
	int32_t replicas;     /* of a DaemonSet 1 */
	bool replicas_known;  /* it is not a kind that runs to an end */
	const char *schedule; /* of a CronJob */
};

const struct workload_kind *workload_kind_find(const char *name); /* NULL: it is none */
const char *workload_pod_suffix(const char *kind);                /* what its pod's name has behind its own; also of other kinds */
/* Fills *ret, on the decoder's arena. True if Kubernetes would take it. */
bool workload_decode(struct decoder *d, const struct workload_kind *k, struct workload *ret);

/* A schedule of cron: five fields, or @daily and the like. */
bool schedule_is_valid(const char *text);
