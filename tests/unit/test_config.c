/* podd's configuration: the file's table, and who comes first: defaults, file, command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/str.h"
#include "daemon/config.h"
#include "manifest/conf.h"

static char root[64];

static void write_file(const char *text)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/etc/podd/podd.yaml", root);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fputs(text, f) >= 0, true);
	assert_int_equal(fclose(f), 0);
}

static int make_root(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(root, sizeof(root), "/tmp/podd-config-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/etc", root);
	if (mkdir(path, 0755) < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/etc/podd", root);
	return mkdir(path, 0755);
}

static int remove_root(void **state)
{
	static const char *const parts[] = { "/etc/podd/podd.yaml", "/etc/podd", "/etc", "" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", root, parts[i]);
		(void)remove(path);
	}
	return 0;
}

#define LOAD(c, ...) load(c, (char *[]){ "podd", "--root", root, ##__VA_ARGS__, NULL })

static int load(struct config *c, char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	return config_load(argc, argv, c);
}

/* The first finding about a text, or "" when it is fine. */
static void expect(const char *text, const char *finding)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(manifest_deinit) struct manifest m = { 0 };
	_cleanup_buf_ struct buf line = BUF_NULL;
	struct conf c;
	int r = conf_read(a, "podd.yaml", text, strlen(text), &m, &c);

	if (m.diag_count)
		diag_print(&m.diags[0], "podd.yaml", &line);
	assert_string_equal(buf_str(&line), finding);
	assert_int_equal(r, *finding ? -EBADMSG : 0);
}

static void test_defaults(void **state)
{
	struct config c;
	char path[128], host[256];

	(void)state;
	assert_int_equal(LOAD(&c), -1);
	assert_int_equal(ntohl(c.network.s_addr), 0x0a580000);
	assert_int_equal(c.prefix, 16);
	assert_string_equal(c.cgroup_root, "podd");
	assert_int_equal(gethostname(host, sizeof(host)), 0);
	assert_string_equal(c.node_name, host);
	assert_int_equal(c.log_level, LOG_LEVEL_INFO);
	assert_false(c.log_json || c.any_owner || c.allow_unenforced);
	assert_int_equal(c.log_size, 10 << 20);
	assert_int_equal(c.log_files, 5);
	assert_int_equal(c.pids_max, 4096);
	assert_int_equal(c.disk_period, 10000000000);
	assert_memory_equal(&c.backoff, &BACKOFF_DEFAULT, sizeof(c.backoff));
	(void)snprintf(path, sizeof(path), "%s/etc/pods", root);
	assert_int_equal(c.manifest_count, 1);
	assert_string_equal(c.manifests[0], path);
	config_deinit(&c);
}

static void test_file(void **state)
{
	struct config c;

	(void)state;
	write_file("manifests: [/a, /b]\npodCIDR: 10.9.0.0/24\ncgroupRoot: x/y\nnodeName: n1\nnodeLabels: {rack: \"7\", zone: a}\n"
	           "logLevel: debug\nlogFormat: json\nmanifestOwner: any\nallowUnenforcedLimits: true\ncontainerLogMaxSize: 1Mi\n"
	           "containerLogMaxFiles: 3\npodPidsLimit: 100\nrestartBackoff: {initial: 1s, max: 10s}\n"
	           "runtimes: [{name: crun, path: /usr/bin/crun}, {name: quiet, path: /usr/bin/runc, options: [--debug]}]\n");
	assert_int_equal(LOAD(&c), -1);
	assert_int_equal(c.manifest_count, 2);
	assert_string_equal(c.manifests[1], "/b");
	assert_int_equal(ntohl(c.network.s_addr), 0x0a090000);
	assert_int_equal(c.prefix, 24);
	assert_string_equal(c.cgroup_root, "x/y");
	assert_string_equal(c.node_name, "n1");
	assert_int_equal(c.node_labels.count, 2);
	assert_string_equal(c.node_labels.items[0].value, "7");
	assert_int_equal(c.log_level, LOG_LEVEL_DEBUG);
	assert_true(c.log_json && c.any_owner && c.allow_unenforced);
	assert_int_equal(c.log_size, 1 << 20);
	assert_int_equal(c.log_files, 3);
	assert_int_equal(c.pids_max, 100);
	assert_int_equal(c.backoff.initial, 1000000000);
	assert_int_equal(c.backoff.max, 10000000000);
	assert_int_equal(c.backoff.reset, 600000000000);
	assert_int_equal(c.runtimes.count, 2);
	assert_string_equal(c.runtimes.items[0].path, "/usr/bin/crun");
	assert_string_equal(c.runtimes.items[1].options.items[0], "--debug");
	config_deinit(&c);
}

