#include "daemon/pod/runtime.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/intake/configs.h"
#include "sys/process.h"

enum { NAME_SIZE = CONTAINER_NAME_SIZE + 32, DELETE_ARGS_MAX = 8 };

/* A deletion under way. */
struct deletion {
	struct daemon *daemon;
	char uid[POD_UID_SIZE];
	uv_poll_t poll;
	int pidfd;
};

bool runtime_used(const struct pod *p)
{
	return p->spec.runtime_class && *p->spec.runtime_class;
}

const struct pod *runtime_pod(const struct sandbox *s)
{
	const struct core_pod *cp = core_pod_by_uid(s->daemon->core, s->uid);

	return cp && cp->pod && runtime_used(cp->pod) ? cp->pod : NULL;
}

struct class
{
	const char *name, *handler;
};

static void match_class(const struct config_object *c, void *arg)
{
	struct class *class = arg;

	const struct config_item *item = config_find(c, "handler");

	if (item && streq(c->name, class->name))
		class->handler = item->data;
}

/* What the pod's RuntimeClass says; NULL: there is no such document. */
static const char *handler_of(const struct daemon *d, const struct pod *p)
{
	struct class class = { .name = p->spec.runtime_class };

	configs_walk(d, CONFIG_RUNTIME_CLASS, match_class, &class);
	return class.handler;
}

static const struct conf_runtime *find(const struct daemon *d, const struct pod *p)
{
	const struct conf_runtime_list *known = &d->config->runtimes;
	const char *handler = handler_of(d, p);

	for (size_t i = 0; i < known->count; i++)
		if (streq(known->items[i].name, handler ? handler : p->spec.runtime_class))
			return &known->items[i];
	return NULL;
}

const char *runtime_refused(const struct daemon *d, const struct pod *p, struct arena *a)
{
	if (!runtime_used(p) || find(d, p))
		return NULL;
	const struct config *c = d->config;
	const char *handler = handler_of(d, p);
	_cleanup_buf_ struct buf known = BUF_NULL;
	for (size_t i = 0; i < c->runtimes.count; i++)
		buf_printf(&known, "%s%s", i ? ", " : ": ", c->runtimes.items[i].name);
	return arena_printf(
		a,
		"runtimeClassName \"%s\"%s%s is not one of this node's runtimes%s; name it under `runtimes` in %s, or leave it out",
		p->spec.runtime_class, handler ? ": the handler of this RuntimeClass, " : "", handler ? handler : "",
		known.len ? buf_str(&known) : ", of which there are none", c->config_file);
}

void runtime_describe(const struct sandbox *s, const struct pod *p, const char *container, uint32_t number, struct arena *a,
                      struct plan_runtime *ret)
{
	const struct conf_runtime *known = find(s->daemon, p);
	const char *base = arena_printf(a, "%s/pods/%s/runtime", s->daemon->run_path, s->uid);
	char leaf[SANDBOX_LEAF_SIZE];

	sandbox_leaf(s, container, number, leaf);
	_cleanup_free_ char *cgroup = cgroup_from_top(s->daemon->cgroups, leaf);
	*ret = (struct plan_runtime){
		.program = known->path,
		.options = known->options,
		.state = arena_printf(a, "%s/state", base),
		.bundle = arena_printf(a, "%s/%s.%u", base, container, number),
		.id = arena_printf(a, "%s.%u", container, number),
		.cgroup = arena_strdup(a, cgroup),
	};
}

static void launch_leaf(const struct sandbox *s, const char *container, uint32_t number, char ret[static SANDBOX_LEAF_SIZE])
{
	(void)snprintf(ret, SANDBOX_LEAF_SIZE, "%s/members/%s.%u.launch", s->cgroup, container, number);
}

int runtime_enter(struct sandbox *s, const char *container, uint32_t number, struct cgroup_entry *ret,
                  int ret_procs[static CGROUP_PROCS_MAX], size_t *ret_count)
{
	struct cgroup_host *h = s->daemon->cgroups;
	struct cgroup_limits none = { 0 };
	char leaf[SANDBOX_LEAF_SIZE];

	launch_leaf(s, container, number, leaf);
	int r = cgroup_make(h, leaf, &none);
	if (r == 0)
		r = cgroup_enter_fds(h, leaf, ret);
	sandbox_leaf(s, container, number, leaf);
	return r < 0 ? r : cgroup_procs_fds(h, leaf, ret_procs, ret_count);
}

