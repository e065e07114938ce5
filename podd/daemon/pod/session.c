#include "daemon/pod/session.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/helper.h"
#include "daemon/pod/launch.h"
#include "daemon/pod/reach.h"
#include "daemon/pod/sandbox_internal.h"
#include "daemon/pod/session_plan.h"
#include "daemon/pod/slots.h"

struct session {
	struct list link;
	struct sandbox *sandbox; /* NULL once it is gone */
	struct anchor_key key;
	int plan_fd;
	struct session_callbacks cb;
	void *arg;
	bool attach;         /* not a command of its own */
	bool hook;           /* survives podd */
	bool adopted;        /* a hook that an earlier podd began and nobody has asked for yet */
	bool waiting;        /* for the anchor's first word */
	struct delay *delay; /* until its container's image was looked at */
	bool looked;         /* that is over */
	struct anchor_process found;
};

/* What is asked for. */
struct order {
	const char *uid, *container;
	const struct string_list *argv;
	enum session_kind kind;
	bool again;       /* and again: the plan is worth keeping */
	uint32_t session; /* of a hook; 0: the next free one */
	uint32_t number;  /* of the start; 0: the present one */
};

/* A copy of it, while a child looks at a rootfs: directory that may hang (reach.h). */
struct delay {
	struct daemon *daemon;
	struct session *session;
	struct helper *helper;
	struct arena *arena;
	const char *image;
	struct order order;
	struct string_list argv;
	int stdio[3]; /* -EBADF: a hook has none */
};

static struct delay *delay_free(struct delay *w)
{
	if (!w)
		return NULL;
	helper_cancel(w->helper);
	for (size_t i = 0; i < ARRAY_SIZE(w->stdio); i++)
		(void)fd_close(w->stdio[i]);
	(void)arena_free(w->arena);
	free(w);
	return NULL;
}

static struct session *find(struct sandbox *s, const struct anchor_key *k)
{
	list_foreach(e, &s->sessions, struct session, link)
		if (anchor_key_equal(&e->key, k))
			return e;
	return NULL;
}

static void branch(const struct sandbox *s, const struct anchor_key *k, char leaf[static SANDBOX_LEAF_SIZE], char name[static 16])
{
	sandbox_leaf(s, k->container, k->number, leaf);
	(void)snprintf(name, 16, "x%u", k->session);
}

static void remove_leaf(struct sandbox *s, const struct anchor_key *k)
{
	char leaf[SANDBOX_LEAF_SIZE], name[16];

	branch(s, k, leaf, name);
	/* Busy: it goes when the anchor has told of the exit, or with the start it belongs to. */
	(void)cgroup_remove_branch(s->daemon->cgroups, leaf, name);
}

static void forget(struct session *e)
{
	struct sandbox *s = e->sandbox;

	list_remove(&e->link);
	e->sandbox = NULL;
	e->delay = delay_free(e->delay);
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
	(void)fd_close(e->plan_fd);
	free(e);
	return NULL;
}

void session_end_all(struct sandbox *s)
{
	while (!list_empty(&s->sessions)) { /* who is told of one's end may end others */
		struct session *e = list_entry(s->sessions.next, struct session, link);
		if (!e->hook) {
			end(e, SIGKILL, NULL);
			continue;
		}
		list_remove(&e->link);
		e->sandbox = NULL; /* and its leaf is left alone */
		if (e->adopted)
			(void)session_free(e);
		else
			e->cb.ended(e, SESSION_LEFT, NULL, e->arg);
	}
}

void session_started(struct sandbox *s, const struct anchor_process *p)
{
	struct session *e = find(s, &p->key);

	if (!e)
		return;
	e->waiting = false;
	e->cb.started(e, e->arg);
}

/* Should the anchor go on after all, such a command finds no control group to be born in. Hooks wait. */
void session_unanswered(struct sandbox *s, const char *error)
{
	list_foreach(e, &s->sessions, struct session, link)
		if (e->waiting && !e->hook)
			end(e, 126 << 8, error);
}

static void acknowledge(struct sandbox *s, const struct anchor_key *k)
{
	struct anchor_ack m = { .header = { ANCHOR_ACK, sizeof(m), 0 }, .key = *k };

	if (s->anchor)
		(void)anchor_send(s->anchor, &m, sizeof(m), NULL, 0);
}

static bool start_lives(const struct sandbox *s, const struct anchor_key *k)
{
	const struct core_pod *p = core_pod_by_uid(s->daemon->core, s->uid);
	const struct core_container *c = p ? core_container(p, k->container) : NULL;

	return c && c->number == k->number && (c->state == CONTAINER_STATE_RUNNING || c->state == CONTAINER_STATE_STOPPING);
}

void session_exited(struct sandbox *s, const struct anchor_process *p)
{
	struct session *e = find(s, &p->key);
	_cleanup_buf_ struct buf text = BUF_NULL;

	if (p->class != ANCHOR_CLASS_HOOK || !start_lives(s, &p->key))
		acknowledge(s, &p->key);
	if (e && e->adopted) {
		e->found = *p;
		return;
	}
	if (!e) { /* its client was gone before */
		remove_leaf(s, &p->key);
		return;
	}
	if (!p->failed) {
		end(e, p->status, NULL);
		return;
	}
	launch_failure(e->plan_fd, p, &text);
	end(e, (p->error == ENOENT ? 127 : 126) << 8, buf_str(&text)); /* as a shell says it */
}

