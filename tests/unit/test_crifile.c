/* The logs on disk: pieces of lines, exact rotation, whole lines whatever the disk does. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "anchor/crifile.h"
#include "base/clock.h"
#include "base/fd.h"

static const char stamp[] = "2024-02-29T12:34:56.000000789Z";

static int logs = -1;
static char dir[] = "/tmp/podd-test-cri-XXXXXX";

static int up(void **state)
{
	(void)state;
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	assert_non_null(mkdtemp(dir));
	logs = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return logs < 0;
}

static int down(void **state)
{
	(void)state;
	(void)tree_remove(AT_FDCWD, dir);
	return close(logs);
}

static const char *content(const char *name)
{
	static struct buf text;

	buf_clear(&text);
	(void)file_read(logs, name, 1 << 20, &text);
	return buf_str(&text);
}

static void stamps(void **state)
{
	static const int64_t walls[] = {
		0, 789, 1709210096000000789, 951782400000000000, 4107542399999999999, 1709251199999999999
	};

	(void)state;
	for (size_t i = 0; i < sizeof(walls) / sizeof(walls[0]); i++) {
		char got[CRI_STAMP_SIZE + 1] = "", expected[CLOCK_TEXT_NS_SIZE];
		crifile_stamp(walls[i], got);
		clock_text_ns(walls[i], expected);
		assert_string_equal(got, expected);
	}
}

/* Feeds text in chunks of every size; the records must not depend on it. */
static void frame(const char *text, size_t n, size_t chunk, char **ret, size_t *ret_len)
{
	static char carry[CRI_LINE_MAX];
	struct criline line = { .carry = carry };
	size_t size = 4 * n + 4 * CRI_RECORD_MAX, len = 0;
	char *out = malloc(size);

	for (size_t at = 0; at < n; at += chunk) {
		size_t part = n - at < chunk ? n - at : chunk;
		for (size_t done = 0; done < part;)
			done += criline_frame(&line, stamp, text + at + done, part - done, out, size, &len);
	}
	criline_end(&line, stamp, out, &len);
	*ret = out;
	*ret_len = len;
}

static void lines_and_pieces(void **state)
{
	static const struct {
		size_t line;
		bool newline;
		const char *tags;
	} cases[] = {
		{ 0, true, "F" },
		{ 1, true, "F" },
		{ 1, false, "P" },
		{ CRI_LINE_MAX - 1, true, "F" },
		{ CRI_LINE_MAX, true, "F" },
		{ CRI_LINE_MAX, false, "P" },
		{ CRI_LINE_MAX + 1, true, "PF" },
		{ CRI_LINE_MAX + 1, false, "PP" },
		{ 3 * CRI_LINE_MAX, true, "PPF" },
	};
	static const size_t chunks[] = { 1, 7, 4096, CRI_LINE_MAX, CRI_LINE_MAX + 1, 1 << 20 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t k = 0; k < sizeof(chunks) / sizeof(chunks[0]); k++) {
			size_t n = cases[i].line + cases[i].newline, len, tag = 0, total = 0;
			char *text = malloc(n + 1), *out;
			memset(text, 'x', n);
			if (cases[i].newline)
				text[n - 1] = '\n';
			frame(text, n, chunks[k], &out, &len);
			for (char *p = out; p < out + len; tag++) {
				char *end = memchr(p, '\n', (size_t)(out + len - p));
				assert_non_null(end);
				assert_memory_equal(p, stamp, CRI_STAMP_SIZE);
				assert_memory_equal(p + CRI_STAMP_SIZE, " stdout ", 8);
				assert_int_equal(p[38], cases[i].tags[tag]);
				assert_true((size_t)(end - p) - CRI_PREFIX_SIZE <= CRI_LINE_MAX);
				total += (size_t)(end - p) - CRI_PREFIX_SIZE;
				p = end + 1;
			}
			assert_int_equal(tag, strlen(cases[i].tags));
			assert_int_equal(total, cases[i].line);
			free(text);
			free(out);
		}
}

static void a_skipped_rest_is_no_line(void **state)
{
	static char carry[CRI_LINE_MAX];
	char out[3 * CRI_RECORD_MAX];
	struct criline line = { .carry = carry, .skip = true };
	size_t len = 0;

	(void)state;
	assert_int_equal(criline_frame(&line, stamp, "rest of it", 10, out, sizeof(out), &len), 10);
	assert_int_equal(len, 0);
	assert_int_equal(criline_frame(&line, stamp, "\nnew\n", 5, out, sizeof(out), &len), 5);
	assert_int_equal(len, CRI_PREFIX_SIZE + 4);
	assert_memory_equal(out + CRI_PREFIX_SIZE, "new\n", 4);
}

static void make_records(char *out, size_t *len, unsigned from, unsigned to)
{
	static char carry[CRI_LINE_MAX];
	struct criline line = { .carry = carry };

	*len = 0;
	for (unsigned i = from; i < to; i++) {
		char text[32];
		int n = snprintf(text, sizeof(text), "%u\n", i);
		(void)criline_frame(&line, stamp, text, (size_t)n, out, 1 << 20, len);
	}
}

