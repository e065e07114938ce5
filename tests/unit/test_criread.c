/* CRI lines back to what was printed; where a tail begins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <cmocka.h>
#include "base/fd.h"
#include "base/str.h"
#include "daemon/api/criread.h"

#define T1 "2026-01-02T15:04:05.000000001Z "
#define T2 "2026-01-02T15:04:06.000000002Z "
#define T3 "2026-01-02T15:04:07.000000003Z "

static void expect_with(struct criread *r, const char *in, size_t step, const char *want)
{
	_cleanup_buf_ struct buf out = BUF_NULL;

	for (size_t i = 0, n = strlen(in); i < n; i += step)
		criread_feed(r, in + i, MIN(step, n - i), &out);
	criread_flush(r, &out);
	assert_string_equal(buf_str(&out), want);
	criread_deinit(r);
}

/* However the bytes come in pieces, what comes out is the same. */
static void expect(const char *in, bool timestamps, int64_t since, const char *want)
{
	for (size_t step = 1; step < 90; step += 11) {
		struct criread r;
		criread_init(&r, timestamps, since);
		expect_with(&r, in, step, want);
	}
}

static void lines_lose_their_head(void **state)
{
	(void)state;
	expect(T1 "stdout F one\n" T2 "stderr F two\n", false, 0, "one\ntwo\n");
	expect(T1 "stdout F \n" T2 "stdout F  blank\n", false, 0, "\n blank\n");
	expect("", false, 0, "");
}

static void timestamps_stay_when_asked(void **state)
{
	(void)state;
	expect(T1 "stdout F one\n", true, 0, T1 "one\n");
}

static void parts_are_joined_each_stream_by_itself(void **state)
{
	(void)state;
	expect(T1 "stdout P one\n" T2 "stderr F between\n" T3 "stdout F  two\n", false, 0, "between\none two\n");
	expect(T1 "stdout P a\n" T1 "stderr P b\n" T2 "stdout P c\n" T2 "stderr F d\n" T3 "stdout F e\n", true, 0,
	       T1 "bd\n" T1 "ace\n");
}

static void an_unfinished_line_is_shown_without_a_newline(void **state)
{
	(void)state;
	expect(T1 "stdout F one\n" T2 "stdout P pro", false, 0, "one\npro");
	expect(T1 "stdout P prompt> \n", false, 0, "prompt> ");
}

static void what_is_no_cri_line_is_shown_as_it_is(void **state)
{
	(void)state;
	expect("torn\n" T1 "stdout F one\n" T1 "stdout X two\n", false, 0, "torn\none\n" T1 "stdout X two\n");
}

static void since_leaves_out_what_is_older(void **state)
{
	const int64_t t2 = 1767366246 * NS_PER_SEC; /* 2026-01-02T15:04:06Z */

	(void)state;
	expect(T1 "stdout F one\n" T2 "stdout F two\n" T3 "stdout F three\n", false, t2, "two\nthree\n");
}

static void a_line_beyond_the_limit_comes_in_pieces(void **state)
{
	_cleanup_buf_ struct buf in = BUF_NULL, out = BUF_NULL;
	struct criread r;

	(void)state;
	criread_init(&r, false, 0);
	for (int i = 0; i < 100; i++) { /* never an F */
		buf_puts(&in, T1 "stdout P ");
		for (int j = 0; j < 16384; j++)
			buf_putc(&in, 'x');
		buf_putc(&in, '\n');
	}
	criread_feed(&r, in.data, in.len, &out);
	assert_true(out.len > CRIREAD_LINE_MAX);
	assert_true(r.parts[0].len <= CRIREAD_LINE_MAX);
	criread_flush(&r, &out);
	assert_int_equal(out.len, 100 * 16384);
	criread_deinit(&r);
}

static int file_of(const char *text, size_t n)
{
	int fd = memfd_create("log", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, n), 0);
	return fd;
}

static void expect_tail(const char *text, uint64_t lines, const char *rest, uint64_t missing)
{
	_cleanup_close_ int fd = file_of(text, strlen(text));
	off_t offset = -1;

	assert_int_equal(criread_tail(fd, &lines, &offset), 0);
	assert_int_equal(lines, missing);
	assert_string_equal(text + offset, rest);
}

static void a_tail_begins_at_its_first_line(void **state)
{
	static const char text[] = T1 "stdout F one\n" T2 "stdout F two\n" T3 "stderr F three\n";

	(void)state;
	expect_tail(text, 0, "", 0);
	expect_tail(text, 1, T3 "stderr F three\n", 0);
	expect_tail(text, 2, T2 "stdout F two\n" T3 "stderr F three\n", 0);
	expect_tail(text, 3, text, 0);
	expect_tail(text, 5, text, 2);
	expect_tail("", 2, "", 2);
}

static void a_tail_counts_joined_lines(void **state)
{
	static const char text[] = T1 "stdout F one\n" T2 "stdout P tw\n" T2 "stdout F o\n" T3 "stdout F three\n";

	(void)state;
	expect_tail(text, 2, T2 "stdout P tw\n" T2 "stdout F o\n" T3 "stdout F three\n", 0);
	expect_tail(text, 3, text, 0);
}

/* Lines that lie across the pieces that are read. */
static void a_tail_of_a_large_file(void **state)
{
	_cleanup_buf_ struct buf text = BUF_NULL;

	(void)state;
	for (int i = 0; i < 10000; i++)
		buf_printf(&text, T1 "stdout F line %d\n", i);
	for (uint64_t want = 1; want < 10000; want += 997) {
		_cleanup_close_ int fd = file_of(text.data, text.len);
		uint64_t lines = want;
		char expected[64];
		off_t offset;
		assert_int_equal(criread_tail(fd, &lines, &offset), 0);
		(void)snprintf(expected, sizeof(expected), T1 "stdout F line %d\n", 10000 - (int)want);
		assert_memory_equal(text.data + offset, expected, strlen(expected));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_lose_their_head),
		cmocka_unit_test(timestamps_stay_when_asked),
		cmocka_unit_test(parts_are_joined_each_stream_by_itself),
		cmocka_unit_test(an_unfinished_line_is_shown_without_a_newline),
		cmocka_unit_test(what_is_no_cri_line_is_shown_as_it_is),
		cmocka_unit_test(since_leaves_out_what_is_older),
		cmocka_unit_test(a_line_beyond_the_limit_comes_in_pieces),
		cmocka_unit_test(a_tail_begins_at_its_first_line),
		cmocka_unit_test(a_tail_counts_joined_lines),
		cmocka_unit_test(a_tail_of_a_large_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
