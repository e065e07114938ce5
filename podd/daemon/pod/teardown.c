/* The end of a sandbox. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include "base/fd.h"
#include "daemon/pod/debug.h"
#include "daemon/pod/etcfiles.h"
#include "daemon/api/forward.h"
#include "daemon/janitor.h"
#include "daemon/pod/ownership.h"
#include "daemon/pod/reach.h"
#include "daemon/pod/sandbox_internal.h"
#include "daemon/pod/session.h"
#include "daemon/pod/volumes.h"

enum {
	QUIT_MS = 1000, /* for the logs to be drained */
	RETRY_FIRST_MS = 1,
	RETRY_MAX_MS = 1000,
	DELETE_ATTEMPTS = 10, /* a second: for a runtime to forget the last containers */
	STUCK_ATTEMPTS = 20,  /* some ten seconds: said once, tried on */
};

static void attempt(uv_timer_t *t);

/* What is left when no process is: link, mounts, directories, cgroups. 0, or -errno: to be tried again. */
static int sweep(struct sandbox *s)
{
	struct daemon *d = s->daemon;

	int r = podnet_detach(d->net, s->uid);
	if (r < 0)
		return r;
	s->networked = false;
	if (s->run_fd >= 0) { /* or its creation failed before there was a directory */
		volumes_sandbox_gone(s);
		ownership_sandbox_gone(s);
		reach_sandbox_gone(s);
		(void)unlinkat(s->run_fd, "anchor.sock", 0);
		(void)unlinkat(s->run_fd, DEBUG_FILE, 0);
		r = tree_remove(s->run_fd, "etc");
		if (r == 0)
			r = tree_remove(s->run_fd, "runtime");
		if (r < 0)
			return r;
	}
	if (s->state_fd >= 0)
		janitor_remove(d->janitor, s->state_fd, "containers");
	cgroup_remove_others(d->cgroups, s->cgroup);
	return cgroup_remove(d->cgroups, s->cgroup);
}

static void finish(struct sandbox *s)
{
	struct daemon *d = s->daemon;
	struct event e = s->failure ? *s->failure : daemon_event(EVENT_SANDBOX_GONE, s->uid, NULL, 0);
	const struct core_pod *cp = core_pod_by_uid(d->core, s->uid);
	char ns[64] = "";

	if (cp && cp->pod)
		(void)snprintf(ns, sizeof(ns), "%s", cp->pod->metadata.namespace);
	free(s->failure);
	debug_end(d, s->uid);
	sandbox_free(s);
	daemon_step(d, &e);
	etcfiles_hosts_changed(d, ns);
}

static void retry(struct sandbox *s)
{
	uint64_t ms = RETRY_MAX_MS;

	if (s->attempts < 10)
		ms = (uint64_t)RETRY_FIRST_MS << s->attempts;
	if (++s->attempts == STUCK_ATTEMPTS)
		daemon_report(s->daemon, s->uid, NULL, false, "Stuck",
		              "the pod's processes do not end (a hung disk, most likely); podd keeps trying");
	uv_timer_start(&s->timer, attempt, MIN(ms, RETRY_MAX_MS), 0);
}

static void attempt(uv_timer_t *t)
{
	struct sandbox *s = t->data;
	struct daemon *d = s->daemon;

	int r = s->deletions && s->attempts < DELETE_ATTEMPTS ? -EAGAIN : 0;
	if (r == 0)
		r = cgroup_kill(d->cgroups, s->cgroup);
	if (r == 0)
		r = cgroup_populated(d->cgroups, s->cgroup);
	if (r == 0)
		r = sweep(s);
	if (r == 0)
		finish(s);
	else
		retry(s);
}

void sandbox_end(struct sandbox *s)
{
	s->state = SANDBOX_DYING;
	session_end_all(s);
	forward_end_all(s);
	anchor_close(s->anchor);
	s->anchor = NULL;
	/* The pod's link goes with its namespace, which must not be held here any more. */
	s->netns_fd = fd_close(s->netns_fd);
	s->rtnl_fd = fd_close(s->rtnl_fd);
	attempt(&s->timer);
}

static void quit_late(uv_timer_t *t)
{
	sandbox_end(t->data);
}

void sandbox_destroy(struct daemon *d, const char *uid)
{
	struct anchor_header quit = { ANCHOR_QUIT, sizeof(quit), 0 };
	struct sandbox *s = sandbox_find(d, uid);

	if (!s) {
		struct event e = daemon_event(EVENT_SANDBOX_GONE, uid, NULL, 0);
		daemon_step(d, &e);
		return;
	}
	if (s->state == SANDBOX_DYING)
		return;
	bool up = s->state == SANDBOX_UP;
	s->state = SANDBOX_DYING;
	session_end_all(s);
	forward_end_all(s);
	uv_timer_stop(&s->timer);
	/* With an orderly end the anchor drains its logs first; its death then tells that it has. */
	if (up && s->anchor && anchor_send(s->anchor, &quit, sizeof(quit), NULL, 0) == 0)
		uv_timer_start(&s->timer, quit_late, QUIT_MS, 0);
	else
		sandbox_end(s);
}
