#include "plan/compile.h"
#include <linux/filter.h>
#include <sched.h>
#include <sys/resource.h>
#include "base/alloc.h"
#include "base/str.h"
#include "manifest/check.h"
#include "plan/build.h"
#include "plan/devices.h"
#include "plan/filter.h"
#include "plan/hide.h"
#include "plan/identity.h"
#include "plan/oci.h"
#include "plan/source.h"
#include "plan/words.h"
#include "wire/anchor.h"

enum { NOFILE_SOFT = 1024, NOFILE_HARD = 524288 };

/* Everything that one compilation looks at. */
struct compile {
	const struct pod *pod;
	const struct container *container;
	const struct plan_image *image;
	const struct plan_context *ctx;
	struct identity identity;
	const struct buf *filter; /* of system calls; the cache's */
	struct label_list env;
	bool host_tty;    /* its terminal is podd.dev/tty */
	bool enters_late; /* its PID namespace: there are others who may trace it */
	struct build build;
	const char *reason;
};

static bool privileged(const struct compile *c)
{
	return c->container->security.privileged == TRISTATE_TRUE;
}

static bool read_only_root(const struct compile *c)
{
	return c->container->security.read_only_root == TRISTATE_TRUE;
}

static void join_cgroups(struct compile *c)
{
	for (size_t i = 0; i < c->ctx->v1_count; i++) {
		uint16_t slot = build_slot(&c->build, SLOT_CGROUP_TASKS, c->ctx->v1_hierarchies[i], 0);
		struct plan_op *op = build_op(&c->build, PLAN_WRITE);
		op->slot = slot;
		op->s1 = build_string(&c->build, "0");
	}
}

/* podd's own limits: what the manifest names comes later, and could not be raised again. */
static void default_rlimit(struct compile *c, int resource, uint64_t soft, uint64_t hard)
{
	for (size_t i = 0; i < c->pod->ulimits.count; i++)
		if (c->pod->ulimits.items[i].resource == resource)
			return;
	struct plan_op *op = build_op(&c->build, PLAN_RLIMIT);
	op->a = resource;
	op->b = (int64_t)soft;
	op->c = (int64_t)hard;
}

static void host_tty(struct compile *c)
{
	uint16_t slot = build_slot(&c->build, SLOT_TTY, c->pod->tty, 0);
	struct plan_op *op = build_op(&c->build, PLAN_HOST_TTY);

	op->slot = slot;
	op->s1 = build_string(&c->build, c->pod->tty);
}

/* It is in force from the exec on. */
static void apparmor(struct compile *c)
{
	const struct identity *id = &c->identity;

	if (!id->apparmor || (c->ctx->runtime && id->apparmor_if_loaded)) /* a runtime knows no such choice */
		return;
	struct plan_op *op = build_op(&c->build, PLAN_APPARMOR);
	op->flags = id->apparmor_if_loaded ? PLAN_APPARMOR_IF_LOADED : 0;
	op->s1 = build_string(&c->build, id->apparmor);
}

/* What comes before any namespace: it needs the host's /proc. */
static void begin(struct compile *c)
{
	uint64_t hard = MIN((uint64_t)NOFILE_HARD, c->ctx->nofile_max);

	join_cgroups(c);
	(void)build_op(&c->build, PLAN_SETSID);
	if (c->host_tty)
		host_tty(c);
	(void)build_op(&c->build, PLAN_KEYRING);
	build_op(&c->build, PLAN_OOM_SCORE)->a = c->identity.oom_score_adj;
	apparmor(c);
	default_rlimit(c, RLIMIT_NOFILE, MIN((uint64_t)NOFILE_SOFT, hard), hard);
	default_rlimit(c, RLIMIT_CORE, 0, 0);
}

static void mount(struct compile *c, const char *fstype, const char *options, const char *target, uint32_t flags)
{
	struct plan_op *op = build_op(&c->build, PLAN_MOUNT);

	op->flags = flags;
	op->s1 = build_string(&c->build, fstype);
	op->s2 = build_string(&c->build, options);
	op->s3 = build_string(&c->build, target);
}