static void bundle_path(const char *container, uint32_t number, char ret[static NAME_SIZE])
{
	(void)snprintf(ret, NAME_SIZE, "runtime/%s.%u", container, number);
}

int runtime_bundle(struct sandbox *s, const char *container, uint32_t number, const struct buf *config)
{
	char path[NAME_SIZE];

	bundle_path(container, number, path);
	int r = dir_make(s->run_fd, path, 0700);
	if (r < 0)
		return r;
	_cleanup_close_ int bundle = openat(s->run_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (bundle < 0)
		return -errno;
	r = dir_make(bundle, "rootfs", 0755);
	return r < 0 ? r : file_replace(bundle, "config.json", config->data, config->len, 0600);
}

void runtime_kill(struct sandbox *s, const char *container, uint32_t number)
{
	char leaf[SANDBOX_LEAF_SIZE];

	launch_leaf(s, container, number, leaf);
	(void)cgroup_kill(s->daemon->cgroups, leaf); /* what it could not get at goes with the pod */
}

void runtime_release(struct sandbox *s, const char *container, uint32_t number)
{
	char leaf[SANDBOX_LEAF_SIZE], path[NAME_SIZE];

	launch_leaf(s, container, number, leaf);
	(void)cgroup_remove(s->daemon->cgroups, leaf); /* busy: goes with the pod */
	bundle_path(container, number, path);
	(void)tree_remove(s->run_fd, path);
}

/* --- deletion --------------------------------------------------------------------------------------------------------------------- */

static _Noreturn void child(const struct plan_runtime *rt)
{
	const char *argv[DELETE_ARGS_MAX + CONF_OPTIONS_MAX] = { rt->program };
	const char *const words[] = { "--root", rt->state, "delete", "--force", rt->id };
	static char *const envp[] = { (char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	sigset_t none;

	if (rt->options.count)
		memcpy(argv + 1, rt->options.items, rt->options.count * sizeof(*argv));
	memcpy(argv + 1 + rt->options.count, words, sizeof(words));
	fd_close_others(NULL, 0);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd <= 2; fd++)
		if (dup2(null, fd) < 0)
			_exit(126);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)execve(argv[0], (char *const *)(uintptr_t)argv, envp);
	_exit(127);
}

static void closed(uv_handle_t *h)
{
	free(h->data);
}

static void ended(uv_poll_t *p, int status _unused_, int events _unused_)
{
	struct deletion *e = p->data;
	struct sandbox *s = sandbox_find(e->daemon, e->uid);
	siginfo_t info;

	(void)waitid(P_PIDFD, (id_t)e->pidfd, &info, WEXITED | WNOHANG);
	if (s && s->deletions)
		s->deletions--;
	uv_close((uv_handle_t *)p, closed);
	(void)fd_close(e->pidfd);
}

void runtime_delete(struct sandbox *s, const struct pod *p, const char *container, uint32_t number)
{
	struct cgroup_entry cgroup __attribute__((cleanup(cgroup_entry_deinit))) = CGROUP_ENTRY_NULL;
	_cleanup_arena_ struct arena *a = arena_new();
	char path[sizeof(s->cgroup) + 16];
	struct plan_runtime rt;
	sigset_t all, old;

	if (!find(s->daemon, p))
		return; /* it is not in the configuration any more */
	struct deletion *e = xnew(struct deletion);
	*e = (struct deletion){ .daemon = s->daemon, .pidfd = -EBADF };
	(void)strcpy(e->uid, s->uid);
	runtime_describe(s, p, container, number, a, &rt);
	/* Beside the anchor, which is killed with the pod's end only: whatever hangs there goes with it. */
	(void)snprintf(path, sizeof(path), "%s/anchor", s->cgroup);
	int r = cgroup_enter_fds(s->daemon->cgroups, path, &cgroup);
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &old); /* a signal to the child would run podd's handler */
	pid_t pid = r < 0 ? r : process_clone(0, cgroup.v2, &e->pidfd);
	if (pid == 0)
		child(&rt);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid < 0) {
		free(e); /* what it knows goes with the pod's run directory */
		return;
	}
	s->deletions++;
	e->poll.data = e;
	(void)uv_poll_init(&s->daemon->loop, &e->poll, e->pidfd);
	(void)uv_poll_start(&e->poll, UV_READABLE, ended);
}
