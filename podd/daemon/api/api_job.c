/* Jobs as a kind, and what cron jobs have in common with them. */
#include <stdio.h>
#include <stdlib.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "daemon/intake/accept.h"
#include "daemon/api/api.h"
#include "daemon/controller.h"

struct job_item {
	struct feed_item feed;
	char uid[POD_UID_SIZE];
	struct pod *template; /* a reference: what selectors see of it */
};

static const struct job_item *job_item(const void *item)
{
	return container_of(item, const struct job_item, feed);
}

void api_job_item_free(struct feed_item *i)
{
	struct job_item *k = container_of(i, struct job_item, feed);

	pod_unref(k->template);
	free(k);
}

const char *api_workload_uid(const struct feed_item *i)
{
	return job_item(i)->uid;
}

static const struct job *item_job(const struct api *a, const struct feed_item *i)
{
	return jobs_find(controller_jobs(a->d), job_item(i)->uid);
}

const char *const api_workload_fields[API_WORKLOAD_FIELDS] = { "metadata.name", "metadata.namespace", "metadata.uid" };

const char *api_workload_field(const char *key, const void *item)
{
	const struct pod_metadata *m = &job_item(item)->template->workload->metadata;

	if (streq(key, "metadata.name"))
		return m->name;
	if (streq(key, "metadata.namespace"))
		return m->namespace;
	return streq(key, "metadata.uid") ? job_item(item)->uid : NULL;
}

const char *api_workload_label(const char *key, const void *item)
{
	const struct label_list *l = &job_item(item)->template->workload->metadata.labels;

	for (size_t i = 0; i < l->count; i++)
		if (streq(l->items[i].name, key))
			return l->items[i].value;
	return NULL;
}

/* --- the object ---------------------------------------------------------------------------------------------------------------------- */

void api_workload_metadata(const struct api *a, const struct feed_item *i, struct jsonw *w)
{
	const struct job *j = item_job(a, i);
	const struct cron_job *c = jobs_find_cron(controller_jobs(a->d), job_item(i)->uid);
	const struct workload *spec = j ? j->spec : c->spec;
	const struct pod_metadata *m = &spec->metadata;
	const char *source = accept_source(a->d->acceptor, job_item(i)->uid);

	jsonw_object(w);
	jsonw_member_str(w, "name", m->name);
	jsonw_member_str(w, "namespace", m->namespace);
	jsonw_member_str(w, "uid", job_item(i)->uid);
	api_version_member(w, i->version);
	api_time(w, "creationTimestamp", j ? j->created_wall : c->created_wall);
	api_map_json("labels", &m->labels, w);
	jsonw_key(w, "annotations");
	jsonw_object(w);
	for (size_t n = 0; n < m->annotations.count; n++)
		jsonw_member_str(w, m->annotations.items[n].name, m->annotations.items[n].value);
	if (source)
		jsonw_member_str(w, "podd.dev/source", source);
	jsonw_end(w);
	api_owner_json(&spec->template.owner, w);
	jsonw_end(w);
}

static void condition_json(struct jsonw *w, const char *type, int64_t since, const char *reason, const char *message)
{
	jsonw_object(w);
	jsonw_member_str(w, "type", type);
	jsonw_member_str(w, "status", "True");
	api_time(w, "lastProbeTime", since);
	api_time(w, "lastTransitionTime", since);
	jsonw_member_str(w, "reason", reason);
	jsonw_member_str(w, "message", message);
	jsonw_end(w);
}

/* What was decided, and then, when its pods have ended, what is. */
static void conditions_json(const struct job *j, struct jsonw *w)
{
	bool complete = j->end == JOB_END_COMPLETE;

	jsonw_key(w, "conditions");
	jsonw_array(w);
	if (j->suspended)
		condition_json(w, "Suspended", j->created_wall, "JobSuspended", "Job suspended");
	if (j->end != JOB_END_NONE)
		condition_json(w, complete ? "SuccessCriteriaMet" : "FailureTarget",
		               job_is_finished(j) ? j->finished.wall : j->started.wall, j->reason, j->message);
	if (job_is_finished(j))
		condition_json(w, complete ? "Complete" : "Failed", j->finished.wall, j->reason, j->message);
	jsonw_end(w);
}

static void count_json(struct jsonw *w, const char *key, size_t n)
{
	if (n)
		jsonw_member_int(w, key, (int64_t)n);
}

static void status_json(const struct job *j, struct jsonw *w)
{
	size_t ready = 0;

	for (size_t i = 0; i < j->pod_count; i++)
		ready += j->pods[i].state == JOB_POD_ACTIVE && j->pods[i].ready;
	jsonw_key(w, "status");
	jsonw_object(w);
	conditions_json(j, w);
	if (j->started.wall)
		api_time(w, "startTime", j->started.wall);
	if (job_is_finished(j) && j->end == JOB_END_COMPLETE)
		api_time(w, "completionTime", j->finished.wall);
	count_json(w, "active", job_pods_in(j, JOB_POD_ACTIVE));
	count_json(w, "succeeded", j->succeeded);
	count_json(w, "failed", j->failed);
	jsonw_member_int(w, "ready", (int64_t)ready);
	jsonw_member_int(w, "terminating",
	                 (int64_t)(j->end == JOB_END_NONE || !job_is_finished(j) ? job_pods_in(j, JOB_POD_ENDING) : 0));
	jsonw_end(w);
}

