#include "daemon/sandbox.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/etcfiles.h"
#include "daemon/launch.h"
#include "daemon/logs.h"
#include "daemon/leases.h"
#include "daemon/session.h"
#include "daemon/spawn.h"
#include "daemon/volumes.h"
#include "plan/words.h"

enum {
	SANDBOX_BACKLOG = 4,
	ANSWER_MS = 10000, /* an anchor that has not answered by then is reported, nothing more */
};

struct sandbox *sandbox_find(struct daemon *d, const char *uid)
{
	list_foreach(s, &d->sandboxes, struct sandbox, link)
		if (streq(s->uid, uid))
			return s;
	return NULL;
}

void sandbox_leaf(const struct sandbox *s, const char *container, uint32_t number, uint32_t session, char ret[static SANDBOX_LEAF_SIZE])
{
	int n = snprintf(ret, SANDBOX_LEAF_SIZE, "%s/members/%s.%u", s->cgroup, container, number);

	if (session && n > 0 && n < SANDBOX_LEAF_SIZE)
		(void)snprintf(ret + n, (size_t)(SANDBOX_LEAF_SIZE - n), "/x%u", session);
}

/* --- birth --------------------------------------------------------------------------------------------------------------- */

static void handle_closed(uv_handle_t *h)
{
	struct sandbox *s = h->data;

	(void)fd_close(s->run_fd);
	(void)fd_close(s->state_fd);
	(void)fd_close(s->netns_fd);
	(void)fd_close(s->rtnl_fd);
	free(s);
}

void sandbox_free(struct sandbox *s)
{
	list_remove(&s->link);
	anchor_close(s->anchor);
	s->anchor = NULL;
	launch_forget_all(s);
	session_end_all(s);
	uv_timer_stop(&s->timer);
	uv_close((uv_handle_t *)&s->timer, handle_closed);
}

static int open_pod_dir(int base, const char *uid, int *ret)
{
	char path[POD_UID_SIZE + 8];

	(void)snprintf(path, sizeof(path), "pods/%s", uid);
	int r = dir_make(base, path, 0700);
	if (r < 0)
		return r;
	int fd = openat(base, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret = fd;
	return 0;
}

static int sandbox_new(struct daemon *d, const char *uid, struct sandbox **ret)
{
	struct sandbox *s = xnew(struct sandbox);

	*s = (struct sandbox){ .daemon = d, .run_fd = -EBADF, .state_fd = -EBADF, .netns_fd = -EBADF, .rtnl_fd = -EBADF };
	/* A directory of an earlier podd's session may still be there: numbers do not start at 1. */
	s->next_session = (uint32_t)(clock_boot() / NS_PER_MS) | 1;
	(void)snprintf(s->uid, sizeof(s->uid), "%s", uid);
	list_init(&s->launches);
	list_init(&s->sessions);
	list_append(&d->sandboxes, &s->link);
	s->timer.data = s;
	(void)uv_timer_init(&d->loop, &s->timer); /* never fails */
	*ret = s;
	int r = open_pod_dir(d->run_fd, uid, &s->run_fd);
	return r < 0 ? r : open_pod_dir(d->state_fd, uid, &s->state_fd);
}

static const char *qos_prefix(enum qos q)
{
	switch (q) {
	case QOS_GUARANTEED:
		return "";
	case QOS_BURSTABLE:
		return "burstable/";
	case QOS_BEST_EFFORT:
	case QOS_MAX:
		break;
	}
	return "besteffort/";
}

static void name_cgroup(struct sandbox *s, enum qos q)
{
	(void)snprintf(s->cgroup, sizeof(s->cgroup), "%spod%s", qos_prefix(q), s->uid);
}

static int make_cgroups(struct sandbox *s, const struct pod *p)
{
	struct cgroup_host *h = s->daemon->cgroups;
	struct cgroup_limits pod = sandbox_pod_limits(p), members = sandbox_members_limits(p), none = { 0 };
	char path[sizeof(s->cgroup) + 16];

	int r = cgroup_make(h, s->cgroup, &pod);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "%s/members", s->cgroup);
	r = cgroup_make(h, path, &members);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "%s/anchor", s->cgroup);
	return cgroup_make(h, path, &none);
}

