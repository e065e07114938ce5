#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/str.h"
#include "manifest/manifest.h"
#include "manifest/node.h"
#include "manifest/yaml.h"

/* How a scalar resolves: the type, and for numbers the integer it is. */
static const struct {
	const char *text;
	enum scalar_type type;
	int64_t integer;
} scalars[] = {
	{ "", SCALAR_NULL, 0 },
	{ "~", SCALAR_NULL, 0 },
	{ "null", SCALAR_NULL, 0 },
	{ "Null", SCALAR_NULL, 0 },
	{ "nULL", SCALAR_STRING, 0 },
	{ "yes", SCALAR_BOOL, 1 },
	{ "y", SCALAR_BOOL, 1 },
	{ "On", SCALAR_BOOL, 1 },
	{ "TRUE", SCALAR_BOOL, 1 },
	{ "tRUE", SCALAR_STRING, 0 },
	{ "no", SCALAR_BOOL, 0 },
	{ "off", SCALAR_BOOL, 0 },
	{ "N", SCALAR_BOOL, 0 },
	{ "0", SCALAR_INT, 0 },
	{ "-0", SCALAR_INT, 0 },
	{ "+12", SCALAR_INT, 12 },
	{ "0755", SCALAR_INT, 493 },
	{ "0o755", SCALAR_INT, 493 },
	{ "0x1F", SCALAR_INT, 31 },
	{ "-0x10", SCALAR_INT, -16 },
	{ "0b101", SCALAR_INT, 5 },
	{ "1_000", SCALAR_INT, 1000 },
	{ "08", SCALAR_FLOAT, 8 },
	{ "1e3", SCALAR_FLOAT, 1000 },
	{ "1.0", SCALAR_FLOAT, 1 },
	{ ".5", SCALAR_FLOAT, 0 },
	{ "1.5", SCALAR_FLOAT, 0 },
	{ "1.", SCALAR_FLOAT, 1 },
	{ "-1e2", SCALAR_FLOAT, -100 },
	{ ".inf", SCALAR_BAD, 0 },
	{ "-.INF", SCALAR_BAD, 0 },
	{ ".NaN", SCALAR_BAD, 0 },
	{ "0x", SCALAR_STRING, 0 },
	{ "0b2", SCALAR_STRING, 0 },
	{ "1e", SCALAR_STRING, 0 },
	{ "1e400", SCALAR_STRING, 0 },
	{ "12:30:45", SCALAR_STRING, 0 },
	{ "2001-01-01", SCALAR_STRING, 0 },
	{ "1.2.3", SCALAR_STRING, 0 },
	{ ".", SCALAR_STRING, 0 },
	{ "-", SCALAR_STRING, 0 },
	{ "_1", SCALAR_STRING, 0 },
	{ "1 000", SCALAR_STRING, 0 },
	{ "9223372036854775807", SCALAR_INT, INT64_MAX },
	{ "-9223372036854775808", SCALAR_INT, INT64_MIN },
};

static void test_scalars(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scalars); i++) {
		struct node n = { .type = NODE_SCALAR, .text = scalars[i].text, .count = strlen(scalars[i].text) };
		struct scalar s;
		scalar_resolve(&n, &s);
		if (s.type != scalars[i].type)
			fail_msg("%s is %s", scalars[i].text, scalar_type_name(s.type));
		if (s.type == SCALAR_BOOL)
			assert_int_equal(s.boolean, scalars[i].integer);
		if (s.type == SCALAR_INT || (s.type == SCALAR_FLOAT && s.whole))
			assert_true(s.integer == scalars[i].integer);
		n.style = NODE_STRING;
		scalar_resolve(&n, &s);
		assert_int_equal(s.type, SCALAR_STRING);
	}
}

static bool parses(const void *text, size_t size, const char *want)
{
	struct manifest m;
	bool parsed, found = false;

	manifest_read("f", text, size, &m);
	parsed = m.parsed;
	for (size_t i = 0; i < m.diag_count; i++)
		found |= want && strstr(m.diags[i].text, want);
	if (want && !found)
		fail_msg("no \"%s\"; first: %s", want, m.diag_count ? m.diags[0].text : "nothing");
	if (!parsed)
		assert_int_equal(m.document_count, 0);
	manifest_deinit(&m);
	return parsed;
}

#define PARSES(bytes, want) parses((bytes), sizeof(bytes) - 1, (want))

