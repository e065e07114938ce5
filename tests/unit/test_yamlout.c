/* JSON as YAML: kubectl's layout, and strings that stay strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/str.h"
#include "ctl/yamlout.h"

static void expect(const char *json, const char *want)
{
	_cleanup_buf_ struct buf out = BUF_NULL;
	json_t *v = json_loads(json, JSON_DECODE_ANY, NULL);

	assert_non_null(v);
	yamlout(v, &out);
	json_decref(v);
	assert_string_equal(buf_str(&out), want);
}

static void expect_scalar(const char *json, const char *want)
{
	_cleanup_buf_ struct buf line = BUF_NULL;

	buf_printf(&line, "%s\n", want);
	expect(json, line.data);
}

static void layout(void **state)
{
	(void)state;
	expect("{\"a\":{\"b\":1,\"c\":[{\"d\":true,\"e\":null},{\"f\":[1,2]}]},\"g\":{},\"h\":[]}", "a:\n"
	                                                                                            "  b: 1\n"
	                                                                                            "  c:\n"
	                                                                                            "  - d: true\n"
	                                                                                            "    e: null\n"
	                                                                                            "  - f:\n"
	                                                                                            "    - 1\n"
	                                                                                            "    - 2\n"
	                                                                                            "g: {}\n"
	                                                                                            "h: []\n");
	expect("[[1,[2]],{},\"x\"]", "- - 1\n  - - 2\n- {}\n- x\n");
}

static void plain_strings(void **state)
{
	static const char *const plain[] = { "web", "rootfs:/", "docker.io/library/nginx:1.27", "/etc/pods/web.yaml", "--flag=x",
		                             "-c",  "./x",      "Pod sandbox created" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		_cleanup_buf_ struct buf json = BUF_NULL;
		buf_printf(&json, "\"%s\"", plain[i]);
		expect_scalar(json.data, plain[i]);
	}
}

/* What YAML, 1.1 or 1.2, would read as something else than a string. */
static void quoted_strings(void **state)
{
	static const char *const quoted[] = { "",    "true",  "No",   "on",  "null",  "~",          "1",    "-1",   "0x1f",
		                              "1e3", "1_000", "1:30", ".5",  "-.inf", "+1",         "a: b", "a #b", "#a",
		                              "a:",  "- a",   "-",    "---", "*a",    "&a",         "!a",   "%a",   "@a",
		                              "`a",  "{a",    "[a",   "a ",  " a",    "2026-01-02", "?",    "|",    "y" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(quoted); i++) {
		_cleanup_buf_ struct buf json = BUF_NULL;
		buf_printf(&json, "\"%s\"", quoted[i]);
		expect_scalar(json.data, json.data);
	}
	expect_scalar("\"tab\\tbell\\u0007\"", "\"tab\\tbell\\u0007\"");
	expect_scalar("\"\\u007f\\u009b\"", "\"\\x7f\\x9b\"");
	expect("{\"true\":1,\"a b\":2,\"podd.dev/x\":3}", "\"true\": 1\n\"a b\": 2\npodd.dev/x: 3\n");
}

static void text_of_several_lines(void **state)
{
	(void)state;
	expect("{\"a\":\"x\\n  y\\n\\nz\\n\"}", "a: |\n  x\n    y\n\n  z\n");
	expect("{\"a\":\"x\\ny\"}", "a: |-\n  x\n  y\n");
	expect("{\"a\":\"x\\n\\n\\n\"}", "a: |+\n  x\n\n\n");
	expect("[\"x\\ny\"]", "- |-\n  x\n  y\n");
	expect("{\"a\":\" x\\ny\"}", "a: \" x\\ny\"\n");     /* its indent would be lost */
	expect("{\"a\":\"x\\r\\ny\"}", "a: \"x\\r\\ny\"\n"); /* a reader makes \r\n one break */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout),
		cmocka_unit_test(plain_strings),
		cmocka_unit_test(quoted_strings),
		cmocka_unit_test(text_of_several_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