static int open_listener(struct sandbox *s, int *ret)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d/anchor.sock", s->run_fd);
	(void)unlinkat(s->run_fd, "anchor.sock", 0);
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || listen(fd, SANDBOX_BACKLOG) < 0)
		return -errno;
	if (fchmodat(s->run_fd, "anchor.sock", 0600, 0) < 0)
		return -errno;
	*ret = TAKE_FD(fd);
	return 0;
}

static const struct anchor_callbacks sandbox_callbacks;

static int start_anchor(struct sandbox *s, const struct pod *p)
{
	struct cgroup_entry cgroup __attribute__((cleanup(cgroup_entry_deinit))) = CGROUP_ENTRY_NULL;
	_cleanup_close_ int listen_fd = -EBADF;
	_cleanup_close_ int logs_fd = logs_open(s->daemon, p, s->uid, /* make= */ true);
	_cleanup_free_ char *title = xasprintf("%s/%s", p->metadata.namespace, p->metadata.name);
	_cleanup_free_ char *socket_path = xasprintf("%s/pods/%s/anchor.sock", s->daemon->run_path, s->uid);
	char path[sizeof(s->cgroup) + 16], hostname[WORDS_HOSTNAME_SIZE];
	int pidfd;

	if (logs_fd < 0)
		return logs_fd;
	(void)snprintf(path, sizeof(path), "%s/anchor", s->cgroup);
	int r = cgroup_enter_fds(s->daemon->cgroups, path, &cgroup);
	if (r < 0)
		return r;
	r = open_listener(s, &listen_fd);
	if (r < 0)
		return r;
	words_hostname(p, hostname);
	struct spawn_anchor spawn = {
		.cgroup = &cgroup,
		.program_fd = s->daemon->anchor_fd,
		.listen_fd = listen_fd,
		.logs_fd = logs_fd,
		.socket_path = socket_path,
		.hostname = hostname,
		.title = title,
		.own_net = !p->spec.host_network,
		.own_uts = !p->spec.host_network, /* Kubernetes: a hostNetwork pod has the host's name */
		.own_ipc = !p->spec.host_ipc,
		.share_pid = p->spec.share_process_namespace,
		.log_size = s->daemon->config->log_size,
		.log_files = s->daemon->config->log_files,
	};
	r = spawn_anchor(&spawn, &pidfd);
	if (r < 0)
		return r;
	r = anchor_connect(&s->daemon->loop, s->run_fd, "anchor.sock", pidfd, &sandbox_callbacks, s, &s->anchor);
	if (r < 0)
		(void)fd_close(pidfd);
	return r;
}

