#include "daemon/pod/launch.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/pod/cdi.h"
#include "daemon/image/images.h"
#include "daemon/pod/leftover.h"
#include "daemon/pod/logs.h"
#include "daemon/pod/ownership.h"
#include "daemon/pod/reach.h"
#include "daemon/pod/rootfs.h"
#include "daemon/pod/runtime.h"
#include "daemon/pod/sandbox_internal.h"
#include "daemon/pod/session.h"
#include "daemon/pod/slots.h"
#include "daemon/pod/sources.h"
#include "daemon/image/startimage.h"
#include "daemon/pod/volumes.h"
#include "sys/memfd.h"
#include "sys/signame.h"

/* A compiled plan, kept as long as the pod's version is the same: a restart compiles nothing. */
struct launch {
	struct list link;
	char container[CONTAINER_NAME_SIZE];
	char hash[SHA256_HEX_SIZE];   /* of the pod it was compiled from */
	char images[SHA256_HEX_SIZE]; /* and of the manifests of the images */
	struct plan plan;
	int plan_fd;
};

static void launch_free(struct launch *l)
{
	list_remove(&l->link);
	plan_deinit(&l->plan);
	(void)fd_close(l->plan_fd);
	free(l);
}

void launch_forget_all(struct sandbox *s)
{
	list_foreach(l, &s->launches, struct launch, link)
		launch_free(l);
}

int launch_plan_fd(const struct plan *p)
{
	return memfd_sealed("podd-plan", p->bytes.data, p->bytes.len);
}

/* `images` NULL: whichever it was compiled for. */
static struct launch *find_plan(struct sandbox *s, const struct pod *p, const char *container, const char *images)
{
	list_foreach(l, &s->launches, struct launch, link) {
		if (!streq(l->container, container))
			continue;
		if (streq(l->hash, p->hash) && (!images || streq(l->images, images)))
			return l;
		launch_free(l);
		break;
	}
	return NULL;
}

/* --- a start ------------------------------------------------------------------------------------------------------------------- */

/* What a start holds until it is sent. */
struct start {
	struct sandbox *sandbox;
	const struct pod *pod;
	const struct container *container;
	uint32_t number;
	struct image *image;   /* NULL: rootfs: */
	struct image **mounts; /* of its volumes, by index of the mount; likewise, or no image */
	struct cgroup_entry cgroup;
	int layers, upper, work;
	int procs[CGROUP_PROCS_MAX]; /* with a runtime: to put the container into its cgroup */
	size_t proc_count;
	struct arena *arena;
	struct cdi_edits devices; /* on it */
	const char *reason;
	struct buf text;
};

static void start_deinit(struct start *st)
{
	st->image = image_free(st->image);
	for (size_t i = 0; st->mounts && i < st->container->mounts.count; i++)
		(void)image_free(st->mounts[i]);
	free(st->mounts);
	cgroup_entry_deinit(&st->cgroup);
	(void)fd_close(st->layers);
	(void)fd_close(st->upper);
	(void)fd_close(st->work);
	st->arena = arena_free(st->arena);
	while (st->proc_count)
		(void)close(st->procs[--st->proc_count]);
	buf_deinit(&st->text);
}

/* --- its images ---------------------------------------------------------------------------------------------------------------- */

static int get_volume_image(struct start *st, const struct start_id *id, const struct volume *v, struct image **ret)
{
	const struct image_wish wish = { v->image.reference, v->image.pull_policy };
	struct sandbox *s = st->sandbox;

	*ret = start_image_of_volume(s, v);
	if (*ret)
		return 0;
	int r = images_get(s->daemon, id, &wish, ret, &st->reason, &st->text);
	if (r != 0 || !*ret)
		return r;
	r = start_image_put_volume(s, v, *ret);
	if (r < 0)
		buf_printf(&st->text, "remembering the image of volume \"%s\": %s", v->name, strerror(-r));
	return r;
}

/* Volumes first, as in the kubelet: what they have stays, so that a start that waited for one image after the other asks for none again. */
static int get_images(struct start *st, const struct start_id *id)
{
	const struct container *c = st->container;
	const struct image_wish wish = { c->image, c->pull_policy };
	int r = 0;

	st->mounts = xnew_array(struct image *, c->mounts.count);
	for (size_t i = 0; r == 0 && i < c->mounts.count; i++) {
		const struct volume *v = pod_volume(st->pod, c->mounts.items[i].name);
		if (v->image.set)
			r = get_volume_image(st, id, v, &st->mounts[i]);
	}
	if (r == 0)
		r = images_get(st->sandbox->daemon, id, &wish, &st->image, &st->reason, &st->text);
	if (r == 0)
		r = images_layers(st->sandbox->daemon, c->image, &st->layers, &st->reason, &st->text);
	return r;
}

