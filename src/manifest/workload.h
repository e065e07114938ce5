/* The kinds that make pods: Deployment, DaemonSet, StatefulSet, ReplicaSet, Job and CronJob. The template is a pod without a name. */
#pragma once
#include "manifest/pod.h"

struct decoder;
struct workload_kind;

struct workload {
	struct pod_metadata metadata;
	struct pod template;  /* metadata and spec alone */
	const char *schedule; /* of a CronJob */
};

const struct workload_kind *workload_kind_find(const char *name); /* NULL: it is none */
/* Fills *ret, on the decoder's arena. True if Kubernetes would take it. */
bool workload_decode(struct decoder *d, const struct workload_kind *k, struct workload *ret);

/* A schedule of cron: five fields, or @daily and the like. */
bool schedule_is_valid(const char *text);
