/* The bytes between podd and its anchors: they outlive both, so they are written down here. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include "wire/anchor.h"
#include "wire/frame.h"
#include "wire/plan.h"
#include "wire/terminal.h"

static const struct anchor_key key = { .container = "app", .number = 7, .session = 2 };

/* header, then bytes at the offsets that the next version of podd must find again */
static void assert_at(const void *message, size_t offset, const void *bytes, size_t n)
{
	assert_memory_equal((const char *)message + offset, bytes, n);
}

static void golden_spawn(void **state)
{
	struct anchor_spawn m = { .header = { ANCHOR_SPAWN, sizeof(m), 0 },
		                  .key = key,
		                  .class = ANCHOR_CLASS_SESSION,
		                  .flags = ANCHOR_SPAWN_CGROUP | ANCHOR_SPAWN_PID_JOIN,
		                  .join_number = 9,
		                  .join = "db" };

	(void)state;
	assert_int_equal(sizeof(m), 160);
	assert_at(&m, 0, "\3\0\xa0\0\0\0\0\0app\0", 12);
	assert_at(&m, 72, "\7\0\0\0\2\0\0\0\3\0\0\0\x11\0\0\0\x09\0\0\0\0\0\0\0", 24);
	assert_at(&m, 96, "db\0", 3);
	assert_int_equal(anchor_check(&m, sizeof(m)), 0);
	memset(m.join, 'x', sizeof(m.join));
	assert_int_equal(anchor_check(&m, sizeof(m)), -EPROTO);
	m.header.size = 96; /* of a podd that knows no other container to join */
	assert_int_equal(anchor_check(&m, 96), 0);
}

static void golden_small(void **state)
{
	struct anchor_hello hello = { .header = { ANCHOR_HELLO, sizeof(hello), 0 }, .version = 1 };
	struct anchor_signal sig = { .header = { ANCHOR_SIGNAL, sizeof(sig), 0 }, .key = key, .signal = -15 };
	struct anchor_ack ack = { .header = { ANCHOR_ACK, sizeof(ack), 0 }, .key = key, .flags = ANCHOR_ACK_SWEEP };
	struct anchor_error error = {
		.header = { ANCHOR_ERROR, sizeof(error), 0 }, .key = key, .request = ANCHOR_SPAWN, .error = 17
	};
	struct anchor_dropped dropped = {
		.header = { ANCHOR_DROPPED, sizeof(dropped), 0 }, .key = key, .lines = 1, .bytes = 2, .error = 28
	};

	struct anchor_attach attach = { .header = { ANCHOR_ATTACH, sizeof(attach), 0 }, .key = key, .flags = ANCHOR_ATTACH_INPUT };
	struct anchor_attached attached = { .header = { ANCHOR_ATTACHED, sizeof(attached), 0 }, .key = key };

	(void)state;
	assert_int_equal(sizeof(attach), 88);
	assert_at(&attach, 0, "\7\0\x58\0\0\0\0\0app\0", 12);
	assert_at(&attach, 72, "\7\0\0\0\2\0\0\0\1\0\0\0\0\0\0\0", 16);
	assert_int_equal(sizeof(attached), 80);
	assert_at(&attached, 0, "\x47\0\x50\0\0\0\0\0app\0", 12);
	assert_int_equal(sizeof(hello), 16);
	assert_at(&hello, 0, "\1\0\x10\0\0\0\0\0\1\0\0\0\0\0\0\0", 16);
	assert_int_equal(sizeof(sig), 88);
	assert_at(&sig, 80, "\xf1\xff\xff\xff\0\0\0\0", 8);
	assert_int_equal(sizeof(ack), 88);
	assert_at(&ack, 0, "\5\0\x58\0\0\0\0\0app\0", 12);
	assert_at(&ack, 72, "\7\0\0\0\2\0\0\0\1\0\0\0\0\0\0\0", 16);
	assert_int_equal(sizeof(error), 88);
	assert_at(&error, 80, "\3\0\0\0\x11\0\0\0", 8);
	assert_int_equal(sizeof(dropped), 104);
	assert_at(&dropped, 80, "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\x1c\0\0\0\0\0\0\0", 24);
	assert_int_equal(ANCHOR_NOTE, 2);
	assert_int_equal(ANCHOR_QUIT, 6);
	assert_int_equal(ANCHOR_SNAPSHOT, 64);
	assert_int_equal(ANCHOR_ERROR, 70);
	assert_int_equal(ANCHOR_ATTACH, 7);
	assert_int_equal(ANCHOR_LOGS, 8);
	assert_int_equal(ANCHOR_ATTACHED, 71);
	assert_int_equal(ANCHOR_SPAWN_STDIN | ANCHOR_SPAWN_ONCE | ANCHOR_SPAWN_TTY, 0xe0);
}

