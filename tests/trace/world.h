/* A model of all that the core deals with: the shell that carries out effects, the anchors with their processes, unacknowledged exits and
 * notes, and the manifests. It lets happen what can happen in reality, and says when the core asks for what must not be:
 * a second instance of a container, a number used twice, a member without its sandbox or before its init containers, a sidecar that is stopped
 * before whom it serves, an exit forgotten before it was written down, anything for a pod that is gone.
 *
 * Who decides what happens next is the caller: a trace, line by line, or the simulation's dice. */
#pragma once
#include "base/buf.h"
#include "core/core.h"
#include "trace/testpod.h"

enum { WORLD_PODS = 4, WORLD_PROCS = 48, WORLD_NAMES = 8 };

enum anchor {
	ANCHOR_NONE,
	ANCHOR_CREATING,
	ANCHOR_UP,
	ANCHOR_DEAD, /* its processes may still be there until the sandbox is destroyed */
};

enum proc_state { PROC_REQUESTED, PROC_ALIVE, PROC_DEAD };

struct world_proc {
	char name[TESTPOD_NAME_SIZE];
	uint32_t number;
	enum proc_state state;
	enum hook_kind hook;          /* whose end podd waits for; HOOK_MAX: none */
	bool probed[PROBE_MAX];       /* podd waits for the answer, */
	bool stale[PROBE_MAX];        /* or did, until an edit took the probe away */
	int failures[PROBE_MAX];      /* told in a row */
	bool begun;                   /* its startup probe has succeeded, or none was asked for */
	bool told_started, told_exit; /* podd has got the message */
	bool failed;                  /* to start */
	bool aborted;                 /* while it was requested: it may have waited for its image */
	bool term, killed;
	int image, limit; /* what it runs with */
	int32_t pid;
	int64_t started_wall, term_boot;
	struct exit_info exit;
};

struct world_name { /* of a container, as long as the pod's uid is known */
	char name[TESTPOD_NAME_SIZE];
	uint32_t next; /* above all numbers used */
	unsigned real; /* starts that the anchor knew of */
	bool dropped;  /* was once taken out of the manifest: its count began anew */
	bool ran;      /* in this sandbox, from this version, and nobody asked for more */
	bool passed;   /* in this sandbox: an init container has succeeded, a sidecar ran */
	bool begun;    /* and a sidecar's startup probe has succeeded */
};

struct world_pod {
	char uid[TESTPOD_NAME_SIZE];
	bool manifest; /* it is in the directory */
	bool known;    /* to the core, as far as it has not said EFFECT_FORGET */
	bool held;     /* the shell's file */
	struct testpod want, held_for;
	bool ending;      /* the core stops it, */
	int64_t end_boot; /* until then in order */
	enum anchor anchor;
	bool destroying, told_lost;
	bool adopt_due; /* the snapshot is still to come */
	bool nameless;  /* an anchor whose manifest went while podd was down: nobody knows its name */
	bool counts;    /* one sandbox, all of its life: restart counts must be exact */
	int host;       /* the sandbox was made with */
	struct buf note;
	struct world_proc procs[WORLD_PROCS];
	size_t proc_count;
	struct world_name names[WORLD_NAMES];
	size_t name_count;
};

struct world {
	struct core *core;
	struct core_config config;
	struct core_node node; /* with at most this label: */
	struct label label;
	int64_t boot, wall;
	int32_t next_pid;
	struct world_pod pods[WORLD_PODS];
	size_t pod_count;
	struct buf *log;      /* each event and its effects, if not NULL */
	struct buf *effects;  /* the steps' effects as text, if not NULL; emptied by the reader */
	bool internal_errors; /* are violations */
	char violation[256];  /* "" so far */
};

void world_init(struct world *w);
void world_deinit(struct world *w);
void world_fail(struct world *w, const char *fmt, ...) _printf_(2, 3);

struct world_pod *world_pod(struct world *w, const char *uid);
struct world_pod *world_add(struct world *w, const char *uid);
struct world_proc *world_proc(struct world_pod *p, const char *name, uint32_t number);
struct world_proc *world_current(struct world_pod *p, const char *name); /* the one with the highest number */

/* One step of the core; of its effects the first `limit` are carried out. Returns how many there were. */
enum { ALL_EFFECTS = 1 << 30 };
size_t world_step(struct world *w, struct event *e, size_t limit);

/* Things that happen. Each makes the event and steps. */
void world_set(struct world *w, struct world_pod *p, const struct testpod *t, size_t limit);
void world_gone(struct world *w, struct world_pod *p, size_t limit);
void world_ask(struct world *w, struct world_pod *p, enum event_type type, const char *container, size_t limit);
void world_stop_all(struct world *w, size_t limit);
void world_label(struct world *w, const char *label, size_t limit);   /* the node's only one, "": none */
void world_evict(struct world *w, struct world_pod *p, size_t limit); /* it holds too much of the disk */
void world_ready(struct world *w, struct world_pod *p, size_t limit);
void world_failed(struct world *w, struct world_pod *p, const char *reason, size_t limit);
void world_anchor_dies(struct world_pod *p);
void world_tell_lost(struct world *w, struct world_pod *p, size_t limit);
void world_destroyed(struct world *w, struct world_pod *p, size_t limit);
void world_proc_runs(struct world *w, struct world_proc *q);
void world_proc_ends(struct world *w, struct world_proc *q, int code, int signal, bool oom);
void world_tell_started(struct world *w, struct world_pod *p, struct world_proc *q, size_t limit);
void world_tell_hooked(struct world *w, struct world_pod *p, struct world_proc *q, const char *error, size_t limit);
void world_tell_probed(struct world *w, struct world_pod *p, struct world_proc *q, enum probe_kind kind, enum probe_result result,
                       size_t limit);
void world_tell_failed(struct world *w, struct world_pod *p, struct world_proc *q, const char *reason, size_t limit);
void world_tell_exit(struct world *w, struct world_pod *p, struct world_proc *q, size_t limit);
void world_tell_adopt(struct world *w, struct world_pod *p, size_t limit);
void world_tick(struct world *w, size_t limit);

/* podd dies and comes back. What is under way goes as `choose` says, a number below its argument. */
void world_restart(struct world *w, unsigned (*choose)(void *user, unsigned below), void *user);

/* Everything asked for succeeds, time passes, nothing fails, until nothing is pending. */
void world_drain(struct world *w);
bool world_may_begin(const struct world *w, const struct world_pod *p); /* as far as it depends on another pod */
/* Is the end state the wanted one? */
void world_check_end(struct world *w);
