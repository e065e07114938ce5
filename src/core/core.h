/* The brain. Pure: no descriptor, no clock, no system call. All that happens is an event, all that is to be done is an effect;
 * time is a field of the event. So every rule of supervision runs in virtual time, and a trace of a real box is a test.
 *
 * The life of a pod: the manifest makes it wanted; a sandbox is created (one anchor, namespaces, address); its containers are
 * launched, restarted and stopped inside; when it is no longer wanted, or an edit needs it, the sandbox is destroyed.
 *
 * Identity: a pod is its uid. One start of a container is (uid, container name, number); numbers only grow, so a cgroup, an upper
 * layer and a log file are never used twice, and a late event about an old start can't be taken for a new one.
 *
 * After podd's own restart the shell feeds: EVENT_POD_SET for all that is wanted, EVENT_ANCHOR_FOUND and EVENT_ADOPT for each
 * anchor that is there, and then EVENT_GO. Before EVENT_GO the core only learns and has no effects. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "manifest/manifest.h"
#include "manifest/pod.h"

enum {
	POD_UID_SIZE = 64,
	CONTAINER_NAME_SIZE = 64,
	CONTAINERS_MAX = POD_CONTAINERS_MAX,
	NOTE_SIZE_MAX = 4096,
	REASON_SIZE = 64,
	MESSAGE_SIZE = 256
};

/* Which start of which container. `container` is "" in events and effects about the pod as a whole. */
struct start_id {
	char uid[POD_UID_SIZE];
	char container[CONTAINER_NAME_SIZE];
	uint32_t number;
};

enum event_type {
	EVENT_POD_SET,        /* wanted: `pod` (a reference is taken); also an edit of a known uid */
	EVENT_POD_GONE,       /* no longer wanted: stop it and forget it */
	EVENT_ANCHOR_FOUND,   /* an anchor of this uid exists, its snapshot is not here yet: start nothing for it */
	EVENT_ADOPT,          /* its snapshot: `adopt` */
	EVENT_GO,             /* all is known that can be: reconcile */
	EVENT_SANDBOX_READY,  /* `sandbox` */
	EVENT_SANDBOX_FAILED, /* creation failed and was undone: `reason`, `message` */
	EVENT_SANDBOX_LOST,   /* the anchor died; what it held is being killed: answer with EFFECT_SANDBOX_DESTROY */
	EVENT_SANDBOX_GONE,   /* EFFECT_SANDBOX_DESTROY is complete: nothing is left of it */
	EVENT_STARTED,        /* `id`, `pid`: the container's program runs */
	EVENT_START_FAILED,   /* `id`, `reason`, `message`: no process was left behind */
	EVENT_EXITED,         /* `id`, `exit` */
	EVENT_HOOKED,         /* `id`, `hook`: it is over; `message`: why it failed, "" if it did not */
	EVENT_PROBED,         /* `id`, `probe`, `result`, `message`: what it found, if it failed */
	EVENT_EVICT,          /* `failure`, `item`: it was found to hold more of the disk than it may */
	EVENT_NODE,           /* what core_config.node points to was changed */
	EVENT_TICK,           /* time has passed: the deadline was reached */
	EVENT_RESTART_ASKED,  /* podctl restart: `id.container` or "" for all */
	EVENT_STOP_ASKED,     /* podctl stop: holds until start or an edit of the spec; without uid: all pods, in order */
	EVENT_START_ASKED,
	EVENT_JOB_DONE, /* the job whose template is `pod` has ended as `outcome` says, or it is open again: for those that come after it */
	EVENT_MAX,
};

/* How a pod has ended, where its owner remembers it: nothing of it is started any more, whether its anchor is there or not. */
enum pod_outcome { POD_OUTCOME_OPEN, POD_OUTCOME_SUCCEEDED, POD_OUTCOME_FAILED };

/* Why it has failed as a whole: what runs of it is stopped, and nothing is started any more. `item` counts from 0. */
enum pod_failure {
	POD_FAILURE_NONE,
	POD_FAILURE_OVERDUE,   /* activeDeadlineSeconds have passed */
	POD_FAILURE_EMPTY_DIR, /* evicted: its volume `item` holds more than sizeLimit; */
	POD_FAILURE_CONTAINER, /* its container `item`, by pod_container_at, more than the limit of ephemeral-storage; */
	POD_FAILURE_DISK,      /* the whole pod more than its containers may together */
	POD_FAILURE_MAX,
};

/* Of a container's lifecycle. */
enum hook_kind { HOOK_POST_START, HOOK_PRE_STOP, HOOK_MAX };
const char *hook_name(enum hook_kind h);

enum probe_kind { PROBE_STARTUP, PROBE_READINESS, PROBE_LIVENESS, PROBE_MAX };
const char *probe_name(enum probe_kind k);