static void golden_process_and_snapshot(void **state)
{
	static struct anchor_process p;
	static struct anchor_snapshot s;

	(void)state;
	p = (struct anchor_process){ .header = { ANCHOR_EXITED, sizeof(p), 0 },
		                     .key = key,
		                     .class = 1,
		                     .state = 3,
		                     .pid = 4,
		                     .status = 5,
		                     .started_wall = 6,
		                     .exited_wall = 7,
		                     .failed = 1,
		                     .error = 2,
		                     .op = 8,
		                     .operand = "sh" };
	assert_int_equal(sizeof(p), 328);
	assert_at(&p, 80, "\1\0\0\0\3\0\0\0\4\0\0\0\5\0\0\0\6\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0\1\0\0\0\2\0\0\0\x08\0\0\0\0\0\0\0sh",
	          50);
	s = (struct anchor_snapshot){ .header = { ANCHOR_SNAPSHOT, 42, 0 },
		                      .version = 1,
		                      .process_count = 2,
		                      .pid = 3,
		                      .note_size = 2,
		                      .log_dropped = 4,
		                      .degraded = 5,
		                      .log_restarts = 6,
		                      .note = "ab" };
	assert_int_equal(offsetof(struct anchor_snapshot, note), 40);
	assert_at(&s, 0, "\x40\0\x2a\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\2\0\0\0\4\0\0\0\0\0\0\0\5\0\0\0\6\0\0\0ab", 42);
	assert_int_equal(anchor_check(&s, 42), 0);
	assert_int_equal(anchor_check(&s, 41), -EPROTO);
	s.header.size = 41;
	assert_int_equal(anchor_check(&s, 41), -EPROTO); /* the note is cut */
}

static void checks(void **state)
{
	struct anchor_ack m = { .header = { ANCHOR_ACK, sizeof(m), 0 }, .key = key };
	struct {
		struct anchor_ack ack;
		uint64_t newer;
	} longer = { .ack = m };
	static const char *const bad[] = { "", "..", "a/b", ".x", "A", "a b" };

	(void)state;
	assert_int_equal(anchor_check(&m, sizeof(m)), 0);
	assert_int_equal(anchor_check(&m, 4), -EPROTO);
	longer.ack.header.size = sizeof(longer); /* of a later version: its rest is ignored */
	assert_int_equal(anchor_check(&longer, sizeof(longer)), 0);
	m.header.size = offsetof(struct anchor_ack, flags); /* of the first version */
	assert_int_equal(anchor_check(&m, m.header.size), 0);
	m.header.size--;
	assert_int_equal(anchor_check(&m, m.header.size), -EPROTO);
	m.header = (struct anchor_header){ 63, sizeof(m), 0 };
	assert_int_equal(anchor_check(&m, sizeof(m)), -EOPNOTSUPP);
	m.header = (struct anchor_header){ ANCHOR_ACK, sizeof(m), 0 };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(m.key.container, 0, sizeof(m.key.container));
		memcpy(m.key.container, bad[i], strlen(bad[i]));
		assert_int_equal(anchor_check(&m, sizeof(m)), -EPROTO);
	}
	memset(m.key.container, 'a', sizeof(m.key.container));
	assert_int_equal(anchor_check(&m, sizeof(m)), -EPROTO);
}

