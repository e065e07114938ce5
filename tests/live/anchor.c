/* The real podd-anchor and podd-launch, driven as podd drives them. */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "lib/anchorhost.h"
#include "sys/cap.h"

static struct host host;

static int up(void **state)
{
	host_up(&host, &(struct host_options){ 0 });
	host_connect(&host);
	*state = &host;
	return 0;
}

static int up_share_pid(void **state)
{
	host_up(&host, &(struct host_options){ .share_pid = true });
	host_connect(&host);
	*state = &host;
	return 0;
}

static int down(void **state)
{
	host_down(*state);
	return 0;
}

static const char *read_all(int fd)
{
	static struct buf out;

	buf_clear(&out);
	(void)fd_read_all(fd, 1 << 20, &out);
	(void)close(fd);
	return buf_str(&out);
}

/* ---- tests ---- */

static void snapshot_of_an_empty_pod(void **state)
{
	struct host *h = *state;
	struct stat own, pod;

	assert_int_equal(h->snapshot.version, ANCHOR_VERSION);
	assert_int_equal(h->snapshot.process_count, 0);
	assert_int_equal(h->snapshot.pid, h->anchor);
	assert_int_equal(stat("/proc/self/ns/net", &own), 0);
	assert_int_equal(fstat(h->netns, &pod), 0);
	assert_true(own.st_ino != pod.st_ino);
	assert_true(h->pidfd >= 0 && h->netlink >= 0);
}

static void member_runs_and_logs(void **state)
{
	struct host *h = *state;
	struct container *c = host_container(h, "app", "echo out; echo err >&2; printf tail; exit 3");

	host_spawn(h, c, 0);
	struct host_event *e = host_wait(h, ANCHOR_STARTED, host_key("app", 0, 0));
	assert_true(e->process.pid > 0);
	assert_int_equal(e->process.state, ANCHOR_PROCESS_RUNNING);
	int status = host_finish(h, "app", 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);
	host_wait_log(h, "app/0.log", "stdout P tail\n");
	host_contains(host_log(h, "app/0.log"), " stdout F out\n");
	host_contains(host_log(h, "app/0.log"), " stderr F err\n");
}