enum probe_result {
	PROBE_SUCCESS,
	PROBE_FAILURE,
	PROBE_UNKNOWN, /* it could not be made: counts as neither */
	PROBE_RESULT_MAX,
};

struct exit_info {
	int code;     /* 0..255; 128 + signal for a signal */
	int signal;   /* 0: it exited by itself */
	bool oom;     /* the kernel's OOM killer was at work in its cgroup */
	int64_t wall; /* when, ns */
};

struct sandbox_info {
	char ip[46];    /* "" with hostNetwork */
	int32_t anchor; /* pid, for people */
};

/* One process record of an anchor's snapshot. */
struct adopted_start {
	char container[CONTAINER_NAME_SIZE];
	uint32_t number;
	int32_t pid; /* 0: has exited */
	int64_t started_wall;
	struct exit_info exit; /* if pid is 0 */
	bool launch_failed;    /* exited before its program ran */
};

struct adopt_info {
	const void *note; /* what EFFECT_NOTE last wrote; may be empty */
	size_t note_size;
	const struct adopted_start *starts;
	size_t start_count;
	struct sandbox_info sandbox;
};

struct event {
	enum event_type type;
	int64_t boot, wall; /* now, ns */
	struct start_id id;
	enum hook_kind hook;   /* HOOKED */
	enum probe_kind probe; /* PROBED */
	enum probe_result result;
	enum pod_outcome outcome; /* POD_SET, JOB_DONE */
	enum pod_failure failure; /* EVICT */
	uint16_t item;
	union {
		struct pod *pod;             /* POD_SET, JOB_DONE */
		struct sandbox_info sandbox; /* SANDBOX_READY */
		struct adopt_info adopt;     /* ADOPT */
		struct exit_info exit;       /* EXITED */
		int32_t pid;                 /* STARTED */
	};
	/* SANDBOX_READY, POD_SET: the first free start number of each container of the pod, in order of pod_container_at (log files of an earlier boot
	 * count); 0 where nothing is known. */
	uint32_t first_numbers[CONTAINERS_MAX];
	char reason[REASON_SIZE], message[MESSAGE_SIZE];
};

enum effect_type {
	EFFECT_SANDBOX_CREATE,  /* -> SANDBOX_READY or SANDBOX_FAILED */
	EFFECT_SANDBOX_DESTROY, /* kill all that is left, undo all -> SANDBOX_GONE; retried by the shell until it holds */
	EFFECT_LAUNCH,          /* start `id` -> STARTED or START_FAILED, later EXITED */
	EFFECT_ABORT,  /* the start of `id` is not wanted any more: if it still waits for its image -> START_FAILED; else nothing */
	EFFECT_HOOK,   /* run the command `hook` of `id` -> HOOKED; it ends with the container */
	EFFECT_PROBE,  /* make the probe `probe` of `id` once, within its timeout -> PROBED; late answers do no harm */
	EFFECT_SIGNAL, /* `signal` to `id`'s first process; 0: what its image says, else SIGTERM */
	EFFECT_KILL,   /* cgroup.kill of `id` -> EXITED */
	EFFECT_ACK,    /* the exit of `id` is in the note: the anchor may forget it, its layer and cgroup may go */
	EFFECT_NOTE,   /* send core_note() to the anchor; precedes the effect that it records */
	EFFECT_RESIZE, /* write the pod's and the containers' limits anew, in place */
	EFFECT_FORGET, /* the pod is gone for good: volumes, logs, lease, accepted version */
	EFFECT_REPORT, /* tell people: `normal`, `reason`, `message`; `id.container` may be "" */
	EFFECT_CHANGED, /* the pod's status changed: watchers want to know */
	EFFECT_MAX,
};

struct effect {
	enum effect_type type;
	struct start_id id;
	int signal;
	enum hook_kind hook;
	enum probe_kind probe;
	bool normal; /* REPORT: Normal or Warning */
	char reason[REASON_SIZE], message[MESSAGE_SIZE];
};

struct effects {
	struct effect *items;
	size_t count;
};

const char *event_name(enum event_type t);
const char *effect_name(enum effect_type t);

/* Pod states. One setter (pod_set_state in pod.c) asserts legality and is the only writer. */
enum pod_state {
	POD_STATE_PENDING,    /* wanted, no sandbox; perhaps waiting for a retry */
	POD_STATE_ADOPTING,   /* an anchor is there, its snapshot is not */
	POD_STATE_CREATING,   /* EFFECT_SANDBOX_CREATE is under way */
	POD_STATE_RUNNING,    /* the sandbox stands, containers are supervised */
	POD_STATE_STOPPING,   /* containers are being stopped, then the sandbox goes */
	POD_STATE_DESTROYING, /* EFFECT_SANDBOX_DESTROY is under way */
	POD_STATE_HELD,       /* stopped by hand */
	POD_STATE_FINISHED,   /* nothing will be started any more; the anchor stays, since it is what remembers that */
	POD_STATE_MAX,
};
const char *pod_state_name(enum pod_state s);

