/* URLs as podd takes them apart and podctl builds them; the frames of exec. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/str.h"
#include "wire/stream.h"
#include "wire/url.h"

static void segments_are_cut_before_they_are_decoded(void **state)
{
	_cleanup_url_ struct url u = URL_NULL;

	(void)state;
	assert_int_equal(url_parse("/api//v1/a%2Fb/c+d/", &u), 0);
	assert_int_equal(u.segment_count, 4);
	assert_string_equal(u.segments[0], "api");
	assert_string_equal(u.segments[2], "a/b");
	assert_string_equal(u.segments[3], "c+d"); /* '+' is a blank in a query only */
	assert_int_equal(u.param_count, 0);
}

static void parameters_keep_their_order(void **state)
{
	_cleanup_url_ struct url u = URL_NULL;

	(void)state;
	assert_int_equal(url_parse("/x?command=sh&command=-c&command=echo+%22a%26b%22&&flag&empty=#frag", &u), 0);
	assert_int_equal(u.param_count, 5);
	assert_string_equal(u.params[0].value, "sh");
	assert_string_equal(u.params[2].value, "echo \"a&b\"");
	assert_string_equal(url_param(&u, "command"), "sh");
	assert_string_equal(url_param(&u, "flag"), "");
	assert_string_equal(url_param(&u, "empty"), "");
	assert_null(url_param(&u, "none"));
}

static void booleans_are_kubernetes(void **state)
{
	_cleanup_url_ struct url u = URL_NULL;

	(void)state;
	assert_int_equal(url_parse("/?a=0&b=False&c=True&d=&e=1&f=no", &u), 0);
	assert_false(url_bool(&u, "a"));
	assert_false(url_bool(&u, "b"));
	assert_false(url_bool(&u, "none"));
	assert_true(url_bool(&u, "c"));
	assert_true(url_bool(&u, "d"));
	assert_true(url_bool(&u, "e"));
	assert_true(url_bool(&u, "f"));
}

static void what_is_refused(void **state)
{
	_cleanup_buf_ struct buf long_one = BUF_NULL;
	struct url u;

	(void)state;
	assert_int_equal(url_parse("", &u), -EINVAL);
	assert_int_equal(url_parse("x", &u), -EINVAL);
	assert_int_equal(url_parse("/%", &u), -EINVAL);
	assert_int_equal(url_parse("/%4", &u), -EINVAL);
	assert_int_equal(url_parse("/%zz", &u), -EINVAL);
	assert_int_equal(url_parse("/a%00b", &u), -EINVAL);
	assert_int_equal(url_parse("/?a=%00", &u), -EINVAL);
	for (int i = 0; i <= URL_SEGMENTS_MAX; i++)
		buf_puts(&long_one, "/a");
	assert_int_equal(url_parse(long_one.data, &u), -E2BIG);
	buf_clear(&long_one);
	buf_puts(&long_one, "/?");
	for (int i = 0; i <= URL_PARAMS_MAX; i++)
		buf_puts(&long_one, "a&");
	assert_int_equal(url_parse(long_one.data, &u), -E2BIG);
}

static void what_is_built_is_read_back(void **state)
{
	static const char *const values[] = { "", "plain", "a b+c&d=e?f#g/h%", "\xc3\xa4\n\"", "$(X)" };
	_cleanup_buf_ struct buf text = BUF_NULL;
	_cleanup_url_ struct url u = URL_NULL;

	(void)state;
	buf_puts(&text, "/x/");
	url_escape(&text, "../a/b");
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		url_add(&text, "command", values[i]);
	assert_int_equal(url_parse(text.data, &u), 0);
	assert_int_equal(u.segment_count, 2);
	assert_string_equal(u.segments[1], "../a/b");
	assert_int_equal(u.param_count, ARRAY_SIZE(values));
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		assert_string_equal(u.params[i].value, values[i]);
}

static void frames_are_found_whole(void **state)
{
	static const uint8_t golden[] = { 1, 0, 0, 0, 3, 'a', 'b', 'c', 3, 0, 0, 0, 0 };
	_cleanup_buf_ struct buf in = BUF_NULL;
	uint8_t header[STREAM_HEADER_SIZE];
	enum stream_channel channel;
	const char *data;
	size_t size;

	(void)state;
	stream_header(header, STREAM_STDOUT, 3);
	assert_memory_equal(header, golden, sizeof(header));
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(stream_next(&in, &channel, &data, &size), 0);
		buf_append(&in, &golden[i], 1);
	}
	buf_append(&in, golden + 8, 5);
	assert_int_equal(stream_next(&in, &channel, &data, &size), 1);
	assert_int_equal(channel, STREAM_STDOUT);
	assert_int_equal(size, 3);
	assert_memory_equal(data, "abc", 3);
	buf_consume(&in, STREAM_HEADER_SIZE + size);
	assert_int_equal(stream_next(&in, &channel, &data, &size), 1);
	assert_int_equal(channel, STREAM_STATUS);
	assert_int_equal(size, 0);
}

static void frames_that_can_not_be(void **state)
{
	static const uint8_t unknown[] = { STREAM_CHANNEL_MAX, 0, 0, 0, 0 }, huge[] = { 0, 0, 0x10, 0, 1 };
	_cleanup_buf_ struct buf in = BUF_NULL;
	enum stream_channel channel;
	const char *data;
	size_t size;

	(void)state;
	buf_append(&in, unknown, sizeof(unknown));
	assert_int_equal(stream_next(&in, &channel, &data, &size), -EPROTO);
	buf_clear(&in);
	buf_append(&in, huge, sizeof(huge));
	assert_int_equal(stream_next(&in, &channel, &data, &size), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_are_cut_before_they_are_decoded),
		cmocka_unit_test(parameters_keep_their_order),
		cmocka_unit_test(booleans_are_kubernetes),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(what_is_built_is_read_back),
		cmocka_unit_test(frames_are_found_whole),
		cmocka_unit_test(frames_that_can_not_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
