/* Selectors of labels and fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/str.h"
#include "daemon/api/selector.h"

/* The object: app=web, tier="" (there, empty). */
static const char *value_of(const char *key, const void *arg)
{
	(void)arg;
	return streq(key, "app") ? "web" : streq(key, "tier") ? "" : NULL;
}

static void expect(const char *text, bool want)
{
	_cleanup_selector_ struct selector s = SELECTOR_NULL;

	assert_int_equal(selector_parse(text, &s), 0);
	if (selector_matches(&s, value_of, NULL) != want)
		fail_msg("\"%s\" should be %d", text ? text : "NULL", want);
}

static void expect_refused(const char *text, int error)
{
	struct selector s;
	int r = selector_parse(text, &s);

	if (r != error)
		fail_msg("\"%s\" gave %d", text, r);
}

static void equality(void **state)
{
	(void)state;
	expect("app=web", true);
	expect("app==web", true);
	expect("app = web", true);
	expect("app=db", false);
	expect("app!=db", true);
	expect("app!=web", false);
	expect("none!=x", true); /* absent: not equal */
	expect("none=x", false);
	expect("tier=", true);
	expect("app=", false);
}

static void existence(void **state)
{
	(void)state;
	expect("app", true);
	expect("none", false);
	expect("!none", true);
	expect("! app", false);
	expect("tier", true);
}

static void sets(void **state)
{
	(void)state;
	expect("app in (db, web)", true);
	expect("app in(db)", false);
	expect("app notin (db,cache)", true);
	expect("app notin (web)", false);
	expect("none notin (web)", true);
	expect("none in (web)", false);
}

static void all_terms_must_hold(void **state)
{
	(void)state;
	expect(NULL, true);
	expect("", true);
	expect("app=web,tier", true);
	expect("app=web, !tier", false);
	expect("app in (web,db),!none,tier=", true);
}

static void what_is_no_selector(void **state)
{
	_cleanup_buf_ struct buf many = BUF_NULL;

	(void)state;
	expect_refused("=web", -EINVAL);
	expect_refused("app in", -EINVAL);
	expect_refused("app in (a", -EINVAL);
	expect_refused("app web", -EINVAL);
	expect_refused("app=a b", -EINVAL);
	expect_refused("!", -EINVAL);
	for (int i = 0; i <= SELECTOR_TERMS_MAX; i++)
		buf_puts(&many, "a,");
	expect_refused(many.data, -E2BIG);
	buf_clear(&many);
	buf_puts(&many, "a in (x");
	for (int i = 0; i < SELECTOR_VALUES_MAX; i++)
		buf_puts(&many, ",x");
	buf_puts(&many, ")");
	expect_refused(many.data, -E2BIG);
}

static void unknown_fields_are_named(void **state)
{
	static const char *const names[] = { "metadata.name", "type" };
	_cleanup_selector_ struct selector s = SELECTOR_NULL;

	(void)state;
	assert_int_equal(selector_parse("type=Normal,spec.x=1,metadata.name=a", &s), 0);
	assert_string_equal(selector_unknown(&s, names, ARRAY_SIZE(names)), "spec.x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equality),
		cmocka_unit_test(existence),
		cmocka_unit_test(sets),
		cmocka_unit_test(all_terms_must_hold),
		cmocka_unit_test(what_is_no_selector),
		cmocka_unit_test(unknown_fields_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
