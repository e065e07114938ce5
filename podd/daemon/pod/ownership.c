#include "daemon/pod/ownership.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/helper.h"
#include "daemon/pod/launch.h"
#include "daemon/pod/volumes.h"
#include "sys/chgrp.h"

enum { MARK_SIZE = 400 };

/* A walk through one volume of one pod. */
struct ownership {
	struct list link; /* of daemon.ownerships */
	struct daemon *daemon;
	char uid[POD_UID_SIZE];
	char *volume;
	int fd;
	gid_t gid;
	bool read_only;
	struct helper *helper; /* NULL: it is over, and `result` waits for the next who asks */
	int result;
	struct list waiters;
};

struct waiter {
	struct list link;
	struct start_id id;
};

static void ownership_free(struct ownership *o)
{
	list_remove(&o->link);
	list_foreach(w, &o->waiters, struct waiter, link)
		free(w);
	(void)fd_close(o->fd);
	free(o->volume);
	free(o);
}

/* --- what was done in this sandbox: a link <run>/owned/<volume> that says for whom ----------------------------------------------- */

static void mark_text(const struct pod *p, const struct volume *v, char ret[static MARK_SIZE])
{
	(void)snprintf(ret, MARK_SIZE, "%lld %s", (long long)p->spec.security.fs_group.value, v->claim.set ? v->claim.name : "");
}

static void mark_path(const struct volume *v, char ret[static MARK_SIZE])
{
	(void)snprintf(ret, MARK_SIZE, "owned/%s", v->name);
}

static bool is_marked(const struct sandbox *s, const struct pod *p, const struct volume *v)
{
	char path[MARK_SIZE], wanted[MARK_SIZE], got[MARK_SIZE];

	mark_path(v, path);
	mark_text(p, v, wanted);
	ssize_t n = readlinkat(s->run_fd, path, got, sizeof(got) - 1);
	if (n < 0)
		return false;
	got[n] = '\0';
	return streq(got, wanted);
}

static int mark(const struct sandbox *s, const struct pod *p, const struct volume *v)
{
	char path[MARK_SIZE], text[MARK_SIZE];

	int r = dir_make(s->run_fd, "owned", 0700);
	if (r < 0)
		return r;
	mark_path(v, path);
	mark_text(p, v, text);
	(void)unlinkat(s->run_fd, path, 0);
	return symlinkat(text, s->run_fd, path) < 0 ? -errno : 0;
}

/* --- the walk ----------------------------------------------------------------------------------------------------------------------- */

static int work(void *arg)
{
	struct ownership *o = arg;

	return chgrp_tree(o->fd, o->gid, o->read_only);
}

static void done(void *arg, int result)
{
	struct ownership *o = arg;
	struct list waiters;

	o->helper = NULL;
	o->result = result;
	list_init(&waiters);
	list_foreach(w, &o->waiters, struct waiter, link) {
		list_remove(&w->link);
		list_append(&waiters, &w->link);
	}
	/* The first who asks frees it; if its start is no longer wanted, nobody does, and the next start of the pod finds it. */
	struct daemon *d = o->daemon;
	while (!list_empty(&waiters)) {
		struct waiter *w = list_entry(waiters.next, struct waiter, link);
		list_remove(&w->link);
		if (launch_is_wanted(d, &w->id))
			launch_start(d, &w->id);
		free(w);
	}
}

static struct ownership *find(struct daemon *d, const char *uid, const char *volume)
{
	list_foreach(o, &d->ownerships, struct ownership, link)
		if (streq(o->uid, uid) && streq(o->volume, volume))
			return o;
	return NULL;
}

static struct ownership *begin(struct sandbox *s, const struct pod *p, const struct volume *v, int fd)
{
	struct ownership *o = xnew(struct ownership);

	*o = (struct ownership){
		.daemon = s->daemon,
		.volume = xstrdup(v->name),
		.fd = fd,
		.gid = (gid_t)p->spec.security.fs_group.value,
		.read_only = v->claim.read_only,
	};
	(void)snprintf(o->uid, sizeof(o->uid), "%s", s->uid);
	list_init(&o->waiters);
	list_append(&s->daemon->ownerships, &o->link);
	o->helper = helper_start(&s->daemon->loop, &o->fd, 1, work, done, o);
	if (o->helper)
		return o;
	ownership_free(o);
	return NULL;
}

/* 0, 1: it is being done; or -errno. */
static int own(struct sandbox *s, const struct start_id *id, const struct pod *p, const struct volume *v)
{
	bool always = v->claim.set && p->spec.security.fs_group_policy != FS_GROUP_ON_ROOT_MISMATCH;
	struct ownership *o = find(s->daemon, s->uid, v->name);

	if (o && !o->helper) {
		int r = o->result;
		ownership_free(o);
		return r < 0 ? r : mark(s, p, v);
	}
	if (!o) {
		if (is_marked(s, p, v))
			return 0;
		_cleanup_close_ int fd = volumes_open_kept(s, p, v);
		if (fd < 0)
			return fd == -ENOENT ? 0 : fd;
		if (!always && chgrp_is_done(fd, (gid_t)p->spec.security.fs_group.value, v->claim.read_only))
			return 0;
		o = begin(s, p, v, TAKE_FD(fd));
		if (!o)
			return -EAGAIN;
	}
	struct waiter *w = xnew(struct waiter);
	w->id = *id;
	list_append(&o->waiters, &w->link);
	return 1;
}

int ownership_get(struct sandbox *s, const struct start_id *id, const struct pod *p, const struct container *c,
                  struct buf *ret_text)
{
	for (size_t i = 0; p->spec.security.fs_group.set && i < c->mounts.count; i++) {
		const struct volume *v = pod_volume(p, c->mounts.items[i].name);
		int r = own(s, id, p, v);
		if (r == -ELOOP)
			buf_printf(ret_text, "volume \"%s\": giving it to fsGroup %lld: directories nested deeper than %d", v->name,
			           (long long)p->spec.security.fs_group.value, CHGRP_DEPTH_MAX);
		else if (r < 0)
			buf_printf(ret_text, "volume \"%s\": giving it to fsGroup %lld: %s", v->name,
			           (long long)p->spec.security.fs_group.value, strerror(-r));
		if (r != 0)
			return r;
	}
	return 0;
}

bool ownership_abort(struct daemon *d, const struct start_id *id)
{
	list_foreach(o, &d->ownerships, struct ownership, link)
		list_foreach(w, &o->waiters, struct waiter, link) {
			if (!streq(w->id.uid, id->uid) || !streq(w->id.container, id->container) || w->id.number != id->number)
				continue;
			list_remove(&w->link);
			free(w);
			if (list_empty(&o->waiters)) {
				helper_cancel(o->helper);
				ownership_free(o);
			}
			return true;
		}
	return false;
}

void ownership_sandbox_gone(struct sandbox *s)
{
	(void)tree_remove(s->run_fd, "owned");
	list_foreach(o, &s->daemon->ownerships, struct ownership, link)
		if (streq(o->uid, s->uid)) {
			helper_cancel(o->helper);
			ownership_free(o);
		}
}

void ownership_close(struct daemon *d)
{
	list_foreach(o, &d->ownerships, struct ownership, link) {
		helper_leave(o->helper);
		ownership_free(o);
	}
}
