/* The machine of one container, inside a standing sandbox.
 *
 *   WAITING    Nothing of it exists. It is launched when its pod is RUNNING and its turn has come (core/order.c).
 *   STARTING   EFFECT_LAUNCH is under way; whether a process exists is unknown, so it counts as alive, and can't be signalled: a wish to
 *              stop it waits for EVENT_STARTED (or, while the pod stops, for the end of the grace period).
 *   RUNNING    Its program runs.
 *   STOPPING   It is to end: was sent the stop signal, or is a sidecar whose turn has not come. `deadline` is the end of the grace
 *              period, then the time of the next SIGKILL. `restart_wanted`: it stops in order to be started again.
 *   BACKOFF    Nothing of it exists; it is WAITING again at `deadline`.
 *   DONE       Nothing of it exists, and restartPolicy, or the pod's own end, leaves it so.
 *
 * Alive means STARTING, RUNNING or STOPPING. A launch happens only from a state that is not alive, with a number that was never
 * used: so there is never more than one instance. Only container_set_state changes the state.
 *
 * An exit is recorded in the note before it is acknowledged, and a number is used up in the note before it is launched. So after
 * podd's restart an exit that the note knows is merely acknowledged again, one it does not know is handled now, and a launch that the
 * anchor does not know never happened. */
#pragma once
#include "core/internal.h"

bool container_alive(const struct core_container *k);
/* It runs, or ran, from another version of the spec than is wanted. Not so one of podctl debug, which runs once. */
bool container_stale(const struct core_container *k);
/* Its spec, of this version of the pod, is what is wanted: compares it with what was launched. */
void container_want(const struct pod *pod, struct core_container *k);
void container_set_state(struct core_container *k, enum container_state to);

void container_launch(struct core *c, struct core_pod *p, struct core_container *k);
void container_renew(struct core_container *k); /* by wish, not after a fault: back to WAITING, no back-off */
void container_stop(struct core *c, struct core_pod *p, struct core_container *k);
void container_stop_if_due(struct core *c, struct core_pod *p, struct core_container *k); /* it is STOPPING: is it its turn? */
/* It is STARTING, and not wanted in this version: may take long, if its image has to be imported first. */
void container_abort(struct core *c, struct core_pod *p, struct core_container *k);
/* It was being stopped when podd ended: whether the signal was sent is unknown, a second one does no harm. */
void container_stop_adopted(struct core *c, struct core_pod *p, struct core_container *k, int64_t deadline);
void container_tick(struct core *c, struct core_pod *p, struct core_container *k);
void container_forget(struct core_container *k); /* the pod starts anew: likewise, and its place in the order is open again */

/* Events about start `k->number`, or an older one. */
void container_event(struct core *c, struct core_pod *p, struct core_container *k, const struct event *e);
void container_exited(struct core *c, struct core_pod *p, struct core_container *k, const struct exit_info *exit);
void container_start_failed(struct core *c, struct core_pod *p, struct core_container *k, const char *reason, const char *message);

/* hook.c */
bool hook_begin(struct core *c, struct core_pod *p, struct core_container *k, enum hook_kind h); /* false: it has none */
void hook_event(struct core *c, struct core_pod *p, struct core_container *k, const struct event *e);
void hook_tick(struct core *c, struct core_pod *p, struct core_container *k);
void container_hooked(struct core *c, struct core_pod *p, struct core_container *k); /* its postStart hook has succeeded */

void container_begun(struct core *c, struct core_pod *p, struct core_container *k); /* its startup probe has succeeded, too */
/* A probe has found that it must end: as any other end, but a failure whatever its exit code is. */
void container_condemn(struct core *c, struct core_pod *p, struct core_container *k, const char *probe, int64_t grace_seconds);

/* probe.c */
bool probe_wanted(const struct core_container *k, enum probe_kind kind); /* by its manifest */
/* After each step: first what need not be asked, then what is to be asked when. */
void probe_skip(struct core *c, struct core_pod *p, struct core_container *k);
void probe_arm(struct core *c, struct core_pod *p, struct core_container *k);
void probe_tick(struct core *c, struct core_pod *p, struct core_container *k);
void probe_event(struct core *c, struct core_pod *p, struct core_container *k, const struct event *e);
int64_t probe_deadline(const struct core_container *k); /* 0: none */

/* Its sandbox is lost, or it could not be killed before the sandbox was: nobody will tell how it ended. */
void container_lost(struct core *c, struct core_pod *p, struct core_container *k);

/* backoff.c */
enum again { AGAIN_NO, AGAIN_YES, AGAIN_ALL }; /* ALL: with it the whole pod, in place */
enum again backoff_again(const struct core_pod *p, const struct core_container *k, const struct exit_info *exit);
/* The delay before the next start after a run of `ran` ns (negative: it did not run), and the step to the one after. */
int64_t backoff_next(const struct backoff_config *b, int64_t ran, int64_t *backoff);
struct backoff_config backoff_of_pod(const struct core *c, const struct core_pod *p);
struct backoff_config backoff_of_sandbox(const struct core *c);
