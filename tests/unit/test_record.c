/* The record of events: order, counting of equal ones, the bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "daemon/record.h"

static const struct record_item *nth(const struct record *r, size_t n)
{
	list_foreach(i, &r->feed.items, const struct record_item, feed.link)
		if (!n--)
			return i;
	return NULL;
}

static struct record_entry entry(const char *pod, const char *reason, const char *message)
{
	struct record_entry e = { .normal = true };

	(void)snprintf(e.uid, sizeof(e.uid), "uid-%s", pod);
	(void)snprintf(e.namespace, sizeof(e.namespace), "default");
	(void)snprintf(e.pod, sizeof(e.pod), "%s", pod);
	(void)snprintf(e.reason, sizeof(e.reason), "%s", reason);
	(void)snprintf(e.message, sizeof(e.message), "%s", message);
	return e;
}

static void all_texts_come_back(void **state)
{
	struct record *r = record_new(0);
	struct record_entry e = entry("web", "Started", "Started container app");

	(void)state;
	(void)snprintf(e.container, sizeof(e.container), "app");
	e.normal = false;
	record_add(r, &e);
	const struct record_item *i = nth(r, 0);
	assert_string_equal(record_text(i, RECORD_UID), "uid-web");
	assert_string_equal(record_text(i, RECORD_NAMESPACE), "default");
	assert_string_equal(record_text(i, RECORD_POD), "web");
	assert_string_equal(record_text(i, RECORD_CONTAINER), "app");
	assert_string_equal(record_text(i, RECORD_REASON), "Started");
	assert_string_equal(record_text(i, RECORD_MESSAGE), "Started container app");
	assert_false(i->normal);
	assert_int_equal(i->count, 1);
	assert_true(i->first_wall > 0);
	record_free(r);
}

static void equal_ones_are_counted_and_move_to_the_end(void **state)
{
	struct record *r = record_new(0);
	struct record_entry a = entry("web", "BackOff", "x"), b = entry("db", "BackOff", "x"), c = a;

	(void)state;
	c.normal = false; /* the same text, but a warning */
	record_add(r, &a);
	record_add(r, &b);
	record_add(r, &a);
	record_add(r, &c);
	assert_int_equal(r->count, 3);
	assert_string_equal(record_text(nth(r, 0), RECORD_POD), "db");
	assert_string_equal(record_text(nth(r, 1), RECORD_POD), "web");
	assert_int_equal(nth(r, 1)->count, 2);
	assert_int_equal(nth(r, 1)->feed.version, 3);
	assert_int_equal(nth(r, 1)->feed.created, 1);
	assert_false(nth(r, 2)->normal);
	assert_int_equal(r->feed.version, 4);
	record_free(r);
}

static void the_oldest_leave_when_it_is_full(void **state)
{
	struct record *r = record_new(0);
	char message[32];

	(void)state;
	for (int i = 0; i < RECORD_MAX + 5; i++) {
		(void)snprintf(message, sizeof(message), "%d", i);
		struct record_entry e = entry("web", "R", message);
		record_add(r, &e);
	}
	assert_int_equal(r->count, RECORD_MAX);
	assert_string_equal(record_text(nth(r, 0), RECORD_MESSAGE), "5");
	assert_int_equal(nth(r, RECORD_MAX - 1)->feed.version, RECORD_MAX + 5);
	assert_null(nth(r, RECORD_MAX));
	assert_int_equal(r->feed.floor, 5);
	record_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_texts_come_back),
		cmocka_unit_test(equal_ones_are_counted_and_move_to_the_end),
		cmocka_unit_test(the_oldest_leave_when_it_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
