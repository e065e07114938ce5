/* Events that came before EVENT_GO. Until all is known that can be, the core must not act; and to hold an event back is simpler,
 * and safer, than a second meaning for each of them. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "core/internal.h"

struct deferred {
	struct event event;
	void *note;
	struct adopted_start *starts;
};

static void *copy(const void *data, size_t n)
{
	void *p = xcalloc(1, n);

	if (n)
		memcpy(p, data, n);
	return p;
}

void deferred_push(struct core *c, const struct event *e)
{
	struct deferred *d = xgrow(c->deferred, c->deferred_count);

	d->event = *e;
	if (e->type != EVENT_ADOPT)
		return;
	d->note = copy(e->adopt.note, e->adopt.note_size);
	d->starts = copy(e->adopt.starts, e->adopt.start_count * sizeof(*d->starts));
	d->event.adopt.note = d->note;
	d->event.adopt.starts = d->starts;
}

static bool is_wish(enum event_type t)
{
	return t == EVENT_POD_GONE || t == EVENT_STOP_ASKED || t == EVENT_START_ASKED || t == EVENT_RESTART_ASKED;
}

/* Wishes first: what is to be stopped need not be started by its adoption. */
void deferred_replay(struct core *c)
{
	for (int wishes = 1; wishes >= 0; wishes--)
		for (size_t i = 0; i < c->deferred_count; i++)
			if (is_wish(c->deferred[i].event.type) == wishes)
				core_dispatch(c, &c->deferred[i].event);
}

void deferred_clear(struct core *c)
{
	for (size_t i = 0; i < c->deferred_count; i++) {
		free(c->deferred[i].note);
		free(c->deferred[i].starts);
	}
	free(c->deferred);
	c->deferred = NULL;
	c->deferred_count = 0;
}