static void test_command_line_first(void **state)
{
	struct config c;

	(void)state;
	write_file("manifests: [/a, /b]\nnodeLabels: {rack: \"7\"}\nlogLevel: debug\npodCIDR: 10.9.0.0/24\nnodeName: n1\n");
	assert_int_equal(LOAD(&c, "--manifests", "/c", "--node-label", "zone=a", "--log-level", "error", "--pod-cidr",
	                      "10.7.0.0/16"),
	                 -1);
	assert_int_equal(c.manifest_count, 1);
	assert_string_equal(c.manifests[0], "/c");
	assert_int_equal(c.node_labels.count, 1);
	assert_string_equal(c.node_labels.items[0].name, "zone");
	assert_int_equal(c.log_level, LOG_LEVEL_ERROR);
	assert_int_equal(c.prefix, 16);
	assert_string_equal(c.node_name, "n1");
	config_deinit(&c);
}

static void test_exit_codes(void **state)
{
	struct config c;

	(void)state;
	assert_int_equal(LOAD(&c, "--config", "/nonexistent/podd.yaml"), 1);
	assert_int_equal(LOAD(&c, "--pod-cidr", "10.88.0.1/16"), 2);
	assert_int_equal(LOAD(&c, "--no-such-option"), 2);
	assert_int_equal(LOAD(&c, "argument"), 2);
	write_file("logLevel: loud\n");
	assert_int_equal(LOAD(&c), 1);
}

static void test_findings(void **state)
{
	(void)state;
	expect("", "");
	expect("# nothing\n", "");
	expect("{\"logLevel\": \"debug\"}", "");
	expect("nodeName: n1\nlogLevle: debug\n",
	       "podd.yaml:2:1: error: logLevle: unknown field \"logLevle\"; did you mean \"logLevel\"?");
	expect("logLevel: loud\n", "podd.yaml:1:11: error: logLevel: Unsupported value: \"loud\": supported values: \"error\", "
	                           "\"warning\", \"info\", \"debug\"");
	expect("nodeName: a\nnodeName: b\n", "podd.yaml:2:1: error: Duplicate value: key \"nodeName\" stands here twice, first "
	                                     "in line 1; remove one of the two");
	expect("containerLogMaxFiles: \"5\"\n",
	       "podd.yaml:1:23: error: containerLogMaxFiles: Invalid value: \"5\": must be an integer, "
	       "and this is a string; remove the quotes");
	expect("containerLogMaxFiles: 1\n",
	       "podd.yaml:1:23: error: containerLogMaxFiles: Invalid value: 1: must be between 2 and 100, inclusive");
	expect("podPidsLimit: 2\n",
	       "podd.yaml:1:15: error: podPidsLimit: Invalid value: 2: must be between 16 and 4194304, inclusive");
	expect("restartBackoff:\n  initial: 1m\n  max: 2s\n",
	       "podd.yaml:2:12: error: restartBackoff.initial: Invalid value: \"1m\": must be at most max, 2s");
	expect("restartBackoff: {reset: soon}\n", "podd.yaml:1:25: error: restartBackoff.reset: Invalid value: \"soon\": must be a "
	                                          "duration between 1ms and 24h; as 100ms or 1m30s");
	expect("podCIDR: 10.88.0.1/16\n",
	       "podd.yaml:1:10: error: podCIDR: Invalid value: \"10.88.0.1/16\": must be an IPv4 network with "
	       "a prefix of 8 to 30 bits; as 10.88.0.0/16, with all bits after the prefix 0");
	expect("manifests: [etc]\n", "podd.yaml:1:13: error: manifests[0]: Invalid value: \"etc\": must be an absolute path");
	expect("- a\n",
	       "podd.yaml:1:1: error: Invalid value: must be a mapping, and this is a list; write it as `name: value` pairs, "
	       "indented");
	expect("nodeName: a\n---\nnodeName: b\n", "podd.yaml:3:1: error: this file is one document; remove the line ---");
}

static void test_reload(void **state)
{
	char *argv[] = { "podd", "--root", root, "--log-format", "json", NULL };
	struct config c;
	bool rest;

	(void)state;
	write_file("logLevel: error\n");
	assert_int_equal(config_load(5, argv, &c), -1);
	write_file("logLevel: debug\nmanifestOwner: any\npodPidsLimit: 99\n");
	assert_int_equal(config_reload(&c, &rest), 0);
	assert_false(rest);
	assert_int_equal(c.log_level, LOG_LEVEL_DEBUG);
	assert_true(c.log_json && c.any_owner);
	assert_int_equal(c.pids_max, 99);
	write_file("logLevel: info\nmanifestOwner: nobody\n");
	assert_int_equal(config_reload(&c, &rest), -EBADMSG);
	assert_int_equal(c.log_level, LOG_LEVEL_DEBUG);
	write_file("podCIDR: 10.9.0.0/24\n");
	assert_int_equal(config_reload(&c, &rest), 0);
	assert_true(rest);
	assert_int_equal(c.prefix, 16);
	config_deinit(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_defaults, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_file, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_command_line_first, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_exit_codes, make_root, remove_root),
		cmocka_unit_test(test_findings),
		cmocka_unit_test_setup_teardown(test_reload, make_root, remove_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