/* Creation failed: what was made is unmade, then the core is told. */
static void fail(struct sandbox *s, const char *reason, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void fail(struct sandbox *s, const char *reason, const char *fmt, ...)
{
	va_list ap;

	s->failure = xnew(struct event);
	*s->failure = daemon_event(EVENT_SANDBOX_FAILED, s->uid, NULL, 0);
	(void)snprintf(s->failure->reason, sizeof(s->failure->reason), "%s", reason);
	va_start(ap, fmt);
	(void)vsnprintf(s->failure->message, sizeof(s->failure->message), fmt, ap);
	va_end(ap);
	sandbox_end(s);
}

static void answer_late(uv_timer_t *t)
{
	struct sandbox *s = t->data;

	daemon_report(s->daemon, s->uid, NULL, false, "AnchorStuck",
		      "the anchor does not answer; the pod is left as it is until the anchor answers or dies");
}

static const char *unenforceable(const struct daemon *d, const struct pod *p)
{
	if (d->config->allow_unenforced)
		return NULL;
	for (size_t i = 0; i < p->spec.containers.count; i++) {
		const struct resource_list *l = &p->spec.containers.items[i].resources.limits;
		if (l->memory.set && !cgroup_has(d->cgroups, CGROUP_MEMORY))
			return "memory";
		if (l->cpu.set && !cgroup_has(d->cgroups, CGROUP_CPU))
			return "cpu";
	}
	return NULL;
}

void sandbox_create(struct daemon *d, const char *uid)
{
	const struct pod *p = core_pod_by_uid(d->core, uid)->pod;
	struct sandbox *s;

	int r = sandbox_new(d, uid, &s);
	name_cgroup(s, p->qos); /* whatever fails from here on, the end looks there for what was made */
	const char *lacking = unenforceable(d, p);
	if (lacking) {
		fail(s, "LimitsNotEnforced", "this host has no %s cgroup controller, so the limits can't be enforced; allow it with "
		     "allowUnenforcedLimits: true in podd.yaml", lacking);
		return;
	}
	if (r == 0)
		r = make_cgroups(s, p);
	if (r == 0)
		r = etcfiles_write(s, p);
	if (r == 0)
		r = volumes_prepare(s, p);
	if (r == 0)
		r = start_anchor(s, p);
	if (r < 0) {
		fail(s, "FailedCreatePodSandBox", "creating the sandbox: %s", strerror(-r));
		return;
	}
	uv_timer_start(&s->timer, answer_late, ANSWER_MS, 0);
}

/* --- network ----------------------------------------------------------------------------------------------------------------- */

static size_t collect_ports(const struct pod *p, struct podnet_port ports[static PODNET_PORTS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < p->spec.containers.count; i++) {
		const struct container_port_list *l = &p->spec.containers.items[i].ports;
		for (size_t k = 0; k < l->count && n < PODNET_PORTS_MAX; k++) {
			if (!l->items[k].host_port || l->items[k].protocol == PROTOCOL_SCTP)
				continue;
			ports[n] = (struct podnet_port){
				.protocol = l->items[k].protocol == PROTOCOL_UDP ? PODNET_UDP : PODNET_TCP,
				.host_port = (uint16_t)l->items[k].host_port,
				.container_port = (uint16_t)l->items[k].container_port,
			};
			if (l->items[k].host_ip)
				(void)inet_pton(AF_INET, l->items[k].host_ip, &ports[n].host_ip);
			n++;
		}
	}
	return n;
}

/* Attaches the pod's link, or, for an adopted pod, takes it into the books. */
static int join_network(struct sandbox *s, const struct pod *p, bool adopt)
{
	struct podnet_port ports[PODNET_PORTS_MAX];
	struct podnet_pod np = {
		.uid = s->uid,
		.namespace = p->metadata.namespace,
		.name = p->metadata.name,
		.netns_fd = s->netns_fd,
		.rtnl_fd = s->rtnl_fd,
		.ports = ports,
		.port_count = collect_ports(p, ports),
	};

	int r = leases_address(s->daemon, s->uid, adopt, &s->address);
	if (r < 0)
		return r;
	np.address = s->address;
	r = adopt ? podnet_adopt(s->daemon->net, &np) : podnet_attach(s->daemon->net, &np);
	s->networked = r == 0;
	return r;
}

static void network_failed(struct sandbox *s, const struct pod *p, int r)
{
	struct podnet_port ports[PODNET_PORTS_MAX];
	size_t n = collect_ports(p, ports);

	for (size_t i = 0; r == -EADDRINUSE && i < n; i++) {
		const char *uid = podnet_port_owner(s->daemon->net, ports[i].protocol, ports[i].host_port);
		const struct core_pod *owner = uid && !streq(uid, s->uid) ? core_pod_by_uid(s->daemon->core, uid) : NULL;
		if (owner && owner->pod) {
			fail(s, "HostPortConflict", "hostPort %u is taken by pod %s/%s", ports[i].host_port, owner->pod->metadata.namespace,
			     owner->pod->metadata.name);
			return;
		}
	}
	if (r == -ENOSPC)
		fail(s, "NoAddress", "no address is free in the pods' range; give podd a larger --pod-cidr");
	else
		fail(s, "FailedCreatePodSandBox", "connecting the pod's network: %s", strerror(-r));
}

/* --- what the anchor says --------------------------------------------------------------------------------------------------- */

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
	int r = cp->pod->spec.host_network ? 0 : join_network(s, cp->pod, false);

	if (r < 0) {
		network_failed(s, cp->pod, r);
		return;
	}
	s->state = SANDBOX_UP;
	e.sandbox = describe(s, snapshot->pid);
	logs_first_numbers(d, cp->pod, s->uid, e.first_numbers);
	daemon_step(d, &e);
	etcfiles_hosts_changed(d, cp->pod->metadata.namespace);
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
		daemon_report(s->daemon, s->uid, NULL, false, "SandboxNotRepaired", "making the pod's files in /run anew: %s", strerror(-r));
}