static void item_object(const struct api *a, const struct feed_item *i, struct jsonw *w)
{
	const struct job *j = item_job(a, i);

	jsonw_object(w);
	jsonw_member_str(w, "kind", "Job");
	jsonw_member_str(w, "apiVersion", "batch/v1");
	jsonw_key(w, "metadata");
	api_workload_metadata(a, i, w);
	workload_spec_json(j->spec, w);
	status_json(j, w);
	jsonw_end(w);
}

/* --- the table ----------------------------------------------------------------------------------------------------------------------- */

static const struct api_column columns[] = {
	{ "Name", "name", "Name of the job.", 0 },
	{ "Status", "", "Running, Complete, Failed, Suspended.", 0 },
	{ "Completions", "", "Pods that have succeeded, of those that must.", 0 },
	{ "Duration", "", "Time from its start to its end.", 0 },
	{ "Age", "", "Time since podd accepted the manifest.", 0 },
	{ "Containers", "", "Names of the containers.", 1 },
	{ "Images", "", "Their images.", 1 },
};

static const char *status_word(const struct job *j)
{
	if (j->gone)
		return "Terminating";
	if (j->end != JOB_END_NONE && !job_is_finished(j))
		return j->end == JOB_END_COMPLETE ? "SuccessCriteriaMet" : "FailureTarget";
	return j->end == JOB_END_NONE && j->suspended ? "Suspended" : job_end_name(j->end);
}

void api_containers_cells(const struct pod *template, struct jsonw *w)
{
	const struct container_list *l = &template->spec.containers;
	_cleanup_buf_ struct buf names = BUF_NULL, images = BUF_NULL;

	for (size_t i = 0; i < l->count; i++) {
		buf_printf(&names, "%s%s", i ? "," : "", l->items[i].name);
		buf_printf(&images, "%s%s", i ? "," : "", l->items[i].image);
	}
	jsonw_str(w, buf_str(&names));
	jsonw_str(w, buf_str(&images));
}

static void item_cells(const struct api *a, const struct feed_item *i, struct jsonw *w)
{
	const struct job *j = item_job(a, i);
	char text[64], age[CLOCK_AGE_SIZE] = "";
	int64_t end = job_is_finished(j) ? j->finished.wall : clock_wall();

	jsonw_array(w);
	jsonw_str(w, j->spec->metadata.name);
	jsonw_str(w, status_word(j));
	if (job_completions(j) >= 0)
		(void)snprintf(text, sizeof(text), "%u/%d", j->succeeded, job_completions(j));
	else
		(void)snprintf(text, sizeof(text), "%u/1 of %d", j->succeeded, job_parallelism(j));
	jsonw_str(w, text);
	if (j->started.wall)
		clock_age(end - j->started.wall, age);
	jsonw_str(w, age);
	clock_age(clock_wall() - j->created_wall, age);
	jsonw_str(w, age);
	api_containers_cells(&j->spec->template, w);
	jsonw_end(w);
}

const struct api_kind api_job_kind = {
	.kind = "Job",
	.list_kind = "JobList",
	.resource = "jobs",
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

/* --- coming and going ------------------------------------------------------------------------------------------------------------------ */

static struct job_item *find(const struct api_resource *r, const char *uid)
{
	list_foreach(i, &r->feed->items, struct job_item, feed.link)
		if (!i->feed.gone && streq(i->uid, uid))
			return i;
	return NULL;
}

static struct api_resource *resource_of(struct api *a, const struct pod *template)
{
	return pod_runs(template) == WORKLOAD_JOB ? &a->jobs : &a->cron_jobs;
}

void api_workload_changed(struct daemon *d, const char *uid)
{
	struct pod *template = (struct pod *)controller_template(d, uid);
	struct api *a = api_of(d);

	if (!a || !template)
		return;
	struct api_resource *r = resource_of(a, template);
	struct job_item *i = find(r, uid);
	bool fresh = !i, altered = fresh || i->template != template;
	if (fresh) {
		i = xnew(struct job_item);
		(void)snprintf(i->uid, sizeof(i->uid), "%s", uid);
	}
	if (altered) {
		pod_unref(i->template);
		i->template = pod_ref(template);
	}
	if (fresh)
		feed_add(r->feed, &i->feed);
	else
		feed_change(r->feed, &i->feed, altered);
	api_wake(a);
}

void api_workload_forgotten(struct daemon *d, const char *uid)
{
	const struct pod *template = controller_template(d, uid);
	struct api *a = api_of(d);
	struct api_resource *r = a && template ? resource_of(a, template) : NULL;
	struct job_item *i = r ? find(r, uid) : NULL;

	if (!i)
		return;
	api_resource_end(r, &i->feed);
	api_wake(a);
}

void api_job_list(struct http_request *q, void *arg)
{
	api_list(q, &((struct api *)arg)->jobs, http_arg(q, 0));
}

void api_job_get(struct http_request *q, void *arg)
{
	api_get(q, &((struct api *)arg)->jobs, http_arg(q, 0), http_arg(q, 1));
}