static void frames_carry_descriptors(void **state)
{
	int pair[2], fds[FRAME_FDS_MAX], got[FRAME_FDS_MAX];
	char buffer[16];
	size_t count = 0;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	for (size_t i = 0; i < FRAME_FDS_MAX; i++)
		fds[i] = pair[0];
	assert_int_equal(frame_send(pair[0], "hello", 5, fds, FRAME_FDS_MAX), 0);
	assert_int_equal(frame_recv(pair[1], buffer, sizeof(buffer), got, &count), 5);
	assert_int_equal(count, FRAME_FDS_MAX);
	assert_int_equal(fcntl(got[0], F_GETFD), FD_CLOEXEC);
	frame_close(got, count);
	assert_int_equal(fcntl(got[0], F_GETFD), -1);

	/* A message that is cut is an error, and its descriptors are not left open. */
	int before = dup(0);
	(void)close(before);
	assert_int_equal(frame_send(pair[0], "a message of more than 16", 25, fds, 3), 0);
	assert_int_equal(frame_recv(pair[1], buffer, sizeof(buffer), got, &count), -EMSGSIZE);
	int after = dup(0);
	(void)close(after);
	assert_int_equal(before, after);
	assert_int_equal(frame_recv(pair[1], buffer, sizeof(buffer), got, &count), -EAGAIN);
	assert_int_equal(frame_send(pair[0], buffer, FRAME_SIZE_MAX + 1, NULL, 0), -EMSGSIZE);
	(void)close(pair[0]);
	assert_int_equal(frame_recv(pair[1], buffer, sizeof(buffer), got, &count), 0);
	(void)close(pair[1]);
}

/* A small plan by hand: two operations, one slot. */
struct small_plan {
	struct plan_header header;
	struct plan_op ops[2];
	char strings[32];
};

static struct small_plan small_plan(void)
{
	struct small_plan p = {
		.header = { PLAN_MAGIC, PLAN_VERSION, 2, 1, offsetof(struct small_plan, strings), sizeof(p.strings) },
		.ops = { { .kind = PLAN_MOVE, .slot = 0, .flags = PLAN_ATTR_RDONLY, .s3 = 1 },
		         { .kind = PLAN_EXEC, .count = 2, .s1 = 6, .a = 1, .s2 = 12 } },
	};
	memcpy(p.strings, "\0/dst\0sh\0-c\0A=b", 16);
	return p;
}

static void golden_plan(void **state)
{
	struct small_plan p = small_plan();
	struct plan_view v;

	(void)state;
	assert_int_equal(sizeof(p), 24 + 2 * 48 + 32);
	assert_at(&p, 0, "dpln\1\0\0\0\2\0\0\0\1\0\0\0\x78\0\0\0\x20\0\0\0", 24);
	assert_at(&p, 24, "\x0a\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0", 24);
	assert_int_equal(plan_view_init(&v, &p, sizeof(p)), 0);
	const char *s = plan_view_string(&v, v.ops[1].s1);
	assert_string_equal(s, "sh");
	assert_string_equal(plan_view_next(s), "-c");
	assert_string_equal(plan_view_string(&v, v.ops[1].s2), "A=b");
	assert_string_equal(plan_kind_name(PLAN_MOVE), "move");
	assert_null(plan_kind_name(PLAN_KIND_MAX));
}

