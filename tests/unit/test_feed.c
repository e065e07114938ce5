/* The feed: order of changes, what one who is behind still gets, the floor, the bounds, slots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/alloc.h"
#include "base/str.h"
#include "daemon/api/feed.h"

struct object {
	struct feed_item feed;
	char name;
};

static unsigned freed;

static void object_free(struct feed_item *i)
{
	freed++;
	free(container_of(i, struct object, feed));
}

static struct feed_item *add(struct feed *f, char name)
{
	struct object *o = xnew(struct object);

	o->name = name;
	feed_add(f, &o->feed);
	return &o->feed;
}

static void end(struct feed *f, struct feed_item *i, size_t size)
{
	feed_change(f, i, false);
	feed_end(f, i, xcalloc(1, size), size);
}

/* The names of what one is told who was told up to `version`; in capitals what is gone. */
static const char *since(const struct feed *f, uint64_t version)
{
	static char names[64];
	size_t n = 0;

	for (struct feed_item *i; (i = feed_next(f, version)); version = i->version)
		names[n++] = (char)(container_of(i, struct object, feed)->name - (i->gone ? 32 : 0));
	names[n] = '\0';
	return names;
}

static int set_up(void **state)
{
	struct feed *f = xnew(struct feed);

	freed = 0;
	feed_init(f, 100, object_free);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	feed_deinit(*state);
	free(*state);
	return 0;
}

static void each_is_told_once_in_the_order_of_its_last_change(void **state)
{
	struct feed *f = *state;
	struct feed_item *a = add(f, 'a'), *b = add(f, 'b');
	uint64_t then = f->version;

	assert_string_equal(since(f, 0), "ab");
	assert_string_equal(since(f, then), "");
	feed_change(f, b, true);
	feed_change(f, a, false);
	feed_change(f, a, false);
	assert_string_equal(since(f, then), "ba");
	assert_string_equal(since(f, then + 1), "a");
	assert_string_equal(since(f, 0), "ba");
	assert_int_equal(a->created, 101);
	assert_int_equal(a->altered, 101);
	assert_int_equal(b->altered, 103);
	assert_int_equal(f->version, 105);
}

static void an_end_is_told_until_its_text_is_dropped(void **state)
{
	struct feed *f = *state;
	struct feed_item *a = add(f, 'a'), *b = add(f, 'b');
	uint64_t then = f->version;

	end(f, a, FEED_TEXT_MAX);
	assert_string_equal(since(f, then), "A");
	assert_int_equal(f->floor, 100);
	uint64_t ended = a->version;
	feed_change(f, b, false);
	feed_keep(f, b, xcalloc(1, 10), 10); /* one byte too many is enough */
	assert_string_equal(since(f, then), "b");
	assert_int_equal(f->floor, ended); /* who was told up to `then` has missed it, and is told so */
	assert_int_equal(freed, 1);
	assert_non_null(b->text);
	assert_int_equal(f->text_size, 10);
}

static void texts_of_the_living_go_first_come_first(void **state)
{
	struct feed *f = *state;
	struct feed_item *a = add(f, 'a'), *b = add(f, 'b');

	feed_keep(f, a, xcalloc(1, FEED_TEXT_MAX / 2), FEED_TEXT_MAX / 2);
	feed_keep(f, b, xcalloc(1, FEED_TEXT_MAX / 2), FEED_TEXT_MAX / 2);
	assert_non_null(a->text);
	struct feed_item *c = add(f, 'c');
	feed_keep(f, c, xcalloc(1, 1), 1);
	assert_null(a->text);
	assert_non_null(b->text);
	assert_int_equal(f->text_size, FEED_TEXT_MAX / 2 + 1);
	assert_string_equal(since(f, 0), "abc");
	assert_int_equal(f->floor, 100); /* nobody has missed anything */
	feed_change(f, b, false);        /* its text was of the former version */
	assert_int_equal(f->text_size, 1);
}

static void ends_are_bounded_in_number(void **state)
{
	struct feed *f = *state;

	for (unsigned i = 0; i < FEED_GONE_MAX + 10; i++)
		end(f, add(f, 'x'), 1);
	assert_int_equal(f->gone_count, FEED_GONE_MAX);
	assert_int_equal(f->text_size, FEED_GONE_MAX);
	assert_int_equal(freed, 10);
	assert_int_equal(f->floor, 100 + 20);
	assert_true(f->slot_count <= FEED_GONE_MAX + 2);
}

static void a_slot_is_given_again_only_when_it_is_free(void **state)
{
	struct feed *f = *state;
	struct feed_item *a = add(f, 'a'), *b = add(f, 'b');
	uint32_t slot = a->slot;

	assert_int_not_equal(slot, b->slot);
	end(f, a, 1);
	assert_int_not_equal(add(f, 'c')->slot, slot); /* it is still to be told */
	feed_drop(f, b);
	assert_int_equal(add(f, 'd')->slot, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_is_told_once_in_the_order_of_its_last_change, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_end_is_told_until_its_text_is_dropped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(texts_of_the_living_go_first_come_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ends_are_bounded_in_number, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_slot_is_given_again_only_when_it_is_free, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
