#include "manifest/workload.h"
#include "base/str.h"
#include "manifest/check.h"
#include "manifest/decode.h"
#include "manifest/rules_node.h"
#include "manifest/schema_rows.h"
#include "manifest/validate.h"

struct workload_kind {
	const char *name;
	const struct schema *schema;
	const char *path[5]; /* to the template */
	const char *restart_policies;
};

#define NUMBER(name_, doc_, ...) PLANNED(name_, INT32, LATER, UPDATE, doc_, .check = check_not_negative_number, ##__VA_ARGS__)
#define WORD(name_, doc_, ...) PLANNED(name_, STRING, LATER, UPDATE, doc_, ##__VA_ARGS__)
#define COUNT(fields_) .count = ARRAY_SIZE(fields_)

static bool check_schedule(const struct value *v, struct arena *a, struct finding *ret)
{
	if (strstr(v->text, "TZ="))
		return check_invalid(ret, a, v->text, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead", NULL);
	return schedule_is_valid(v->text) || check_invalid(ret, a, v->text, "not a schedule of cron",
	                                                   "five fields: minute hour day month weekday, as \"*/5 * * * *\"");
}

static bool check_percent(const struct value *v, struct arena *a, struct finding *ret)
{
	size_t n;

	if (!v->text)
		return check_not_negative_number(v, a, ret);
	n = strspn(v->text, "0123456789");
	return (n && streq(v->text + n, "%")) ||
	       check_invalid(ret, a, v->text, "a valid percent string must be a number followed by '%'", "as 25%");
}

/* --- the template ------------------------------------------------------------------------------------------------------------------ */

static const struct field template_metadata_fields[] = {
	NO_OP("name", STRING, "Ignored; the pods get names of their own."),
	NO_OP("namespace", STRING, "Ignored; the pods are where the object is."),
	NO_OP("generateName", STRING, "Ignored."),
	NO_OP("creationTimestamp", STRING, "Written by an API server."),
	BUILT("labels", MAP, MUST, pod_metadata, labels, UPDATE, "Words to select pods by."),
	BUILT("annotations", MAP, MUST, pod_metadata, annotations, UPDATE, "Notes."),
	NO_OP("finalizers", STRINGS, "Who has a say in the deletion."),
};
static const struct schema schema_template_metadata = SCHEMA("ObjectMeta", template_metadata_fields, sizeof(struct pod_metadata));

static const struct field template_fields[] = {
	BUILT("metadata", OBJECT, MUST, pod, metadata, NONE, "Labels and annotations.", .object = &schema_template_metadata),
	BUILT("spec", OBJECT, MUST, pod, spec, NONE, "What is to run.", .required = true, .object = &schema_spec),
};
const struct schema schema_pod_template = SCHEMA("PodTemplateSpec", template_fields, sizeof(struct pod));

#define TEMPLATE \
	BUILT("template", OBJECT, MUST, workload, template, NONE, "The pod.", .required = true, .object = &schema_pod_template)
#define SELECTOR(...) NO_OP("selector", LABEL_SELECTOR, "Labels of its pods.", .object = &schema_label_selector, ##__VA_ARGS__)

/* Labels that the selector wants and the template has not. */
static void rule_selects_template(struct decoder *d, const struct node *n)
{
	const struct node *selector = node_get(n, "selector"), *wanted = selector ? node_get(selector, "matchLabels") : NULL;
	const struct node *template = node_get(n, "template"), *metadata = template ? node_get(template, "metadata") : NULL;
	const struct node *labels = metadata ? node_get(metadata, "labels") : NULL;

	if (selector && selector->type == NODE_MAPPING && !node_member(selector, "matchLabels") &&
	    !node_member(selector, "matchExpressions"))
		rule_find(d, n, "selector", NULL, "Invalid value: an empty selector is not valid here");
	for (size_t i = 0; wanted && wanted->type == NODE_MAPPING && i < wanted->count; i++) {
		const char *value = node_text(wanted->pairs[i].value);
		const char *label = labels ? node_text(node_get(labels, wanted->pairs[i].key->text)) : NULL;
		if (value && streq0(value, label))
			continue;
		path_key(&d->path, "template");
		path_key(&d->path, "metadata");
		path_key(&d->path, "labels");
		decoder_find(d, SEVERITY_ERROR, labels ? labels : n, "repeat the selector's labels in the template",
		             "Invalid value: `selector` does not match template `labels`");
		path_pop(&d->path);
		path_pop(&d->path);
		path_pop(&d->path);
		return;
	}
}

/* --- Deployment, ReplicaSet, DaemonSet, StatefulSet ---------------------------------------------------------------------------------- */

static const struct field rolling_update_fields[] = {
	PLANNED("maxUnavailable", INT_OR_STRING, LATER, UPDATE, "Pods that may be missing.", .check = check_percent),
	PLANNED("maxSurge", INT_OR_STRING, LATER, UPDATE, "Pods beyond the number wanted.", .check = check_percent),
	NUMBER("partition", "Ordinal from which pods are updated."),
};
static const struct schema schema_rolling_update = SCHEMA("RollingUpdateDeployment", rolling_update_fields, 0);

static void rule_strategy(struct decoder *d, const struct node *n)
{
	const char *type = node_string(n, "type");

	if (type && !streq(type, "RollingUpdate") && node_present(n, "rollingUpdate"))
		rule_find(d, n, "rollingUpdate", "leave it out", "Forbidden: may not be specified when strategy `type` is '%s'",
		          type);
}

static const struct field strategy_fields[] = {
	WORD("type", "Recreate or RollingUpdate.", .choices = "Recreate|RollingUpdate"),
	PLANNED("rollingUpdate", OBJECT, LATER, UPDATE, "How pods are replaced.", .object = &schema_rolling_update),
};
static const struct schema schema_strategy = SCHEMA("DeploymentStrategy", strategy_fields, 0, .rule = rule_strategy);

static const struct field update_strategy_fields[] = {
	WORD("type", "OnDelete or RollingUpdate.", .choices = "OnDelete|RollingUpdate"),
	PLANNED("rollingUpdate", OBJECT, LATER, UPDATE, "How pods are replaced.", .object = &schema_rolling_update),
};
static const struct schema schema_update_strategy = SCHEMA("UpdateStrategy", update_strategy_fields, 0, .rule = rule_strategy);

#define REPLICAS                                                                                                    \
	BUILT("replicas", INT32, MUST, workload, replicas, UPDATE, "Number of pods; podd runs one, or none for 0.", \
	      .fallback = "1", .check = check_not_negative_number)
#define MIN_READY NO_OP("minReadySeconds", INT32, "How long a pod must be ready.", .check = check_not_negative_number)
#define HISTORY NO_OP("revisionHistoryLimit", INT32, "Old versions that are kept.", .check = check_not_negative_number)

static const struct field deployment_fields[] = {
	REPLICAS,
	SELECTOR(.required = true),
	TEMPLATE,
	NO_OP("strategy", OBJECT, "How pods are replaced.", .object = &schema_strategy),
	MIN_READY,
	HISTORY,
	PLANNED("paused", BOOL, LATER, UPDATE, "Whether edits wait."),
	NO_OP("progressDeadlineSeconds", INT32, "Time for an update.", .check = check_not_negative_number),
};
static const struct schema schema_deployment_spec =
	SCHEMA("DeploymentSpec", deployment_fields, sizeof(struct workload), .rule = rule_selects_template);

static const struct field replica_set_fields[] = { REPLICAS, MIN_READY, SELECTOR(.required = true), TEMPLATE };
static const struct schema schema_replica_set_spec =
	SCHEMA("ReplicaSetSpec", replica_set_fields, sizeof(struct workload), .rule = rule_selects_template);

static const struct field daemon_set_fields[] = {
	SELECTOR(.required = true),
	TEMPLATE,
	MIN_READY,
	HISTORY,
	NO_OP("updateStrategy", OBJECT, "How pods are replaced.", .object = &schema_update_strategy),
};
static const struct schema schema_daemon_set_spec =
	SCHEMA("DaemonSetSpec", daemon_set_fields, sizeof(struct workload), .rule = rule_selects_template);

static const struct field claim_retention_fields[] = {
	WORD("whenDeleted", "Retain or Delete.", .choices = "Retain|Delete"),
	WORD("whenScaled", "Retain or Delete.", .choices = "Retain|Delete"),
};
static const struct schema schema_claim_retention = SCHEMA("PersistentVolumeClaimRetentionPolicy", claim_retention_fields, 0);

static const struct field ordinals_fields[] = { NUMBER("start", "First number.") };
static const struct schema schema_ordinals = SCHEMA("StatefulSetOrdinals", ordinals_fields, 0);

static const struct field claim_template_fields[] = {
	NO_OP("apiVersion", STRING, "v1."),
	NO_OP("kind", STRING, "PersistentVolumeClaim."),
	NO_OP("metadata", OBJECT, "Name of the claim.", .required = true),
	NEVER("spec", OBJECT, "What the volume must be like.", .required = true),
	NO_OP("status", OBJECT, "Written by an API server."),
};
static const struct schema schema_claims = SCHEMA("PersistentVolumeClaim", claim_template_fields, 0);

static const struct field stateful_set_fields[] = {
	REPLICAS,
	SELECTOR(.required = true),
	TEMPLATE,
	PLANNED("volumeClaimTemplates", OBJECTS, LATER, RECREATE, "Named directories of its own.", .object = &schema_claims),
	NO_OP("serviceName", STRING, "Service that names the pods."),
	NO_OP("podManagementPolicy", STRING, "Order of starts.", .choices = "OrderedReady|Parallel"),
	NO_OP("updateStrategy", OBJECT, "How pods are replaced.", .object = &schema_update_strategy),
	HISTORY,
	MIN_READY,
	NO_OP("persistentVolumeClaimRetentionPolicy", OBJECT, "Whether claims outlive it.", .object = &schema_claim_retention),
	NO_OP("ordinals", OBJECT, "Numbers of the pods.", .object = &schema_ordinals),
};
static const struct schema schema_stateful_set_spec =
	SCHEMA("StatefulSetSpec", stateful_set_fields, sizeof(struct workload), .rule = rule_selects_template);

/* --- Job, CronJob -------------------------------------------------------------------------------------------------------------------- */

static void rule_job(struct decoder *d, const struct node *n)
{
	if (streq0(node_string(n, "completionMode"), "Indexed") && !node_present(n, "completions"))
		rule_find(d, n, "completions", NULL, "Required value: when completion mode is Indexed");
}

static const struct field job_fields[] = {
	NUMBER("parallelism", "Pods at once."),
	NUMBER("completions", "Pods that must succeed."),
	PLANNED("activeDeadlineSeconds", INT64, LATER, UPDATE, "Ends the job after this time.", .check = check_positive_number),
	PLANNED("podFailurePolicy", OBJECT, LATER, UPDATE, "What failures mean."),
	PLANNED("successPolicy", OBJECT, LATER, UPDATE, "When it has succeeded."),
	NUMBER("backoffLimit", "Retries."),
	NUMBER("backoffLimitPerIndex", "Retries of each index."),
	NUMBER("maxFailedIndexes", "Indexes that may fail."),
	SELECTOR(),
	PLANNED("manualSelector", BOOL, LATER, UPDATE, "Whether the selector is the user's."),
	TEMPLATE,
	NUMBER("ttlSecondsAfterFinished", "When it is removed."),
	WORD("completionMode", "NonIndexed or Indexed.", .choices = "NonIndexed|Indexed"),
	PLANNED("suspend", BOOL, LATER, UPDATE, "Whether it waits."),
	WORD("podReplacementPolicy", "When a pod is replaced.", .choices = "TerminatingOrFailed|Failed"),
	WORD("managedBy", "Who acts on it."),
};
static const struct schema schema_job_spec = SCHEMA("JobSpec", job_fields, sizeof(struct workload), .rule = rule_job);

static const struct field job_template_fields[] = {
	BUILT("metadata", OBJECT, MUST, workload, metadata, NONE, "Labels and annotations.", .object = &schema_template_metadata),
	{ .name = "spec",
	  .type = FIELD_OBJECT,
	  .verdict = VERDICT_LATER,
	  .built = true,
	  .required = true,
	  .object = &schema_job_spec,
	  .doc = "The job." },
};
static const struct schema schema_job_template = SCHEMA("JobTemplateSpec", job_template_fields, sizeof(struct workload));

static const struct field cron_job_fields[] = {
	BUILT("schedule", STRING, LATER, workload, schedule, UPDATE, "When, as cron says it.", .required = true,
	      .check = check_schedule),
	WORD("timeZone", "Time zone of the schedule."),
	PLANNED("startingDeadlineSeconds", INT64, LATER, UPDATE, "How late it may start.", .check = check_not_negative_number),
	WORD("concurrencyPolicy", "What to do when the last one still runs.", .choices = "Allow|Forbid|Replace"),
	PLANNED("suspend", BOOL, LATER, UPDATE, "Whether it waits."),
	{ .name = "jobTemplate",
	  .type = FIELD_OBJECT,
	  .verdict = VERDICT_LATER,
	  .built = true,
	  .required = true,
	  .object = &schema_job_template,
	  .doc = "The job." },
	NUMBER("successfulJobsHistoryLimit", "Successes that are remembered."),
	NUMBER("failedJobsHistoryLimit", "Failures that are remembered."),
};
static const struct schema schema_cron_job_spec = SCHEMA("CronJobSpec", cron_job_fields, sizeof(struct workload));

/* --- the kinds ------------------------------------------------------------------------------------------------------------------------- */

#define KIND(id_, name_, spec_)                                                                                 \
	static const struct field id_##_object_fields[] = {                                                     \
		READ_ELSEWHERE("apiVersion", STRING, MUST, "Version of the API.", .required = true),            \
		READ_ELSEWHERE("kind", STRING, MUST, "The kind.", .required = true),                            \
		BUILT("metadata", OBJECT, MUST, workload, metadata, NONE, "Name and labels.", .required = true, \
		      .object = &schema_metadata),                                                              \
		{ .name = "spec",                                                                               \
		  .type = FIELD_OBJECT,                                                                         \
		  .verdict = VERDICT_LATER,                                                                     \
		  .built = true,                                                                                \
		  .required = true,                                                                             \
		  .object = &(spec_),                                                                           \
		  .doc = "What is wanted." },                                                                   \
		NO_OP("status", OBJECT, "Written by an API server."),                                           \
	};                                                                                                      \
	static const struct schema schema_##id_##_kind = SCHEMA(name_, id_##_object_fields, sizeof(struct workload))

