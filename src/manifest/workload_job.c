/* Job and CronJob. */
#include <strings.h>
#include "base/str.h"
#include "manifest/decode.h"
#include "manifest/rules_node.h"
#include "manifest/schedule.h"
#include "manifest/workload_rows.h"

#define COUNT_OR_NONE(name_, member_, doc_, ...) \
	BUILT(name_, MODE, LATER, workload, member_, UPDATE, doc_, .check = check_not_negative_number, ##__VA_ARGS__)

static const char *const failure_action_names[] = {
	[FAILURE_COUNT] = "Count",
	[FAILURE_IGNORE] = "Ignore",
	[FAILURE_FAIL_JOB] = "FailJob",
	[FAILURE_FAIL_INDEX] = "FailIndex",
};
_Static_assert(ARRAY_SIZE(failure_action_names) == FAILURE_ACTION_MAX, "a name for each action");
static const struct enum_words failure_action_words = { failure_action_names, FAILURE_ACTION_MAX };

static const char *const concurrency_names[] = {
	[CONCURRENCY_ALLOW] = "Allow",
	[CONCURRENCY_FORBID] = "Forbid",
	[CONCURRENCY_REPLACE] = "Replace",
};
_Static_assert(ARRAY_SIZE(concurrency_names) == CONCURRENCY_MAX, "a name for each policy");
static const struct enum_words concurrency_words = { concurrency_names, CONCURRENCY_MAX };

static bool check_schedule(const struct value *v, struct arena *a, struct finding *ret)
{
	if (strstr(v->text, "TZ="))
		return check_invalid(ret, a, v->text, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead", NULL);
	struct schedule parsed;
	return schedule_parse(v->text, &parsed) || check_invalid(ret, a, v->text, "not a schedule of cron",
	                                                         "five fields: minute hour day month weekday, as \"*/5 * * * *\"");
}

static bool check_time_zone(const struct value *v, struct arena *a, struct finding *ret)
{
	const char *s = v->text;

	if (!*s || strcasecmp(s, "Local") == 0)
		return check_invalid(ret, a, s,
		                     "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
		                     "as Europe/Berlin or Etc/UTC");
	for (const char *p = s; *p; p++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/", *p) || p - s >= TIME_ZONE_MAX)
			return check_invalid(ret, a, s, "unknown time zone", "as Europe/Berlin or Etc/UTC");
	return *s != '/' || check_invalid(ret, a, s, "unknown time zone", "as Europe/Berlin or Etc/UTC");
}

static bool check_parallelism(const struct value *v, struct arena *a, struct finding *ret)
{
	if (v->number <= JOB_PARALLELISM_MAX)
		return check_not_negative_number(v, a, ret);
	*ret = (struct finding){ SEVERITY_REFUSED,
		                 arena_printf(a, "podd runs at most %d pods of a job at once", JOB_PARALLELISM_MAX),
		                 "choose a smaller number" };
	return false;
}

/* --- Job --------------------------------------------------------------------------------------------------------------------------- */

static void rule_job(struct decoder *d, const struct node *n)
{
	const struct node *template = node_get(n, "template"), *spec = template ? node_get(template, "spec") : NULL;

	if (streq0(node_string(n, "completionMode"), "Indexed") && !node_present(n, "completions"))
		rule_find(d, n, "completions", NULL, "Required value: when completion mode is Indexed");
	if (node_present(n, "podFailurePolicy") && spec && !streq0(node_string(spec, "restartPolicy"), "Never"))
		rule_find(d, n, "podFailurePolicy", "write restartPolicy: Never in the template",
		          "Invalid value: only \"Never\" is supported as restartPolicy with podFailurePolicy");
}

static void rule_failure(struct decoder *d, const struct node *n)
{
	bool codes = node_present(n, "onExitCodes"), conditions = node_present(n, "onPodConditions");

	if (codes == conditions)
		decoder_find(d, SEVERITY_ERROR, n, NULL,
		             codes ? "Invalid value: specifying both onExitCodes and onPodConditions is not supported"
		                   : "Invalid value: specifying one of onExitCodes and onPodConditions is required");
	if (streq0(node_string(n, "action"), "FailIndex"))
		decoder_find(d, SEVERITY_REFUSED, node_get(n, "action"), "write FailJob, Ignore or Count",
		             "action FailIndex is not yet supported by this podd");
}

static const struct field failure_codes_fields[] = {
	BUILT("containerName", STRING, LATER, failure_codes, container, UPDATE, "Of this container alone."),
	BUILT("operator", ENUM, LATER, failure_codes, codes.operator, UPDATE, "In or NotIn.", .required = true,
	      .values = &exit_operator_words),
	BUILT("values", INT32S, LATER, failure_codes, codes.values, UPDATE, "The codes.", .required = true),
};
static const struct schema schema_failure_codes = SCHEMA("PodFailurePolicyOnExitCodesRequirement", failure_codes_fields,
                                                         sizeof(struct failure_codes), .starts_with_set = true);

static const struct field failure_condition_fields[] = {
	BUILT("type", STRING, LATER, failure_condition, type, UPDATE, "Its type.", .required = true),
	BUILT("status", STRING, LATER, failure_condition, status, UPDATE, "Its status."),
};
static const struct schema schema_failure_condition =
	SCHEMA("PodFailurePolicyOnPodConditionsPattern", failure_condition_fields, sizeof(struct failure_condition));

static const struct field failure_fields[] = {
	BUILT("action", ENUM, LATER, failure_rule, action, UPDATE, "Count, Ignore or FailJob.", .required = true,
	      .values = &failure_action_words),
	BUILT("onExitCodes", OBJECT, LATER, failure_rule, on, UPDATE, "Exit codes it applies to.", .object = &schema_failure_codes),
	BUILT("onPodConditions", OBJECTS, LATER, failure_rule, conditions, UPDATE,
	      "Conditions by which a cluster evicts pods; here none ever has them.", .object = &schema_failure_condition),
};
static const struct schema schema_failure =
	SCHEMA("PodFailurePolicyRule", failure_fields, sizeof(struct failure_rule), .rule = rule_failure);

static const struct field failure_policy_fields[] = {
	BUILT("rules", OBJECTS, LATER, workload, job.failure_rules, UPDATE, "The first that matches holds.", .required = true,
	      .object = &schema_failure),
};
static const struct schema schema_failure_policy = SCHEMA("PodFailurePolicy", failure_policy_fields, sizeof(struct workload));

static const struct field job_fields[] = {
	BUILT("parallelism", MODE, LATER, workload, job.parallelism, UPDATE, "Pods at once; 1 by default.",
	      .check = check_parallelism),
	COUNT_OR_NONE("completions", job.completions, "Pods that must succeed; 1 by default, one of many with parallelism alone."),
	BUILT("activeDeadlineSeconds", INT64, LATER, workload, job.active_deadline, UPDATE, "Ends the job after this time.",
	      .check = check_positive_number),
	{ .name = "podFailurePolicy",
	  .type = FIELD_OBJECT,
	  .verdict = VERDICT_LATER,
	  .built = true,
	  .object = &schema_failure_policy,
	  .doc = "What failures mean." },
	PLANNED("successPolicy", OBJECT, LATER, UPDATE, "When it has succeeded."),
	COUNT_OR_NONE("backoffLimit", job.backoff_limit, "Failures that it may have; 6 by default."),
	NUMBER("backoffLimitPerIndex", "Retries of each index."),
	NUMBER("maxFailedIndexes", "Indexes that may fail."),
	SELECTOR(),
	NO_OP("manualSelector", BOOL, "Whether the selector is the user's."),
	TEMPLATE,
	COUNT_OR_NONE("ttlSecondsAfterFinished", job.ttl, "When what is left of it goes; it does not run again."),
	WORD("completionMode", "NonIndexed or Indexed.", .choices = "NonIndexed|Indexed", .neutral = "NonIndexed"),
	BUILT("suspend", BOOL, LATER, workload, job.suspend, UPDATE, "Whether it waits, without pods."),
	NO_OP("podReplacementPolicy", STRING, "When a pod that ends is replaced.", .choices = "TerminatingOrFailed|Failed"),
	WORD("managedBy", "Who acts on it.", .neutral = "kubernetes.io/job-controller"),
};
const struct schema schema_job_spec = SCHEMA("JobSpec", job_fields, sizeof(struct workload), .rule = rule_job);

/* --- CronJob ------------------------------------------------------------------------------------------------------------------------ */

static const struct field job_template_fields[] = {
	BUILT("metadata", OBJECT, MUST, workload, job_metadata, NONE, "Labels and annotations.",
	      .object = &schema_template_metadata),
	INLINE("spec", &schema_job_spec, "The job."),
};
static const struct schema schema_job_template = SCHEMA("JobTemplateSpec", job_template_fields, sizeof(struct workload));

static const struct field cron_job_fields[] = {
	BUILT("schedule", STRING, LATER, workload, cron.schedule, UPDATE, "When, as cron says it.", .required = true,
	      .check = check_schedule),
	BUILT("timeZone", STRING, LATER, workload, cron.time_zone, UPDATE, "Of the schedule, as Europe/Berlin; else the machine's.",
	      .check = check_time_zone),
	BUILT("startingDeadlineSeconds", ID, LATER, workload, cron.starting_deadline, UPDATE, "How late it may start.",
	      .check = check_not_negative_number),
	BUILT("concurrencyPolicy", ENUM, LATER, workload, cron.concurrency, UPDATE, "What to do when the last one still runs.",
	      .values = &concurrency_words),
	BUILT("suspend", BOOL, LATER, workload, cron.suspend, UPDATE, "Whether it waits."),
	INLINE("jobTemplate", &schema_job_template, "The job."),
	COUNT_OR_NONE("successfulJobsHistoryLimit", cron.successes_kept, "Jobs with success that are kept; 3 by default."),
	COUNT_OR_NONE("failedJobsHistoryLimit", cron.failures_kept, "Failed jobs that are kept; 1 by default."),
};
const struct schema schema_cron_job_spec = SCHEMA("CronJobSpec", cron_job_fields, sizeof(struct workload));
