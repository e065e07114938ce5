/* podd's side of podd-probe (wire/probe.h): one process for all its jobs, started when there is one, ended when there was none for a while. If it
 * dies, nothing is known of what was under way; it is started anew, with back-off. */
#pragma once
#include "daemon/daemon.h"
#include "wire/probe.h"

struct prober;

struct prober *prober_new(uv_loop_t *loop);
void prober_free(struct prober *p); /* what is under way is forgotten */

/* Once, within the job's timeout (and a little). answer NULL: it could not be done, and `why` says so. */
typedef void prober_done(void *arg, const struct probe_answer *answer, const char *why);

/* The job's id is filled in here. 0, or -errno, and then `done` is not called: -EAGAIN: it has died just now; -EBUSY: PROBE_JOBS_MAX. */
int prober_ask(struct prober *p, const struct probe_job *job, prober_done *done, void *arg);