static void hash_images(const struct start *st, char ret[static SHA256_HEX_SIZE])
{
	_cleanup_buf_ struct buf all = BUF_NULL;

	buf_puts(&all, st->image ? st->image->manifest : "");
	for (size_t i = 0; i < st->container->mounts.count; i++)
		buf_printf(&all, " %s", st->mounts[i] ? st->mounts[i]->manifest : "");
	sha256_hex(all.data, all.len, ret);
}

static void describe_images(const struct start *st, struct arena *a, struct plan_image *ret)
{
	struct string_list *mounts = arena_new_array(a, struct string_list, st->container->mounts.count);

	images_describe(st->image, st->layers, a, ret);
	for (size_t i = 0; i < st->container->mounts.count; i++)
		if (st->mounts[i])
			plan_image_layers(st->mounts[i], a, &mounts[i]);
	ret->mounts = mounts;
}

static int get_plan(const struct start *st, struct launch **ret, const char **ret_reason)
{
	struct sandbox *s = st->sandbox;
	const struct pod *p = st->pod;
	const struct container *c = st->container;
	_cleanup_arena_ struct arena *a = NULL;
	char images[SHA256_HEX_SIZE];
	struct plan_context ctx = s->daemon->plan_context;
	struct pod_sources sources;
	struct plan_image image;
	struct plan_runtime runtime;

	hash_images(st, images);
	struct launch *l = find_plan(s, p, c->name, images);
	if (l && !source_env_varies(c) && !p->devices.count && !runtime_used(p)) { /* a runtime's has the start's number in it */
		*ret = l;
		return 0;
	}
	if (l)
		launch_free(l);
	sources_init(&sources, s, p);
	ctx.sources = &sources.sources;
	ctx.first_id = s->first_id;
	ctx.devices = &st->devices;
	l = xnew(struct launch);
	l->plan_fd = -EBADF;
	list_init(&l->link);
	(void)snprintf(l->container, sizeof(l->container), "%s", c->name);
	(void)strcpy(l->hash, p->hash);
	(void)strcpy(l->images, images);
	int r = volumes_prepare(s, p); /* an edit may have added some; those that are there stay as they are */
	if (r < 0) {
		*ret_reason = "the pod's volumes can't be made";
		launch_free(l);
		return r;
	}
	a = arena_new();
	describe_images(st, a, &image);
	*ret_reason = runtime_refused(s->daemon, p, p->arena); /* since the pod was made */
	if (*ret_reason) {
		launch_free(l);
		return -EINVAL;
	}
	if (runtime_used(p)) {
		runtime_describe(s, p, c->name, st->number, a, &runtime);
		ctx.runtime = &runtime;
	}
	r = plan_member(p, c, &image, &ctx, &l->plan, ret_reason);
	if (r == 0) {
		l->plan_fd = launch_plan_fd(&l->plan);
		r = MIN(l->plan_fd, 0);
		buf_deinit(&l->plan.bytes); /* two copies of each container's would be most of podd's memory */
	}
	if (r < 0) {
		launch_free(l);
		return r;
	}
	list_append(&s->launches, &l->link);
	*ret = l;
	return 0;
}

static int look_up_devices(struct start *st)
{
	const char *why;

	st->arena = arena_new();
	int r = cdi_look_up(st->sandbox->daemon, st->pod, st->arena, &st->devices, &why);
	if (r < 0)
		buf_puts(&st->text, why);
	return r;
}

static int enter_cgroup(struct start *st, const char *leaf)
{
	if (runtime_used(st->pod))
		return runtime_enter(st->sandbox, st->container->name, st->number, &st->cgroup, st->procs, &st->proc_count);
	return cgroup_enter_fds(st->sandbox->daemon->cgroups, leaf, &st->cgroup);
}

