/* The order inside a pod. The containers of a pod are kept in the order of their start: init containers and sidecars as the manifest has
 * them, then the members.
 *
 * A container may start when all init containers before it have `passed`: one that runs to its end has succeeded, a sidecar was started. To
 * have passed is for good in one sandbox: a sidecar that crashes is started again by itself, whoever is running by then.
 *
 * The pod is over when only sidecars are left to run: all members are done, an init container has failed for good, or the pod has failed as a
 * whole (core/failure.c). Then, and when the pod stops, members and init containers are stopped at once, and when these have ended the
 * sidecars one by one, from the last to the first, so that each of them outlives whom it serves. The grace period is one for all, counted
 * from the wish.
 *
 * A container of podctl debug has no place in that: it starts at once, and is stopped with the members.
 *
 * Nothing here is state of its own: all follows from the states of the containers, so it survives podd like these. */
#include "core/container.h"
#include "core/pod.h"

enum container_role order_role(const struct pod *pod, const struct container *spec)
{
	if (pod_is_sidecar(pod, spec))
		return CONTAINER_ROLE_SIDECAR;
	if (pod_is_ephemeral(pod, spec))
		return CONTAINER_ROLE_DEBUG;
	return pod_is_init(pod, spec) ? CONTAINER_ROLE_INIT : CONTAINER_ROLE_MEMBER;
}

bool core_container_is_init(const struct core_container *k)
{
	return k->role == CONTAINER_ROLE_INIT || k->role == CONTAINER_ROLE_SIDECAR;
}

bool order_is_over(const struct core_pod *p)
{
	bool members_done = true;

	for (size_t i = 0; i < p->container_count; i++) {
		const struct core_container *k = &p->containers[i];
		if (!k->spec)
			continue;
		if (k->role == CONTAINER_ROLE_INIT && k->state == CONTAINER_STATE_DONE && !k->passed)
			return true;
		members_done = members_done && (k->role != CONTAINER_ROLE_MEMBER || k->state == CONTAINER_STATE_DONE);
	}
	return members_done || p->failure;
}

bool order_initialized(const struct core_pod *p)
{
	for (size_t i = 0; i < p->container_count; i++)
		if (core_container_is_init(&p->containers[i]) && !p->containers[i].passed)
			return false;
	return true;
}

bool order_ends(const struct core_pod *p)
{
	return p->state == POD_STATE_STOPPING || p->restart_all || order_is_over(p);
}

/* May this container start now? */
static bool may_start(const struct core_pod *p, const struct core_container *k)
{
	if (!k->spec || p->state != POD_STATE_RUNNING)
		return false;
	if (k->role == CONTAINER_ROLE_DEBUG) /* perhaps to see why the others do not get on */
		return true;
	for (const struct core_container *before = p->containers; before < k; before++)
		if (core_container_is_init(before) && !before->passed)
			return false;
	return true;
}

/* Must `o` have ended before `k` may? */
static bool outlives(const struct core_container *k, const struct core_container *o)
{
	return container_alive(o) && (o->role != CONTAINER_ROLE_SIDECAR || o > k);
}

/* Whose turn is it to stop? */
bool order_may_stop(const struct core_pod *p, const struct core_container *k)
{
	if (k->role != CONTAINER_ROLE_SIDECAR || !order_ends(p))
		return true;
	for (size_t i = 0; i < p->container_count; i++)
		if (outlives(k, &p->containers[i]))
			return false;
	return true;
}

int64_t order_patience(const struct core_pod *p, const struct core_container *k)
{
	int64_t last = 0;

	for (size_t i = 0; i < p->container_count && !order_may_stop(p, k); i++)
		if (outlives(k, &p->containers[i]) && !p->containers[i].killed)
			last = MAX(last, p->containers[i].deadline);
	return last;
}

static void advance(struct core *c, struct core_pod *p, struct core_container *k, bool ends)
{
	switch (k->state) {
	case CONTAINER_STATE_DONE:
		/* Only the end of the pod ends a sidecar, and an edit has put that off. */
		if (k->role == CONTAINER_ROLE_SIDECAR && !ends && may_start(p, k))
			container_launch(c, p, k);
		break;
	case CONTAINER_STATE_WAITING:
		if (!ends && may_start(p, k))
			container_launch(c, p, k);
		break;
	case CONTAINER_STATE_STARTING:
		if (ends && !k->deadline)
			container_stop(c, p, k);
		break;
	case CONTAINER_STATE_RUNNING:
		if (ends)
			container_stop(c, p, k);
		break;
	case CONTAINER_STATE_BACKOFF:
		if (ends && !p->restart_all) /* it waits on while the others are killed */
			container_stop(c, p, k);
		break;
	case CONTAINER_STATE_STOPPING:
		container_stop_if_due(c, p, k);
		break;
	case CONTAINER_STATE_MAX:
		break;
	}
}

void order_advance(struct core *c, struct core_pod *p)
{
	bool ends = order_ends(p);

	for (size_t i = 0; i < p->container_count; i++)
		advance(c, p, &p->containers[i], ends);
}