static void move(struct compile *c, uint16_t slot, const char *target, uint32_t flags)
{
	struct plan_op *op = build_op(&c->build, PLAN_MOVE);

	op->slot = slot;
	op->flags = flags;
	op->s3 = build_string(&c->build, target);
}

static void mkdir_op(struct compile *c, const char *target)
{
	struct plan_op *op = build_op(&c->build, PLAN_MKDIR);

	op->a = 0755;
	op->s3 = build_string(&c->build, target);
}

/* The manifest mounts something of its own there, which takes the place of podd's. */
static bool taken(const struct compile *c, const char *path)
{
	const struct volume_mount_list *mounts = &c->container->mounts;

	for (size_t i = 0; i < mounts->count; i++) {
		size_t n = strlen(mounts->items[i].mount_path);
		while (n > 1 && mounts->items[i].mount_path[n - 1] == '/')
			n--;
		if (strlen(path) == n && strncmp(path, mounts->items[i].mount_path, n) == 0)
			return true;
	}
	return false;
}

static bool own_users(const struct compile *c)
{
	return c->pod->spec.host_users == TRISTATE_FALSE;
}

static void new_mounts(struct compile *c)
{
	build_op(&c->build, PLAN_UNSHARE)->flags = CLONE_NEWNS | CLONE_NEWCGROUP;
	(void)build_op(&c->build, PLAN_PRIVATE);
}

/* A rootfs: image is one layer: the directory itself. */
static const struct string_list *layers_of(const struct string_list *layers)
{
	static const char *self[] = { "." };
	static const struct string_list itself = { self, 1 };

	return layers->count ? layers : &itself;
}

static void new_root(struct compile *c)
{
	const struct string_list *layers = layers_of(&c->image->layers);
	struct plan_op *op;

	uint16_t directory = build_slot(&c->build, SLOT_LAYERS, NULL, 0);
	uint16_t upper = build_slot(&c->build, own_users(c) ? SLOT_WRITABLE : SLOT_UPPER, NULL, 0);
	uint16_t work = own_users(c) ? upper : build_slot(&c->build, SLOT_WORK, NULL, 0);
	if (own_users(c))
		new_mounts(c);
	op = build_op(&c->build, PLAN_OVERLAY);
	op->slot = directory;
	op->count = (uint32_t)layers->count;
	op->s1 = build_strings(&c->build, layers);
	op->a = upper;
	op->b = work;
	op->flags = PLAN_ATTR_NODEV | (own_users(c) ? PLAN_ATTR_TREES : 0);
	if (!own_users(c))
		new_mounts(c);
	(void)build_op(&c->build, PLAN_ROOT);
}

/* A /dev of its own: what a container may open is here, and nothing else. */
static void own_dev(struct compile *c)
{
	const char *options = "mode=755,size=65536k";

	if (own_users(c))
		options = arena_printf(c->build.plan->arena, "%s,uid=%u,gid=%u", options, c->ctx->first_id, c->ctx->first_id);
	mount(c, "tmpfs", options, "/dev", PLAN_ATTR_NOSUID | PLAN_ATTR_STRICTATIME);
	devices_standard(&c->build);
	devices_nodes(&c->build, c->ctx->devices, &c->identity, c->ctx->first_id);
	mkdir_op(c, "/dev/pts");
	mkdir_op(c, "/dev/mqueue");
}

static void standard_mounts(struct compile *c)
{
	const uint32_t strict = PLAN_ATTR_NOSUID | PLAN_ATTR_NODEV | PLAN_ATTR_NOEXEC;

	mount(c, "proc", "", "/proc", strict);
	if (privileged(c))
		move(c, build_slot(&c->build, SLOT_HOST_DEV, NULL, 0), "/dev", 0);
	else
		own_dev(c);
	mount(c, "devpts", arena_printf(c->build.plan->arena, "ptmxmode=0666,mode=0620,gid=%u", c->ctx->first_id + 5), "/dev/pts",
	      PLAN_ATTR_NOSUID | PLAN_ATTR_NOEXEC);
	if (!taken(c, "/dev/shm")) {
		if (!privileged(c))
			mkdir_op(c, "/dev/shm");
		move(c, build_slot(&c->build, SLOT_SHM, NULL, 0), "/dev/shm", strict);
	}
	mount(c, "mqueue", "", "/dev/mqueue", strict | PLAN_ATTR_OPTIONAL);
	mount(c, "sysfs", "", "/sys", strict | (privileged(c) ? 0 : PLAN_ATTR_RDONLY));
	if (c->ctx->unified)
		mount(c, "cgroup2", "", "/sys/fs/cgroup", strict | (privileged(c) ? 0 : PLAN_ATTR_RDONLY));
	else /* v1: what the hierarchies show is the host's */
		mount(c, "tmpfs", "size=4k,nr_inodes=1,mode=755", "/sys/fs/cgroup", strict | PLAN_ATTR_RDONLY);
}