static void rotation(void **state)
{
	struct crifile f;
	struct crifile_loss loss = { 0 };
	static char out[1 << 20];
	struct stat st;
	size_t len;

	(void)state;
	crifile_open(&f, logs, "app", 3, 32768, 3);
	make_records(out, &len, 1, 5000); /* 224 KB: seven files' worth */
	crifile_write(&f, out, len, 0, &loss);
	assert_int_equal(loss.lines, 0);
	assert_int_equal(fstatat(logs, "app/3.log.1", &st, 0), 0);
	assert_in_range(st.st_size, 32768 - 44, 32768);
	assert_int_equal(fstatat(logs, "app/3.log.2", &st, 0), 0);
	assert_in_range(st.st_size, 32768 - 44, 32768);
	assert_int_equal(fstatat(logs, "app/3.log.3", &st, 0), -1);
	assert_non_null(strstr(content("app/3.log"), " 4999\n"));
	/* Exactly full is not too full. */
	assert_int_equal(fstatat(logs, "app/3.log", &st, 0), 0);
	assert_int_equal((uint64_t)st.st_size, f.size);
	crifile_close(&f, 0);
}

static void old_starts_go(void **state)
{
	struct crifile f;
	struct crifile_loss loss = { 0 };
	static char out[1 << 20];
	size_t len;

	(void)state;
	make_records(out, &len, 1, 2000);
	for (uint32_t n = 0; n < 4; n++) {
		crifile_open(&f, logs, "app", n, 32768, 2);
		crifile_write(&f, out, len, 0, &loss);
		crifile_close(&f, 0);
	}
	assert_int_equal(faccessat(logs, "app/1.log", F_OK, 0), -1);
	assert_int_equal(faccessat(logs, "app/1.log.1", F_OK, 0), -1);
	assert_int_equal(faccessat(logs, "app/2.log", F_OK, 0), 0);
	assert_int_equal(faccessat(logs, "app/2.log.1", F_OK, 0), 0);
	assert_int_equal(faccessat(logs, "app/3.log", F_OK, 0), 0);
}

/* RLIMIT_FSIZE is the full disk that a test can have: writes are cut at it, then refused. */
static void set_room(rlim_t size)
{
	struct rlimit limit = { size, RLIM_INFINITY };

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void drop_and_resume(void **state)
{
	struct crifile f;
	struct crifile_loss loss = { 0 };
	static char out[1 << 20];
	size_t len;

	(void)state;
	crifile_open(&f, logs, "app", 0, 1 << 20, 2);
	set_room(1000);
	make_records(out, &len, 10, 60); /* 43 bytes each */
	crifile_write(&f, out, len, 0, &loss);
	const char *t = content("app/0.log");
	assert_int_equal(strlen(t), 1000 / 43 * 43); /* cut back to whole lines */
	assert_int_equal(loss.lines, 50 - 1000 / 43);
	assert_int_equal(loss.bytes, loss.lines * 43);
	crifile_write(&f, out, 43, 0, &loss);
	assert_int_equal(loss.lines, 50 - 1000 / 43 + 1);

	set_room(RLIM_INFINITY);
	struct crifile_loss none = { 0 };
	crifile_write(&f, out, 43, INT64_C(1709210096000000789), &none);
	assert_int_equal(none.lines, 0);
	char expected[200];
	(void)snprintf(expected, sizeof(expected), "%s stderr F podd: 28 lines dropped: No space left on device\n%s stdout F 10\n",
	               stamp, stamp);
	assert_string_equal(content("app/0.log") + 1000 / 43 * 43, expected);
	crifile_close(&f, 0);
}

static void a_torn_end_is_cut(void **state)
{
	struct crifile f;
	struct crifile_loss loss = { 0 };

	(void)state;
	assert_int_equal(mkdirat(logs, "app", 0700), 0);
	int fd = openat(logs, "app/5.log", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "whole\nhal", 9), 9);
	(void)close(fd);
	crifile_open(&f, logs, "app", 5, 32768, 2);
	crifile_write(&f, "next\n", 5, 0, &loss);
	crifile_close(&f, 0);
	assert_string_equal(content("app/5.log"), "whole\nnext\n");
}

static void nothing_else_is_written_to(void **state)
{
	struct crifile f;
	struct crifile_loss loss = { 0 };
	char canary[128];

	(void)state;
	(void)snprintf(canary, sizeof(canary), "%s/canary", dir);
	(void)close(open(canary, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	assert_int_equal(mkdirat(logs, "app", 0700), 0);
	assert_int_equal(symlinkat(canary, logs, "app/1.log"), 0);
	crifile_open(&f, logs, "app", 1, 32768, 2);
	crifile_write(&f, "x\n", 2, 0, &loss);
	assert_int_equal(loss.error, ELOOP);
	crifile_close(&f, 0);
	assert_int_equal(linkat(AT_FDCWD, canary, logs, "app/2.log", 0), 0);
	crifile_open(&f, logs, "app", 2, 32768, 2);
	crifile_write(&f, "x\n", 2, 0, &loss);
	assert_int_equal(loss.error, EPERM);
	crifile_close(&f, 0);
	assert_int_equal(mkfifoat(logs, "app/3.log", 0600), 0);
	crifile_open(&f, logs, "app", 3, 32768, 2);
	crifile_write(&f, "x\n", 2, 0, &loss);
	assert_int_equal(loss.lines, 3);
	crifile_close(&f, 0);
	assert_string_equal(content("canary"), "");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, up, down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stamps),
		cmocka_unit_test(lines_and_pieces),
		cmocka_unit_test(a_skipped_rest_is_no_line),
		TEST(rotation),
		TEST(old_starts_go),
		TEST(drop_and_resume),
		TEST(a_torn_end_is_cut),
		TEST(nothing_else_is_written_to),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