static void adopted(struct sandbox *s, const struct anchor_snapshot *snapshot, const struct anchor_process *processes, size_t count)
{
	struct daemon *d = s->daemon;
	const struct core_pod *cp = core_pod_by_uid(d->core, s->uid);
	struct event e = daemon_event(EVENT_ADOPT, s->uid, NULL, 0);
	_cleanup_free_ struct adopted_start *starts = xnew_array(struct adopted_start, count);
	size_t n = 0;

	s->state = SANDBOX_UP;
	if (cp && cp->pod)
		restore_run(s, cp->pod);
	if (cp && cp->pod && !cp->pod->spec.host_network) {
		int r = join_network(s, cp->pod, true);
		if (r < 0)
			daemon_report(d, s->uid, NULL, false, "NetworkNotRepaired", "taking over the pod's network: %s", strerror(-r));
	}
	for (size_t i = 0; i < count; i++) {
		const struct anchor_process *p = &processes[i];
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

static void on_started(void *arg, const struct anchor_process *p)
{
	struct sandbox *s = arg;

	if (p->key.session)
		session_started(s, p);
	else
		launch_started(s, p);
}

static void on_exited(void *arg, const struct anchor_process *p)
{
	struct sandbox *s = arg;

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
		fail(s, "FailedCreatePodSandBox", "the anchor ended at once");
		break;
	case SANDBOX_ADOPTING:
	case SANDBOX_UP:
		s->state = SANDBOX_LOST;
		session_end_all(s);
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

	if (m->request != ANCHOR_SPAWN)
		return; /* an ACK or signal for what is gone already */
	if (m->key.session)
		session_refused(s, m);
	else
		launch_refused(s, m);
}

static const struct anchor_callbacks sandbox_callbacks = {
	.snapshot = on_snapshot,
	.started = on_started,
	.exited = on_exited,
	.dropped = on_dropped,
	.refused = on_refused,
	.lost = on_lost,
};

/* --- adoption ---------------------------------------------------------------------------------------------------------------- */

/* An edit while podd was away may have changed the class: the directory that is there counts. */
static void find_cgroup(struct sandbox *s)
{
	for (enum qos q = 0; q < QOS_MAX; q++) {
		name_cgroup(s, q);
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
		uv_timer_start(&s->timer, answer_late, ANSWER_MS, 0);
}

bool sandbox_all_adopted(const struct daemon *d)
{
	list_foreach(s, &d->sandboxes, struct sandbox, link)
		if (s->state == SANDBOX_ADOPTING)
			return false;
	return true;
}

void sandbox_release_all(struct daemon *d)
{
	list_foreach(s, &d->sandboxes, struct sandbox, link)
		sandbox_free(s);
}
