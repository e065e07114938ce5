/* The cgroup backends on this machine's real hierarchies, in directories of this process's own: podd-test-<pid>. */
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include <cmocka.h> /* wants the others before it */

#include "base/fd.h"
#include "base/str.h"
#include "sys/cgroup_internal.h"

static struct cgroup_host *host;
static bool inside; /* on a delegated v2 cgroup, opening moved this process to where podd itself lives */

enum { MB = 1 << 20 };

/* Clones as the anchor does: straight into the v2 directory, then `0` to each v1 `tasks` by the child itself. */
static pid_t spawn_in(const char *rel, void (*body)(void))
{
	struct cgroup_entry e;
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };

	assert_int_equal(cgroup_enter_fds(host, rel, &e), 0);
	args.cgroup = (unsigned)e.v2;
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0) {
		for (size_t i = 0; i < e.task_count; i++)
			if (write(e.tasks[i], "0", 1) != 1)
				_exit(99);
		body();
		_exit(0);
	}
	cgroup_entry_deinit(&e);
	assert_true(pid > 0);
	return pid;
}

static int reap(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void sleeper(void)
{
	for (;;)
		(void)pause();
}

static void hog(void)
{
	volatile char *p = mmap(NULL, 64 * MB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; i < 64 * MB; i += 4096)
		p[i] = 1;
}

static void forker(void)
{
	for (int i = 0; i < 64; i++) {
		pid_t pid = fork();
		if (pid < 0)
			_exit(errno == EAGAIN ? i : 98);
		if (pid == 0)
			sleeper();
	}
	_exit(97);
}

/* 0 or errno, of a node that is made, opened and removed. */
static int try_device(mode_t type, unsigned major, unsigned minor, int flags)
{
	const char *name = "/dev/shm/podd-test-node";

	(void)unlink(name);
	if (mknod(name, type | 0600, makedev(major, minor)) < 0)
		return 1000 + errno;
	_cleanup_close_ int fd = open(name, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int error = fd < 0 ? errno : 0;
	(void)unlink(name);
	return error;
}

/* Of all devices, those of the list can be opened and 1:11 (kmsg), read-only, which the test adds. */
static void device_opener(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", "/dev/shm", "tmpfs", 0, NULL) < 0)
		_exit(10);
	if (try_device(S_IFCHR, 1, 3, O_RDWR) || try_device(S_IFCHR, 1, 9, O_RDONLY) || try_device(S_IFCHR, 1, 11, O_RDONLY))
		_exit(1);
	if (try_device(S_IFCHR, 1, 11, O_RDWR) != EPERM || try_device(S_IFBLK, 1, 3, O_RDONLY) != EPERM)
		_exit(2);
	for (unsigned major = 0; major < 256; major++)
		for (unsigned minor = major == 0; minor < 16; minor++) { /* 0:0 is no device, and asks nobody */
			bool listed = (major == 1 && (minor == 3 || minor == 5 || (minor >= 7 && minor <= 9) || minor == 11)) ||
			              (major == 5 && minor <= 2) || major == 136;
			if (!listed && try_device(S_IFCHR, major, minor, O_RDONLY) != EPERM)
				_exit(3);
			if (try_device(S_IFBLK, major, minor, O_RDONLY) != EPERM)
				_exit(4);
		}
}

static void kmsg_opener(void)
{
	_exit(open("/dev/kmsg", O_RDONLY | O_CLOEXEC) < 0);
}

/* Where the controller's files are: its v1 hierarchy or the v2 tree. */
static int place(enum cgroup_controller c)
{
	for (size_t i = 0; i < host->v1_count; i++)
		if (host->v1[i].controllers & CGROUP_BIT(c))
			return host->v1[i].root;
	return host->v2;
}

static void assert_file(enum cgroup_controller c, const char *rel, const char *file, const char *want)
{
	char path[CGROUP_PATH_SIZE];
	_cleanup_buf_ struct buf b = BUF_NULL;

	assert_int_equal(cgroup_path(path, rel, file), 0);
	assert_int_equal(file_read(place(c), path, 4096, &b), 0);
	b.data[strcspn(b.data, "\n")] = '\0';
	assert_string_equal(b.data, want);
}

static bool on_v1(enum cgroup_controller c)
{
	return host->v1_set & CGROUP_BIT(c);
}

static const struct cgroup_limits some = {
	.cpu_shares = 1000,
	.cpu_quota_us = 50000,
	.cpu_period_us = 100000,
	.memory_max = 64 * MB,
	.pids_max = 4096,
	.oom_group = true,
};

static void test_limits_are_written(void **state)
{
	(void)state;
	assert_int_equal(cgroup_make(host, "burstable/podA", &(struct cgroup_limits){ .cpu_shares = 1000 }), 0);
	assert_int_equal(cgroup_make(host, "burstable/podA/members", &some), 0);
	assert_int_equal(cgroup_make(host, "burstable/podA/members/app.0", &some), 0);
	assert_int_equal(cgroup_make(host, "burstable/podA/members/app.0", &some), 0); /* once more is fine */
	const char *rel = "burstable/podA/members/app.0";
	if (on_v1(CGROUP_CPU)) {
		assert_file(CGROUP_CPU, rel, "cpu.shares", "1000");
		assert_file(CGROUP_CPU, rel, "cpu.cfs_quota_us", "50000");
	} else {
		assert_file(CGROUP_CPU, rel, "cpu.weight", "99");
		assert_file(CGROUP_CPU, rel, "cpu.max", "50000 100000");
	}
	assert_file(CGROUP_MEMORY, rel, on_v1(CGROUP_MEMORY) ? "memory.limit_in_bytes" : "memory.max", "67108864");
	assert_file(CGROUP_PIDS, rel, "pids.max", "4096");
}

static void test_limits_change_in_place(void **state)
{
	const char *rel = "burstable/podA/members/app.0";
	const char *memory = on_v1(CGROUP_MEMORY) ? "memory.limit_in_bytes" : "memory.max";
	struct cgroup_limits l = some;

	(void)state;
	l.memory_max = 128 * MB; /* up: memsw first */
	assert_int_equal(cgroup_limit(host, rel, &l), 0);
	assert_file(CGROUP_MEMORY, rel, memory, "134217728");
	l.memory_max = 32 * MB; /* down: memsw last */
	l.pids_max = 0;
	l.cpu_quota_us = 0;
	assert_int_equal(cgroup_limit(host, rel, &l), 0);
	assert_file(CGROUP_MEMORY, rel, memory, "33554432");
	assert_file(CGROUP_PIDS, rel, "pids.max", "max");
	if (on_v1(CGROUP_CPU))
		assert_file(CGROUP_CPU, rel, "cpu.cfs_quota_us", "-1");
	else
		assert_file(CGROUP_CPU, rel, "cpu.max", "max 100000");
	struct cgroup_usage u;
	assert_int_equal(cgroup_usage(host, rel, &u), 0);
	assert_int_equal(u.memory_max, 32 * MB);
	l.memory_max = 0;
	assert_int_equal(cgroup_limit(host, rel, &l), 0);
	assert_int_equal(cgroup_usage(host, rel, &u), 0);
	assert_int_equal(u.memory_max, 0);
}

static void test_kill_ends_all_below(void **state)
{
	(void)state;
	assert_int_equal(cgroup_make(host, "podK/members/a.0", NULL), 0);
	assert_int_equal(cgroup_make(host, "podK/members/b.0", NULL), 0);
	assert_int_equal(cgroup_populated(host, "podK"), 0);
	_cleanup_close_ int events = cgroup_events_fd(host, "podK");
	_cleanup_close_ int watch = inotify_init1(IN_CLOEXEC);
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", events);
	pid_t a = spawn_in("podK/members/a.0", sleeper), b = spawn_in("podK/members/b.0", sleeper);
	assert_int_equal(cgroup_populated(host, "podK"), 1);
	assert_true(inotify_add_watch(watch, path, IN_MODIFY) >= 0);
	assert_int_equal(cgroup_remove(host, "podK"), -EBUSY);
	/* Frozen processes are no refuge. */
	assert_int_equal(cgroup_write(host->v2, "podK/members/a.0", "cgroup.freeze", "1"), 0);
	assert_int_equal(cgroup_kill(host, "podK"), 0);
	assert_int_equal(WTERMSIG(reap(a)), SIGKILL);
	assert_int_equal(WTERMSIG(reap(b)), SIGKILL);
	struct pollfd p = { .fd = watch, .events = POLLIN };
	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_int_equal(cgroup_populated(host, "podK"), 0);
	assert_int_equal(cgroup_remove(host, "podK"), 0);
	assert_int_equal(cgroup_remove(host, "podK"), 0); /* absence is success */
	assert_int_equal(cgroup_kill(host, "podK"), 0);
	assert_int_equal(cgroup_populated(host, "podK"), 0);
	assert_int_equal(cgroup_kill(host, ""), -EINVAL); /* that would be podd and all pods */
}

static void test_leaf_below_processes(void **state)
{
	(void)state;
	assert_int_equal(cgroup_make(host, "podL/members/a.0", &some), 0);
	pid_t a = spawn_in("podL/members/a.0", sleeper);
	assert_int_equal(cgroup_make(host, "podL/members/a.0/x1", NULL), 0);
	pid_t x = spawn_in("podL/members/a.0/x1", sleeper);
	assert_int_equal(cgroup_kill(host, "podL/members/a.0/x1"), 0);
	assert_int_equal(WTERMSIG(reap(x)), SIGKILL);
	assert_int_equal(cgroup_remove(host, "podL/members/a.0/x1"), 0);
	assert_int_equal(waitpid(a, NULL, WNOHANG), 0);
	assert_int_equal(cgroup_kill(host, "podL"), 0);
	reap(a);
	assert_int_equal(cgroup_remove(host, "podL"), 0);
}

static void test_oom_is_counted(void **state)
{
	(void)state;
	assert_true(cgroup_has(host, CGROUP_MEMORY));
	assert_int_equal(cgroup_make(host, "podO/members", &(struct cgroup_limits){ .memory_max = 256 * MB }), 0);
	assert_int_equal(cgroup_make(host, "podO/members/h.0", &(struct cgroup_limits){ .memory_max = 16 * MB }), 0);
	assert_int_equal(cgroup_oom_kills(host, "podO/members/h.0"), 0);
	assert_int_equal(WTERMSIG(reap(spawn_in("podO/members/h.0", hog))), SIGKILL);
	assert_int_equal(cgroup_oom_kills(host, "podO/members/h.0"), 1);
	assert_int_equal(cgroup_remove(host, "podO"), 0);
	assert_int_equal(cgroup_oom_kills(host, "podO/members/h.0"), 0);
}

static void test_forks_are_held(void **state)
{
	(void)state;
	assert_true(cgroup_has(host, CGROUP_PIDS));
	assert_int_equal(cgroup_make(host, "podF", &(struct cgroup_limits){ .pids_max = 8 }), 0);
	pid_t pid = spawn_in("podF", forker);
	assert_int_equal(WEXITSTATUS(reap(pid)), 7);
	struct cgroup_usage u;
	assert_int_equal(cgroup_usage(host, "podF", &u), 0);
	assert_true(u.pids == 7 || u.pids == 8); /* the eighth may not be through its exit yet */
	assert_int_equal(cgroup_kill(host, "podF"), 0);
	/* The forker's children are nobody's here: PID 1 reaps them. */
	for (int i = 0; i < 1000 && cgroup_populated(host, "podF"); i++)
		usleep(10000);
	assert_int_equal(cgroup_remove(host, "podF"), 0);
}

static void check_devices(void)
{
	const struct cgroup_device kmsg = { .number = makedev(1, 11), .access = CGROUP_DEVICE_READ };

	assert_int_equal(cgroup_make(host, "podD", NULL), 0);
	assert_int_equal(cgroup_restrict_devices(host, "podD", &kmsg, 1), 0);
	assert_int_equal(cgroup_make(host, "podD/x0", NULL), 0);
	assert_int_equal(WEXITSTATUS(reap(spawn_in("podD", device_opener))), 0);
	assert_int_equal(WEXITSTATUS(reap(spawn_in("podD/x0", device_opener))), 0);
	assert_int_equal(cgroup_make(host, "podE", NULL), 0);
	assert_int_equal(cgroup_restrict_devices(host, "podE", NULL, 0), 0);
	assert_int_equal(WEXITSTATUS(reap(spawn_in("podE", kmsg_opener))), 1);
	assert_int_equal(cgroup_make(host, "podF", NULL), 0);
	assert_int_equal(WEXITSTATUS(reap(spawn_in("podF", kmsg_opener))), 0);
	assert_int_equal(cgroup_remove(host, "podD"), 0);
	assert_int_equal(cgroup_remove(host, "podE"), 0);
	assert_int_equal(cgroup_remove(host, "podF"), 0);
}

/* By the controller's files where a v1 hierarchy has them, and by a program on the v2 directory. */
static void test_devices(void **state)
{
	struct cgroup_host had = *host;

	(void)state;
	assert_true(cgroup_has(host, CGROUP_DEVICES));
	check_devices();
	if (!on_v1(CGROUP_DEVICES))
		return;
	for (size_t i = 0; i < host->v1_count; i++)
		host->v1[i].controllers &= ~CGROUP_BIT(CGROUP_DEVICES);
	host->v2_set |= CGROUP_BIT(CGROUP_DEVICES);
	check_devices();
	*host = had;
}

static void test_nothing_outside_the_root(void **state)
{
	static const char *const bad[] = { "/x", "..", "a/../..", "a//b", "a/", "a/.." };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(cgroup_make(host, bad[i], NULL), -EINVAL);
		assert_int_equal(cgroup_remove(host, bad[i]), -EINVAL);
		assert_int_equal(cgroup_kill(host, bad[i]), -EINVAL);
	}
	assert_int_equal(cgroup_remove(host, ""), -EINVAL);
}

static int count_podA(const char *rel, const char *hierarchy, void *arg)
{
	unsigned *n = arg;

	assert_non_null(hierarchy);
	*n += streq(rel, "burstable/podA/members/app.0");
	return 0;
}

static int stop_at_once(const char *rel, const char *hierarchy, void *arg)
{
	(void)rel;
	(void)hierarchy;
	++*(unsigned *)arg;
	return 7;
}

static void test_walk_sees_each_hierarchy(void **state)
{
	unsigned n = 0, calls = 0;

	(void)state;
	assert_int_equal(cgroup_walk(host, count_podA, &n), 0);
	assert_int_equal(n, 1 + host->v1_count);
	assert_int_equal(cgroup_walk(host, stop_at_once, &calls), 7);
	assert_int_equal(calls, 1);
}

static void joiner(void)
{
	_exit(cgroup_join(host, "here") == 0 && cgroup_populated(host, "here") == 1 ? 0 : 1);
}

static void test_join(void **state)
{
	(void)state;
	assert_int_equal(cgroup_make(host, "here", NULL), 0);
	pid_t pid = fork();
	if (pid == 0)
		joiner();
	assert_int_equal(WEXITSTATUS(reap(pid)), 0);
	assert_int_equal(cgroup_remove(host, "here"), 0);
}

static void test_open_again_keeps_all(void **state)
{
	struct cgroup_host *again;

	(void)state;
	assert_int_equal(cgroup_open(host->name, &again), 0);
	assert_int_equal(again->v1_set, host->v1_set);
	assert_int_equal(again->v2_set, host->v2_set);
	assert_int_equal(cgroup_populated(again, "burstable/podA/members/app.0"), 0);
	assert_int_equal(faccessat(again->v2, "burstable/podA/members/app.0", F_OK, 0), 0);
	cgroup_close(again);
}

static int setup(void **state)
{
	char name[32];

	(void)state;
	(void)snprintf(name, sizeof(name), "podd-test-%d", (int)getpid());
	int r = cgroup_open(name, &host);
	inside = r == 0 && cgroup_populated(host, "supervisor") == 1;
	return r;
}

static int teardown(void **state)
{
	(void)state;
	if (inside) { /* nobody can remove the directory he lives in */
		int busy = cgroup_remove_root(host);
		cgroup_close(host);
		return busy == -EBUSY ? 0 : -1;
	}
	(void)cgroup_kill(host, "");
	int r = cgroup_remove_root(host);
	int left = faccessat(host->v2_top, host->name, F_OK, 0);
	cgroup_close(host);
	if (r < 0 || left == 0)
		fprintf(stderr, "# the root directory is left behind: %s\n", strerror(-r));
	return r < 0 || left == 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits_are_written),
		cmocka_unit_test(test_limits_change_in_place),
		cmocka_unit_test(test_kill_ends_all_below),
		cmocka_unit_test(test_leaf_below_processes),
		cmocka_unit_test(test_oom_is_counted),
		cmocka_unit_test(test_forks_are_held),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_nothing_outside_the_root),
		cmocka_unit_test(test_walk_sees_each_hierarchy),
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_open_again_keeps_all),
	};

	return cmocka_run_group_tests_name("cgroup", tests, setup, teardown);
}