static int prepare(struct start *st, const struct launch *l)
{
	struct sandbox *s = st->sandbox;
	struct cgroup_limits limits = sandbox_container_limits(s->daemon->config, st->pod, st->container);
	char leaf[SANDBOX_LEAF_SIZE];

	st->reason = "CreateContainerError";
	sandbox_leaf(s, st->container->name, st->number, leaf);
	int r = cgroup_make(s->daemon->cgroups, leaf, &limits);
	if (r == 0)
		r = enter_cgroup(st, leaf);
	if (r < 0) {
		buf_printf(&st->text, "making the cgroup %s: %s", leaf, strerror(-r));
		return r;
	}
	r = rootfs_writable(s, st->container->name, st->number, &st->upper, &st->work);
	if (r == 0)
		r = start_image_put(s, st->container->name, st->number, st->image);
	if (r < 0) {
		buf_printf(&st->text, "making the writable layer: %s", strerror(-r));
		return r;
	}
	if (runtime_used(st->pod))
		r = runtime_bundle(s, st->container->name, st->number, &l->plan.config);
	if (r < 0)
		buf_printf(&st->text, "making the runtime's bundle: %s", strerror(-r));
	return r;
}

/* A device that the manifest names as such can be opened, by whom its mode lets. It is the one behind the descriptor that is mounted. */
static int restrict_devices(const struct start *st, const struct plan *plan, const int *fds)
{
	struct cgroup_device devices[PLAN_SLOTS_MAX + CDI_EDITS_MAX];
	char leaf[SANDBOX_LEAF_SIZE];
	struct stat node;
	size_t n = 0;

	if (st->container->security.privileged == TRISTATE_TRUE)
		return 0;
	for (size_t i = 0; i < plan->slot_count; i++) {
		const struct slot *slot = &plan->slots[i];
		const struct volume *v = slot->role == SLOT_VOLUME ? pod_volume(st->pod, slot->name) : NULL;
		enum host_path_type type = v ? v->host_path.type : HOST_PATH_ANY;
		if (type != HOST_PATH_CHAR_DEVICE && type != HOST_PATH_BLOCK_DEVICE)
			continue;
		if (fstat(fds[i], &node) < 0)
			return -errno;
		bool read_only = st->container->mounts.items[slot->index].read_only;
		devices[n++] = (struct cgroup_device){
			.block = S_ISBLK(node.st_mode),
			.number = node.st_rdev,
			.access = CGROUP_DEVICE_READ | (read_only ? 0 : CGROUP_DEVICE_WRITE),
		};
	}
	for (size_t i = 0; i < st->devices.nodes.count; i++) {
		const struct cdi_node *d = &st->devices.nodes.items[i];
		devices[n++] = (struct cgroup_device){
			.block = S_ISBLK(d->mode),
			.number = d->number,
			.access = (strchr(d->permissions, 'r') ? CGROUP_DEVICE_READ : 0) |
			          (strchr(d->permissions, 'w') ? CGROUP_DEVICE_WRITE : 0),
		};
	}
	sandbox_leaf(st->sandbox, st->container->name, st->number, leaf);
	return cgroup_restrict_devices(st->sandbox->daemon->cgroups, leaf, devices, n);
}

static int send_spawn(struct start *st, const struct launch *l)
{
	struct sandbox *s = st->sandbox;
	struct anchor_spawn m = {
		.header = { ANCHOR_SPAWN, sizeof(m), 0 },
		.key = anchor_key(st->container->name, st->number, 0),
		.class = ANCHOR_CLASS_MEMBER,
		.flags = ANCHOR_SPAWN_CGROUP | l->plan.spawn_flags,
	};
	struct slot_sources src = {
		.sandbox = s,
		.pod = st->pod,
		.container = st->container,
		.number = st->number,
		.cgroup = &st->cgroup,
		.layers = st->layers,
		.upper = st->upper,
		.work = st->work,
		.procs = st->procs,
	};
	int fds[ANCHOR_FDS_MAX];
	size_t slots;
	const char *text;

	if (m.flags & ANCHOR_SPAWN_PID_JOIN) {
		const struct core_container *target =
			core_container(core_pod_by_uid(s->daemon->core, s->uid), st->container->target);
		m.join_number = target ? target->number : 0;
		(void)snprintf(m.join, sizeof(m.join), "%s", st->container->target);
	}
	fds[0] = s->daemon->launch_fd;
	fds[1] = l->plan_fd;
	fds[2] = st->cgroup.v2;
	int r = slots_open(&l->plan, &src, fds + 3, &slots, &text);
	if (r < 0) {
		st->reason = "CreateContainerConfigError";
		buf_puts(&st->text, text);
		return r;
	}
	r = restrict_devices(st, &l->plan, fds + 3);
	const char *step = "restricting its devices";
	if (r == 0) {
		step = "asking the anchor";
		r = s->anchor ? anchor_send(s->anchor, &m, sizeof(m), fds, 3 + slots) : -ENOTCONN;
	}
	if (r < 0)
		buf_printf(&st->text, "%s: %s", step, strerror(-r));
	else
		sandbox_expect_answer(s);
	for (size_t i = 0; i < slots; i++)
		(void)close(fds[3 + i]);
	return r;
}

