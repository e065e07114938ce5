#include "ctl/pods.h"
#include <stdio.h>
#include "base/alloc.h"
#include "base/str.h"
#include "ctl/client.h"

void pod_refs_deinit(struct pod_refs *p)
{
	free(p->items);
	*p = (struct pod_refs){ 0 };
}

static int find_selected(const struct args *a, struct pod_refs *ret)
{
	_cleanup_buf_ struct buf path = BUF_NULL;
	json_t *list, *pod;
	size_t i;

	list_path(a, "pods", &path);
	int code = client_json(a, "GET", path.data, false, &list);
	if (code != CTL_YES)
		return code;
	json_array_foreach(json_at(list, "items"), i, pod) {
		struct pod_ref *p = xgrow(ret->items, ret->count);
		p->job = false;
		(void)snprintf(p->namespace, sizeof(p->namespace), "%s", json_text(pod, "metadata.namespace"));
		(void)snprintf(p->name, sizeof(p->name), "%s", json_text(pod, "metadata.name"));
	}
	if (!ret->count)
		(void)fprintf(stderr, "No resources found\n");
	json_decref(list);
	return CTL_YES;
}

const char *pod_ref_kind(const struct pod_ref *p)
{
	return p->job ? "job" : "pod";
}

/* What follows the kind in "job/pi"; all of it if only kinds are asked for; NULL: it is none. */
static const char *after_kind(const char *word, const char *const kinds[], size_t count, bool slash)
{
	for (size_t i = 0; i < count; i++) {
		const char *rest = str_after(word, kinds[i]);
		if (rest && *rest == (slash ? '/' : '\0'))
			return slash ? rest + 1 : rest;
	}
	return NULL;
}

static const char *const pod_kinds[] = { "pod", "pods", "po" };
static const char *const job_kinds[] = { "job", "jobs", "job.batch" };

static int add_pods_of_job(const struct args *a, const char *name, struct pod_refs *ret)
{
	_cleanup_buf_ struct buf selector = BUF_NULL;
	struct args own = *a;

	buf_printf(&selector, "job-name=%s", name);
	own.selector = selector.data;
	return find_selected(&own, ret);
}

static int add_word(const struct args *a, const char *word, bool job, bool jobs, struct pod_refs *ret)
{
	const char *name = after_kind(word, job_kinds, ARRAY_SIZE(job_kinds), /* slash= */ true);
	struct pod_ref p;

	job = job || name;
	name = name ? name : word;
	if (job && !jobs)
		return add_pods_of_job(a, name, ret);
	if (pod_ref_parse(a, name, &p) < 0)
		return CTL_USAGE;
	p.job = job;
	*xgrow(ret->items, ret->count) = p;
	return CTL_YES;
}

int pod_refs_find(const struct args *a, const char *verb, bool jobs, struct pod_refs *ret)
{
	const char *kind = a->word_count ? a->words[0] : "";
	bool job = after_kind(kind, job_kinds, ARRAY_SIZE(job_kinds), false);
	size_t first = job || after_kind(kind, pod_kinds, ARRAY_SIZE(pod_kinds), false) ? 1 : 0;
	int code = CTL_YES;

	*ret = (struct pod_refs){ 0 };
	if (a->selector)
		return first == a->word_count && !job ? find_selected(a, ret)
		                                      : ctl_fail(CTL_USAGE, "names or a selector, not both");
	if (first == a->word_count)
		return ctl_fail(CTL_USAGE, "%s needs the name of a pod", verb);
	for (size_t i = first; i < a->word_count && code == CTL_YES; i++)
		code = add_word(a, a->words[i], job, jobs, ret);
	if (code != CTL_YES)
		pod_refs_deinit(ret);
	return code;
}
