/* Kubernetes' view of a pod, by the rules of the kubelet (phase) and of kubectl's printer (the STATUS column). */
#include "base/str.h"
#include "core/container.h"

/* In Kubernetes' terms a container waits, runs or has terminated. */
static bool terminated(const struct core_container *k)
{
	return k->state == CONTAINER_STATE_DONE && k->last.set;
}

static bool running(const struct core_container *k)
{
	return k->state == CONTAINER_STATE_RUNNING || k->state == CONTAINER_STATE_STOPPING;
}

const char *core_pod_phase(const struct core_pod *p)
{
	size_t fresh = 0, alive = 0, ended = 0, succeeded = 0;

	for (size_t i = 0; i < p->container_count; i++) {
		const struct core_container *k = &p->containers[i];
		if (running(k))
			alive++;
		else if (!k->last.set)
			fresh++;
		else
			ended++;
		succeeded += terminated(k) && k->last.exit.code == 0;
	}
	if (p->state == POD_STATE_ADOPTING)
		return "Unknown";
	if (p->state == POD_STATE_HELD || fresh > 0)
		return "Pending";
	if (p->state != POD_STATE_FINISHED)
		return "Running";
	return succeeded == ended ? "Succeeded" : "Failed";
}

bool core_container_ready(const struct core_container *k)
{
	return k->state == CONTAINER_STATE_RUNNING;
}

bool core_pod_ready(const struct core_pod *p)
{
	if (p->state != POD_STATE_RUNNING || !p->wanted)
		return false;
	for (size_t i = 0; i < p->container_count; i++)
		if (!core_container_ready(&p->containers[i]))
			return false;
	return true;
}

const char *core_container_reason(const struct core_pod *p _unused_, const struct core_container *k)
{
	switch (k->state) {
	case CONTAINER_STATE_WAITING:
	case CONTAINER_STATE_STARTING:
		return "ContainerCreating";
	case CONTAINER_STATE_BACKOFF:
		return *k->reason ? k->reason : "CrashLoopBackOff";
	case CONTAINER_STATE_DONE:
		return k->last.set ? k->last.reason : "ContainerCreating";
	case CONTAINER_STATE_RUNNING:
	case CONTAINER_STATE_STOPPING:
	case CONTAINER_STATE_MAX:
		break;
	}
	return "";
}

const char *core_container_message(const struct core_container *k)
{
	if (k->state == CONTAINER_STATE_BACKOFF)
		return k->message;
	return terminated(k) ? k->last.message : "";
}

const char *core_pod_status(const struct core_pod *p)
{
	const char *status = core_pod_phase(p);
	bool any_running = false;

	if (!p->wanted)
		return "Terminating";
	if (p->state == POD_STATE_HELD)
		return "Stopped";
	/* The first container with something to say wins, hence from the back. */
	for (size_t i = p->container_count; i-- > 0;) {
		const struct core_container *k = &p->containers[i];
		const char *reason = core_container_reason(p, k);
		if (*reason)
			status = reason;
		any_running = any_running || running(k);
	}
	if (streq(status, "Completed") && any_running)
		return "NotReady";
	return status;
}
