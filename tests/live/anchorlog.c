/* The logs of the real podd-anchor: what is written, what a disk refuses, what a log process that dies or hangs costs. */
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/cleanup.h"
#include "base/str.h"
#include "lib/anchorhost.h"

static struct host host;

static int up(void **state)
{
	host_up(&host, &(struct host_options){ 0 });
	host_connect(&host);
	*state = &host;
	return 0;
}

static int up_small_disk(void **state)
{
	host_up(&host, &(struct host_options){ .log_options = "size=64k" });
	host_connect(&host);
	*state = &host;
	return 0;
}

static int up_disk(void **state)
{
	host_up(&host, &(struct host_options){ .log_disk = true });
	host_connect(&host);
	*state = &host;
	return 0;
}

/* Thawed first, whatever the test did: nothing may stay frozen. */
static int down_disk(void **state)
{
	(void)ioctl(host.logs, FITHAW, 0);
	host_down(*state);
	return 0;
}

static int up_small_logs(void **state)
{
	host_up(&host, &(struct host_options){ .log_size = "32768", .log_files = "3" });
	host_connect(&host);
	*state = &host;
	return 0;
}

static int down(void **state)
{
	host_down(*state);
	return 0;
}

static pid_t log_process(const struct host *h)
{
	char path[64], line[256];
	pid_t found = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", h->anchor, h->anchor);
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	for (int pid; fscanf(f, "%d", &pid) == 1;) {
		(void)snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		FILE *comm = fopen(path, "re");
		if (comm && fgets(line, sizeof(line), comm) && streq(line, "podd-log\n"))
			found = pid;
		if (comm)
			(void)fclose(comm);
	}
	(void)fclose(f);
	return found;
}

static void log_process_dies(void **state)
{
	struct host *h = *state;
	struct container *c =
		host_container(h, "app", "i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); sleep 0.01; done; echo last");

	host_spawn(h, c, 0);
	host_wait_log(h, "app/0.log", "line 50");
	pid_t first = log_process(h);
	assert_true(first > 0);
	assert_int_equal(kill(first, SIGKILL), 0);
	assert_int_equal(host_finish(h, "app", 0), 0);
	host_wait_log(h, "app/0.log", "F last\n");
	/* It died between two lines, most likely: at most what it had read and not written is missing. */
	const char *t = host_log_text(h, "app/0.log");
	unsigned lines = 0;
	for (const char *p = t; (p = strstr(p, "line ")); p++)
		lines++;
	assert_in_range(lines, 299, 300);
	assert_int_not_equal(log_process(h), first);
	host_disconnect(h);
	host_connect(h);
	assert_int_equal(h->snapshot.log_restarts, 1);
}

static void quit_drains_the_logs(void **state)
{
	struct host *h = *state;
	struct container *c = host_container(h, "app", "seq 1 20000; echo last");
	int status;

	host_spawn(h, c, 0);
	assert_int_equal(host_finish(h, "app", 0), 0);
	host_quit(h);
	assert_int_equal(waitpid(h->anchor, &status, 0), h->anchor);
	h->anchor = 0;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	host_contains(host_log_text(h, "app/0.log"), "\n20000\nlast\n");
}

static void a_fast_writer_is_not_cut(void **state)
{
	struct host *h = *state;
	struct container *c = host_container(h, "app", "head -c 40000 /dev/zero | tr '\\0' x; echo; seq 1 100000; echo last");

	host_spawn(h, c, 0);
	assert_int_equal(host_finish(h, "app", 0), 0);
	host_wait_log(h, "app/0.log", "F last\n");
	const char *log = host_log(h, "app/0.log");
	assert_non_null(strstr(log, "stdout P xxxx"));
	const char *t = host_log_text(h, "app/0.log");
	assert_int_equal(strcspn(t, "\n"), 16384);
	for (long i = 1; i <= 100000; i++) {
		if (i == 1)
			t = strstr(t, "\n1\n") + 1;
		assert_int_equal(strtol(t, (char **)(uintptr_t)&t, 10), i);
		t++;
	}
}

static void a_full_disk_drops_whole_lines(void **state)
{
	struct host *h = *state;
	struct container *c = host_container(h, "app", "seq 1 20000; echo done-writing; read x < /tmp/gate; echo after");
	char gate[128], spare[] = "spare";

	(void)snprintf(gate, sizeof(gate), "%s/fifo", h->dir);
	assert_int_equal(mkfifo(gate, 0600), 0);
	host_mount(h, c, gate, "/tmp/gate");

	_cleanup_close_ int fd = openat(h->logs, spare, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	char block[4096] = "";
	for (int i = 0; i < 6; i++)
		assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));
	host_spawn(h, c, 0);
	/* Until all that was written is either there, in whole lines, or counted. */
	unsigned long lost = 0, kept;
	do {
		struct host_event *e = host_wait(h, ANCHOR_DROPPED, host_key("app", 0, 0));
		assert_int_equal(e->dropped.error, ENOSPC);
		lost += e->dropped.lines;
		kept = host_lines(host_log_text(h, "app/0.log"));
	} while (kept + lost < 20001);
	assert_int_equal(kept + lost, 20001);

	assert_int_equal(ftruncate(fd, 0), 0);
	_cleanup_close_ int w = open(gate, O_RDWR | O_CLOEXEC);
	assert_int_equal(write(w, "go\n", 3), 3);
	assert_int_equal(host_finish(h, "app", 0), 0);
	host_wait_log(h, "app/0.log", "F after\n");
	char notice[64];
	(void)snprintf(notice, sizeof(notice), "podd: %lu lines dropped: No space left on device\nafter\n", lost);
	host_contains(host_log_text(h, "app/0.log"), notice);
}

