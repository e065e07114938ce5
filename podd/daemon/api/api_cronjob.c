/* Cron jobs as a kind: what they do not share with jobs (api_job.c). */
#include <stdio.h>
#include "base/clock.h"
#include "base/str.h"
#include "daemon/api/api.h"
#include "daemon/controller.h"

static const struct cron_job *item_cron(const struct api *a, const struct feed_item *i)
{
	return jobs_find_cron(controller_jobs(a->d), api_workload_uid(i));
}

static void active_json(const struct api *a, const struct cron_job *c, struct jsonw *w)
{
	jsonw_key(w, "active");
	jsonw_array(w);
	list_foreach(j, jobs_all(controller_jobs(a->d)), const struct job, link) {
		if (!streq0(j->spec->template.owner.uid, c->uid) || job_is_finished(j))
			continue;
		jsonw_object(w);
		jsonw_member_str(w, "kind", "Job");
		jsonw_member_str(w, "apiVersion", "batch/v1");
		jsonw_member_str(w, "namespace", j->spec->metadata.namespace);
		jsonw_member_str(w, "name", j->spec->metadata.name);
		jsonw_member_str(w, "uid", j->uid);
		jsonw_end(w);
	}
	jsonw_end(w);
}

static void item_object(const struct api *a, const struct feed_item *i, struct jsonw *w)
{
	const struct cron_job *c = item_cron(a, i);

	jsonw_object(w);
	jsonw_member_str(w, "kind", "CronJob");
	jsonw_member_str(w, "apiVersion", "batch/v1");
	jsonw_key(w, "metadata");
	api_workload_metadata(a, i, w);
	workload_spec_json(c->spec, w);
	jsonw_key(w, "status");
	jsonw_object(w);
	active_json(a, c, w);
	if (c->last)
		api_time(w, "lastScheduleTime", c->last * NS_PER_SEC);
	if (c->last_success)
		api_time(w, "lastSuccessfulTime", c->last_success * NS_PER_SEC);
	jsonw_end(w);
	jsonw_end(w);
}

static const struct api_column columns[] = {
	{ "Name", "name", "Name of the cron job.", 0 },
	{ "Schedule", "", "When, as cron says it.", 0 },
	{ "Timezone", "", "Zone of the schedule; <none>: the machine's.", 0 },
	{ "Suspend", "", "Whether it waits.", 0 },
	{ "Active", "", "Jobs of it that have not finished.", 0 },
	{ "Last Schedule", "", "Time since it was last due and begun.", 0 },
	{ "Age", "", "Time since podd accepted the manifest.", 0 },
	{ "Containers", "", "Names of the containers.", 1 },
	{ "Images", "", "Their images.", 1 },
};

static void item_cells(const struct api *a, const struct feed_item *i, struct jsonw *w)
{
	const struct cron_job *c = item_cron(a, i);
	const struct cron_spec *s = &c->spec->cron;
	char text[24], age[CLOCK_AGE_SIZE];

	jsonw_array(w);
	jsonw_str(w, c->spec->metadata.name);
	jsonw_str(w, s->schedule);
	jsonw_str(w, s->time_zone ? s->time_zone : "<none>");
	jsonw_str(w, s->suspend ? "True" : "False");
	(void)snprintf(text, sizeof(text), "%zu", cron_job_active(controller_jobs(a->d), c));
	jsonw_str(w, text);
	clock_age(clock_wall() - c->last * NS_PER_SEC, age);
	jsonw_str(w, c->last ? age : "<none>");
	clock_age(clock_wall() - c->created_wall, age);
	jsonw_str(w, age);
	api_containers_cells(&c->spec->template, w);
	jsonw_end(w);
}

const struct api_kind api_cron_job_kind = {
	.kind = "CronJob",
	.list_kind = "CronJobList",
	.resource = "cronjobs",
	.version = "batch/v1",
	.columns = columns,
	.column_count = ARRAY_SIZE(columns),
	.fields = api_workload_fields,
	.field_count = API_WORKLOAD_FIELDS,
	.by_name = true,
	.field = api_workload_field,
	.label = api_workload_label,
	.object = item_object,
	.metadata = api_workload_metadata,
	.cells = item_cells,
};

void api_cron_job_list(struct http_request *q, void *arg)
{
	api_list(q, &((struct api *)arg)->cron_jobs, http_arg(q, 0));
}

void api_cron_job_get(struct http_request *q, void *arg)
{
	api_get(q, &((struct api *)arg)->cron_jobs, http_arg(q, 0), http_arg(q, 1));
}

/* podctl create job NAME --from=cronjob/X */
void api_cron_job_run(struct http_request *q, void *arg)
{
	struct api *a = arg;
	const char *name = url_param(http_url(q), "name");

	if (!name || !*name || strlen(name) > 63 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") != strlen(name)) {
		api_error(q, 400, NULL, NULL, "the job needs a name of at most 63 small letters, digits, \"-\" and \".\"");
		return;
	}
	list_foreach(j, jobs_all(controller_jobs(a->d)), const struct job, link)
		if (streq(j->spec->metadata.name, name) && streq(j->spec->metadata.namespace, http_arg(q, 0))) {
			api_error(q, 409, name, "jobs", "jobs \"%s\" already exists", name);
			return;
		}
	list_foreach(c, jobs_crons(controller_jobs(a->d)), const struct cron_job, link)
		if (streq(c->spec->metadata.name, http_arg(q, 1)) && streq(c->spec->metadata.namespace, http_arg(q, 0))) {
			controller_run(a->d, c->uid, name);
			api_success(q);
			return;
		}
	api_error(q, 404, http_arg(q, 1), "cronjobs", "cronjobs \"%s\" not found", http_arg(q, 1));
}