void session_attached(struct sandbox *s, const struct anchor_attached *m, int input)
{
	struct session *e = find(s, &m->key);

	if (!e) {
		(void)fd_close(input);
		return;
	}
	e->waiting = false;
	e->cb.attached(e, input, e->arg);
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

/* --- a start ------------------------------------------------------------------------------------------------------------------------ */

/* A session needs no root file system of its own. */
static int send_spawn(struct session *e, const struct session_plan *p, const struct pod *pod, const struct container *c,
                      const int *stdio)
{
	struct sandbox *s = e->sandbox;
	struct cgroup_entry cgroup __attribute__((cleanup(cgroup_entry_deinit))) = CGROUP_ENTRY_NULL;
	struct anchor_spawn m = {
		.header = { ANCHOR_SPAWN, sizeof(m), 0 },
		.key = e->key,
		.class = e->hook ? ANCHOR_CLASS_HOOK : ANCHOR_CLASS_SESSION,
		.flags = ANCHOR_SPAWN_CGROUP | (e->hook ? 0 : ANCHOR_SPAWN_KILL) | p->plan.spawn_flags,
		.join_number = e->key.number,
	};
	struct slot_sources src = {
		.sandbox = s, .pod = pod, .container = c, .cgroup = &cgroup, .layers = -EBADF, .upper = -EBADF, .work = -EBADF
	};
	char leaf[SANDBOX_LEAF_SIZE], name[16];
	int fds[ANCHOR_FDS_MAX];
	const char *text;
	size_t slots;

	branch(s, &e->key, leaf, name);
	int r = cgroup_make_branch(s->daemon->cgroups, leaf, name, &cgroup);
	if (r < 0)
		return r;
	const int head[] = { s->daemon->launch_fd, p->fd, cgroup.v2, cgroup.kill };
	memcpy(fds, head, sizeof(head));
	if (!e->hook)
		memcpy(fds + ARRAY_SIZE(head), stdio, 3 * sizeof(*stdio));
	size_t n = e->hook ? 3 : ARRAY_SIZE(head) + 3; /* the anchor has its stdio, and nobody kills it */
	r = slots_open(&p->plan, &src, fds + n, &slots, &text);
	if (r < 0)
		return r;
	e->waiting = true;
	sandbox_expect_answer(s);
	r = anchor_send(s->anchor, &m, sizeof(m), fds, n + slots);
	for (size_t i = 0; i < slots; i++)
		(void)close(fds[n + i]);
	return r;
}

static int start(struct daemon *d, struct session *e, const struct order *o, const int *stdio);

static int visit(void *arg)
{
	const struct delay *w = arg;

	reach_visit(w->daemon, w->image);
	return 0;
}

static void visited(void *arg, int result _unused_)
{
	struct delay *w = arg;
	struct session *e = w->session;

	w->helper = NULL;
	e->delay = NULL;
	e->looked = true;
	list_remove(&e->link);
	int r = start(w->daemon, e, &w->order, w->order.session ? NULL : w->stdio);
	(void)delay_free(w);
	if (r < 0)
		end(e, 126 << 8, strerror(-r));
}

static int delay(struct daemon *d, struct session *e, const struct order *o, const struct core_container *cc, const int *stdio)
{
	struct arena *a = arena_new();
	struct delay *w = xnew(struct delay);

	*w = (struct delay){ .daemon = d,
		             .session = e,
		             .arena = a,
		             .image = arena_strdup(a, cc->spec->image),
		             .order = *o,
		             .argv = { arena_new_array(a, const char *, o->argv->count), o->argv->count },
		             .stdio = { -EBADF, -EBADF, -EBADF } };
	for (size_t i = 0; i < o->argv->count; i++)
		w->argv.items[i] = arena_strdup(a, o->argv->items[i]);
	w->order.uid = arena_strdup(a, o->uid);
	w->order.container = arena_strdup(a, o->container);
	w->order.argv = &w->argv;
	w->order.number = cc->number;
	for (size_t i = 0; stdio && i < 3; i++)
		w->stdio[i] = fcntl(stdio[i], F_DUPFD_CLOEXEC, 3);
	e->delay = w;
	w->helper = helper_start(&d->loop, &d->state_fd, 1, visit, visited, w);
	return w->helper ? 0 : -EAGAIN;
}

static bool has_plan(struct sandbox *s, const struct pod *pod, const struct core_container *cc, const struct order *o)
{
	return o->kind == SESSION_COMMAND && session_plan_find(s, pod, cc, o->argv);
}

static int start(struct daemon *d, struct session *e, const struct order *o, const int *stdio)
{
	const struct core_pod *cp = core_pod_by_uid(d->core, o->uid);
	const struct core_container *cc = cp ? core_container(cp, o->container) : NULL;
	struct session_plan *p;

	if (!cc || !cc->spec)
		return -ENOENT;
	e->sandbox = sandbox_find(d, o->uid);
	if (o->number && o->number != cc->number)
		return -ESRCH;
	if (!e->sandbox || !e->sandbox->anchor || (cc->state != CONTAINER_STATE_RUNNING && cc->state != CONTAINER_STATE_STOPPING))
		return -ESRCH;
	e->hook = o->session;
	e->key = anchor_key(o->container, cc->number, e->hook ? o->session : e->sandbox->next_session++);
	list_append(&e->sandbox->sessions, &e->link);
	if (!e->looked && !has_plan(e->sandbox, cp->pod, cc, o) && !reach_image_at_hand(d, cc->spec->image))
		return delay(d, e, o, cc, stdio);
	int r = session_plan_get(e->sandbox, cp->pod, cc, o->argv, o->kind, &p);
	if (r < 0)
		return r;
	if (o->again)
		session_plan_keep(e->sandbox, p, o->argv);
	e->plan_fd = fcntl(p->fd, F_DUPFD_CLOEXEC, 3);
	r = e->plan_fd < 0 ? -errno : send_spawn(e, p, cp->pod, cc->spec, stdio);
	if (list_empty(&p->link))
		session_plan_free(p);
	return r;
}

static int begin(struct daemon *d, const struct order *o, const int *stdio, const struct session_callbacks *cb, void *arg,
                 struct session **ret)
{
	struct session *e = xnew(struct session);

	e->cb = *cb;
	e->arg = arg;
	e->plan_fd = -EBADF;
	list_init(&e->link);
	int r = start(d, e, o, stdio);
	for (size_t i = 0; stdio && i < 3; i++)
		(void)close(stdio[i]);
	if (r < 0) {
		(void)session_free(e);
		return r;
	}
	*ret = e;
	return 0;
}

int session_start(struct daemon *d, const char *uid, const char *container, const struct string_list *argv, enum session_kind kind,
                  const int stdio[static 3], const struct session_callbacks *cb, void *arg, struct session **ret)
{
	return begin(d, &(struct order){ uid, container, argv, kind, false, 0, 0 }, stdio, cb, arg, ret);
}

int session_start_probe(struct daemon *d, const struct start_id *id, const struct string_list *argv, const int stdio[static 3],
                        const struct session_callbacks *cb, void *arg, struct session **ret)
{
	return begin(d, &(struct order){ id->uid, id->container, argv, SESSION_COMMAND, true, 0, 0 }, stdio, cb, arg, ret);
}

/* --- hooks -------------------------------------------------------------------------------------------------------------------------- */

/* The same for each hook of a start, so that it is known again; other sessions count from below. */
static uint32_t hook_session(enum hook_kind h)
{
	return UINT32_MAX - (uint32_t)h;
}

void session_adopt_hook(struct sandbox *s, const struct anchor_process *p)
{
	struct session *e = xnew(struct session);

	e->plan_fd = -EBADF;
	e->sandbox = s;
	e->key = p->key;
	e->hook = e->adopted = true;
	e->found = *p;
	list_append(&s->sessions, &e->link);
}

int session_start_hook(struct daemon *d, const struct start_id *id, const struct string_list *argv, enum hook_kind h,
                       const struct session_callbacks *cb, void *arg)
{
	struct sandbox *s = sandbox_find(d, id->uid);
	struct anchor_key key = anchor_key(id->container, id->number, hook_session(h));
	struct session *e = s ? find(s, &key) : NULL;

	if (!e)
		return begin(d, &(struct order){ id->uid, id->container, argv, SESSION_COMMAND, false, key.session, 0 }, NULL, cb,
		             arg, &e);
	e->adopted = false;
	e->cb = *cb;
	e->arg = arg;
	if (e->found.state == ANCHOR_PROCESS_EXITED)
		session_exited(s, &e->found);
	return 0;
}

void session_ack_hooks(struct sandbox *s, const struct start_id *id)
{
	const struct core_pod *p = core_pod_by_uid(s->daemon->core, id->uid);
	const struct container *c = p && p->pod ? pod_container(p->pod, id->container) : NULL;

	if (!c || (!c->lifecycle.post_start.set && !c->lifecycle.pre_stop.set))
		return;
	for (enum hook_kind h = 0; h < HOOK_MAX; h++) {
		struct anchor_key key = anchor_key(id->container, id->number, hook_session(h));
		struct session *e = find(s, &key);
		acknowledge(s, &key);
		if (e && e->adopted)
			(void)session_free(e);
	}
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
	e->waiting = true;
	sandbox_expect_answer(e->sandbox);
	return anchor_send(e->sandbox->anchor, &m, sizeof(m), outputs, outputs[1] < 0 ? 1 : 2);
}

int session_attach(struct daemon *d, const char *uid, const char *container, bool input, const int outputs[static 2],
                   const struct session_callbacks *cb, void *arg, struct session **ret)
{
	struct session *e = xnew(struct session);

	e->cb = *cb;
	e->arg = arg;
	e->plan_fd = -EBADF;
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