static void etc_files(struct compile *c)
{
	static const struct {
		const char *name, *path;
	} files[] = { { "hosts", "/etc/hosts" }, { "hostname", "/etc/hostname" }, { "resolv.conf", "/etc/resolv.conf" } };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (taken(c, files[i].path))
			continue;
		/* One hosts file serves all pods of the namespace, and all of them are in the host's memory: nobody writes to them. */
		move(c, build_slot(&c->build, SLOT_ETC, files[i].name, 0), files[i].path, PLAN_ATTR_RDONLY);
	}
}

static size_t depth(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		n += *path != '/' && (path[1] == '/' || path[1] == '\0');
	return n;
}

static uint32_t mount_flags(const struct volume_mount *m, const struct volume *v)
{
	static const struct {
		const char *name;
		uint32_t flag;
	} options[] = { { "noexec", PLAN_ATTR_NOEXEC }, { "nodev", PLAN_ATTR_NODEV }, { "nosuid", PLAN_ATTR_NOSUID } };
	const char *propagation = m->propagation ? m->propagation : "", *recursive = m->recursive_read_only;
	uint32_t flags = m->read_only || volume_is_files(v) || v->claim.read_only ? PLAN_ATTR_RDONLY : 0;

	if (recursive && *recursive && !streq(recursive, "Disabled"))
		flags |= PLAN_ATTR_RECURSIVE;
	if (streq(propagation, "HostToContainer"))
		flags |= PLAN_ATTR_SLAVE;
	else if (streq(propagation, "Bidirectional"))
		flags |= PLAN_ATTR_SHARED;
	for (size_t i = 0; i < m->bind_options.count; i++)
		for (size_t j = 0; j < ARRAY_SIZE(options); j++)
			if (streq(m->bind_options.items[i], options[j].name))
				flags |= options[j].flag;
	return flags;
}

/* What a variable brings in is judged as the manifest's own subPath was: relative, no "..". */
static int sub_path(struct compile *c, const struct volume_mount *m, const char **ret)
{
	struct arena *a = c->build.plan->arena;
	const char *expr = m->sub_path_expr && *m->sub_path_expr ? m->sub_path_expr : NULL;
	const char *path = expr ? plan_expand(a, expr, &c->env) : m->sub_path;
	struct finding found;

	if (expr && (!*path || strstr(path, "$(") || !check_relative_path(&(struct value){ .text = path }, a, &found))) {
		c->reason = arena_printf(a, "subPathExpr %s of volume \"%s\": %s", expr, m->name,
		                         !*path               ? "is empty"
		                         : strstr(path, "$(") ? "has a variable that is not set"
		                                              : "must stay inside the volume");
		return -EINVAL;
	}
	*ret = path && *path ? path : NULL;
	return 0;
}

/* As in Kubernetes nobody writes to an image, nor runs its programs. */
static void image(struct compile *c, const struct volume_mount *m, const struct string_list *layers, const char *part)
{
	uint16_t slot = build_slot(&c->build, SLOT_IMAGE, m->name, 0);
	struct plan_op *op = build_op(&c->build, PLAN_IMAGE);

	op->slot = slot;
	op->flags = PLAN_ATTR_RDONLY | PLAN_ATTR_NOSUID | PLAN_ATTR_NODEV | PLAN_ATTR_NOEXEC;
	op->count = (uint32_t)layers->count;
	op->s1 = build_strings(&c->build, layers);
	op->s2 = build_string(&c->build, part ? part : "");
	op->s3 = build_string(&c->build, m->mount_path);
}

