#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include "base/alloc.h"
#include "base/str.h"
#include "daemon/pod/etcfiles.h"
#include "daemon/api/forward.h"
#include "daemon/pod/launch.h"
#include "daemon/pod/logs.h"
#include "daemon/pod/sandbox_internal.h"
#include "daemon/pod/session.h"
#include "daemon/pod/users.h"
#include "daemon/pod/volumes.h"

static struct sandbox_info describe(const struct sandbox *s, int32_t anchor_pid)
{
	struct sandbox_info i = { .anchor = anchor_pid };

	if (s->networked)
		(void)inet_ntop(AF_INET, &s->address, i.ip, sizeof(i.ip));
	return i;
}

static void created(struct sandbox *s, const struct anchor_snapshot *snapshot)
{
	struct daemon *d = s->daemon;
	const struct core_pod *cp = core_pod_by_uid(d->core, s->uid);
	struct event e = daemon_event(EVENT_SANDBOX_READY, s->uid, NULL, 0);
	uint32_t sysctl = snapshot->degraded >> ANCHOR_DEGRADED_SYSCTL_SHIFT;

	if (sysctl && sysctl <= cp->pod->spec.security.sysctls.count) {
		const struct sysctl *bad = &cp->pod->spec.security.sysctls.items[sysctl - 1];
		sandbox_fail(s, "FailedCreatePodSandBox", "setting sysctl %s to \"%s\": the kernel refuses it", bad->name,
		             bad->value);
		return;
	}
	int r = cp->pod->spec.host_network ? 0 : sandbox_join_network(s, cp->pod, false);

	if (r < 0) {
		sandbox_network_failed(s, cp->pod, r);
		return;
	}
	s->state = SANDBOX_UP;
	e.sandbox = describe(s, snapshot->pid);
	logs_first_numbers(d, cp->pod, s->uid, e.first_numbers);
	etcfiles_host_came(s, cp->pod);
	daemon_step(d, &e);
}

/* Someone wiped /run: what the next start of a member will look for there is made anew. */
static void restore_run(struct sandbox *s, const struct pod *p)
{
	struct stat st;

	if (fstatat(s->run_fd, "etc/hostname", &st, AT_SYMLINK_NOFOLLOW) == 0)
		return;
	int r = etcfiles_write(s, p);
	if (r == 0)
		r = volumes_prepare(s, p);
	if (r < 0)
		daemon_report(s->daemon, s->uid, NULL, false, "SandboxNotRepaired", "making the pod's files in /run anew: %s",
		              strerror(-r));
}

static void adopted(struct sandbox *s, const struct anchor_snapshot *snapshot, const struct anchor_process *processes, size_t count)
{
	struct daemon *d = s->daemon;
	const struct core_pod *cp = core_pod_by_uid(d->core, s->uid);
	struct event e = daemon_event(EVENT_ADOPT, s->uid, NULL, 0);
	_cleanup_free_ struct adopted_start *starts = xnew_array(struct adopted_start, count);
	size_t n = 0;

	s->state = SANDBOX_UP;
	if (cp && cp->pod) {
		restore_run(s, cp->pod);
		logs_repair(s, cp->pod);
	}
	if (cp && cp->pod && users_own(cp->pod)) {
		int r = users_adopt(s);
		if (r < 0)
			daemon_report(d, s->uid, NULL, false, "SandboxNotRepaired", "finding the pod's user namespace: %s",
			              strerror(-r));
	}
	if (cp && cp->pod && !cp->pod->spec.host_network) {
		int r = sandbox_join_network(s, cp->pod, true);
		if (r < 0)
			daemon_report(d, s->uid, NULL, false, "NetworkNotRepaired", "taking over the pod's network: %s",
			              strerror(-r));
	}
	for (size_t i = 0; i < count; i++) {
		const struct anchor_process *p = &processes[i];
		if (p->class == ANCHOR_CLASS_HOOK)
			session_adopt_hook(s, p);
		if (p->key.session)
			continue;
		struct adopted_start *a = &starts[n++];
		(void)snprintf(a->container, sizeof(a->container), "%s", p->key.container);
		a->number = p->key.number;
		a->pid = p->state == ANCHOR_PROCESS_EXITED ? 0 : p->pid;
		a->started_wall = p->started_wall;
		a->launch_failed = p->failed;
		if (p->state == ANCHOR_PROCESS_EXITED)
			a->exit = launch_exit_info(s, p);
	}
	e.adopt = (struct adopt_info){
		.note = snapshot->note,
		.note_size = snapshot->note_size,
		.starts = starts,
		.start_count = n,
		.sandbox = describe(s, snapshot->pid),
	};
	daemon_step(d, &e);
}

