#include "daemon/session.h"
#include <stdio.h>
#include <string.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/images.h"
#include "daemon/launch.h"
#include "daemon/sources.h"
#include "daemon/startimage.h"

struct session {
	struct list link;
	struct sandbox *sandbox; /* NULL once it is gone */
	struct anchor_key key;
	struct plan plan;
	struct session_callbacks cb;
	void *arg;
	bool attach; /* not a command of its own */
};

static struct session *find(struct sandbox *s, const struct anchor_key *k)
{
	list_foreach(e, &s->sessions, struct session, link)
		if (e->key.session == k->session)
			return e;
	return NULL;
}

static void remove_leaf(struct sandbox *s, const struct anchor_key *k)
{
	char leaf[SANDBOX_LEAF_SIZE];

	sandbox_leaf(s, k->container, k->number, k->session, leaf);
	(void)cgroup_kill(s->daemon->cgroups, leaf);
	(void)cgroup_remove(s->daemon->cgroups,
	                    leaf); /* busy: when the anchor has told of the exit, or with the start it belongs to */
}

static void forget(struct session *e)
{
	struct sandbox *s = e->sandbox;

	list_remove(&e->link);
	e->sandbox = NULL;
	if (s && !e->attach)
		remove_leaf(s, &e->key);
}

static void end(struct session *e, int status, const char *error)
{
	forget(e);
	e->cb.ended(e, status, error, e->arg);
}

struct session *session_free(struct session *e)
{
	if (!e)
		return NULL;
	forget(e);
	plan_deinit(&e->plan);
	free(e);
	return NULL;
}

void session_end_all(struct sandbox *s)
{
	list_foreach(e, &s->sessions, struct session, link)
		end(e, SIGKILL, NULL);
}

void session_started(struct sandbox *s, const struct anchor_process *p)
{
	struct session *e = find(s, &p->key);

	if (e)
		e->cb.started(e, e->arg);
}

static void acknowledge(struct sandbox *s, const struct anchor_key *k)
{
	struct anchor_ack m = { .header = { ANCHOR_ACK, sizeof(m), 0 }, .key = *k };

	if (s->anchor)
		(void)anchor_send(s->anchor, &m, sizeof(m), NULL, 0);
}

void session_exited(struct sandbox *s, const struct anchor_process *p)
{
	struct session *e = find(s, &p->key);
	_cleanup_buf_ struct buf text = BUF_NULL;

	acknowledge(s, &p->key);
	if (!e) { /* its client was gone before */
		remove_leaf(s, &p->key);
		return;
	}
	if (!p->failed) {
		end(e, p->status, NULL);
		return;
	}
	launch_failure(&e->plan.bytes, p, &text);
	end(e, (p->error == ENOENT ? 127 : 126) << 8, buf_str(&text)); /* as a shell says it */
}

void session_attached(struct sandbox *s, const struct anchor_attached *m, int input)
{
	struct session *e = find(s, &m->key);

	if (e)
		e->cb.attached(e, input, e->arg);
	else
		(void)fd_close(input);
}

void session_member_exited(struct sandbox *s, const struct anchor_process *p)
{
	list_foreach(e, &s->sessions, struct session, link)
		if (e->attach && e->key.number == p->key.number && streq(e->key.container, p->key.container))
			end(e, p->status, NULL);
}

static const char *refusal(const struct anchor_error *m)
{
	switch (m->error) {
	case EOPNOTSUPP:
		return "the pod runs since before podd could attach; restart it";
	case ENXIO:
		return "the container's standard input is closed";
	case EAGAIN:
	case EBUSY:
		return "the pod's anchor is busy, try again";
	}
	return strerror(m->error);
}

void session_refused(struct sandbox *s, const struct anchor_error *m)
{
	struct session *e = find(s, &m->key);

	if (e)
		end(e, 126 << 8, refusal(m));
}

/* What a session's plan wants; it needs no root file system of its own. */
static int send_spawn(struct session *e, const struct pod *p, const struct container *c, const int stdio[static 3])
{
	struct sandbox *s = e->sandbox;
	struct cgroup_entry cgroup __attribute__((cleanup(cgroup_entry_deinit))) = CGROUP_ENTRY_NULL;
	struct cgroup_limits none = { 0 };
	struct anchor_spawn m = {
		.header = { ANCHOR_SPAWN, sizeof(m), 0 },
		.key = e->key,
		.class = ANCHOR_CLASS_SESSION,
		.flags = ANCHOR_SPAWN_CGROUP | ANCHOR_SPAWN_KILL | e->plan.spawn_flags,
		.join_number = e->key.number,
	};
	struct slot_sources src = {
		.sandbox = s, .pod = p, .container = c, .cgroup = &cgroup, .layers = -EBADF, .upper = -EBADF, .work = -EBADF
	};
	char leaf[SANDBOX_LEAF_SIZE];
	int fds[ANCHOR_FDS_MAX];
	const char *text;
	size_t slots;

	sandbox_leaf(s, e->key.container, e->key.number, e->key.session, leaf);
	int r = cgroup_make(s->daemon->cgroups, leaf, &none);
	if (r == 0)
		r = cgroup_enter_fds(s->daemon->cgroups, leaf, &cgroup);
	if (r < 0)
		return r;
	_cleanup_close_ int plan_fd = launch_plan_fd(&e->plan);
	if (plan_fd < 0)
		return plan_fd;
	const int head[] = { s->daemon->launch_fd, plan_fd, cgroup.v2, cgroup.kill, stdio[0], stdio[1], stdio[2] };
	memcpy(fds, head, sizeof(head));
	r = launch_slots(&e->plan, &src, fds + ARRAY_SIZE(head), &slots, &text);
	if (r < 0)
		return r;
	r = anchor_send(s->anchor, &m, sizeof(m), fds, ARRAY_SIZE(head) + slots);
	for (size_t i = 0; i < slots; i++)
		(void)close(fds[ARRAY_SIZE(head) + i]);
	return r;
}