static int volume(struct compile *c, size_t index)
{
	const struct volume_mount *m = &c->container->mounts.items[index];
	const struct volume *v = pod_volume(c->pod, m->name);
	const char *path = NULL;

	if (!v) {
		c->reason = arena_printf(c->build.plan->arena, "volume \"%s\" is not declared", m->name);
		return -EINVAL;
	}
	int r = sub_path(c, m, &path);
	if (r < 0)
		return r;
	if (v->image.set) {
		image(c, m, layers_of(&c->image->mounts[index]), path);
		return 0;
	}
	uint16_t slot = build_slot(&c->build, SLOT_VOLUME, m->name, (unsigned)index);
	c->build.plan->slots[slot].path = path;
	move(c, slot, m->mount_path, mount_flags(m, v));
	return 0;
}

/* Parents first: a volume inside another must not be covered by it. Otherwise as written. */
static int volumes(struct compile *c)
{
	const struct volume_mount_list *mounts = &c->container->mounts;
	size_t deepest = 0, done = 0;

	for (size_t i = 0; i < mounts->count; i++)
		deepest = MAX(deepest, depth(mounts->items[i].mount_path));
	for (size_t d = 0; d <= deepest && done < mounts->count; d++)
		for (size_t i = 0; i < mounts->count; i++) {
			if (depth(mounts->items[i].mount_path) != d)
				continue;
			int r = volume(c, i);
			if (r < 0)
				return r;
			done++;
		}
	return 0;
}

/* After the volumes, since it may lie in one. A privileged container has the host's /dev, where nothing is made for it. */
static void termination_log(struct compile *c)
{
	const char *own = c->container->message_path, *path = own && *own ? own : "/dev/termination-log";
	bool in_host = privileged(c) && str_after(path, "/dev/");

	if (!taken(c, path))
		move(c, build_slot(&c->build, SLOT_TERMINATION_LOG, NULL, 0), path,
		     PLAN_ATTR_NOSUID | PLAN_ATTR_NODEV | PLAN_ATTR_NOEXEC | (in_host ? PLAN_ATTR_OPTIONAL : 0));
}

static void filter(struct compile *c)
{
	const struct security_profile *p = &c->identity.seccomp;
	const struct buf *f = c->filter;

	if (f->len == 0 || c->ctx->runtime) /* which compiles one of its own */
		return;
	uint32_t name = build_string(&c->build, p->type == PROFILE_LOCALHOST ? p->localhost_profile : "RuntimeDefault");
	struct plan_op *op = build_op(&c->build, PLAN_SECCOMP);
	op->count = (uint32_t)(f->len / sizeof(struct sock_filter));
	op->s1 = build_blob(&c->build, f->data, f->len);
	op->s2 = name;
}

/* All mounts were made as the host's root. A mount namespace of the pod's users is a copy of that: what is hidden can't be uncovered in it. */
static void enter_users(struct compile *c, uint16_t slot)
{
	struct plan_op *op = build_op(&c->build, PLAN_JOIN);

	op->slot = slot;
	op->flags = CLONE_NEWUSER;
	(void)build_op(&c->build, PLAN_IDS); /* the pod's root: until here the process has no id inside */
}

static void pivot(struct compile *c)
{
	uint16_t users = own_users(c) ? build_slot(&c->build, SLOT_USERS, NULL, 0) : 0;
	struct plan_op *op = build_op(&c->build, PLAN_PIVOT);

	op->flags = read_only_root(c) ? PLAN_ATTR_RDONLY : 0;
	op->slot = users;
	op->count = own_users(c);
	if (own_users(c)) {
		enter_users(c, users);
		build_op(&c->build, PLAN_UNSHARE)->flags = CLONE_NEWNS;
	}
}

