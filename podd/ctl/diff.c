/* podctl diff: what an edit would do. The manifests are compared with the pods that run, by the function that podd's own decisions rest on. */
#include <stdio.h>
#include <sys/stat.h>
#include "base/alloc.h"
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/files.h"
#include "ctl/table.h"
#include "manifest/workload.h"

enum { COLUMNS = 4 };

struct running {
	struct manifest manifest; /* of the pod as the API tells it */
	bool wanted;              /* a manifest was seen that defines it */
};

struct diffing {
	struct running *running;
	size_t count;
	bool differs;
	struct table table;
	struct jsonw *w; /* NULL: the table */
};

static const struct pod *pod_of(const struct manifest *m)
{
	return m->document_count ? m->documents[0].pod : NULL;
}

/* What podd adds to a pod's annotations when it is asked for it. */
static void drop_own_annotations(json_t *pod)
{
	json_t *annotations = json_at(pod, "metadata.annotations");

	(void)json_object_del(annotations, "kubernetes.io/config.source");
	(void)json_object_del(annotations, "podd.dev/source");
}

static int read_list(const struct args *a, struct diffing *d, const char *path, const char *version, const char *kind)
{
	json_t *list, *item;
	size_t i;
	int code = client_json(a, "GET", path, false, &list);

	if (code != CTL_YES)
		return code;
	json_array_foreach(json_at(list, "items"), i, item) {
		if (json_at(item, "metadata.deletionTimestamp") || json_at(item, "metadata.ownerReferences"))
			continue; /* what a job has made is not in any manifest */
		struct running *r = xgrow(d->running, d->count);
		drop_own_annotations(item);
		(void)json_object_set_new(item, "apiVersion", json_string(version)); /* items of a list leave both out */
		(void)json_object_set_new(item, "kind", json_string(kind));
		char *text = json_dumps(item, JSON_COMPACT);
		manifest_read("podd", text, strlen(text), &r->manifest);
		free(text);
		if (!pod_of(&r->manifest))
			code = ctl_fail(CTL_NO, "podd tells of a %s %s that this podctl can't read; are they of one version?", kind,
			                json_text(item, "metadata.name"));
	}
	json_decref(list);
	return code;
}

static int read_running(const struct args *a, struct diffing *d)
{
	int code = read_list(a, d, "/api/v1/pods", "v1", "Pod");

	if (code == CTL_YES)
		code = read_list(a, d, "/apis/batch/v1/jobs", "batch/v1", "Job");
	return code == CTL_YES ? read_list(a, d, "/apis/batch/v1/cronjobs", "batch/v1", "CronJob") : code;
}

/* `makes` NULL: of any kind. */
static struct running *find(struct diffing *d, const char *makes, const char *namespace, const char *name)
{
	for (size_t i = 0; i < d->count; i++) {
		const struct pod *p = pod_of(&d->running[i].manifest);
		const struct pod_metadata *m = &p->metadata;
		if (makes && !streq(makes, workload_name(pod_runs(p))))
			continue;
		if (streq(m->namespace, namespace) && streq(m->name, name))
			return &d->running[i];
	}
	return NULL;
}

static void row(struct diffing *d, const struct pod *p, const char *container, const char *edit, const char *field)
{
	_cleanup_free_ char *name = xasprintf("%s/%s", p->metadata.namespace, p->metadata.name);

	d->differs = true;
	if (!d->w) {
		table_cell(&d->table, name);
		table_cell(&d->table, container ? container : "-");
		table_cell(&d->table, edit);
		table_cell(&d->table, field ? field : "");
		return;
	}
	jsonw_object(d->w);
	jsonw_member_str(d->w, "namespace", p->metadata.namespace);
	jsonw_member_str(d->w, "pod", p->metadata.name);
	if (container)
		jsonw_member_str(d->w, "container", container);
	jsonw_member_str(d->w, "edit", edit);
	if (field)
		jsonw_member_str(d->w, "field", field);
	jsonw_end(d->w);
}