static void report_failure(struct daemon *d, const struct start_id *id, const char *reason, const char *text)
{
	struct event e = daemon_event(EVENT_START_FAILED, id->uid, id->container, id->number);

	(void)snprintf(e.reason, sizeof(e.reason), "%s", reason);
	(void)snprintf(e.message, sizeof(e.message), "%s", text);
	daemon_step(d, &e);
}

bool launch_is_wanted(const struct daemon *d, const struct start_id *id)
{
	const struct core_pod *p = core_pod_by_uid(d->core, id->uid);
	const struct core_container *k = p ? core_container(p, id->container) : NULL;

	return k && k->spec && k->state == CONTAINER_STATE_STARTING && k->number == id->number;
}

void launch_start(struct daemon *d, const struct start_id *id)
{
	struct start st __attribute__((cleanup(start_deinit))) = {
		.sandbox = sandbox_find(d, id->uid),
		.number = id->number,
		.cgroup = CGROUP_ENTRY_NULL,
		.layers = -EBADF,
		.upper = -EBADF,
		.work = -EBADF,
		.reason = "CreateContainerConfigError",
	};
	struct launch *l = NULL;
	const char *why = NULL;

	if (!st.sandbox)
		return; /* it was lost meanwhile, and the core will hear so */
	st.pod = core_pod_by_uid(d->core, id->uid)->pod;
	st.container = pod_container(st.pod, id->container);
	int r = sandbox_leave_disk(st.sandbox, st.pod);
	if (r < 0)
		buf_printf(&st.text, "the disk is read-only, and in memory: %s", strerror(-r));
	if (r == 0)
		r = reach_images(st.sandbox, id, st.pod, st.container, &st.text);
	if (r == 0)
		r = ownership_get(st.sandbox, id, st.pod, st.container, &st.text);
	if (r == 0)
		r = get_images(&st, id);
	if (r > 0)
		return; /* comes back when its files answer, the volumes are its group's, the image is there */
	if (r == 0)
		r = look_up_devices(&st);
	if (r == 0) {
		r = get_plan(&st, &l, &why);
		if (r < 0)
			buf_puts(&st.text, why ? why : strerror(-r));
	}
	if (r == 0)
		r = reach_volumes(st.sandbox, id, st.pod, st.container, &l->plan, &st.text);
	if (r > 0)
		return;
	(void)reach_end(d, id);
	if (r == 0)
		r = prepare(&st, l);
	if (r == 0) {
		logs_repair(st.sandbox, st.pod);
		r = send_spawn(&st, l);
	}
	if (r < 0)
		report_failure(d, id, st.reason, buf_str(&st.text));
}

void launch_abort(struct daemon *d, const struct start_id *id)
{
	if (reach_end(d, id))
		report_failure(d, id, "Aborted", "given up while its files were looked up");
	else if (images_abort(d, id))
		report_failure(d, id, "Aborted", "given up while its image was imported");
	else if (ownership_abort(d, id))
		report_failure(d, id, "Aborted", "given up while its volumes were given to its group");
}

static int image_signal(struct sandbox *s, const struct start_id *id)
{
	const struct image *i = s ? start_image(s, id->container, id->number) : NULL;
	int signal = i && i->config.stop_signal ? signal_by_name(i->config.stop_signal) : -ENOENT;

	return signal < 0 ? SIGTERM : signal;
}

void launch_signal(struct daemon *d, const struct start_id *id, int signal)
{
	struct sandbox *s = sandbox_find(d, id->uid);
	struct anchor_signal m = {
		.header = { ANCHOR_SIGNAL, sizeof(m), 0 },
		.key = anchor_key(id->container, id->number, 0),
		.signal = signal ? signal : image_signal(s, id),
	};

	if (s && s->anchor)
		(void)anchor_send(s->anchor, &m, sizeof(m), NULL, 0); /* the grace period ends in a kill that needs no anchor */
}