static void member_is_confined(void **state)
{
	struct host *h = *state;
	struct container *c = host_container(
		h, "app",
		"exec 2>/dev/null; id -u; id -G; umask; hostname; cat /etc/hosts; echo; grep -E '^(Cap|NoNewPrivs|SigBlk|SigIgn)' "
		"/proc/self/status;"
		"echo pid $$$$; ls /proc/self/fd | tr '\\n' ' '; echo; pwd; ulimit -n; ulimit -c;"
		"echo x > /proc/sys/kernel/core_pattern || echo sys-ro; wc -c < /proc/keys; ls /sys/firmware | wc -l;"
		"ls /dev | tr '\\n' ' '; echo; touch /new && echo root-rw; touch /sys/x || echo sysfs-ro; cat /proc/self/mountinfo "
		"| wc -l;"
		"env | sort | tr '\\n' ' '; echo; cat /proc/1/comm; readlink /proc/self/cwd; stat -c %t:%T /dev/null; echo end");

	host_spawn(h, c, 0);
	assert_int_equal(host_finish(h, "app", 0), 0);
	host_wait_log(h, "app/0.log", " end\n");
	const char *t = host_log_text(h, "app/0.log");
	host_contains(t, "0\n0\n0022\nweb-0\nhosts\n");
	host_contains(t, "CapInh:\t0000000000000000\nCapPrm:\t00000000000005fb\nCapEff:\t00000000000005fb\n"
	                 "CapBnd:\t00000000000005fb\nCapAmb:\t0000000000000000\n");
	host_contains(t, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
	host_contains(t, "pid 1\n0 1 2 3 \n/\n1024\n0\n"); /* 3 is ls's own */
	host_contains(t, "sys-ro\n0\n0\n");
	host_contains(t, "\nfd full mqueue null ptmx pts random shm stderr stdin stdout termination-log tty urandom zero \n");
	host_contains(t, "root-rw\nsysfs-ro\n");
	host_contains(t, "HOME=/root HOSTNAME=web-0 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PWD=/ \n");
	host_contains(t, "sh\n/\n1:3\nend\n");
	assert_int_not_equal(access("/new", F_OK), 0);
}

static void other_user_has_no_capabilities(void **state)
{
	struct host *h = *state;
	struct container *c =
		host_container(h, "app",
	                       "id -u; id -g; id -G; grep -E '^(CapEff|CapPrm|CapBnd|NoNew)' /proc/self/status; echo end");

	c->security.run_as_user = (struct id){ .value = 1234, .set = true };
	c->security.run_as_group = (struct id){ .value = 5678, .set = true };
	c->security.allow_privilege_escalation = TRISTATE_FALSE;
	host_spawn(h, c, 0);
	assert_int_equal(host_finish(h, "app", 0), 0);
	host_wait_log(h, "app/0.log", " end\n");
	const char *t = host_log_text(h, "app/0.log");
	host_contains(t, "1234\n5678\n5678\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t00000000000005fb\n");
	host_contains(t, "NoNewPrivs:\t1\n");
}

static void launch_failures_are_told(void **state)
{
	static const struct {
		const char *program, *cwd;
		int error;
		const char *operand;
	} cases[] = {
		{ "nosuchprogram", NULL, ENOENT, "nosuchprogram" },
		{ "/etc/hostname", NULL, EACCES, "/etc/hostname" },
		{ "true", "/etc/hostname", ENOTDIR, "/etc/hostname" },
		{ "true", "/proc/self/fd/510", ENOTDIR, "/proc/self/fd/510" },
		{ "true", "/proc/self/fd/512", ENOENT, "/proc/self/fd/512" },
	};
	struct host *h = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct container *c = host_container(h, "app", "");
		c->command.items[0] = cases[i].program;
		c->command.count = 1;
		c->working_dir = cases[i].cwd;
		host_spawn(h, c, (uint32_t)i);
		struct host_event *e = host_wait(h, ANCHOR_EXITED, host_key("app", (uint32_t)i, 0));
		assert_int_equal(e->process.failed, 1);
		assert_int_equal(e->process.error, cases[i].error);
		assert_string_equal(e->process.operand, cases[i].operand);
		assert_false(host_has(h, ANCHOR_STARTED, e->process.key));
		host_ack(h, e->process.key);
	}
}

