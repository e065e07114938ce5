#include "core/core.h"

static const char *const event_names[] = {
	[EVENT_POD_SET] = "set",
	[EVENT_POD_GONE] = "gone",
	[EVENT_ANCHOR_FOUND] = "anchor",
	[EVENT_ADOPT] = "adopt",
	[EVENT_GO] = "go",
	[EVENT_SANDBOX_READY] = "sandbox-ready",
	[EVENT_SANDBOX_FAILED] = "sandbox-failed",
	[EVENT_SANDBOX_LOST] = "sandbox-lost",
	[EVENT_SANDBOX_GONE] = "sandbox-gone",
	[EVENT_STARTED] = "started",
	[EVENT_START_FAILED] = "start-failed",
	[EVENT_EXITED] = "exited",
	[EVENT_HOOKED] = "hooked",
	[EVENT_PROBED] = "probed",
	[EVENT_EVICT] = "evict",
	[EVENT_NODE] = "node",
	[EVENT_TICK] = "tick",
	[EVENT_RESTART_ASKED] = "restart",
	[EVENT_STOP_ASKED] = "stop",
	[EVENT_START_ASKED] = "start",
	[EVENT_JOB_DONE] = "job-done",
};
_Static_assert(ARRAY_SIZE(event_names) == EVENT_MAX, "every event has a name");

static const char *const effect_names[] = {
	[EFFECT_SANDBOX_CREATE] = "create",
	[EFFECT_SANDBOX_DESTROY] = "destroy",
	[EFFECT_LAUNCH] = "launch",
	[EFFECT_ABORT] = "abort",
	[EFFECT_HOOK] = "hook",
	[EFFECT_PROBE] = "probe",
	[EFFECT_SIGNAL] = "signal",
	[EFFECT_KILL] = "kill",
	[EFFECT_ACK] = "ack",
	[EFFECT_NOTE] = "note",
	[EFFECT_RESIZE] = "resize",
	[EFFECT_FORGET] = "forget",
	[EFFECT_REPORT] = "report",
	[EFFECT_CHANGED] = "changed",
};
_Static_assert(ARRAY_SIZE(effect_names) == EFFECT_MAX, "every effect has a name");

static const char *const pod_state_names[] = {
	[POD_STATE_PENDING] = "pending", [POD_STATE_ADOPTING] = "adopting", [POD_STATE_CREATING] = "creating",
	[POD_STATE_RUNNING] = "running", [POD_STATE_STOPPING] = "stopping", [POD_STATE_DESTROYING] = "destroying",
	[POD_STATE_HELD] = "held",       [POD_STATE_FINISHED] = "finished",
};
_Static_assert(ARRAY_SIZE(pod_state_names) == POD_STATE_MAX, "every pod state has a name");

static const char *const container_state_names[] = {
	[CONTAINER_STATE_WAITING] = "waiting",   [CONTAINER_STATE_STARTING] = "starting", [CONTAINER_STATE_RUNNING] = "running",
	[CONTAINER_STATE_STOPPING] = "stopping", [CONTAINER_STATE_BACKOFF] = "backoff",   [CONTAINER_STATE_DONE] = "done",
};
_Static_assert(ARRAY_SIZE(container_state_names) == CONTAINER_STATE_MAX, "every container state has a name");

static const char *const hook_names[] = { [HOOK_POST_START] = "PostStart", [HOOK_PRE_STOP] = "PreStop" };
_Static_assert(ARRAY_SIZE(hook_names) == HOOK_MAX, "every hook has a name");

static const char *const probe_names[] = {
	[PROBE_STARTUP] = "Startup", [PROBE_READINESS] = "Readiness", [PROBE_LIVENESS] = "Liveness"
};
_Static_assert(ARRAY_SIZE(probe_names) == PROBE_MAX, "every probe has a name");

const char *probe_name(enum probe_kind k)
{
	return (unsigned)k < PROBE_MAX ? probe_names[k] : "unknown";
}

const char *hook_name(enum hook_kind h)
{
	return (unsigned)h < HOOK_MAX ? hook_names[h] : "unknown";
}

const char *event_name(enum event_type t)
{
	return (unsigned)t < EVENT_MAX ? event_names[t] : "unknown";
}

const char *effect_name(enum effect_type t)
{
	return (unsigned)t < EFFECT_MAX ? effect_names[t] : "unknown";
}

const char *pod_state_name(enum pod_state s)
{
	return (unsigned)s < POD_STATE_MAX ? pod_state_names[s] : "unknown";
}

const char *container_state_name(enum container_state s)
{
	return (unsigned)s < CONTAINER_STATE_MAX ? container_state_names[s] : "unknown";
}
