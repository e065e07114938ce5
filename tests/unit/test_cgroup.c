/* What of the cgroups needs no cgroups: reading mountinfo, and Kubernetes' conversions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include <cmocka.h> /* wants the others before it */

#include "base/alloc.h"
#include "sys/cgroup_internal.h"

#define CPU CGROUP_BIT(CGROUP_CPU)
#define MEMORY CGROUP_BIT(CGROUP_MEMORY)
#define PIDS CGROUP_BIT(CGROUP_PIDS)
#define DEVICES CGROUP_BIT(CGROUP_DEVICES)

static void parse(const char *text, struct cgroup_mounts *m)
{
	_cleanup_free_ char *copy = xstrdup(text);

	cgroup_mounts_parse(copy, m);
}

static void test_hybrid(void **state)
{
	struct cgroup_mounts m;

	(void)state;
	parse("31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
	      "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 master:1 - cgroup cgroup rw,cpu,cpuacct\n"
	      "34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\n"
	      "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
	      "36 31 0:33 / /sys/fs/cgroup/dev\\040pids rw,relatime - cgroup cgroup rw,devices,pids\n"
	      "40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd\n"
	      "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
	      "50 31 0:32 /x /elsewhere/memory rw,relatime - cgroup cgroup rw,memory\n",
	      &m);
	assert_int_equal(m.v1_count, 3);
	assert_string_equal(m.v1[0].point, "/sys/fs/cgroup/cpu,cpuacct");
	assert_int_equal(m.v1[0].controllers, CPU);
	assert_string_equal(m.v1[1].point, "/sys/fs/cgroup/memory");
	assert_int_equal(m.v1[1].controllers, MEMORY);
	assert_string_equal(m.v1[2].point, "/sys/fs/cgroup/dev pids");
	assert_int_equal(m.v1[2].controllers, DEVICES | PIDS);
	assert_string_equal(m.v2, "/sys/fs/cgroup/unified");
	cgroup_mounts_deinit(&m);
}

static void test_unified(void **state)
{
	struct cgroup_mounts m;

	(void)state;
	parse("30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
	      "90 23 0:26 /a /other rw - cgroup2 cgroup2 rw\n",
	      &m);
	assert_int_equal(m.v1_count, 0);
	assert_string_equal(m.v2, "/sys/fs/cgroup");
	assert_string_equal(m.v2_root, "/");
	cgroup_mounts_deinit(&m);
}

static void test_lines_that_are_none(void **state)
{
	static const char *const texts[] = {
		"",
		"\n\n",
		" - ",
		"1 2 3 - cgroup2 cgroup2 rw",
		"30 23 0:26 / /sys/fs/cgroup rw cgroup2 cgroup2 rw",
		"30 23 0:26 / /sys/fs/cgroup rw - cgroup2",
		"30 23 0:26 / /sys/fs/cgroup rw - cgroup2 x",
	};
	struct cgroup_mounts m;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		parse(texts[i], &m);
		assert_null(m.v2);
		assert_int_equal(m.v1_count, 0);
		cgroup_mounts_deinit(&m);
	}
}

/* No directory here is delegated: the mount's top it is, whatever the process is in. */
static void test_given(void **state)
{
	static const char *const memberships[] = { "0::/\n", "0::/system.slice/podd.service\n", "1:cpu:/x\n0::/y\n", "",
		                                   "0::/../outside\n" };
	struct cgroup_mounts m = { .v2 = (char *)"/nowhere/cgroup", .v2_root = (char *)"/" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(memberships); i++) {
		_cleanup_free_ char *given = cgroup_mounts_given(&m, memberships[i]);
		assert_string_equal(given, "/nowhere/cgroup");
	}
}

static void test_cpu_weight(void **state)
{
	static const struct {
		int64_t milli;
		uint64_t weight;
	} cases[] = { { 0, 1 },        { 1, 1 },         { 2, 1 },          { 3, 2 },
		      { 10, 4 },       { 100, 17 },      { 250, 35 },       { 500, 59 },
		      { 1000, 100 },   { 2000, 174 },    { 4000, 303 },     { 16000, 942 },
		      { 64000, 3023 }, { 255000, 9966 }, { 256000, 10000 }, { INT64_MAX, 10000 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(cgroup_cpu_weight(cgroup_cpu_shares(cases[i].milli)), cases[i].weight);
}

static void test_cpu_quota(void **state)
{
	uint64_t quota, period;

	(void)state;
	cgroup_cpu_quota(500, &quota, &period);
	assert_int_equal(quota, 50000);
	assert_int_equal(period, 100000);
	cgroup_cpu_quota(2500, &quota, &period);
	assert_int_equal(quota, 250000);
	cgroup_cpu_quota(1, &quota, &period); /* the kernel's least */
	assert_int_equal(quota, 1000);
}

static void test_paths(void **state)
{
	char path[CGROUP_PATH_SIZE], longest[CGROUP_PATH_SIZE + 1];

	(void)state;
	assert_int_equal(cgroup_path(path, "a/b.0", "tasks"), 0);
	assert_string_equal(path, "a/b.0/tasks");
	assert_int_equal(cgroup_path(path, "", "tasks"), 0);
	assert_string_equal(path, "tasks");
	assert_int_equal(cgroup_path(path, "", ""), 0);
	assert_string_equal(path, ".");
	assert_int_equal(cgroup_path(path, "a..b/...", ""), 0);
	assert_int_equal(cgroup_path(path, "a/./b", ""), -EINVAL);
	assert_int_equal(cgroup_path(path, "../b", ""), -EINVAL);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(cgroup_path(path, longest, ""), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hybrid), cmocka_unit_test(test_unified),    cmocka_unit_test(test_lines_that_are_none),
		cmocka_unit_test(test_given),  cmocka_unit_test(test_cpu_weight), cmocka_unit_test(test_cpu_quota),
		cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests_name("cgroup", tests, NULL, NULL);
}