/* A start waits for an answer; any word shows that the anchor does not hang. */
static void answered(struct sandbox *s)
{
	if (s->state == SANDBOX_UP)
		uv_timer_stop(&s->timer);
}

static void on_started(void *arg, const struct anchor_process *p)
{
	struct sandbox *s = arg;

	answered(s);
	if (p->key.session)
		session_started(s, p);
	else
		launch_started(s, p);
}

static void on_exited(void *arg, const struct anchor_process *p)
{
	struct sandbox *s = arg;

	answered(s);
	if (p->key.session)
		session_exited(s, p);
	else
		launch_exited(s, p);
}

/* A second snapshot: the connection was made anew. What it tells twice, the core knows by its number. */
static void catch_up(struct sandbox *s, const struct anchor_process *processes, size_t count)
{
	for (size_t i = 0; i < count && s->state == SANDBOX_UP; i++) {
		const struct anchor_process *p = &processes[i];
		if (p->state == ANCHOR_PROCESS_EXITED)
			on_exited(s, p);
		else if (p->state == ANCHOR_PROCESS_RUNNING)
			on_started(s, p);
	}
}

static void on_snapshot(void *arg, const struct anchor_snapshot *snapshot, const struct anchor_process *processes, size_t count,
                        int netns_fd, int rtnl_fd)
{
	struct sandbox *s = arg;

	(void)fd_close(s->netns_fd);
	(void)fd_close(s->rtnl_fd);
	s->netns_fd = netns_fd;
	s->rtnl_fd = rtnl_fd;
	s->log_dropped = snapshot->log_dropped;
	switch (s->state) {
	case SANDBOX_CREATING:
		uv_timer_stop(&s->timer);
		created(s, snapshot);
		break;
	case SANDBOX_ADOPTING:
		uv_timer_stop(&s->timer);
		adopted(s, snapshot, processes, count);
		break;
	case SANDBOX_UP:
		catch_up(s, processes, count);
		break;
	case SANDBOX_LOST:
	case SANDBOX_DYING:
		break;
	}
}

static void on_dropped(void *arg, const struct anchor_dropped *m)
{
	struct sandbox *s = arg;

	s->log_dropped += m->lines;
	daemon_report(s->daemon, s->uid, m->key.container, false, "LogDropped", "%llu lines of the log were dropped: %s",
	              (unsigned long long)m->lines, m->error == ETIMEDOUT ? "the disk hangs" : strerror(m->error));
}

static void on_lost(void *arg)
{
	struct sandbox *s = arg;

	anchor_close(s->anchor);
	s->anchor = NULL;
	switch (s->state) {
	case SANDBOX_CREATING:
		sandbox_fail(s, "FailedCreatePodSandBox", "the anchor ended at once");
		break;
	case SANDBOX_ADOPTING:
	case SANDBOX_UP:
		s->state = SANDBOX_LOST;
		session_end_all(s);
		forward_end_all(s);
		struct event e = daemon_event(EVENT_SANDBOX_LOST, s->uid, NULL, 0);
		daemon_step(s->daemon, &e);
		break;
	case SANDBOX_LOST:
		break;
	case SANDBOX_DYING:
		sandbox_end(s);
		break;
	}
}

static void on_refused(void *arg, const struct anchor_error *m)
{
	struct sandbox *s = arg;

	answered(s);
	if (m->request != ANCHOR_SPAWN && m->request != ANCHOR_ATTACH)
		return; /* an ACK or signal for what is gone already */
	if (m->key.session)
		session_refused(s, m);
	else
		launch_refused(s, m);
}

static void on_attached(void *arg, const struct anchor_attached *m, int input)
{
	session_attached(arg, m, input);
}

const struct anchor_callbacks sandbox_callbacks = {
	.snapshot = on_snapshot,
	.started = on_started,
	.exited = on_exited,
	.dropped = on_dropped,
	.refused = on_refused,
	.attached = on_attached,
	.lost = on_lost,
};

/* --- adoption ---------------------------------------------------------------------------------------------------------------- */

/* An edit while podd was away may have changed the class: the directory that is there counts. */
static void find_cgroup(struct sandbox *s)
{
	for (enum qos q = 0; q < QOS_MAX; q++) {
		sandbox_name_cgroup(s, q);
		if (cgroup_exists(s->daemon->cgroups, s->cgroup))
			return;
	}
}

void sandbox_adopt(struct daemon *d, const char *uid)
{
	struct sandbox *s;
	int r = sandbox_new(d, uid, &s);

	s->state = SANDBOX_ADOPTING;
	find_cgroup(s);
	if (r == 0)
		r = anchor_connect(&d->loop, s->run_fd, "anchor.sock", -EBADF, &sandbox_callbacks, s, &s->anchor);
	if (r < 0)
		on_lost(s);
	else
		sandbox_expect_answer(s);
}
