/* What the files of the core share: the table of pods, the moment at hand, and the list of effects in the making.
 *
 * A step has three parts: the event is handled by the machine of its pod; each pod that was touched is settled (what follows from
 * its new state, whatever the event was: the last exit of a stopping pod destroys the sandbox); and its deadline is filed.
 *
 * EFFECT_NOTE is asked for once a step and pod, before the first effect that it records. The shell serializes the note when it
 * carries the effects out, hence the one note of a step tells all that the step decided. */
#pragma once
#include "core/core.h"

/* Test binaries that must be caught by the simulation are built with another number; production code has none of these. */
#ifndef PODD_PLANTED_BUG
#define PODD_PLANTED_BUG 0
#endif
#define PLANTED_BUG(n) (PODD_PLANTED_BUG == (n))

enum { CORE_BUCKETS = 512 };

struct core {
	struct core_config config;
	struct list pods;      /* core_pod.link, oldest first */
	struct list timed;     /* core_pod.timed: those with a deadline, so that an idle core has nothing to look at */
	struct list forgotten; /* core_pod.link: those that this step removed, for its effects to look at */
	struct list touched;   /* core_pod.touched: to be settled at the end of the step */
	struct list waiting;   /* core_pod.waiting: for other pods, see core/depend.c */
	uint64_t walk;         /* number of the last search in depend.c */
	struct done_job *done; /* see core/depend.c */
	size_t done_count;
	struct core_pod *by_uid[CORE_BUCKETS], *by_name[CORE_BUCKETS];
	bool go;
	bool replaying;     /* what came before EVENT_GO */
	bool ranked;        /* the pods' ranks are up to date, see core/rank.c */
	int64_t boot, wall; /* of the event at hand */
	uint64_t step;
	struct effect *effects;
	size_t effect_count, effect_capacity;
	struct deferred *deferred; /* events that came before EVENT_GO */
	size_t deferred_count;
};

/* table.c */
struct core_pod *table_find(const struct core *c, const char *uid);
struct core_pod *table_find_name(const struct core *c, const char *ns, const char *name);
struct core_pod *table_namesake(const struct core *c, const struct pod *pod,
                                const struct core_pod *after); /* of any uid; NULL: no more */
struct core_pod *table_add(struct core *c, const char *uid);
void table_remove(struct core *c, struct core_pod *p); /* it is forgotten, and buried by the next step */
const struct core_pod *table_find_forgotten(const struct core *c, const char *uid);
void table_bury(struct core *c);
void table_rename(struct core *c, struct core_pod *p, struct pod *pod); /* takes the reference, drops the former version */

/* effects.c */
void effect_pod(struct core *c, struct core_pod *p, enum effect_type type);
void effect_container(struct core *c, struct core_pod *p, enum effect_type type, const char *container, uint32_t number);
void effect_signal(struct core *c, struct core_pod *p, const struct core_container *k, int signal);
void effect_hook(struct core *c, struct core_pod *p, const struct core_container *k, enum hook_kind h);
void effect_probe(struct core *c, struct core_pod *p, const struct core_container *k, enum probe_kind kind);
void effect_note(struct core *c, struct core_pod *p); /* unless this step has one for the pod */
void effect_report(struct core *c, struct core_pod *p, const struct core_container *k, bool normal, const char *reason,
                   const char *fmt, ...) _printf_(6, 7);

/* The pod's status changed: settle it at the end of the step and tell. */
void core_touch(struct core *c, struct core_pod *p);
/* Only a deadline of it has changed: nothing that anybody sees. */
void core_timed(struct core *c, struct core_pod *p);

/* The event can't happen in this state: a fault of podd, of which nobody should suffer more than a line in the events. */
void core_impossible(struct core *c, struct core_pod *p, const struct core_container *k, enum event_type t);

/* deferred.c: events before EVENT_GO, kept with copies of what they point to */
void deferred_push(struct core *c, const struct event *e);
void deferred_replay(struct core *c);
void deferred_clear(struct core *c);
void core_dispatch(struct core *c, const struct event *e);