/* As the member was started: from the image of that day. */
static int make_plan(struct session *e, const struct pod *p, const struct core_container *cc, const struct string_list *argv,
                     enum session_kind kind)
{
	struct daemon *d = e->sandbox->daemon;
	const struct image *i = start_image(e->sandbox, cc->name, cc->number);
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_buf_ struct buf text = BUF_NULL;
	_cleanup_close_ int layers = -EBADF;
	struct plan_context ctx = d->plan_context;
	struct pod_sources sources;
	struct plan_image image;
	const char *why;

	int r = images_layers(d, cc->spec->image, &layers, &why, &text);
	if (r < 0)
		return r;
	images_describe(i, layers, a, &image);
	sources_init(&sources, e->sandbox, p);
	sources.sources.lenient = true;
	ctx.sources = &sources.sources;
	ctx.first_id = e->sandbox->first_id;
	return plan_session(p, cc->spec, &image, &ctx, argv, kind, &e->plan, &why);
}

static int start(struct daemon *d, struct session *e, const char *uid, const char *container, const struct string_list *argv,
                 enum session_kind kind, const int stdio[static 3])
{
	const struct core_pod *cp = core_pod_by_uid(d->core, uid);
	const struct core_container *cc = cp ? core_container(cp, container) : NULL;

	if (!cc || !cc->spec)
		return -ENOENT;
	e->sandbox = sandbox_find(d, uid);
	if (!e->sandbox || !e->sandbox->anchor || (cc->state != CONTAINER_STATE_RUNNING && cc->state != CONTAINER_STATE_STOPPING))
		return -ESRCH;
	e->key = anchor_key(container, cc->number, e->sandbox->next_session++);
	list_append(&e->sandbox->sessions, &e->link);
	int r = make_plan(e, cp->pod, cc, argv, kind);
	return r < 0 ? r : send_spawn(e, cp->pod, cc->spec, stdio);
}

int session_start(struct daemon *d, const char *uid, const char *container, const struct string_list *argv, enum session_kind kind,
                  const int stdio[static 3], const struct session_callbacks *cb, void *arg, struct session **ret)
{
	struct session *e = xnew(struct session);

	e->cb = *cb;
	e->arg = arg;
	list_init(&e->link);
	int r = start(d, e, uid, container, argv, kind, stdio);
	for (size_t i = 0; i < 3; i++)
		(void)close(stdio[i]);
	if (r < 0) {
		(void)session_free(e);
		return r;
	}
	*ret = e;
	return 0;
}

static int attach(struct daemon *d, struct session *e, const char *uid, const char *container, bool input,
                  const int outputs[static 2])
{
	const struct core_pod *cp = core_pod_by_uid(d->core, uid);
	const struct core_container *cc = cp ? core_container(cp, container) : NULL;
	struct anchor_attach m = { .header = { ANCHOR_ATTACH, sizeof(m), 0 }, .flags = input ? ANCHOR_ATTACH_INPUT : 0 };

	if (!cc)
		return -ENOENT;
	e->sandbox = sandbox_find(d, uid);
	if (!e->sandbox || !e->sandbox->anchor || cc->state != CONTAINER_STATE_RUNNING)
		return -ESRCH;
	m.key = e->key = anchor_key(container, cc->number, e->sandbox->next_session++);
	list_append(&e->sandbox->sessions, &e->link);
	return anchor_send(e->sandbox->anchor, &m, sizeof(m), outputs, outputs[1] < 0 ? 1 : 2);
}

int session_attach(struct daemon *d, const char *uid, const char *container, bool input, const int outputs[static 2],
                   const struct session_callbacks *cb, void *arg, struct session **ret)
{
	struct session *e = xnew(struct session);

	e->cb = *cb;
	e->arg = arg;
	e->attach = true;
	list_init(&e->link);
	int r = attach(d, e, uid, container, input, outputs);
	(void)fd_close(outputs[0]);
	(void)fd_close(outputs[1]);
	if (r < 0) {
		(void)session_free(e);
		return r;
	}
	*ret = e;
	return 0;
}
