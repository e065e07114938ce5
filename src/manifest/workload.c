#include "manifest/workload.h"
#include <stdio.h>
#include <stdlib.h>
#include "base/str.h"
#include "manifest/check.h"
#include "manifest/decode.h"
#include "manifest/complete.h"
#include "manifest/rules_node.h"
#include "manifest/validate.h"
#include "manifest/workload_rows.h"

struct workload_kind {
	const char *name;
	const struct schema *schema;
	const char *path[5]; /* to the template */
	enum workload_runs runs;
};

enum { JOB_NAME_MAX = 63, CRON_JOB_NAME_MAX = 52 }; /* Kubernetes': a job's name is a label, a cron job's gets 11 bytes more */

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
const struct schema schema_template_metadata = SCHEMA("ObjectMeta", template_metadata_fields, sizeof(struct pod_metadata));

static const struct field template_fields[] = {
	BUILT("metadata", OBJECT, MUST, pod, metadata, NONE, "Labels and annotations.", .object = &schema_template_metadata),
	BUILT("spec", OBJECT, MUST, pod, spec, NONE, "What is to run.", .required = true, .object = &schema_spec),
};
const struct schema schema_pod_template = SCHEMA("PodTemplateSpec", template_fields, sizeof(struct pod));

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
	{ "Deployment", &schema_deployment_kind, { "spec", "template" }, WORKLOAD_POD },
	{ "ReplicaSet", &schema_replica_set_kind, { "spec", "template" }, WORKLOAD_POD },
	{ "DaemonSet", &schema_daemon_set_kind, { "spec", "template" }, WORKLOAD_POD },
	{ "StatefulSet", &schema_stateful_set_kind, { "spec", "template" }, WORKLOAD_POD },
	{ "Job", &schema_job_kind, { "spec", "template" }, WORKLOAD_JOB },
	{ "CronJob", &schema_cron_job_kind, { "spec", "jobTemplate", "spec", "template" }, WORKLOAD_CRON_JOB },
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

enum workload_runs workload_kind_runs(const struct workload_kind *k)
{
	return k->runs;
}

/* What runs for ever is always restarted, what runs to an end never is. */
static void check_restart_policy(struct decoder *d, const struct workload_kind *k, const struct node *spec)
{
	const char *policy = node_string(spec, "restartPolicy");

	if (k->runs == WORKLOAD_POD) {
		if (policy && !streq(policy, "Always"))
			rule_find(d, spec, "restartPolicy", "leave it out",
			          "Unsupported value: \"%.*s\": supported values: \"Always\"", RULE_SHOWN_MAX, policy);
	} else if (!policy) {
		rule_find(d, spec, "restartPolicy", NULL, "Required value: valid values: \"OnFailure\", \"Never\"");
	} else if (streq(policy, "Always")) {
		rule_find(d, spec, "restartPolicy", NULL,
		          "Unsupported value: \"Always\": supported values: \"OnFailure\", \"Never\"");
	}
}

static void check_name(struct decoder *d, const struct workload_kind *k, const struct workload *w)
{
	size_t max = k->runs == WORKLOAD_CRON_JOB ? CRON_JOB_NAME_MAX : JOB_NAME_MAX;

	if (k->runs == WORKLOAD_POD || !w->metadata.name || strlen(w->metadata.name) <= max)
		return;
	path_key(&d->path, "metadata");
	rule_find(d, node_get(d->root, "metadata"), "name", "choose a shorter one", "Too long: must be no more than %zu characters",
	          max);
	path_pop(&d->path);
}

