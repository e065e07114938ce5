#include "daemon/pod/sandbox_internal.h"
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/pod/etcfiles.h"
#include "daemon/api/forward.h"
#include "daemon/pod/launch.h"
#include "daemon/pod/logs.h"
#include "daemon/pod/runtime.h"
#include "daemon/pod/session.h"
#include "daemon/pod/session_plan.h"
#include "daemon/pod/spawn.h"
#include "daemon/image/startimage.h"
#include "daemon/pod/users.h"
#include "daemon/pod/volumes.h"
#include "manifest/huge.h"
#include "plan/sysctl.h"

enum {
	SANDBOX_BACKLOG = 4,
	STOPPED_MS = 1000, /* an anchor that has not answered by then is looked at, and... */
	ANSWER_MS = 10000, /* by then it is reported; the pod stays as it is */
};

struct sandbox *sandbox_find(const struct daemon *d, const char *uid)
{
	list_foreach(s, &d->sandboxes, struct sandbox, link)
		if (streq(s->uid, uid))
			return s;
	return NULL;
}

void sandbox_leaf(const struct sandbox *s, const char *container, uint32_t number, char ret[static SANDBOX_LEAF_SIZE])
{
	(void)snprintf(ret, SANDBOX_LEAF_SIZE, "%s/members/%s.%u", s->cgroup, container, number);
}

static void handle_closed(uv_handle_t *h)
{
	struct sandbox *s = h->data;

	if (--s->open_handles)
		return;
	(void)fd_close(s->run_fd);
	(void)fd_close(s->state_fd);
	(void)fd_close(s->netns_fd);
	(void)fd_close(s->users_fd);
	(void)fd_close(s->rtnl_fd);
	free(s);
}