static void diff_pod(struct diffing *d, const struct pod *from, const struct pod *to)
{
	struct pod_edit e;

	pod_diff(from, to, &e);
	if (e.own != EDIT_NONE)
		row(d, to, NULL, edit_name(e.own), e.own_field);
	for (size_t i = 0; e.pod != EDIT_NONE && i < e.container_count; i++) {
		const struct container_edit *c = &e.containers[i];
		if (c->removed)
			row(d, to, c->name, "stop", c->field);
		else if (e.pod == EDIT_RECREATE)
			row(d, to, c->name, edit_name(EDIT_RECREATE), e.field);
		else
			row(d, to, c->name, c->added ? "start" : edit_name(c->edit), c->field);
	}
	pod_edit_deinit(&e);
}

/* Of a job all that is not its template, and of a cron job everything, takes effect in place. */
static void diff_workload(struct diffing *d, const struct pod *from, const struct pod *to)
{
	_cleanup_buf_ struct buf before = BUF_NULL, after = BUF_NULL;
	struct jsonw w;

	jsonw_init(&w, &before);
	workload_spec_json(from->workload, &w);
	jsonw_init(&w, &after);
	workload_spec_json(to->workload, &w);
	bool anew = pod_runs(to) == WORKLOAD_JOB && pod_spec_hash(from) != pod_spec_hash(to);
	if (anew || !streq(buf_str(&before), buf_str(&after)))
		row(d, to, NULL, edit_name(anew ? EDIT_RECREATE : EDIT_UPDATE), anew ? "spec.template" : NULL);
}

static int diff_file(const struct source *s, void *arg)
{
	struct diffing *d = arg;
	int code = source_judge(s);

	for (size_t i = 0; i < s->manifest.document_count; i++) {
		const struct document *doc = &s->manifest.documents[i];
		struct running *r =
			doc->name && doc->namespace ? find(d, doc->unclear ? NULL : doc->makes, doc->namespace, doc->name) : NULL;
		if (r && !doc->none)
			r->wanted = true; /* also if the document is refused: its last good version stays */
		if (r && doc->pod && doc->pod->workload)
			diff_workload(d, pod_of(&r->manifest), doc->pod);
		else if (r && doc->pod)
			diff_pod(d, pod_of(&r->manifest), doc->pod);
		else if (doc->pod)
			row(d, doc->pod, NULL, "create", NULL);
	}
	return code;
}

/* A directory says all that is to run. */
static void diff_missing(struct diffing *d)
{
	for (size_t i = 0; i < d->count; i++)
		if (!d->running[i].wanted)
			row(d, pod_of(&d->running[i].manifest), NULL, "remove", NULL);
}

static int diff_all(struct diffing *d, const char *const *paths, size_t count, bool whole)
{
	int code = files_each(paths, count, diff_file, d);

	if (code != CTL_YES)
		return CTL_REFUSED;
	if (whole)
		diff_missing(d);
	return d->differs ? CTL_NO : CTL_YES;
}

static void diffing_deinit(struct diffing *d)
{
	for (size_t i = 0; i < d->count; i++)
		manifest_deinit(&d->running[i].manifest);
	free(d->running);
	table_deinit(&d->table);
}

int verb_diff(const struct args *a)
{
	_cleanup_free_ char *directory = files_directory(a);
	const char *own[] = { directory };
	struct diffing d = { .running = NULL };
	_cleanup_buf_ struct buf out = BUF_NULL;
	struct jsonw w;
	struct stat st;

	if (a->output && !streq(a->output, "json"))
		return ctl_fail(CTL_USAGE, "-o is json");
	const char *const *paths = a->word_count ? a->words : own;
	size_t count = a->word_count ? a->word_count : 1;
	bool whole = count == 1 && stat(paths[0], &st) == 0 && S_ISDIR(st.st_mode);
	int code = read_running(a, &d);
	if (code != CTL_YES) {
		diffing_deinit(&d);
		return code;
	}
	table_init(&d.table, COLUMNS);
	static const char *const head[COLUMNS] = { "POD", "CONTAINER", "EDIT", "FIELD" };
	for (size_t i = 0; i < COLUMNS; i++)
		table_cell(&d.table, head[i]);
	if (a->output) {
		d.w = &w;
		jsonw_init(&w, &out);
		jsonw_object(&w);
		jsonw_key(&w, "edits");
		jsonw_array(&w);
	}
	code = diff_all(&d, paths, count, whole);
	if (a->output) {
		jsonw_end(&w);
		jsonw_end(&w);
		(void)puts(buf_str(&out));
	} else if (d.differs) {
		table_print(&d.table);
	}
	diffing_deinit(&d);
	return code;
}
