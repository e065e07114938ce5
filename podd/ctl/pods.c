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
		(void)snprintf(p->namespace, sizeof(p->namespace), "%s", json_text(pod, "metadata.namespace"));
		(void)snprintf(p->name, sizeof(p->name), "%s", json_text(pod, "metadata.name"));
	}
	if (!ret->count)
		(void)fprintf(stderr, "No resources found\n");
	json_decref(list);
	return CTL_YES;
}

int pod_refs_find(const struct args *a, const char *verb, struct pod_refs *ret)
{
	static const char *const kinds[] = { "pod", "pods", "po" };
	size_t first = 0;

	*ret = (struct pod_refs){ 0 };
	for (size_t i = 0; a->word_count && i < ARRAY_SIZE(kinds); i++)
		first |= streq(a->words[0], kinds[i]);
	if (a->selector)
		return first == a->word_count ? find_selected(a, ret) : ctl_fail(CTL_USAGE, "names or a selector, not both");
	if (first == a->word_count)
		return ctl_fail(CTL_USAGE, "%s needs the name of a pod", verb);
	for (size_t i = first; i < a->word_count; i++) {
		struct pod_ref p;
		if (pod_ref_parse(a, a->words[i], &p) < 0) {
			pod_refs_deinit(ret);
			return CTL_USAGE;
		}
		*xgrow(ret->items, ret->count) = p;
	}
	return CTL_YES;
}