static void test_encodings(void **state)
{
	(void)state;
	assert_false(PARSES("\xff\xfe"
	                    "a\0:\0 \0b\0",
	                    "UTF-16"));
	assert_false(PARSES("\xfe\xff"
	                    "\0a\0:\0 \0b",
	                    "UTF-16"));
	assert_false(PARSES("a\0:\0 \0b\0", "NUL byte"));
	assert_false(PARSES("a: b\nc: d\0e\n", "NUL byte"));
	assert_false(PARSES("a: \xff\n", "UTF-8"));
	assert_false(PARSES("a: \xc0\x80\n", "UTF-8"));
	assert_false(PARSES("a: \xed\xa0\x80\n", "UTF-8"));
	assert_false(PARSES("a: \x01\n", "UTF-8"));
	assert_true(PARSES("\xef\xbb\xbf", NULL));
	assert_true(PARSES("\xef\xbb\xbf# x\r\n", NULL));
	assert_true(PARSES("", NULL));
}

/* Seconds are a hang guard, far above what any of them takes. */
enum { SECONDS_MAX = 10, MEGABYTES_MAX = 16 };

static long peak_kib(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

static bool says(const struct manifest *m, const char *want)
{
	for (size_t i = 0; i < m->diag_count; i++)
		if (strstr(m->diags[i].text, want))
			return true;
	return false;
}

/* In a process of its own, so that the growth is that of this text alone. `want` NULL: whatever it says. */
static void assert_cheap(const char *what, const struct buf *text, const char *want)
{
	int status;

	(void)fflush(stdout);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct manifest m;
		clock_t began = clock();
		long before = peak_kib();
		manifest_read("f", text->data, text->len, &m);
		long ms = (long)((clock() - began) * 1000 / CLOCKS_PER_SEC), kib = peak_kib() - before;
		printf("# %.*s...: %ld ms, %ld KiB\n", (int)strcspn(what, "\n"), what, ms, kib);
		(void)fflush(stdout);
#ifdef __SANITIZE_ADDRESS__
		kib = 0;
#endif
		_exit(want && !says(&m, want) ? 1 : ms >= SECONDS_MAX * 1000 ? 2 : kib >= MEGABYTES_MAX * 1024 ? 3 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status)
		fail_msg("%s %s", what,
		         status == 1 << 8   ? want
		         : status == 2 << 8 ? "took too long"
		         : status == 3 << 8 ? "took too much memory"
		                            : "died");
}

static void hostile(const char *unit, size_t size, const char *want)
{
	_cleanup_buf_ struct buf text = BUF_NULL;

	while (text.len + strlen(unit) <= size)
		buf_puts(&text, unit);
	assert_cheap(unit, &text, want);
}

static void test_hostile(void **state)
{
	enum { MIB = 1 << 20 };

	(void)state;
	hostile("[", MIB, "Too deep");
	hostile("{a: ", MIB, "Too deep");
	hostile("- ", MIB, "Too deep");
	hostile("? ", MIB, "can't be a key");
	hostile("[{", MIB, "can't be a key");
	hostile("---\nx\n", 60000, "100 documents"); /* 10,000 of them */
	hostile("--- \n", MIB, "100 documents");
	hostile("- a\n", MIB, "100000 nodes");
	hostile("- &a a\n", MIB, "100000 nodes");
	hostile("x", MIB, "must be a mapping");
	hostile("\"", MIB, NULL);
	hostile("#\n", MIB, NULL);
	hostile("!!str ", MIB, NULL);
	hostile("&a ", MIB, NULL);
	hostile("*a ", MIB, NULL);
	hostile("a: |\n", MIB, NULL);
	hostile("%TAG ! tag:x,2000:\n", MIB, NULL);
	hostile("x", MIB + 1, "1048576 bytes");
	hostile("{\"a\":", MIB, "Too deep");
}

static void test_hostile_bytes(void **state)
{
	_cleanup_buf_ struct buf text = BUF_NULL, wide = BUF_NULL, nul = BUF_NULL, zeros = BUF_NULL;

	(void)state;
	buf_puts(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 10; i++) {
		buf_printf(&text, "a%d: &a%d [", i, i);
		for (int k = 0; k < 9; k++)
			buf_printf(&text, "*a%d, ", i - 1);
		buf_puts(&text, "]\n");
	}
	assert_cheap("an alias bomb", &text, "alias expansion limit");

	buf_append(&wide, "\xff\xfe", 2);
	while (wide.len < 1 << 20)
		buf_append(&wide, "a\0", 2);
	assert_cheap("UTF-16", &wide, "UTF-16");

	while (nul.len < 1 << 19)
		buf_puts(&nul, "a: b\n");
	buf_append(&nul, "\0", 1);
	assert_cheap("a NUL byte", &nul, "NUL byte");
	nul.len = 0;
	buf_puts(&nul, "apiVersion: v1\nkind: Pod\nmetadata: {name: \"a\\0b\"}\n");
	assert_cheap("a NUL in a value", &nul, "NUL byte inside a value");

	buf_puts(&zeros, "{\"a\":[0");
	while (zeros.len < (1 << 20) - 8)
		buf_puts(&zeros, ",0");
	buf_puts(&zeros, "]}");
	assert_cheap("a list of JSON", &zeros, "100000 nodes");
}

/* What Kubernetes keeps in a ConfigMap, as far as the file may hold it. */
static void test_large_value(void **state)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	struct manifest m;

	(void)state;
	buf_puts(&text, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  a: ");
	while (text.len < MANIFEST_SIZE_MAX)
		buf_putc(&text, 'x');
	manifest_read("f", text.data, text.len, &m);
	assert_int_equal(m.diag_count, 0);
	assert_non_null(m.documents[0].config);
	manifest_deinit(&m);
}

/* A pod whose `head` is followed by thousands of `item`, '#' being its number: rules that compare items with each other. */
static void many(const char *head, const char *item, const char *tail)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	struct manifest m;

	buf_puts(&text, "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {");
	buf_puts(&text, head);
	for (unsigned i = 0; text.len + 64 < MANIFEST_SIZE_MAX && i < 6000; i++)
		for (const char *p = item; *p; p++)
			if (*p == '#')
				buf_printf(&text, "%u", i);
			else
				buf_putc(&text, *p);
	buf_puts(&text, tail);
	buf_puts(&text, "}}");
	manifest_read("f", text.data, text.len, &m);
	assert_true(m.parsed);
	assert_true(m.diag_count > 0);
	assert_null(m.documents[0].pod);
	manifest_deinit(&m);
	assert_cheap(head, &text, NULL);
}