enum container_state {
	CONTAINER_STATE_WAITING,  /* not started yet */
	CONTAINER_STATE_STARTING, /* EFFECT_LAUNCH is under way */
	CONTAINER_STATE_RUNNING,
	CONTAINER_STATE_STOPPING, /* the stop signal was sent, the grace period runs */
	CONTAINER_STATE_BACKOFF,  /* has exited, will be started again at `deadline` */
	CONTAINER_STATE_DONE,     /* has exited and restartPolicy leaves it so */
	CONTAINER_STATE_MAX,
};
const char *container_state_name(enum container_state s);

/* Its place in the order of the pod, see core/order.c. */
enum container_role {
	CONTAINER_ROLE_MEMBER,
	CONTAINER_ROLE_INIT,    /* runs to its end before what comes after it */
	CONTAINER_ROLE_SIDECAR, /* of initContainers, with restartPolicy: Always */
	CONTAINER_ROLE_DEBUG, /* an ephemeral container: starts whoever runs, runs once, and nobody waits for it but who outlives the members */
	CONTAINER_ROLE_MAX,
};

/* How a start ended. */
struct termination {
	bool set;
	uint32_t number;
	struct exit_info exit;
	int64_t started_wall;     /* 0: never ran */
	char reason[REASON_SIZE]; /* "Completed", "Error", "OOMKilled", "StartError"... */
	char message[MESSAGE_SIZE];
};

/* One probe of one start, see core/probe.c. */
struct core_probe {
	int64_t due, slot; /* boot ns; due 0: none is due */
	bool running;
	enum probe_result last;
	int32_t run; /* results like the last one, in a row */
};

struct core_container {
	char name[CONTAINER_NAME_SIZE];
	const struct container *spec; /* NULL: an edit took it out of the manifest, it is on its way out */
	enum container_state state;
	enum container_role role;
	uint32_t number; /* of the current or last start */
	uint32_t next_number;
	uint32_t restart_count;
	int32_t pid;
	int64_t started_boot, started_wall;
	int64_t deadline;          /* boot ns: end of the grace period or of the back-off; 0: none */
	int64_t backoff;           /* ns, the next delay; 0: restart at once */
	bool restart_wanted;       /* by an edit or by hand: stop, then start at once */
	struct termination last;   /* lastState, or the state while it waits or is done */
	struct termination before; /* the end before that, which is lastState then */
	/* Why it is in BACKOFF: "CrashLoopBackOff", "ErrImagePull"..., or will be when it has stopped: "PostStartHookError". */
	char reason[REASON_SIZE], message[MESSAGE_SIZE];

	/* The core's own, see core/container.h. */
	uint64_t wanted_hash, applied_hash; /* container_edit_hash of the spec, and of what was last launched */
	unsigned resize_restarts;           /* container_resize_restarts of what was last launched: both hashes by it */
	int64_t launch_boot;
	bool launched;         /* ever, in this life of the pod */
	bool launch_void;      /* the last launch made no container: its successor is no restart */
	bool resize_due;       /* limits were edited while it was starting */
	bool passed;           /* what comes after it may start: an init container has succeeded, a sidecar was started */
	bool hooked;           /* its postStart hook has succeeded, or it has none */
	bool hooking;          /* a hook runs: postStart while RUNNING, preStop while STOPPING */
	int64_t hook_deadline; /* boot ns: the end of one that sleeps; 0: none */
	bool started;          /* and its startup probe has succeeded, or it has none */
	int64_t ready_wall;    /* when a readiness probe last changed that; 0: not in this start, or before podd's */
	bool ready;            /* and so says its readiness probe, or it has none */
	bool condemned;        /* a probe's failure stops it, or has stopped it: it has failed, whatever its exit code */
	struct core_probe probes[PROBE_MAX];
	bool signalled;     /* the stop signal was sent: a sidecar waits for its turn */
	bool killed, stuck; /* SIGKILL was sent; was reported as of no effect */
};

/* What a running sandbox was made from, and what the manifest wants. */
struct edit_marks {
	uint64_t spec, recreate, resize;
};

