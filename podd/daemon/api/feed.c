#include "daemon/api/feed.h"
#include <stdlib.h>
#include "base/alloc.h"

void feed_init(struct feed *f, uint64_t version, void (*free_item)(struct feed_item *i))
{
	*f = (struct feed){ .version = version, .floor = version, .free_item = free_item };
	list_init(&f->items);
}

static void take_slot(struct feed *f, struct feed_item *i)
{
	size_t n = 0;

	while (n < f->slot_count && f->slots[n])
		n++;
	if (n == f->slot_count)
		(void)xgrow(f->slots, f->slot_count);
	f->slots[n] = i;
	i->slot = (uint32_t)n;
}

static void set_text(struct feed *f, struct feed_item *i, void *text, size_t size)
{
	free(i->text);
	f->text_size += size - i->text_size;
	i->text = text;
	i->text_size = size;
}

static void item_free(struct feed *f, struct feed_item *i)
{
	if (i->gone)
		f->gone_count--;
	list_remove(&i->link);
	f->slots[i->slot] = NULL;
	set_text(f, i, NULL, 0);
	f->free_item(i);
}

void feed_deinit(struct feed *f)
{
	list_foreach(i, &f->items, struct feed_item, link)
		item_free(f, i);
	free(f->slots);
}

void feed_add(struct feed *f, struct feed_item *i)
{
	i->created = i->altered = i->version = ++f->version;
	take_slot(f, i);
	list_append(&f->items, &i->link);
}

void feed_change(struct feed *f, struct feed_item *i, bool altered)
{
	i->version = ++f->version;
	if (altered)
		i->altered = i->version;
	set_text(f, i, NULL, 0);
	list_remove(&i->link);
	list_append(&f->items, &i->link);
}

void feed_drop(struct feed *f, struct feed_item *i)
{
	f->floor = MAX(f->floor, i->version);
	item_free(f, i);
}

static void trim(struct feed *f)
{
	list_foreach(i, &f->items, struct feed_item, link) {
		if (f->text_size <= FEED_TEXT_MAX && f->gone_count <= FEED_GONE_MAX)
			return;
		if (i->gone)
			feed_drop(f, i);
		else
			set_text(f, i, NULL, 0);
	}
}

void feed_end(struct feed *f, struct feed_item *i, void *text, size_t size)
{
	i->gone = true;
	f->gone_count++;
	feed_keep(f, i, text, size);
}

void feed_keep(struct feed *f, struct feed_item *i, void *text, size_t size)
{
	set_text(f, i, text, size);
	trim(f);
}

/* From the newest back: who asks is nearly always told of all but the last few. */
struct feed_item *feed_next(const struct feed *f, uint64_t version)
{
	struct feed_item *found = NULL;

	for (struct list *l = f->items.prev; l != &f->items; l = l->prev) {
		struct feed_item *i = list_entry(l, struct feed_item, link);
		if (i->version <= version)
			break;
		found = i;
	}
	return found;
}
