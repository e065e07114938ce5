/* Kubernetes' view of a pod, by the rules of the kubelet (phase) and of kubectl's printer (the STATUS column). */
#include <stdio.h>

#include "base/str.h"
#include "core/container.h"
#include "core/pod.h"

/* In Kubernetes' terms a container waits, runs or has terminated. */
static bool terminated(const struct core_container *k)
{
	return k->state == CONTAINER_STATE_DONE && k->last.set;
}

static bool running(const struct core_container *k)
{
	return k->state == CONTAINER_STATE_RUNNING || k->state == CONTAINER_STATE_STOPPING;
}

bool status_begun(const struct core_pod *p)
{
	for (size_t i = 0; i < p->container_count; i++) {
		const struct core_container *k = &p->containers[i];
		if (k->role == CONTAINER_ROLE_MEMBER && !running(k) && !k->last.set)
			return false;
	}
	return order_initialized(p);
}

const char *core_pod_phase(const struct core_pod *p)
{
	size_t failed = 0;

	for (size_t i = 0; i < p->container_count; i++) {
		const struct core_container *k = &p->containers[i];
		if (k->role != CONTAINER_ROLE_MEMBER)
			continue;
		failed += !terminated(k) || k->last.exit.code != 0;
	}
	if (p->state == POD_STATE_ADOPTING)
		return "Unknown";
	if (p->state == POD_STATE_FINISHED && (p->failure || !order_initialized(p)))
		return "Failed";
	if (p->state == POD_STATE_HELD || !status_begun(p))
		return "Pending";
	if (p->state != POD_STATE_FINISHED)
		return "Running";
	return failed ? "Failed" : "Succeeded";
}

bool core_container_started(const struct core_container *k)
{
	return running(k) && k->started;
}

bool core_container_ready(const struct core_container *k)
{
	if (k->role == CONTAINER_ROLE_DEBUG) /* as Kubernetes: nobody asks */
		return false;
	return k->role == CONTAINER_ROLE_INIT ? k->passed : k->state == CONTAINER_STATE_RUNNING && k->started && k->ready;
}

bool core_pod_initialized(const struct core_pod *p)
{
	return order_initialized(p);
}

bool core_pod_ready(const struct core_pod *p)
{
	if (p->state != POD_STATE_RUNNING || !p->wanted)
		return false;
	for (size_t i = 0; i < p->container_count; i++)
		if (p->containers[i].role != CONTAINER_ROLE_DEBUG && !core_container_ready(&p->containers[i]))
			return false;
	return true;
}

static bool has_inits(const struct core_pod *p)
{
	return p->container_count && core_container_is_init(&p->containers[0]);
}

/* As the kubelet says it, whoever it is that waits, and for what. */
static const char initializing[] = "PodInitializing";

static const char *waiting_reason(const struct core_pod *p)
{
	return has_inits(p) ? initializing : "ContainerCreating";
}

const char *core_container_reason(const struct core_pod *p, const struct core_container *k)
{
	switch (k->state) {
	case CONTAINER_STATE_WAITING:
	case CONTAINER_STATE_STARTING:
		return waiting_reason(p);
	case CONTAINER_STATE_BACKOFF:
		return *k->reason ? k->reason : "CrashLoopBackOff";
	case CONTAINER_STATE_DONE:
		return k->last.set ? k->last.reason : waiting_reason(p);
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

/* The first init container that is not through has the word: "Init:Error", "Init:1/3". */
static const char *init_status(const struct core_pod *p, char text[static POD_STATUS_SIZE])
{
	size_t inits = 0, at = 0;
	const struct core_container *open = NULL;

	for (size_t i = 0; i < p->container_count; i++) {
		const struct core_container *k = &p->containers[i];
		if (!core_container_is_init(k))
			continue;
		if (!open && !k->passed) {
			open = k;
			at = inits;
		}
		inits++;
	}
	const char *reason = open ? core_container_reason(p, open) : ""; /* there is one, or all would be through */
	if (*reason && !streq(reason, initializing))
		(void)snprintf(text, POD_STATUS_SIZE, "Init:%s", reason);
	else
		(void)snprintf(text, POD_STATUS_SIZE, "Init:%zu/%zu", at, inits);
	return text;
}

const char *core_pod_status(const struct core_pod *p, char text[static POD_STATUS_SIZE])
{
	const char *status = *p->reason && p->failure ? p->reason : core_pod_phase(p);
	bool any_running = false;

	if (!p->wanted)
		return "Terminating";
	if (p->state == POD_STATE_HELD)
		return "Stopped";
	if (p->blocked && p->state == POD_STATE_PENDING)
		return p->reason;
	if (!order_initialized(p))
		return init_status(p, text);
	/* The first container with something to say wins, hence from the back. */
	for (size_t i = p->container_count; i-- > 0;) {
		const struct core_container *k = &p->containers[i];
		if (k->role != CONTAINER_ROLE_MEMBER)
			continue;
		const char *reason = core_container_reason(p, k);
		if (*reason)
			status = reason;
		any_running = any_running || running(k);
	}
	if (streq(status, "Completed") && any_running)
		return "NotReady";
	return status;
}