/* The same for a member and for what joins it. */
static void become(struct compile *c, const struct string_list *argv, enum session_kind kind)
{
	struct arena *a = c->build.plan->arena;
	const char *cwd = c->container->working_dir ? c->container->working_dir : c->image->config.working_dir;
	struct string_list groups = { .items = arena_new_array(a, const char *, c->identity.group_count) }, env;
	const char *home = c->identity.home ? c->identity.home : c->identity.uid == 0 ? "/root" : "/";
	struct plan_op *op;

	build_op(&c->build, PLAN_UMASK)->a = 022;
	op = build_op(&c->build, PLAN_CHDIR);
	op->s1 = build_string(&c->build, cwd && *cwd ? cwd : "/");
	op->flags = read_only_root(c) ? 0 : PLAN_CHDIR_CREATE;
	/* Not before: they hold for podd-launch, too. */
	for (size_t i = 0; i < c->pod->ulimits.count; i++) {
		const struct ulimit *u = &c->pod->ulimits.items[i];
		op = build_op(&c->build, PLAN_RLIMIT);
		op->flags = PLAN_RLIMIT_EXACT;
		op->a = u->resource;
		op->b = (int64_t)u->soft;
		op->c = (int64_t)u->hard;
	}
	op = build_op(&c->build, PLAN_IDS);
	op->a = c->identity.uid;
	op->b = c->identity.gid;
	for (size_t i = 0; i < c->identity.group_count; i++)
		groups.items[groups.count++] = arena_printf(a, "%lld", (long long)c->identity.groups[i]);
	op->count = (uint32_t)groups.count;
	op->s1 = build_strings(&c->build, &groups);
	/* Without no_new_privs a filter takes CAP_SYS_ADMIN, so it comes before CAPS; with it, after, when it has less to allow. */
	if (!c->identity.no_new_privs)
		filter(c);
	op = build_op(&c->build, PLAN_CAPS);
	op->a = (int64_t)c->identity.bounding;
	op->b = (int64_t)c->identity.permitted;
	if (c->identity.no_new_privs) {
		(void)build_op(&c->build, PLAN_NO_NEW_PRIVS);
		filter(c);
	}
	if (c->enters_late)
		(void)build_op(&c->build, PLAN_ENTER);
	/* As the container's user in the container's devpts: so it is the user's, and nothing in the image leads podd-launch astray. */
	if (kind == SESSION_TERMINAL)
		(void)build_op(&c->build, PLAN_TTY);
	if (kind == SESSION_COPY) {
		op = build_op(&c->build, PLAN_COPY);
		op->count = (uint32_t)argv->count;
		op->s1 = build_strings(&c->build, argv);
		op->flags = c->identity.apparmor_if_loaded ? PLAN_APPARMOR_IF_LOADED : 0;
		op->s2 = c->identity.apparmor ? build_string(&c->build, c->identity.apparmor) : 0;
		return;
	}
	words_environment(a, c->pod, &c->image->config, &c->env, home, kind == SESSION_TERMINAL || c->host_tty, &env);
	op = build_op(&c->build, PLAN_EXEC);
	op->count = (uint32_t)argv->count;
	op->s1 = build_strings(&c->build, argv);
	op->a = (int64_t)env.count;
	op->s2 = build_strings(&c->build, &env);
}

static int prepare(struct compile *c, struct plan *ret)
{
	*ret = (struct plan){ .arena = arena_new() };
	build_init(&c->build, ret);
	int r = identity_resolve(c->pod, c->container, c->image, c->ctx, ret->arena, &c->identity, &c->reason);
	if (r == 0)
		r = filters_get(c->ctx->filters, &c->identity.seccomp, c->identity.bounding, ret->arena, &c->filter, &c->reason);
	if (r == 0)
		r = source_env(ret->arena, c->pod, c->container, c->ctx->sources, &c->env, &c->reason);
	if (r == 0)
		devices_env(ret->arena, c->ctx->devices, &c->env);
	return r;
}

/* What was compiled is shared out between the runtime and podd-launch. */
static int hand_over(struct compile *c)
{
	struct plan *plan = c->build.plan;
	struct filter_rules rules = { 0 };
	int r = filters_rules(c->ctx->filters, &c->identity.seccomp, c->identity.bounding, plan->arena, &rules, &c->reason);

	if (r < 0)
		return r;
	const struct oci o = { .runtime = c->ctx->runtime,
		               .rules = c->filter->len ? &rules : NULL,
		               .v1_count = c->ctx->v1_count,
		               .host_pid = c->pod->spec.host_pid };
	r = oci_share(&o, &c->build, &c->reason);
	plan->spawn_flags &= ~(uint32_t)ANCHOR_SPAWN_PID_NEW;
	return r;
}

