#include "daemon/record.h"
#include <stdlib.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"

static void item_free(struct feed_item *i)
{
	free(container_of(i, struct record_item, feed));
}

struct record *record_new(uint64_t version)
{
	struct record *r = xnew(struct record);

	feed_init(&r->feed, version, item_free);
	return r;
}

struct record *record_free(struct record *r)
{
	if (!r)
		return NULL;
	feed_deinit(&r->feed);
	free(r);
	return NULL;
}

static void pack(const struct record_entry *e, struct buf *out)
{
	const char *strings[] = {
		[RECORD_KIND] = e->kind,           [RECORD_UID] = e->uid,
		[RECORD_NAMESPACE] = e->namespace, [RECORD_POD] = e->pod,
		[RECORD_CONTAINER] = e->container, [RECORD_REASON] = e->reason,
		[RECORD_MESSAGE] = e->message,
	};
	_Static_assert(ARRAY_SIZE(strings) == RECORD_TEXT_MAX, "each text");

	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		buf_append(out, strings[i], strlen(strings[i]) + 1);
}

const char *record_text(const struct record_item *i, enum record_text which)
{
	const char *p = i->text;

	for (unsigned n = 0; n < which; n++)
		p += strlen(p) + 1;
	return p;
}

static struct record_item *find_equal(struct record *r, bool normal, const struct buf *text)
{
	list_foreach(i, &r->feed.items, struct record_item, feed.link)
		if (i->normal == normal && i->size == text->len && memcmp(i->text, text->data, i->size) == 0)
			return i;
	return NULL;
}

static struct record_item *item_new(struct record *r, bool normal, const struct buf *text)
{
	struct record_item *i = xcalloc(1, sizeof(*i) + text->len);

	i->normal = normal;
	i->size = text->len;
	memcpy(i->text, text->data, text->len);
	i->first_wall = clock_wall();
	if (r->count == RECORD_MAX)
		feed_drop(&r->feed, list_entry(r->feed.items.next, struct feed_item, link));
	else
		r->count++;
	feed_add(&r->feed, &i->feed);
	return i;
}

void record_add(struct record *r, const struct record_entry *e)
{
	_cleanup_buf_ struct buf text = BUF_NULL;

	pack(e, &text);
	struct record_item *i = find_equal(r, e->normal, &text);
	if (i)
		feed_change(&r->feed, &i->feed, false);
	else
		i = item_new(r, e->normal, &text);
	i->last_wall = clock_wall();
	i->count++;
}
