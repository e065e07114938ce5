/* Descriptions of devices: what is read, and what is refused, with its place. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "base/str.h"
#include "manifest/cdi.h"

#define HEAD "cdiVersion: 0.6.0\nkind: vendor.com/gpu\n"

/* The first finding that is more than a notice must begin so; "": there is none. */
static void expect(const char *text, const char *want)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_buf_ struct buf got = BUF_NULL;
	struct manifest findings;
	struct cdi_spec spec;
	int r = cdi_read(a, "x.yaml", text, strlen(text), &findings, &spec);

	for (size_t i = 0; i < findings.diag_count && !got.len; i++)
		if (findings.diags[i].severity != SEVERITY_NOTICE)
			diag_print(&findings.diags[i], "x.yaml", &got);
	manifest_deinit(&findings);
	if (!str_after(buf_str(&got), want) || !*want != !got.len)
		fail_msg("got: %s\nwanted: %s", buf_str(&got), want);
	assert_int_equal(r, *want ? -EBADMSG : 0);
}

static void test_strict(void **state)
{
	(void)state;
	expect(HEAD "devices: [{name: a, annotations: {x: why}, containerEdits: {deviceNodes: [{path: /dev/a/b}]}}]", "");
	expect("{\"cdiVersion\": \"1.0.0\", \"kind\": \"v/c\", \"devices\": [{\"name\": \"0\", \"containerEdits\": {}}]}", "");
	expect("", "x.yaml:1:1: error: cdiVersion: Required value");
	expect("cdiVersion: 0.1.0\nkind: v/c\ndevices: [{name: a}]",
	       "x.yaml:1:13: error: cdiVersion: Unsupported value: \"0.1.0\"");
	expect("cdiVersion: 0.6.0\nkind: gpu\ndevices: [{name: a}]",
	       "x.yaml:2:7: error: kind: Invalid value: \"gpu\": must be a vendor and a class");
	expect(HEAD "devices: [{name: a/b}]", "x.yaml:3:18: error: devices[0].name: Invalid value: \"a/b\"");
	expect(HEAD "devices: [{name: a}]\ncontainerEdits: {envs: []}",
	       "x.yaml:4:18: error: containerEdits.envs: unknown field \"envs\"");
	expect(HEAD "devices: [{name: a}]\ncontainerEdits: {env: [A]}",
	       "x.yaml:4:24: error: containerEdits.env[0]: Invalid value: \"A\"");
	expect(HEAD "devices: [{name: a}]\ncontainerEdits: {hooks: [{path: /x}]}",
	       "x.yaml:4:18: refused: containerEdits.hooks: not supported");
	expect(HEAD "devices: [{name: a}]\ncontainerEdits: {deviceNodes: [{path: /dev/../x}]}",
	       "x.yaml:4:39: error: containerEdits.deviceNodes[0].path");
	expect(HEAD "devices: [{name: a}]\ncontainerEdits: {deviceNodes: [{path: /x}]}",
	       "x.yaml:4:39: error: containerEdits.deviceNodes[0].path");
	expect(HEAD "devices: [{name: a}]\ncontainerEdits: {deviceNodes: [{path: /dev/x, type: p}]}",
	       "x.yaml:4:53: error: containerEdits.deviceNodes[0].type");
	expect(HEAD "devices: [{name: a}]\ncontainerEdits: {deviceNodes: [{path: /dev/x, permissions: rx}]}",
	       "x.yaml:4:60: error:");
	expect(HEAD "devices: [{name: a}]\ncontainerEdits: {mounts: [{hostPath: /a, containerPath: /proc/x}]}",
	       "x.yaml:4:57: refused:");
	expect(HEAD "devices: [{name: a}]\ncontainerEdits: {mounts: [{hostPath: /a, containerPath: /a, options: [suid]}]}",
	       "x.yaml:4:71: error:");
	expect(HEAD "devices: [{name: a}]\n---\n" HEAD, "x.yaml:5:1: error: this file is one document");
}

static void test_names(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct string_list l;

	(void)state;
	assert_null(cdi_names_parse(a, " vendor.com/gpu=0,v/c=a:b.c-d ", &l));
	assert_int_equal(l.count, 2);
	assert_string_equal(l.items[0], "vendor.com/gpu=0");
	assert_string_equal(l.items[1], "v/c=a:b.c-d");
	static const char *const bad[] = { "x",       "v/c",     "v=a",          "v/c=",     "/c=a",  "v/=a",
		                           "v/c/d=a", "v/c=a/b", "v/c=a, v/c=a", "/dev/kvm", "-v/c=a" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_non_null(cdi_names_parse(a, bad[i], &l));
}

static void test_append(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *env[] = { "A=1" };
	const struct cdi_edits one = { .env = { env, 1 } };
	struct cdi_edits all = { 0 };

	(void)state;
	for (size_t i = 0; i < CDI_EDITS_MAX; i++)
		assert_true(cdi_append(a, &all, &one));
	assert_false(cdi_append(a, &all, &one));
	assert_int_equal(all.env.count, CDI_EDITS_MAX);
	assert_int_equal(all.nodes.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_append),
	};

	return cmocka_run_group_tests_name("cdi", tests, NULL, NULL);
}
