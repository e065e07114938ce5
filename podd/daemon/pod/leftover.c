#include "daemon/pod/leftover.h"
#include "base/alloc.h"
#include "daemon/pod/rootfs.h"
#include "daemon/pod/runtime.h"
#include "daemon/pod/sandbox.h"
#include "daemon/pod/session.h"

struct leftover {
	struct list link;
	struct start_id id;
};

static void remove_one(struct daemon *d, const struct start_id *id)
{
	struct sandbox *s = sandbox_find(d, id->uid);
	char leaf[SANDBOX_LEAF_SIZE];

	if (!s)
		return; /* all of it went with the pod */
	sandbox_leaf(s, id->container, id->number, leaf);
	session_ack_hooks(s, id);
	(void)cgroup_remove(d->cgroups, leaf); /* busy: goes with the pod */
	if (runtime_pod(s))
		runtime_release(s, id->container, id->number);
	rootfs_release(s, id->container, id->number);
}

void leftover_remove_all(struct daemon *d)
{
	list_foreach(l, &d->leftovers, struct leftover, link) {
		list_remove(&l->link);
		remove_one(d, &l->id);
		free(l);
	}
}

static void idle(uv_idle_t *handle)
{
	uv_idle_stop(handle);
	leftover_remove_all(handle->data);
}

void leftover_init(struct daemon *d)
{
	list_init(&d->leftovers);
	(void)uv_idle_init(&d->loop, &d->leftovers_idle);
	d->leftovers_idle.data = d;
}

void leftover_add(struct daemon *d, const struct start_id *id)
{
	struct leftover *l = xnew(struct leftover);

	l->id = *id;
	list_append(&d->leftovers, &l->link);
	uv_idle_start(&d->leftovers_idle, idle);
}