static void a_hung_disk_stops_nobody(void **state)
{
	struct host *h = *state;
	struct container *c = host_container(
		h, "app",
		"echo before; read x < /tmp/gate; seq 1 200000; echo flooded >&2; read x < /tmp/gate; echo after; exit 6");
	char gate[128];

	(void)snprintf(gate, sizeof(gate), "%s/fifo", h->dir);
	assert_int_equal(mkfifo(gate, 0600), 0);
	host_mount(h, c, gate, "/tmp/gate");

	host_spawn(h, c, 0);
	host_wait_log(h, "app/0.log", "before");
	_cleanup_close_ int w = open(gate, O_RDWR | O_CLOEXEC);
	assert_int_equal(ioctl(h->logs, FIFREEZE, 0), 0);
	assert_int_equal(write(w, "go\n", 3), 3);
	/* The log process hangs in its write. The pipe, and then the member, must not: it gets as far as its second gate. */
	int left;
	for (int i = 0; i < HOST_WAIT_MS / 10; i++) {
		(void)poll(NULL, 0, 10);
		assert_int_equal(ioctl(w, FIONREAD, &left), 0);
		if (i == 0)
			assert_int_equal(write(w, "go\n", 3), 3);
		else if (left == 0)
			break;
	}
	assert_int_equal(left, 0);
	assert_int_equal(WEXITSTATUS(host_finish(h, "app", 0)), 6); /* exits are seen as ever */
	assert_int_equal(ioctl(h->logs, FITHAW, 0), 0);
	struct host_event *e = host_wait(h, ANCHOR_DROPPED, host_key("app", 0, 0));
	assert_int_equal(e->dropped.error, ETIMEDOUT);
	char notice[64];
	host_wait_log(h, "app/0.log", " lines dropped: the disk hung\n");
	/* All lines are there or counted, sooner or later: before, 200000, flooded, after; one DROPPED for each stream. */
	unsigned long lost = e->dropped.lines, kept = 0;
	for (int i = 0; i < HOST_WAIT_MS / 10 && kept + lost < 200003; i++) {
		(void)poll(NULL, 0, i ? 10 : 0);
		while (host_has(h, ANCHOR_DROPPED, host_key("app", 0, 0)))
			lost += host_wait(h, ANCHOR_DROPPED, host_key("app", 0, 0))->dropped.lines;
		kept = host_lines(host_log_text(h, "app/0.log")) - 1;
	}
	assert_int_equal(kept + lost, 200003);
	(void)snprintf(notice, sizeof(notice), "podd: %lu lines dropped: the disk hung\n", lost);
	host_contains(host_log_text(h, "app/0.log"), notice);
}

static void rotation_is_exact(void **state)
{
	struct host *h = *state;
	struct container *c = host_container(h, "app", "seq 1 20000; echo last");
	struct stat st;

	for (uint32_t start = 0; start < 3; start++) {
		host_spawn(h, c, start);
		assert_int_equal(host_finish(h, "app", start), 0);
		char name[32];
		(void)snprintf(name, sizeof(name), "app/%u.log", start);
		host_wait_log(h, name, "F last\n");
	}
	assert_int_not_equal(faccessat(h->logs, "app/0.log", F_OK, 0), 0);
	assert_int_not_equal(faccessat(h->logs, "app/0.log.1", F_OK, 0), 0);
	assert_int_not_equal(faccessat(h->logs, "app/2.log.3", F_OK, 0), 0);
	static const char *const names[] = { "app/1.log", "app/1.log.1", "app/1.log.2", "app/2.log", "app/2.log.1", "app/2.log.2" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(fstatat(h->logs, names[i], &st, 0), 0);
		assert_true(st.st_size <= 32768);
		(void)host_log_text(h, names[i]);
		if (strlen(names[i]) > 9) /* a rotated one is as full as whole lines make it */
			assert_true(st.st_size > 32768 - 60);
	}
	/* What is left is contiguous. */
	char first[16], expected[32];
	const char *t = host_log_text(h, "app/2.log.1");
	(void)snprintf(first, sizeof(first), "%lu", strtoul(strrchr(strndupa(t, strlen(t) - 1), '\n') + 1, NULL, 10) + 1);
	(void)snprintf(expected, sizeof(expected), "%s\n", first);
	assert_int_equal(strncmp(host_log_text(h, "app/2.log"), expected, strlen(expected)), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, up, down)
	const struct CMUnitTest tests[] = {
		TEST(log_process_dies),
		TEST(quit_drains_the_logs),
		TEST(a_fast_writer_is_not_cut),
		cmocka_unit_test_setup_teardown(a_full_disk_drops_whole_lines, up_small_disk, down),
		cmocka_unit_test_setup_teardown(a_hung_disk_stops_nobody, up_disk, down_disk),
		cmocka_unit_test_setup_teardown(rotation_is_exact, up_small_logs, down),
	};

	host_isolate();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