bool workload_decode(struct decoder *d, const struct workload_kind *k, struct workload *ret)
{
	const struct node *template = d->root;
	unsigned depth = d->path.depth;
	struct workload *w = ret;

	w->replicas = 1;
	w->runs = k->runs;
	(void)decode_root(d, k->schema, w);
	validate_object_metadata(d, &w->metadata);
	check_name(d, k, w);
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

const char *workload_name(enum workload_runs r)
{
	static const char *const names[] = { [WORKLOAD_POD] = "Pod", [WORKLOAD_JOB] = "Job", [WORKLOAD_CRON_JOB] = "CronJob" };
	_Static_assert(ARRAY_SIZE(names) == WORKLOAD_RUNS_MAX, "a name for each");

	return names[r];
}

enum workload_runs pod_runs(const struct pod *p)
{
	return p->workload ? p->workload->runs : WORKLOAD_POD;
}

void workload_json(const struct workload *w, const char *uid, struct jsonw *j)
{
	const char *kind = workload_name(w->runs);
	struct workload named = *w;

	named.metadata.uid = uid;
	jsonw_object(j);
	jsonw_member_str(j, "apiVersion", "batch/v1");
	jsonw_member_str(j, "kind", kind);
	schema_json(workload_kind_find(kind)->schema, &named, j);
	jsonw_end(j);
}

static void default_to(struct id *n, int64_t value)
{
	if (!n->set)
		*n = (struct id){ value, true };
}

void workload_spec_json(const struct workload *w, struct jsonw *j)
{
	struct workload full = *w;

	if (!w->job.parallelism.set)
		default_to(&full.job.completions, 1);
	default_to(&full.job.parallelism, 1);
	default_to(&full.job.backoff_limit, JOB_BACKOFF_LIMIT);
	jsonw_key(j, "spec");
	jsonw_object(j);
	schema_json(w->runs == WORKLOAD_JOB ? &schema_job_spec : &schema_cron_job_spec, &full, j);
	jsonw_end(j);
}

void workload_complete(struct workload *w)
{
	_cleanup_buf_ struct buf json = BUF_NULL;
	struct jsonw j;

	w->template.workload = w;
	w->template.metadata.name = w->metadata.name;
	w->template.metadata.namespace = w->metadata.namespace;
	w->template.metadata.uid = w->metadata.uid;
	if (!w->template.backoff.initial)
		w->template.backoff.initial = JOB_BACKOFF_INITIAL;
	if (!w->template.backoff.max)
		w->template.backoff.max = JOB_BACKOFF_MAX;
	pod_complete(&w->template);
	jsonw_init(&j, &json);
	workload_json(w, NULL, &j);
	sha256_hex(json.data, json.len, w->template.hash);
}

/* --- what comes of a template ---------------------------------------------------------------------------------------------------------- */

static int by_label(const void *a, const void *b)
{
	return strcmp(((const struct label *)a)->name, ((const struct label *)b)->name);
}

/* `more` win over the template's own of the same name. */
static struct label_list add_labels(struct arena *a, const struct label_list *own, const struct label *more, size_t count)
{
	struct label_list l = { arena_new_array(a, struct label, own->count + count), 0 };

	for (size_t i = 0; i < own->count + count; i++) {
		const struct label *from = i < count ? &more[i] : &own->items[i - count];
		bool known = false;
		for (size_t n = 0; n < l.count; n++)
			known = known || streq(l.items[n].name, from->name);
		if (!known)
			l.items[l.count++] = (struct label){ arena_strdup(a, from->name), arena_strdup(a, from->value) };
	}
	qsort(l.items, l.count, sizeof(*l.items), by_label);
	return l;
}

struct pod *workload_pod(const struct workload *w, const char *job_uid, const char *name)
{
	const char *job = w->metadata.name;
	const struct label labels[] = { { "batch.kubernetes.io/controller-uid", job_uid },
		                        { "batch.kubernetes.io/job-name", job },
		                        { "controller-uid", job_uid },
		                        { "job-name", job } };
	struct arena *a = arena_new();
	struct pod *p = arena_alloc(a, sizeof(*p));
	char text[2 * SHA256_HEX_SIZE + 256];

	*p = w->template;
	p->arena = a;
	p->refs = 1;
	p->workload = NULL;
	p->base = pod_ref((struct pod *)&w->template);
	p->owner = (struct owner){ workload_name(WORKLOAD_JOB), arena_strdup(a, job), arena_strdup(a, job_uid) };
	p->metadata.name = arena_strdup(a, name);
	p->metadata.uid = NULL;
	p->metadata.labels = add_labels(a, &w->template.metadata.labels, labels, ARRAY_SIZE(labels));
	(void)snprintf(text, sizeof(text), "%s %s", w->template.hash, name);
	sha256_hex(text, strlen(text), p->hash);
	return p;
}

struct workload *workload_job(const struct workload *cron, const char *name, const char *cron_uid)
{
	struct arena *a = arena_new();
	struct workload *w = arena_alloc(a, sizeof(*w));
	struct pod *p = &w->template;

	*w = *cron;
	w->runs = WORKLOAD_JOB;
	w->metadata = cron->job_metadata;
	w->metadata.name = arena_strdup(a, name);
	w->metadata.namespace = cron->metadata.namespace;
	w->metadata.uid = NULL;
	p->arena = a;
	p->refs = 1;
	p->base = pod_ref((struct pod *)&cron->template);
	p->owner = (struct owner){ workload_name(WORKLOAD_CRON_JOB), cron->metadata.name, arena_strdup(a, cron_uid) };
	workload_complete(w);
	return w;
}
