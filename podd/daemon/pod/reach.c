#include "daemon/pod/reach.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/helper.h"
#include "daemon/pod/launch.h"
#include "daemon/pod/volumes.h"

struct reach {
	struct list link; /* of daemon.reaches */
	struct daemon *daemon;
	struct start_id id;
	struct helper *helper;
	/* For the child, which has them as they were: */
	struct sandbox *sandbox;
	const struct pod *pod;
	const struct plan *plan;
};

static void reach_free(struct reach *w)
{
	list_remove(&w->link);
	free(w);
}

/* Also makes what has to be made. Why something can't be opened, podd finds out itself. */
static int work(void *arg)
{
	const struct reach *w = arg;
	const char *text;

	for (size_t i = 0; i < w->plan->slot_count; i++) {
		const struct slot *slot = &w->plan->slots[i];
		if (slot->role == SLOT_VOLUME && !volumes_at_hand(w->pod, slot->name, slot->path))
			(void)fd_close(volumes_open(w->sandbox, w->pod, slot->name, slot->path, w->plan->arena, &text));
	}
	return 0;
}

static void done(void *arg, int result)
{
	struct reach *w = arg;
	struct daemon *d = w->daemon;
	const struct start_id id = w->id;

	(void)result;
	reach_free(w);
	if (launch_is_wanted(d, &id))
		launch_reached(d, &id);
}

int reach_get(struct sandbox *s, const struct start_id *id, const struct pod *p, const struct plan *plan)
{
	const int keep[] = { s->daemon->run_fd, s->daemon->state_fd };
	size_t i = 0;

	while (i < plan->slot_count &&
	       (plan->slots[i].role != SLOT_VOLUME || volumes_at_hand(p, plan->slots[i].name, plan->slots[i].path)))
		i++;
	if (i == plan->slot_count)
		return 0;
	struct reach *w = xnew(struct reach);
	*w = (struct reach){ .daemon = s->daemon, .id = *id, .sandbox = s, .pod = p, .plan = plan };
	list_append(&s->daemon->reaches, &w->link);
	w->helper = helper_start(&s->daemon->loop, keep, ARRAY_SIZE(keep), work, done, w);
	if (w->helper)
		return 1;
	reach_free(w);
	return -EAGAIN;
}

bool reach_abort(struct daemon *d, const struct start_id *id)
{
	list_foreach(w, &d->reaches, struct reach, link)
		if (streq(w->id.uid, id->uid) && streq(w->id.container, id->container) && w->id.number == id->number) {
			helper_cancel(w->helper);
			reach_free(w);
			return true;
		}
	return false;
}

void reach_sandbox_gone(struct sandbox *s)
{
	list_foreach(w, &s->daemon->reaches, struct reach, link)
		if (streq(w->id.uid, s->uid)) {
			helper_cancel(w->helper);
			reach_free(w);
		}
}

void reach_close(struct daemon *d)
{
	list_foreach(w, &d->reaches, struct reach, link) {
		helper_cancel(w->helper);
		helper_leave(w->helper);
		reach_free(w);
	}
}
