#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/alloc.h"
#include "base/str.h"
#include "manifest/manifest.h"

/* What is read, in nano, and how it is printed. */
static const struct {
	const char *text;
	int64_t nano;
	const char *canonical;
} good[] = {
	{ "0", 0, "0" },
	{ "0n", 0, "0" },
	{ "0Ki", 0, "0" },
	{ "+5", 5000000000, "5" },
	{ "1.", 1000000000, "1" },
	{ ".001", 1000000, "1m" },
	{ "1.5", 1500000000, "1500m" },
	{ "0.9n", 1, "1n" },
	{ "3.001n", 4, "4n" },
	{ "1n", 1, "1n" },
	{ "1000n", 1000, "1u" },
	{ "100u", 100000, "100u" },
	{ "100m", 100000000, "100m" },
	{ "1000m", 1000000000, "1" },
	{ "1k", 1000000000000, "1k" },
	{ "1.G", 1000000000000000000, "1G" },
	{ "1000M", 1000000000000000000, "1G" },
	{ "1500k", 1500000000000000, "1500k" },
	{ "1E-3", 1000000, "1e-3" },
	{ "1E6", 1000000000000000, "1e6" },
	{ "1e3", 1000000000000, "1e3" },
	{ "1e+3", 1000000000000, "1e3" },
	{ "12e2", 1200000000000, "1200" },
	{ "1Ki", 1024000000000, "1Ki" },
	{ "1024Ki", 1048576000000000, "1Mi" },
	{ "0.5Mi", 524288000000000, "512Ki" },
	{ "1.5Ki", 1536000000000, "1536" },
	{ "0.5Ki", 512000000000, "512" },
	{ "100.035Ki", 102435840000000, "102436" },
	{ "0.000000000001Ki", 2, "2n" },
	{ "1Mi", 1048576000000000, "1Mi" },
	{ "000123", 123000000000, "123" },
	{ "0.0000000000000000000000000000000000000000000000000000001", 1, "1n" },
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		for (int sign = 1; sign >= -1; sign -= 2) {
			const char *digits = good[i].text[0] == '+' ? good[i].text + 1 : good[i].text;
			_cleanup_free_ char *text = sign > 0 ? xstrdup(good[i].text) : xasprintf("-%s", digits);
			_cleanup_free_ char *canonical = xasprintf("%s%s", sign < 0 && good[i].nano ? "-" : "", good[i].canonical);
			_cleanup_buf_ struct buf out = BUF_NULL;
			struct quantity q;
			if (quantity_parse(text, &q) != 0)
				fail_msg("%s is refused", text);
			if (q.nano != (__int128)sign * good[i].nano)
				fail_msg("%s is %lld nano", text, (long long)q.nano);
			quantity_print(&q, &out);
			assert_string_equal(buf_str(&out), canonical);
			assert_true(q.set);
		}
	}
}

static void test_bad(void **state)
{
	static const char *const bad[] = { "",      " ",     " 1",      "1 ",    "1 Ki", "1K",    "1ki",      "1KI",  "0.1mi",
		                           "1i",    ".5i",   "1+1.0M",  "1.1.M", "..1",  ".",     "+",        "-",    "+-1",
		                           "--1",   "1.2.3", "-3.01e-", "1e",    "1e+",  "1e+-1", "1e1.0",    "0x10", "1_000",
		                           "1e1Ki", "1KiB",  "1B",      "Ki",    "e3",   "1,5",   "\xd9\xa1", "1e 3", "nan" };
	struct quantity q;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (quantity_parse(bad[i], &q) != -EINVAL)
			fail_msg("\"%s\" is taken", bad[i]);
}

static void test_range(void **state)
{
	struct quantity q = { .nano = 42 };

	(void)state;
	assert_int_equal(quantity_parse("1e65", &q), -ERANGE);
	assert_int_equal(quantity_parse("1e-65", &q), -ERANGE);
	assert_int_equal(quantity_parse("1e4294967296", &q), -ERANGE); /* 1 where the exponent is cut to 32 bits */
	assert_int_equal(quantity_parse("1e2147483647", &q), -ERANGE);
	assert_int_equal(quantity_parse("1e64", &q), -ERANGE);
	assert_int_equal(quantity_parse("99999999999999999999999999999999999999999", &q), -ERANGE);
	assert_true(q.nano == 42); /* untouched on failure */
	assert_int_equal(quantity_parse("0e64", &q), 0);
	assert_true(q.nano == 0);
	assert_int_equal(quantity_parse("1e-64", &q), 0);
	assert_true(q.nano == 1);
}

static void test_large(void **state)
{
	_cleanup_buf_ struct buf out = BUF_NULL;
	struct quantity q;

	(void)state;
	assert_int_equal(quantity_parse("12E", &q), 0); /* decimal ones may pass 2^63, at use they are clamped */
	assert_true(quantity_value(&q) == INT64_MAX);
	quantity_print(&q, &out);
	assert_string_equal(buf_str(&out), "12E");
	assert_int_equal(quantity_parse("9Ei", &q), 0); /* binary ones are capped */
	buf_clear(&out);
	quantity_print(&q, &out);
	assert_string_equal(buf_str(&out), "9223372036854775807");
	assert_int_equal(quantity_parse("-12E", &q), 0);
	assert_true(quantity_value(&q) == INT64_MIN);
	assert_int_equal(quantity_parse("9223372036854775807", &q), 0);
	assert_true(quantity_value(&q) == INT64_MAX);
}

static void test_rounding(void **state)
{
	struct quantity q;

	(void)state;
	assert_int_equal(quantity_parse("1m", &q), 0);
	assert_int_equal(quantity_value(&q), 1);
	assert_int_equal(quantity_milli(&q), 1);
	assert_int_equal(quantity_parse("1500m", &q), 0);
	assert_int_equal(quantity_value(&q), 2);
	assert_int_equal(quantity_parse("1001u", &q), 0);
	assert_int_equal(quantity_milli(&q), 2);
	assert_int_equal(quantity_parse("-1500m", &q), 0);
	assert_int_equal(quantity_value(&q), -2);
	assert_int_equal(quantity_parse("64Mi", &q), 0);
	assert_int_equal(quantity_value(&q), 64 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),  cmocka_unit_test(test_bad),      cmocka_unit_test(test_range),
		cmocka_unit_test(test_large), cmocka_unit_test(test_rounding),
	};

	return cmocka_run_group_tests_name("quantity", tests, NULL, NULL);
}