void sandbox_free(struct sandbox *s)
{
	list_remove(&s->link);
	anchor_close(s->anchor);
	s->anchor = NULL;
	launch_forget_all(s);
	session_plan_forget_all(s);
	start_image_forget_all(s);
	session_end_all(s);
	forward_end_all(s);
	uv_timer_stop(&s->timer);
	uv_timer_stop(&s->resize_timer);
	uv_close((uv_handle_t *)&s->timer, handle_closed);
	uv_close((uv_handle_t *)&s->resize_timer, handle_closed);
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

static int open_in_memory(struct sandbox *s)
{
	int fd = openat(s->run_fd, SANDBOX_IN_MEMORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	(void)fd_close(s->state_fd);
	s->state_fd = fd;
	return 0;
}

static int make_in_memory(struct sandbox *s)
{
	int r = dir_make(s->run_fd, SANDBOX_IN_MEMORY, 0700);

	return r < 0 ? r : open_in_memory(s);
}

int sandbox_new(struct daemon *d, const char *uid, struct sandbox **ret)
{
	struct sandbox *s = xnew(struct sandbox);

	*s = (struct sandbox){
		.daemon = d, .run_fd = -EBADF, .state_fd = -EBADF, .netns_fd = -EBADF, .rtnl_fd = -EBADF, .users_fd = -EBADF
	};
	/* A directory of an earlier podd's session may still be there: numbers do not start at 1. */
	s->next_session = ((uint32_t)(clock_boot() / NS_PER_MS) & INT32_MAX) | 1; /* hooks count down from the top */
	(void)snprintf(s->uid, sizeof(s->uid), "%s", uid);
	list_init(&s->launches);
	list_init(&s->sessions);
	list_init(&s->session_plans);
	list_init(&s->images);
	list_init(&s->forwards);
	list_append(&d->sandboxes, &s->link);
	s->timer.data = s->resize_timer.data = s;
	(void)uv_timer_init(&d->loop, &s->timer); /* never fails */
	(void)uv_timer_init(&d->loop, &s->resize_timer);
	s->open_handles = 2;
	*ret = s;
	int r = open_pod_dir(d->run_fd, uid, &s->run_fd);
	if (r == 0 && open_in_memory(s) == -ENOENT)
		r = open_pod_dir(d->state_fd, uid, &s->state_fd);
	return r == -EROFS ? make_in_memory(s) : r;
}

int sandbox_leave_disk(struct sandbox *s, const struct pod *p)
{
	if (!fd_is_read_only(s->state_fd))
		return 0;
	int r = make_in_memory(s);
	if (r == 0)
		r = volumes_prepare(s, p);
	if (r == 0)
		daemon_report(
			s->daemon, s->uid, NULL, false, "DiskReadOnly",
			"the disk is read-only: writable layers and emptyDir volumes are in memory from now on, and begin empty");
	return r;
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

void sandbox_name_cgroup(struct sandbox *s, enum qos q)
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

static int start_anchor(struct sandbox *s, const struct pod *p)
{
	struct cgroup_entry cgroup __attribute__((cleanup(cgroup_entry_deinit))) = CGROUP_ENTRY_NULL;
	struct userns users __attribute__((cleanup(userns_deinit))) = USERNS_NULL;
	_cleanup_close_ int listen_fd = -EBADF;
	_cleanup_close_ int logs_fd = logs_make(s->daemon, p, s->uid);
	_cleanup_free_ char *title = xasprintf("%s/%s", p->metadata.namespace, p->metadata.name);
	_cleanup_free_ char *socket_path = xasprintf("%s/pods/%s/anchor.sock", s->daemon->run_path, s->uid);
	char path[sizeof(s->cgroup) + 16], hostname[POD_HOSTNAME_SIZE];
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
	if (users_own(p)) {
		r = users_make(s, &users);
		if (r < 0)
			return r;
	}
	_cleanup_close_ int shm_fd =
		p->spec.host_ipc ? -EBADF : openat(s->run_fd, "shm", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (shm_fd < 0 && !p->spec.host_ipc)
		return -errno;
	pod_hostname(p, hostname);
	_cleanup_arena_ struct arena *a = arena_new();
	const char **sysctls = sysctl_settings(p, a);
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
		.shm_fd = shm_fd,
		.users = users_own(p) ? &users : NULL,
		.share_pid = p->spec.share_process_namespace,
		.sysctls = sysctls,
		.sysctl_count = p->spec.security.sysctls.count,
		.log_size = s->daemon->config->log_size,
		.log_files = s->daemon->config->log_files,
	};
	r = spawn_anchor(&spawn, &pidfd);
	if (r < 0)
		return r;
	r = anchor_connect(&s->daemon->loop, s->run_fd, "anchor.sock", pidfd, &sandbox_callbacks, s, &s->anchor);
	if (r < 0) { /* nobody will watch it: its zombie goes here */
		(void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
		(void)waitid(P_PIDFD, (id_t)pidfd, NULL, WEXITED);
		(void)close(pidfd);
	}
	return r;
}

void sandbox_fail(struct sandbox *s, const char *reason, const char *fmt, ...)
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

static pid_t anchor_pid(const struct sandbox *s)
{
	char path[sizeof(s->cgroup) + 16];

	(void)snprintf(path, sizeof(path), "%s/anchor", s->cgroup);
	return cgroup_first_pid(s->daemon->cgroups, path);
}

/* By SIGSTOP or the freezer of cgroup v1; field 3 of proc(5)'s stat, after a name in brackets. */
static bool is_stopped(pid_t pid)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	const char *name_end = file_read(AT_FDCWD, path, 4096, &text) == 0 ? strrchr(buf_str(&text), ')') : NULL;
	return name_end && (str_after(name_end, ") T") || str_after(name_end, ") t"));
}

bool sandbox_is_stopped(const struct sandbox *s)
{
	return is_stopped(anchor_pid(s));
}

static void unanswered(struct sandbox *s, pid_t pid, const char *state)
{
	char text[MESSAGE_SIZE];

	(void)snprintf(text, sizeof(text), "the pod's anchor, process %d, %s", pid, state);
	daemon_report(s->daemon, s->uid, NULL, false, "AnchorStuck",
	              "%s; the pod is left as it is until the anchor answers or dies", text);
	session_unanswered(s, text);
}

static void answer_late(uv_timer_t *t)
{
	struct sandbox *s = t->data;

	unanswered(s, anchor_pid(s), "does not answer");
}

static void look_at_anchor(uv_timer_t *t)
{
	struct sandbox *s = t->data;
	pid_t pid = anchor_pid(s);

	if (is_stopped(pid))
		unanswered(s, pid, "is stopped: kill -CONT lets it go on");
	else
		uv_timer_start(t, answer_late, ANSWER_MS - STOPPED_MS, 0);
}

void sandbox_expect_answer(struct sandbox *s)
{
	if (!uv_is_active((uv_handle_t *)&s->timer)) /* who asks again and again must not put it off */
		uv_timer_start(&s->timer, look_at_anchor, STOPPED_MS, 0);
}

static const char *unenforceable(const struct daemon *d, const struct pod *p)
{
	if (d->config->allow_unenforced)
		return NULL;
	for (size_t i = 0; i <= pod_container_count(p); i++) {
		const struct resource_list *l = i ? &pod_container_at(p, i - 1)->resources.limits : &p->spec.resources.limits;
		if (l->memory.set && !cgroup_has(d->cgroups, CGROUP_MEMORY))
			return "memory";
		if (l->cpu.set && !cgroup_has(d->cgroups, CGROUP_CPU))
			return "cpu";
		if (huge_asked(l) && !cgroup_has(d->cgroups, CGROUP_HUGETLB))
			return "hugetlb";
	}
	return NULL;
}

/* Sizes are the kernel's: a processor may lack one. */
static const char *lacks_huge(const struct pod *p)
{
	char path[80];

	for (size_t i = 0; i <= pod_container_count(p); i++) {
		const struct resource_list *l = i ? &pod_container_at(p, i - 1)->resources.limits : &p->spec.resources.limits;
		for (enum huge_size s = 0; s < HUGE_SIZE_MAX; s++) {
			(void)snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%llukB",
			               (unsigned long long)huge_size_bytes(s) >> 10);
			if (l->huge[s].set && l->huge[s].nano > 0 && access(path, F_OK) < 0)
				return huge_size_name(s);
		}
	}
	return NULL;
}

void sandbox_create(struct daemon *d, const char *uid)
{
	const struct pod *p = core_pod_by_uid(d->core, uid)->pod;
	struct sandbox *s;

	int r = sandbox_new(d, uid, &s);
	sandbox_name_cgroup(s, p->qos); /* whatever fails from here on, the end looks there for what was made */
	const char *lacking = unenforceable(d, p);
	if (lacking) {
		sandbox_fail(s, "LimitsNotEnforced",
		             "this host has no %s cgroup controller, so the limits can't be enforced; allow it with "
		             "allowUnenforcedLimits: true in podd.yaml",
		             lacking);
		return;
	}
	lacking = lacks_huge(p);
	if (lacking) {
		sandbox_fail(s, "HugePagesMissing", "this kernel has no huge pages of %s", lacking);
		return;
	}
	const char *refused = sysctl_refused(p, &d->config->unsafe_sysctls, p->arena);
	if (refused) {
		sandbox_fail(s, "SysctlForbidden", "%s", refused);
		return;
	}
	refused = runtime_refused(d, p, p->arena);
	if (refused) {
		sandbox_fail(s, "RuntimeHandlerNotFound", "%s", refused);
		return;
	}
	if (r == 0)
		r = sandbox_leave_disk(s, p);
	if (r == 0)
		r = make_cgroups(s, p);
	sandbox_protect(d);
	if (r == 0)
		r = etcfiles_write(s, p);
	if (r == 0)
		r = volumes_prepare(s, p);
	if (r == 0)
		r = start_anchor(s, p);
	if (r < 0) {
		sandbox_fail(s, "FailedCreatePodSandBox", "creating the sandbox: %s", strerror(-r));
		return;
	}
	sandbox_expect_answer(s);
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