static void test_many_items(void **state)
{
	(void)state;
	many("initContainers: [", "{name: n#, image: 'i#'},", "], containers: [{name: a, image: 'rootfs:/'}]"); /* too many */
	many("containers: [", "{name: n#, image: 'i#'},", "]");
	many("securityContext: {sysctls: [", "{name: net.n#, value: 'v#'},", "]}");
	many("topologySpreadConstraints: [", "{maxSkew: 1, topologyKey: k#, whenUnsatisfiable: w#},", "]");
	many("tolerations: [", "{key: 'a b#', operator: 'x#'},", "]");
	many("volumes: [{name: v, projected: {sources: [", "{secret: {name: s, items: [{key: k#, path: p#}]}},", "]}}]");
	many("containers: [{name: a, image: 'rootfs:/', volumeDevices: [", "{name: n#, devicePath: /d#},", "]}]");
}

static void test_many_keys(void **state)
{
	_cleanup_buf_ struct buf text = BUF_NULL;

	(void)state;
	for (unsigned i = 0; i < 10000; i++)
		buf_printf(&text, "k%u: 1\n", i);
	assert_true(parses(text.data, text.len, "Required value"));
	buf_puts(&text, "k10000: 1\n");
	assert_cheap("10001 keys", &text, "10000 keys");
}

/* As many findings as anybody can provoke: the list stays short, and what was left out is counted. */
static void test_many_findings(void **state)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	struct manifest m;

	(void)state;
	buf_puts(&text, "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  tolerations:\n");
	for (unsigned i = 0; i < 15000; i++)
		buf_puts(&text, "  - {key: x y, operator: A}\n");
	manifest_read("f", text.data, text.len, &m);
	assert_true(m.parsed);
	assert_int_equal(m.diag_count, MANIFEST_DIAGS_MAX);
	assert_true(m.diags_dropped > 1000);
	assert_int_equal(manifest_worst(&m), SEVERITY_ERROR);
	assert_null(m.documents[0].pod);
	manifest_deinit(&m);
	assert_cheap("15000 tolerations", &text, NULL);
}

static void test_errors_outlive_notices(void **state)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	struct manifest m;

	(void)state;
	for (unsigned i = 0; i < 60; i++)
		buf_printf(&text,
		           "---\napiVersion: v1\nkind: Pod\nmetadata: {name: a%u, generateName: x}\nspec: {containers: [{name: a, "
		           "image: 'rootfs:/'}]}\n",
		           i);
	buf_puts(&text, "---\nkind: Pod\n");
	manifest_read("f", text.data, text.len, &m);
	assert_int_equal(m.document_count, 61);
	assert_int_equal(m.diag_count, MANIFEST_DIAGS_MAX);
	assert_int_equal(manifest_worst(&m), SEVERITY_ERROR);
	manifest_deinit(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_hostile_bytes),
		cmocka_unit_test(test_large_value),
		cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_many_items),
		cmocka_unit_test(test_many_findings),
		cmocka_unit_test(test_errors_outlive_notices),
	};

	return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
