/* A pod that has failed as a whole, in the kubelet's words: its deadline has passed, or it held more of the disk than it may and was
 * evicted. All is stopped, in order, and nothing of it is started again.
 *
 * The note has the cause, so it outlives podd. A deadline is lifted by an edit that moves it; an eviction by any edit of the spec, or by
 * hand: then the pod begins anew in another sandbox, with empty volumes. */
#include <stdio.h>

#include "base/str.h"
#include "core/pod.h"

static const struct container *container_of_failure(const struct core_pod *p)
{
	return p->failure_item < pod_container_count(p->pod) ? pod_container_at(p->pod, p->failure_item) : NULL;
}

/* What it may use at most, and whose limit that is ("" for the pod's). Not set: the manifest has been edited since. */
static struct quantity limit_of_failure(const struct core_pod *p, const char **ret_name)
{
	const struct volume_list *volumes = &p->pod->spec.volumes;
	const struct container *c = container_of_failure(p);

	*ret_name = "";
	switch (p->failure) {
	case POD_FAILURE_EMPTY_DIR:
		if (p->failure_item >= volumes->count)
			break;
		*ret_name = volumes->items[p->failure_item].name;
		return volumes->items[p->failure_item].empty_dir.size_limit;
	case POD_FAILURE_CONTAINER:
		if (!c)
			break;
		*ret_name = c->name;
		return c->resources.limits.disk;
	case POD_FAILURE_DISK:
		return pod_disk_limit(p->pod);
	case POD_FAILURE_NONE:
	case POD_FAILURE_OVERDUE:
	case POD_FAILURE_MAX:
		break;
	}
	return (struct quantity){ 0 };
}

static void describe(struct core_pod *p)
{
	_cleanup_buf_ struct buf size = BUF_NULL;
	const char *name;
	struct quantity limit = limit_of_failure(p, &name);

	if (limit.set)
		quantity_print(&limit, &size);
	if (!limit.set)
		(void)snprintf(p->message, sizeof(p->message), "Pod used more local storage than it may");
	else if (p->failure == POD_FAILURE_EMPTY_DIR)
		(void)snprintf(p->message, sizeof(p->message), "Usage of EmptyDir volume \"%s\" exceeds the limit \"%s\". ", name,
		               buf_str(&size));
	else if (p->failure == POD_FAILURE_CONTAINER)
		(void)snprintf(p->message, sizeof(p->message), "Container %s exceeded its local ephemeral storage limit \"%s\". ",
		               name, buf_str(&size));
	else
		(void)snprintf(p->message, sizeof(p->message),
		               "Pod ephemeral local storage usage exceeds the total limit of containers %s. ", buf_str(&size));
}

bool failure_evicts(enum pod_failure f)
{
	return f == POD_FAILURE_EMPTY_DIR || f == POD_FAILURE_CONTAINER || f == POD_FAILURE_DISK;
}

bool core_pod_evicted(const struct core_pod *p)
{
	return failure_evicts(p->failure);
}

void failure_set(struct core_pod *p, enum pod_failure f, uint16_t item)
{
	p->failure = f;
	p->failure_item = item;
	(void)snprintf(p->reason, sizeof(p->reason), "%s", failure_evicts(f) ? "Evicted" : "DeadlineExceeded");
	if (!failure_evicts(f))
		(void)snprintf(p->message, sizeof(p->message), "Pod was active on the node longer than the specified deadline");
	else if (p->pod)
		describe(p);
}

void failure_lift(struct core_pod *p)
{
	if (p->failure == POD_FAILURE_NONE)
		return;
	p->failure = POD_FAILURE_NONE;
	p->reason[0] = p->message[0] = '\0';
}

void failure_begin(struct core *c, struct core_pod *p, enum pod_failure f, uint16_t item)
{
	failure_set(p, f, item);
	effect_note(c, p);
	effect_report(c, p, NULL, f == POD_FAILURE_OVERDUE, p->reason, "%s", p->message);
	core_touch(c, p);
}

bool failure_is_lifted(const struct core_pod *p)
{
	return core_pod_evicted(p) && p->applied.spec != p->marks.spec;
}

/* Measuring takes a while: the pod may have gone on meanwhile. */
void failure_on_evict(struct core *c, struct core_pod *p, const struct event *e)
{
	if (p->state == POD_STATE_RUNNING && p->failure == POD_FAILURE_NONE && failure_evicts(e->failure))
		failure_begin(c, p, e->failure, e->item);
}