struct core_pod {
	struct list link;
	char uid[POD_UID_SIZE];
	struct pod *pod; /* the version that is being made true; NULL for an anchor without a manifest */
	enum pod_state state;
	bool wanted;   /* its manifest is there */
	bool held;     /* podctl stop */
	bool recreate; /* this sandbox must go, whatever comes: survives in the note until it is gone */
	bool stop_all; /* held, with all others: they end in order */
	bool blocked;  /* PENDING: may not begin, see reason and message */
	enum pod_outcome outcome;
	enum pod_failure failure;
	uint16_t failure_item;
	bool restart_all; /* by a restart rule: all containers are being killed, then the pod starts anew in this sandbox */
	struct sandbox_info sandbox;
	int64_t created_wall, sandbox_wall, deleted_wall; /* 0: not yet */
	int64_t deadline;                                 /* of the pod itself: retry of a failed sandbox */
	int64_t backoff;
	uint64_t generation;                             /* counts accepted edits of the spec */
	char reason[REASON_SIZE], message[MESSAGE_SIZE]; /* why it is not running, for status */
	struct core_container *containers;               /* in the order of their start, then those on their way out */
	size_t container_count;

	/* The core's own, see core/pod.h. */
	struct core_pod *next_by_uid, *next_by_name;
	struct list timed, touched, waiting;
	struct core_pod *via; /* of the search that has the number `walk` */
	uint64_t walk;
	int32_t rank; /* core/rank.c */
	struct edit_marks marks, applied;
	bool has_sandbox;      /* an anchor stands, or is to be destroyed */
	bool lost;             /* the sandbox was lost, not stopped: restartPolicy decides what runs again */
	uint32_t number_floor; /* beyond every number of containers that an edit took out */
	int64_t grace_seconds; /* of the last version known, also by the note */
	int64_t sandbox_boot;
	int64_t active_boot; /* activeDeadlineSeconds count from here; 0: not begun */
	uint64_t noted_step; /* the step that has an EFFECT_NOTE for this pod */
};

struct backoff_config { /* ns */
	int64_t initial, max, reset;
};
#define BACKOFF_DEFAULT ((struct backoff_config){ 100 * INT64_C(1000000), 300 * INT64_C(1000000000), 600 * INT64_C(1000000000) })

struct core_priority_class {
	const char *name;
	int32_t value;
};

/* What a pod can ask of the machine. */
struct core_node {
	const char *name;
	struct label_list labels;
	const struct core_priority_class *classes; /* those that Kubernetes brings along are known without */
	size_t class_count;
	int32_t default_priority;
};

struct core_config {
	struct backoff_config backoff;
	const struct core_node
		*node; /* the shell's: may be changed between steps, EVENT_NODE tells of it; NULL: any pod is welcome */
};

struct core;

struct core *core_new(const struct core_config *config);
struct core *core_free(struct core *c); /* takes NULL, returns NULL */

/* Handles one event. `out` is emptied first; its items belong to the core and hold until the next step. */
void core_step(struct core *c, const struct event *e, struct effects *out);

/* When EVENT_TICK is due (boot ns), or 0 when nothing is pending. */
int64_t core_deadline(const struct core *c);

/* For status: read only, valid until the next step. */
const struct core_pod *core_pod_by_uid(const struct core *c, const char *uid);
const struct core_pod *core_pod_by_name(const struct core *c, const char *ns, const char *name);
const struct core_pod *core_pod_forgotten(const struct core *c, const char *uid); /* as it was, for its EFFECT_FORGET */
const struct list *core_pods(const struct core *c);                               /* of struct core_pod.link, oldest first */
const struct core_container *core_container(const struct core_pod *p, const char *name);
bool core_container_is_init(const struct core_container *k); /* of initContainers; also a sidecar */

/* The pod's note, at most NOTE_SIZE_MAX bytes: hash of the applied manifest, counters, back-off, last terminations. */
void core_note(const struct core_pod *p, struct buf *out);

/* A pod's reason while the machine is not one that it is for; the kubelet's word. */
#define CORE_NODE_AFFINITY "NodeAffinity"

/* A container's, while it waits after its postStart hook has failed; likewise. */
#define CORE_HOOK_ERROR "PostStartHookError"

/* Kubernetes' view. */
const char *core_pod_phase(const struct core_pod *p); /* Pending, Running, Succeeded, Failed, Unknown */
bool core_container_ready(const struct core_container *c);
bool core_container_started(const struct core_container *c);
bool core_pod_initialized(const struct core_pod *p);
bool core_pod_ready(const struct core_pod *p);
bool core_pod_evicted(const struct core_pod *p);
int32_t core_pod_priority(const struct core *c, const struct core_pod *p); /* as its class and the node's default make it */
/* Why it waits or how it ended, in Kubernetes' words; "" while it runs. */
const char *core_container_reason(const struct core_pod *p, const struct core_container *c);
const char *core_container_message(const struct core_container *c);
/* The STATUS column of kubectl: "Running", "CrashLoopBackOff", "ContainerCreating", "Init:0/2", "Completed"... */
enum { POD_STATUS_SIZE = REASON_SIZE + 8 };
const char *core_pod_status(const struct core_pod *p, char text[static POD_STATUS_SIZE]); /* may be written into `text` */
