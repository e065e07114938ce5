/* The machine of one pod.
 *
 *   PENDING     Wanted, and nothing of it exists. Waits for `deadline` after failures, for a namesake that is still being stopped, or for
 *               the pods that it is to come after (core/depend.c).
 *   ADOPTING    An anchor was found, what it holds is not known yet. Nothing may be started, and nothing is stopped.
 *   CREATING    EFFECT_SANDBOX_CREATE is under way. Edits, deletion and holds wait for its answer.
 *   RUNNING     The sandbox stands. Containers are launched, restarted, replaced (core/container.h).
 *   STOPPING    The sandbox must go: deleted, held, or an edit needs another one. Containers are being stopped in order; none is launched.
 *   DESTROYING  EFFECT_SANDBOX_DESTROY is under way. Its end decides what comes: forget, hold, or begin anew.
 *   HELD        podctl stop. Nothing of it exists. Ends with podctl start or an edit of the spec.
 *   FINISHED    The pod is over (core/order.c): no container is started again. The anchor stays while it can, since it is the memory of
 *               that: a podd that comes back reads it and starts nothing. (If the anchor is lost the core still remembers; only both
 *               deaths together forget.)
 *
 * Who may change the state: pod_set_state alone, which asserts the table of legal changes; it is called from pod.c, wish.c, reconcile.c and
 * adopt.c. Wishes (POD_SET, POD_GONE, STOP_ASKED, START_ASKED) only change what is wanted; pod_reconcile compares that with what is, and
 * is called whenever one of both changed. So the order in which wishes come does not matter, and an edit that comes while something
 * is in flight is seen when that has landed.
 *
 * What is, is known by hashes of what it was made from (`applied`, container `applied_hash`), which the note carries too: an edit made
 * while podd was down is found by the very same comparison. */
#pragma once
#include "core/internal.h"

void pod_set_state(struct core *c, struct core_pod *p, enum pod_state to);
void pod_event(struct core *c, struct core_pod *p, const struct event *e);
void pod_settle(struct core *c, struct core_pod *p);
void pod_tick(struct core *c, struct core_pod *p);
void pod_create_if_due(struct core *c, struct core_pod *p);
void pod_destroy(struct core *c, struct core_pod *p);
void pod_stop(struct core *c, struct core_pod *p);
void pod_without_sandbox(struct core *c, struct core_pod *p, bool failed); /* what now? may free it */
void pod_stop_containers(struct core *c, struct core_pod *p);
int64_t pod_deadline(const struct core_pod *p); /* the earliest of its own and its containers', 0: none */
bool pod_all_done(const struct core_pod *p);
bool pod_is_overdue(const struct core *c, const struct core_pod *p); /* activeDeadlineSeconds */
void pod_release_name(struct core *c, const struct pod *pod);        /* who waited for the name can have it; NULL is fine */
struct core_container *pod_find_container(const struct core_pod *p, const char *name);

/* failure.c */
bool failure_evicts(enum pod_failure f);
void failure_set(struct core_pod *p, enum pod_failure f, uint16_t item); /* with reason and message */
void failure_lift(struct core_pod *p);                                   /* none is fine */
void failure_begin(struct core *c, struct core_pod *p, enum pod_failure f, uint16_t item);
bool failure_is_lifted(const struct core_pod *p); /* an evicted pod was edited: it is to begin anew */
void failure_on_evict(struct core *c, struct core_pod *p, const struct event *e);

/* order.c */
enum container_role order_role(const struct pod *pod, const struct container *spec);
bool order_is_over(const struct core_pod *p);     /* nothing but sidecars is left to run, and so they end too */
bool order_ends(const struct core_pod *p);        /* all that runs is to end */
bool order_initialized(const struct core_pod *p); /* the members may run */
bool order_may_stop(const struct core_pod *p, const struct core_container *k);
int64_t order_patience(const struct core_pod *p, const struct core_container *k); /* when those it waits for must have ended */
void order_advance(struct core *c, struct core_pod *p);                           /* starts and stops those whose turn it is */

/* status.c */
bool status_begun(const struct core_pod *p); /* every member has run, or runs */

/* place.c */
bool place_suits(const struct core *c, const struct core_pod *p, struct buf *ret_why); /* it is for this machine */

/* rank.c */
bool rank_known(const struct core *c, const struct core_pod *p, struct buf *ret_why); /* its class exists */
int32_t rank_of(struct core *c, const struct core_pod *p);
void rank_sort_waiting(struct core *c); /* the highest first */

/* depend.c */
struct core_pod *depend_find(const struct core *c, const struct core_pod *p, const struct after *a);
void depend_enqueue(struct core *c, struct core_pod *p); /* to begin, or to end, when it may */
bool depend_blocks(struct core *c, struct core_pod *p);  /* it may not begin yet: waits, with reason and message */
void depend_warn(struct core *c, struct core_pod *p);    /* of a cycle that an edit of a running pod has made */
bool depend_stays(struct core *c, struct core_pod *p);   /* it is to end, and may not yet: waits */
void depend_retry(struct core *c);
void depend_job_done(struct core *c, const struct event *e);
void depend_deinit(struct core *c);

/* wish.c */
void wish_set(struct core *c, struct core_pod *p, const struct event *e);
void wish_gone(struct core *c, struct core_pod *p, const struct event *e);
void wish_stop(struct core *c, struct core_pod *p, const struct event *e);
void wish_stop_all(struct core *c);
void wish_start(struct core *c, struct core_pod *p, const struct event *e);
void wish_restart(struct core *c, struct core_pod *p, const struct event *e);

/* reconcile.c */
bool pod_take_version(struct core *c, struct core_pod *p, struct pod *pod,
                      const uint32_t *first_numbers); /* true: the spec differs */
bool pod_must_stop(const struct core_pod *p);
void pod_reconcile(struct core *c, struct core_pod *p);
void pod_reconcile_resize(struct core *c, struct core_pod *p);
void pod_replace_container(struct core *c, struct core_pod *p, struct core_container *k);
void pod_raise_numbers(struct core_pod *p, const uint32_t *first_numbers);
struct core_container *pod_add_container(struct core_pod *p, const char *name);

/* adopt.c */
void pod_adopt(struct core *c, struct core_pod *p, const struct adopt_info *a);