void launch_kill(struct daemon *d, const struct start_id *id)
{
	struct sandbox *s = sandbox_find(d, id->uid);
	char leaf[SANDBOX_LEAF_SIZE];

	if (!s)
		return;
	if (runtime_pod(s))
		runtime_kill(s, id->container, id->number); /* first: it could fill the other one */
	sandbox_leaf(s, id->container, id->number, leaf);
	int r = cgroup_kill(d->cgroups, leaf);
	if (r < 0)
		daemon_report(d, id->uid, id->container, false, "FailedKill", "killing the container: %s", strerror(-r));
}

void launch_ack(struct daemon *d, const struct start_id *id)
{
	struct sandbox *s = sandbox_find(d, id->uid);
	struct anchor_ack m = { .header = { ANCHOR_ACK, sizeof(m), 0 }, .key = anchor_key(id->container, id->number, 0) };
	const struct core_pod *cp = core_pod_by_uid(d->core, id->uid);
	const struct core_container *k = cp ? core_container(cp, id->container) : NULL;
	char leaf[SANDBOX_LEAF_SIZE];

	if (!s)
		return;
	if (!k || k->state != CONTAINER_STATE_DONE) /* it comes again, or an edit took it out */
		m.flags = ANCHOR_ACK_SWEEP;
	if (s->anchor)
		(void)anchor_send(s->anchor, &m, sizeof(m), NULL, 0); /* unsent: the next snapshot has it again */
	const struct pod *p = runtime_pod(s);
	if (p)
		runtime_kill(s, id->container, id->number);
	sandbox_leaf(s, id->container, id->number, leaf);
	(void)cgroup_kill(d->cgroups, leaf); /* what outlived its first process: hostPID has no init to take it along */
	if (p)
		runtime_delete(s, p, id->container, id->number);
	leftover_add(d, id);
}

/* --- what the anchor says ------------------------------------------------------------------------------------------------------ */

void launch_started(struct sandbox *s, const struct anchor_process *p)
{
	struct event e = daemon_event(EVENT_STARTED, s->uid, p->key.container, p->key.number);

	e.pid = p->pid;
	daemon_step(s->daemon, &e);
}

struct exit_info launch_exit_info(struct sandbox *s, const struct anchor_process *p)
{
	struct exit_info x = { .wall = p->exited_wall };
	char leaf[SANDBOX_LEAF_SIZE];

	if (WIFSIGNALED(p->status)) {
		x.signal = WTERMSIG(p->status);
		x.code = 128 + x.signal;
	} else {
		x.code = WEXITSTATUS(p->status);
	}
	sandbox_leaf(s, p->key.container, p->key.number, leaf);
	x.oom = x.signal == SIGKILL && cgroup_oom_kills(s->daemon->cgroups, leaf) > 0;
	return x;
}

void launch_failure(int plan_fd, const struct anchor_process *p, struct buf *out)
{
	_cleanup_buf_ struct buf plan = BUF_NULL;
	struct plan_failure f = { .op = p->op, .error = p->error };
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", plan_fd);
	if (file_read(AT_FDCWD, path, PLAN_SIZE_MAX, &plan) < 0)
		buf_clear(&plan);
	_Static_assert(sizeof(f.operand) == sizeof(p->operand), "the anchor hands it through");
	memcpy(f.operand, p->operand, sizeof(f.operand));
	f.operand[sizeof(f.operand) - 1] = '\0';
	plan_failure_text(plan.data, plan.len, &f, out);
}

void launch_exited(struct sandbox *s, const struct anchor_process *p)
{
	_cleanup_buf_ struct buf text = BUF_NULL;

	session_member_exited(s, p);
	if (p->failed) {
		const struct core_pod *cp = core_pod_by_uid(s->daemon->core, s->uid);
		struct launch *l = cp && cp->pod ? find_plan(s, cp->pod, p->key.container, NULL) : NULL;
		struct event id = daemon_event(EVENT_START_FAILED, s->uid, p->key.container, p->key.number);
		launch_failure(l ? l->plan_fd : -EBADF, p, &text);
		report_failure(s->daemon, &id.id, "StartError", buf_str(&text));
		return;
	}
	struct event e = daemon_event(EVENT_EXITED, s->uid, p->key.container, p->key.number);
	e.exit = launch_exit_info(s, p);
	daemon_step(s->daemon, &e);
}

void launch_refused(struct sandbox *s, const struct anchor_error *m)
{
	struct event id = daemon_event(EVENT_START_FAILED, s->uid, m->key.container, m->key.number);

	report_failure(s->daemon, &id.id, "CreateContainerError",
	               m->error == ESRCH ? "the target container is not running" : strerror(m->error));
}
