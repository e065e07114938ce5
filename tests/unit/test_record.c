/* The ring of events: order, counting of equal ones, the bound, watchers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "daemon/record.h"

struct seen {
	struct record_entry entries[RECORD_MAX + 8];
	size_t count;
};

static int collect(const struct record_entry *e, void *arg)
{
	struct seen *s = arg;

	s->entries[s->count++] = *e;
	return 0;
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

static void all_fields_come_back(void **state)
{
	struct record *r = record_new();
	struct record_entry e = entry("web", "Started", "Started container app");
	static struct seen s;

	(void)state;
	s.count = 0;
	(void)snprintf(e.container, sizeof(e.container), "app");
	e.normal = false;
	record_add(r, &e);
	(void)record_walk(r, 0, collect, &s);
	assert_int_equal(s.count, 1);
	assert_string_equal(s.entries[0].uid, "uid-web");
	assert_string_equal(s.entries[0].namespace, "default");
	assert_string_equal(s.entries[0].pod, "web");
	assert_string_equal(s.entries[0].container, "app");
	assert_string_equal(s.entries[0].reason, "Started");
	assert_string_equal(s.entries[0].message, "Started container app");
	assert_false(s.entries[0].normal);
	assert_int_equal(s.entries[0].count, 1);
	assert_true(s.entries[0].first_wall > 0);
	record_free(r);
}

static void equal_ones_are_counted_and_move_to_the_end(void **state)
{
	struct record *r = record_new();
	struct record_entry a = entry("web", "BackOff", "x"), b = entry("db", "BackOff", "x"), c = a;
	static struct seen s;

	(void)state;
	s.count = 0;
	c.normal = false; /* the same text, but a warning */
	record_add(r, &a);
	record_add(r, &b);
	record_add(r, &a);
	record_add(r, &c);
	(void)record_walk(r, 0, collect, &s);
	assert_int_equal(s.count, 3);
	assert_string_equal(s.entries[0].pod, "db");
	assert_string_equal(s.entries[1].pod, "web");
	assert_int_equal(s.entries[1].count, 2);
	assert_int_equal(s.entries[1].id, 3);
	assert_false(s.entries[2].normal);
	assert_int_equal(record_last(r), 4);
	record_free(r);
}

static void a_cursor_sees_only_what_is_newer(void **state)
{
	struct record *r = record_new();
	struct record_entry a = entry("a", "R", "m"), b = entry("b", "R", "m");
	static struct seen s;

	(void)state;
	record_add(r, &a);
	uint64_t cursor = record_last(r);
	s.count = 0;
	(void)record_walk(r, cursor, collect, &s);
	assert_int_equal(s.count, 0);
	record_add(r, &b);
	record_add(r, &a); /* counted: news too */
	(void)record_walk(r, cursor, collect, &s);
	assert_int_equal(s.count, 2);
	assert_string_equal(s.entries[0].pod, "b");
	assert_string_equal(s.entries[1].pod, "a");
	record_free(r);
}

static void the_oldest_leave_when_it_is_full(void **state)
{
	struct record *r = record_new();
	char message[32];
	static struct seen s;

	(void)state;
	s.count = 0;
	for (int i = 0; i < RECORD_MAX + 5; i++) {
		(void)snprintf(message, sizeof(message), "%d", i);
		struct record_entry e = entry("web", "R", message);
		record_add(r, &e);
	}
	(void)record_walk(r, 0, collect, &s);
	assert_int_equal(s.count, RECORD_MAX);
	assert_string_equal(s.entries[0].message, "5");
	assert_int_equal(s.entries[RECORD_MAX - 1].id, RECORD_MAX + 5);
	record_free(r);
}

struct watcher {
	struct record_watch watch;
	unsigned calls;
	bool once;
};

static void on_added(struct record_watch *w)
{
	struct watcher *x = container_of(w, struct watcher, watch);

	x->calls++;
	if (x->once)
		record_unwatch(w);
}

static void watchers_are_called_and_may_leave(void **state)
{
	struct record *r = record_new();
	struct record_entry e = entry("web", "R", "m");
	struct watcher once = { .watch.added = on_added, .once = true }, always = { .watch.added = on_added };

	(void)state;
	record_watch(r, &once.watch);
	record_watch(r, &always.watch);
	record_add(r, &e);
	record_add(r, &e);
	assert_int_equal(once.calls, 1);
	assert_int_equal(always.calls, 2);
	record_unwatch(&always.watch);
	record_add(r, &e);
	assert_int_equal(always.calls, 2);
	record_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_fields_come_back),
		cmocka_unit_test(equal_ones_are_counted_and_move_to_the_end),
		cmocka_unit_test(a_cursor_sees_only_what_is_newer),
		cmocka_unit_test(the_oldest_leave_when_it_is_full),
		cmocka_unit_test(watchers_are_called_and_may_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