KIND(deployment, "Deployment", schema_deployment_spec);
KIND(replica_set, "ReplicaSet", schema_replica_set_spec);
KIND(daemon_set, "DaemonSet", schema_daemon_set_spec);
KIND(stateful_set, "StatefulSet", schema_stateful_set_spec);
KIND(job, "Job", schema_job_spec);
KIND(cron_job, "CronJob", schema_cron_job_spec);

static const struct workload_kind kinds[] = {
	{ "Deployment", &schema_deployment_kind, { "spec", "template" }, "Always" },
	{ "ReplicaSet", &schema_replica_set_kind, { "spec", "template" }, "Always" },
	{ "DaemonSet", &schema_daemon_set_kind, { "spec", "template" }, "Always" },
	{ "StatefulSet", &schema_stateful_set_kind, { "spec", "template" }, "Always" },
	{ "Job", &schema_job_kind, { "spec", "template" }, NULL },
	{ "CronJob", &schema_cron_job_kind, { "spec", "jobTemplate", "spec", "template" }, NULL },
};

const struct workload_kind *workload_kind_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (streq(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

const char *workload_pod_suffix(const char *kind)
{
	return streq(kind, "StatefulSet") ? "-0" : "";
}

/* What runs for ever is always restarted, what runs to an end never is. */
static void check_restart_policy(struct decoder *d, const struct workload_kind *k, const struct node *spec)
{
	const char *policy = node_string(spec, "restartPolicy");

	if (k->restart_policies && policy && !streq(policy, k->restart_policies))
		rule_find(d, spec, "restartPolicy", "leave it out", "Unsupported value: \"%.*s\": supported values: \"%s\"",
		          RULE_SHOWN_MAX, policy, k->restart_policies);
	if (!k->restart_policies && !policy)
		rule_find(d, spec, "restartPolicy", NULL, "Required value: valid values: \"OnFailure\", \"Never\"");
	if (!k->restart_policies && streq0(policy, "Always"))
		rule_find(d, spec, "restartPolicy", NULL,
		          "Unsupported value: \"Always\": supported values: \"OnFailure\", \"Never\"");
}

bool workload_decode(struct decoder *d, const struct workload_kind *k, struct workload *ret)
{
	const struct node *template = d->root;
	unsigned depth = d->path.depth;
	struct workload *w = ret;

	w->replicas = 1;
	w->replicas_known = k->restart_policies;
	(void)decode_root(d, k->schema, w);
	validate_object_metadata(d, &w->metadata);
	for (size_t i = 0; i < ARRAY_SIZE(k->path) && k->path[i]; i++) {
		path_key(&d->path, k->path[i]);
		template = template ? node_get(template, k->path[i]) : NULL;
	}
	if (template) {
		const struct node *spec = node_get(template, "spec");
		validate_metadata(d, &w->template);
		validate_spec(d, &w->template);
		path_key(&d->path, "spec");
		if (spec)
			check_restart_policy(d, k, spec);
	}
	while (d->path.depth > depth)
		path_pop(&d->path);
	return d->errors == 0;
}