static void broken_plans_are_refused(void **state)
{
	struct plan_view v;

	(void)state;
#define BREAK(change)                                                         \
	do {                                                                  \
		struct small_plan p = small_plan();                           \
		p.change;                                                     \
		assert_int_equal(plan_view_init(&v, &p, sizeof(p)), -EINVAL); \
	} while (0)
	BREAK(header.magic++);
	BREAK(header.version++);
	BREAK(header.op_count = 0);
	BREAK(header.op_count = 3);
	BREAK(header.op_count = PLAN_OPS_MAX + 1);
	BREAK(header.slot_count = 0);
	BREAK(header.slot_count = PLAN_SLOTS_MAX + 1);
	BREAK(header.strings_offset = 8);
	BREAK(header.strings_size++);
	BREAK(strings[0] = 'x');
	BREAK(strings[31] = 'x');
	BREAK(ops[0].kind = PLAN_KIND_MAX);
	BREAK(ops[0].slot = 1);
	BREAK(ops[0].s3 = 32);
	BREAK(ops[1].count = 40);
	BREAK(ops[1].a = -1);
	BREAK(ops[1].a = INT64_MAX);
	BREAK(ops[1].s1 = UINT32_MAX);
	struct small_plan p = small_plan();
	for (size_t n = 0; n < sizeof(p); n++)
		assert_int_equal(plan_view_init(&v, &p, n), -EINVAL);
}

/* Whatever the bytes are, a plan that passes the check can be walked without leaving it (under ASan in the sanitizer build). */
static void random_plans_stay_inside(void **state)
{
	unsigned seed = 1, accepted = 0;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		struct small_plan *p = malloc(sizeof(*p));
		struct plan_view v;
		*p = small_plan();
		for (unsigned k = 0; k < 3; k++)
			((unsigned char *)p)[24 + (unsigned)rand_r(&seed) % (sizeof(*p) - 24)] = (unsigned char)rand_r(&seed);
		if (plan_view_init(&v, p, sizeof(*p)) == 0) {
			accepted++;
			for (uint32_t i = 0; i < v.header->op_count; i++)
				if (v.ops[i].kind == PLAN_EXEC) {
					const char *s = plan_view_string(&v, v.ops[i].s1);
					for (uint32_t k = 0; k < v.ops[i].count; k++, s = plan_view_next(s))
						assert_true(s < (const char *)(p + 1));
				}
		}
		free(p);
	}
	assert_true(accepted > 1000);
}

/* What is no master of a terminal is not taken for one, whatever it is: nothing of a container's making is touched. */
static void terminals(void **state)
{
	int pair[2], pipes[2], got = -1, slave = -1;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(terminal_take(pair[0], &got), -EAGAIN);
	if (terminal_make(pair[1], &slave) == 0) { /* where there is a devpts */
		assert_int_equal(terminal_take(pair[0], &got), 0);
		assert_int_equal(write(got, "x\n", 2), 2);
		assert_int_equal(read(slave, (char[8]){ 0 }, 8), 2);
		assert_int_equal(frame_send(pair[1], "", 1, &slave, 1), 0);
		assert_int_equal(terminal_take(pair[0], &got), -EPERM);
		const int two[] = { got, got };
		assert_int_equal(frame_send(pair[1], "", 1, two, 2), 0);
		assert_int_equal(terminal_take(pair[0], &got), -EPERM);
		(void)close(got);
		(void)close(slave);
	}
	assert_int_equal(frame_send(pair[1], "", 1, &pipes[0], 1), 0);
	assert_int_equal(terminal_take(pair[0], &got), -EPERM);
	assert_int_equal(frame_send(pair[1], "", 1, NULL, 0), 0);
	assert_int_equal(terminal_take(pair[0], &got), -ECONNRESET);
	(void)close(pair[1]);
	assert_int_equal(terminal_take(pair[0], &got), -ECONNRESET);
	(void)close(pair[0]);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_spawn),
		cmocka_unit_test(golden_small),
		cmocka_unit_test(golden_process_and_snapshot),
		cmocka_unit_test(checks),
		cmocka_unit_test(frames_carry_descriptors),
		cmocka_unit_test(golden_plan),
		cmocka_unit_test(terminals),
		cmocka_unit_test(broken_plans_are_refused),
		cmocka_unit_test(random_plans_stay_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