/* A failure leaves no plan; its reason lives on in the pod's arena. */
static int finish(struct compile *c, int r, struct plan *ret, const char **ret_reason)
{
	if (r == 0)
		r = build_finish(&c->build);
	if (r < 0 && c->reason)
		*ret_reason = arena_strdup(c->pod->arena, c->reason);
	else if (r == -E2BIG)
		*ret_reason = "the container's mounts, arguments and environment are too large for a launch plan (4 MiB, 240 "
			      "descriptors)";
	build_deinit(&c->build);
	if (r < 0)
		plan_deinit(ret);
	return r;
}

int plan_member(const struct pod *pod, const struct container *container, const struct plan_image *image,
                const struct plan_context *ctx, struct plan *ret, const char **ret_reason)
{
	struct compile c = { .pod = pod, .container = container, .image = image, .ctx = ctx };
	struct string_list argv;
	int r = prepare(&c, ret);

	c.host_tty = pod_tty_container(pod) == container;
	if (r == 0)
		r = identity_pid_namespace(pod, container, ctx, ret->arena, &ret->spawn_flags, &c.reason);
	if (r == 0) {
		r = words_argv(ret->arena, container, &image->config, &c.env, &argv);
		if (r < 0)
			c.reason = "no command specified: neither the container nor its image says what to run";
	}
	if (r < 0)
		return finish(&c, r, ret, ret_reason);

	if (ret->spawn_flags & ANCHOR_SPAWN_PID_JOIN)
		(void)build_slot(&c.build, SLOT_MEMBER, NULL, 0);
	begin(&c);
	new_root(&c);
	standard_mounts(&c);
	etc_files(&c);
	r = volumes(&c);
	if (r < 0)
		return finish(&c, r, ret, ret_reason);
	devices_files(&c.build, ctx->devices);
	termination_log(&c);
	if (!privileged(&c) && container->security.proc_mount != PROC_MOUNT_UNMASKED)
		hide(&c.build);
	pivot(&c);
	become(&c, &argv, container->tty && !c.host_tty ? SESSION_TERMINAL : SESSION_COMMAND);
	if (container->tty && !c.host_tty)
		ret->spawn_flags |= ANCHOR_SPAWN_TTY;
	if (container->stdin_open && !c.host_tty)
		ret->spawn_flags |= ANCHOR_SPAWN_STDIN | (container->stdin_once ? ANCHOR_SPAWN_ONCE : 0);
	return finish(&c, ctx->runtime ? hand_over(&c) : 0, ret, ret_reason);
}

int plan_session(const struct pod *pod, const struct container *container, const struct plan_image *image,
                 const struct plan_context *ctx, const struct string_list *argv, enum session_kind kind, struct plan *ret,
                 const char **ret_reason)
{
	struct compile c = { .pod = pod, .container = container, .image = image, .ctx = ctx };
	int r = prepare(&c, ret);

	if (r == 0 && argv->count == 0) {
		c.reason = "no command specified";
		r = -EINVAL;
	}
	if (r < 0)
		return finish(&c, r, ret, ret_reason);
	uint16_t member = build_slot(&c.build, SLOT_MEMBER, NULL, 0);
	begin(&c);
	struct plan_op *op = build_op(&c.build, PLAN_JOIN);
	op->slot = member;
	c.enters_late = identity_traced(pod, container, ctx, ret->arena);
	op->flags = CLONE_NEWNS | CLONE_NEWCGROUP | (c.enters_late ? CLONE_NEWPID : 0); /* the others are the anchor's already */
	if (own_users(&c))
		enter_users(&c, build_slot(&c.build, SLOT_USERS, NULL, 0));
	become(&c, argv, kind);
	ret->spawn_flags = ANCHOR_SPAWN_PID_JOIN | (c.enters_late ? ANCHOR_SPAWN_PID_LATE : 0);
	return finish(&c, 0, ret, ret_reason);
}

void plan_deinit(struct plan *p)
{
	buf_deinit(&p->bytes);
	buf_deinit(&p->config);
	free(p->slots);
	p->arena = arena_free(p->arena);
	*p = (struct plan){ 0 };
}