static void refusals(void **state)
{
	struct host *h = *state;
	struct container *c = host_container(h, "app", "sleep 1000");

	host_spawn(h, c, 0);
	(void)host_wait(h, ANCHOR_STARTED, host_key("app", 0, 0));
	host_spawn(h, c, 0);
	struct host_event *e = host_wait(h, ANCHOR_ERROR, host_key("app", 0, 0));
	assert_int_equal(e->error.request, ANCHOR_SPAWN);
	assert_int_equal(e->error.error, EEXIST);
	host_signal(h, host_key("nobody", 0, 0), SIGTERM);
	assert_int_equal(host_wait(h, ANCHOR_ERROR, host_key("nobody", 0, 0))->error.error, ENOENT);
	host_ack(h, host_key("app", 0, 0));
	assert_int_equal(host_wait(h, ANCHOR_ERROR, host_key("app", 0, 0))->error.error, EBUSY);
	host_quit(h);
	e = host_wait(h, ANCHOR_ERROR, host_key("", 0, 0));
	assert_int_equal(e->error.request, ANCHOR_QUIT);
	assert_int_equal(e->error.error, EBUSY);
	host_signal(h, host_key("app", 0, 0), SIGKILL);
	int status = host_finish(h, "app", 0);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void session_joins_the_member(void **state)
{
	struct host *h = *state;
	struct container *c = host_container(h, "app", "echo mine > /tmp/mark; echo ready; sleep 1000");

	host_spawn(h, c, 0);
	host_wait_log(h, "app/0.log", "ready");
	int out = host_session(
		h, c, 0, 1,
		"cat /tmp/mark; readlink /proc/self/ns/mnt /proc/1/ns/mnt /proc/self/ns/pid /proc/1/ns/pid /proc/self/ns/cgroup "
		"/proc/1/ns/cgroup | uniq | wc -l; "
		"grep -E '^(CapEff|CapBnd|CapInh)' /proc/self/status; ls /proc/self/fd | wc -l; exit 7");
	struct host_event *e = host_wait(h, ANCHOR_EXITED, host_key("app", 0, 1));
	assert_int_equal(e->process.failed, 0);
	assert_int_equal(WEXITSTATUS(e->process.status), 7);
	const char *t = read_all(out);
	host_contains(t, "mine\n3\n");
	host_contains(t, "CapInh:\t0000000000000000\nCapEff:\t00000000000005fb\nCapBnd:\t00000000000005fb\n4\n");
	host_ack(h, e->process.key);
	host_signal(h, host_key("app", 0, 0), SIGKILL);
	(void)host_finish(h, "app", 0);
}

static void podd_comes_back(void **state)
{
	struct host *h = *state;
	struct container *a = host_container(h, "stays", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done");
	struct container *b = host_container(h, "ends", "exit 9");

	host_spawn(h, a, 4);
	host_spawn(h, b, 2);
	host_wait_log(h, "stays/4.log", "ready");
	int out = host_session(h, a, 4, 1, "echo in; (sleep 1000 & sleep 1000)");
	struct pollfd p = { .fd = out, .events = POLLIN };
	assert_int_equal(poll(&p, 1, HOST_WAIT_MS), 1);
	host_note(h, "remember", 8);
	(void)host_wait(h, ANCHOR_EXITED, host_key("ends", 2, 0));
	host_disconnect(h);

	host_connect(h);
	assert_int_equal(h->snapshot.note_size, 8);
	assert_memory_equal(h->snapshot.note, "remember", 8);
	assert_int_equal(h->snapshot.process_count, 2); /* the session went with its podd */
	struct host_event *e = host_wait(h, ANCHOR_PROCESS, host_key("ends", 2, 0));
	assert_int_equal(e->process.state, ANCHOR_PROCESS_EXITED);
	assert_int_equal(WEXITSTATUS(e->process.status), 9);
	e = host_wait(h, ANCHOR_PROCESS, host_key("stays", 4, 0));
	assert_int_equal(e->process.state, ANCHOR_PROCESS_RUNNING);
	assert_string_equal(read_all(out), "in\n"); /* ends: all of the session's processes are gone */
	host_ack(h, host_key("ends", 2, 0));
	host_disconnect(h);

	host_connect(h);
	assert_int_equal(h->snapshot.process_count, 1);
	host_signal(h, host_key("stays", 4, 0), SIGTERM);
	assert_int_equal(WEXITSTATUS(host_finish(h, "stays", 4)), 5);
}

static void an_exit_while_podd_is_away_is_kept(void **state)
{
	struct host *h = *state;
	struct container *c = host_container(h, "app", "read x < /tmp/gate; exit 11");
	char gate[128];

	(void)snprintf(gate, sizeof(gate), "%s/gate", h->dir);
	assert_int_equal(mkdir(gate, 0755), 0);
	(void)snprintf(gate, sizeof(gate), "%s/gate/fifo", h->dir);
	assert_int_equal(mkfifo(gate, 0600), 0);
	host_mount(h, c, gate, "/tmp/gate");
	host_spawn(h, c, 0);
	(void)host_wait(h, ANCHOR_STARTED, host_key("app", 0, 0));
	host_disconnect(h);
	_cleanup_close_ int fd = open(gate, O_RDWR | O_CLOEXEC);
	assert_int_equal(write(fd, "go\n", 3), 3);
	struct host_event *e;
	do { /* it may take its time to exit */
		host_connect(h);
		e = host_wait(h, ANCHOR_PROCESS, host_key("app", 0, 0));
		host_disconnect(h);
	} while (e->process.state != ANCHOR_PROCESS_EXITED);
	assert_int_equal(WEXITSTATUS(e->process.status), 11);
}

static void members_share_a_pid_namespace(void **state)
{
	struct host *h = *state;
	struct container *
		a = host_container(h, "one", "echo here; exec sleep 1234"),
	       *b = host_container(
		       h, "two",
		       "cat /proc/1/comm; ls /proc/1/root 2>&1 | head -n 1; ls /proc/1/fd 2>&1 | wc -l; kill -TERM 1; kill -KILL 1;"
		       "tr '\\0' ' ' < /proc/*/cmdline 2>/dev/null | cat; for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; "
		       "echo; done; cat /proc/1/comm; echo end");

	host_spawn(h, a, 0);
	host_wait_log(h, "one/0.log", "here");
	host_spawn(h, b, 0);
	assert_int_equal(host_finish(h, "two", 0), 0);
	host_wait_log(h, "two/0.log", " end\n");
	const char *t = host_log_text(h, "two/0.log");
	host_contains(t, "podd-pause\n");
	host_contains(t, "sleep 1234");
	host_contains(t, "podd-pause\nend\n");
	host_signal(h, host_key("one", 0, 0), SIGKILL);
	(void)host_finish(h, "one", 0);
}

static void socket_is_made_anew(void **state)
{
	struct host *h = *state;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/anchor.sock", h->dir);
	host_disconnect(h);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(kill(h->anchor, SIGHUP), 0);
	for (int i = 0; i < HOST_WAIT_MS / 10 && access(path, F_OK) < 0; i++)
		(void)poll(NULL, 0, 10);
	host_connect(h);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void privileged_sees_the_host_s_devices(void **state)
{
	struct host *h = *state;
	struct container *c =
		host_container(h, "app",
	                       "exec 2>/dev/null; ls /dev/loop-control; echo x > /dev/shm/mine; touch /sys/fs/cgroup/x; "
	                       "grep -c ' /proc/sys ' /proc/self/mountinfo; grep CapEff /proc/self/status; grep -c ' /sys ro,' "
	                       "/proc/self/mountinfo; echo end");
	char caps[64];

	c->security.privileged = TRISTATE_TRUE;
	host_spawn(h, c, 0);
	assert_int_equal(host_finish(h, "app", 0), 0);
	host_wait_log(h, "app/0.log", " end\n");
	(void)snprintf(caps, sizeof(caps), "CapEff:\t%016llx\n", (unsigned long long)cap_bounding());
	host_contains(host_log_text(h, "app/0.log"), caps);
	host_contains(host_log_text(h, "app/0.log"), "/dev/loop-control\n0\n");
	assert_int_not_equal(access("/dev/shm/mine", F_OK), 0);
}

/* An image of busybox alone, in which podd's own places may be anything. */
static void make_image(struct host *h, const char *extra)
{
	static char path[128];
	char command[1024];

	(void)snprintf(path, sizeof(path), "%s/image", h->dir);
	(void)snprintf(
		command, sizeof(command),
		"mkdir -p %s && cd %s && mkdir bin etc dev proc sys && cp /bin/busybox bin/busybox && ln -s busybox bin/sh && "
		"ln -s busybox bin/cat && touch etc/hosts etc/hostname etc/resolv.conf && %s",
		path, path, extra);
	assert_int_equal(system(command), 0);
	h->layer = path;
}

static void an_image_can_t_redirect_mounts(void **state)
{
	static const char *const places[] = { "proc", "sys", "dev" };
	struct host *h = *state;
	char extra[512], source[128], canary[128], inside[160];

	for (uint32_t i = 0; i < ARRAY_SIZE(places); i++) {
		(void)snprintf(extra, sizeof(extra), "mkdir -p other && rmdir %s && ln -s other %s", places[i], places[i]);
		make_image(h, extra);
		struct container *c = host_container(h, places[i], "true");
		host_spawn(h, c, i);
		struct host_event *e = host_wait(h, ANCHOR_EXITED, host_key(places[i], i, 0));
		assert_int_equal(e->process.failed, 1);
		assert_int_equal(e->process.error, ELOOP);
		(void)snprintf(extra, sizeof(extra), "rm -r %s", h->layer);
		assert_int_equal(system(extra), 0);
	}

	/* A symlink that leads out leads to the same name inside: the host's directory of that name is not touched. */
	(void)snprintf(canary, sizeof(canary), "%s/canary", h->dir);
	assert_int_equal(mkdir(canary, 0755), 0);
	(void)snprintf(extra, sizeof(extra), "ln -s ../../../../..%s data && mkdir -p .%s", canary, canary);
	make_image(h, extra);
	struct container *c = host_container(h, "app", "echo x > /data/written && cat /data/written");
	(void)snprintf(source, sizeof(source), "%s/source", h->dir);
	assert_int_equal(mkdir(source, 0755), 0);
	host_mount(h, c, source, "/data");
	host_spawn(h, c, 0);
	assert_int_equal(host_finish(h, "app", 0), 0);
	(void)snprintf(inside, sizeof(inside), "%s/written", source);
	assert_int_equal(access(inside, F_OK), 0);
	(void)snprintf(inside, sizeof(inside), "%s/written", canary);
	assert_int_not_equal(access(inside, F_OK), 0);
}

static void a_read_only_root_still_gets_its_mounts(void **state)
{
	struct host *h = *state;
	char source[128];

	make_image(h, "true");
	struct container *c = host_container(h, "app",
	                                     "exec 2>/dev/null; echo y > /new || echo root-ro; echo y > /a/b/new && cat /a/b/new; "
	                                     "echo z > /etc/hosts || echo hosts-ro; echo end");
	c->command.items[0] = "/bin/sh";
	c->security.read_only_root = TRISTATE_TRUE;
	(void)snprintf(source, sizeof(source), "%s/source", h->dir);
	assert_int_equal(mkdir(source, 0755), 0);
	host_mount(h, c, source, "/a/b"); /* not in the image */
	host_spawn(h, c, 0);
	int status = host_finish(h, "app", 0);
	host_wait_log(h, "app/0.log", " end\n");
	assert_int_equal(status, 0);
	host_contains(host_log_text(h, "app/0.log"), "root-ro\ny\nhosts-ro\nend\n");
}

/* The launcher's own file can't be reached through a program that names the process which runs it. */
static void the_launcher_can_t_be_overwritten(void **state)
{
	struct host *h = *state;
	struct container *c;

	make_image(h, "printf '#!/proc/self/exe\\n' > bin/trick && chmod 755 bin/trick");
	c = host_container(h, "app", "");
	c->command.items[0] = "/bin/trick";
	c->command.count = 1;
	c->security.privileged = TRISTATE_TRUE;
	host_spawn(h, c, 0);
	(void)host_finish(h, "app", 0);
	/* Whoever had got hold of it could not write to it, nor open it for that, which keeps it from being executed. */
	char path[40];
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", h->launch);
	assert_int_equal(open(path, O_RDWR | O_CLOEXEC), -1);
	assert_int_equal(errno, EROFS);
}

/* What podd's parent ignores must not reach the containers, not even the signals that libc keeps for itself. */
static void ignore_signals(void)
{
	void *const ignore[4] = { (void *)SIG_IGN };

	(void)signal(SIGPIPE, SIG_IGN);
	for (int i = 32; i <= 34; i++)
		(void)syscall(SYS_rt_sigaction, i, ignore, NULL, 8);
}

int main(void)
{
	ignore_signals();
#define TEST(f) cmocka_unit_test_setup_teardown(f, up, down)
	const struct CMUnitTest tests[] = {
		TEST(snapshot_of_an_empty_pod),
		TEST(member_runs_and_logs),
		TEST(member_is_confined),
		TEST(other_user_has_no_capabilities),
		TEST(launch_failures_are_told),
		TEST(refusals),
		TEST(session_joins_the_member),
		TEST(podd_comes_back),
		TEST(an_exit_while_podd_is_away_is_kept),
		TEST(socket_is_made_anew),
		TEST(privileged_sees_the_host_s_devices),
		TEST(an_image_can_t_redirect_mounts),
		TEST(a_read_only_root_still_gets_its_mounts),
		TEST(the_launcher_can_t_be_overwritten),
		cmocka_unit_test_setup_teardown(members_share_a_pid_namespace, up_share_pid, down),
	};

	host_isolate();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
