/* Which devices the processes of a directory may open: by the v1 controller's files where its hierarchy is mounted, else by a BPF program
 * attached to the v2 directory, which has no files for it. Both come from one list. */
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include "base/buf.h"
#include "sys/cgroup_internal.h"

enum { ANY_MINOR = 1 << 20 }; /* the kernel's minors have 20 bits */

struct rule {
	bool block;
	unsigned major, minor, access;
};

/* What every container runtime allows. Making any node is allowed besides: opening it is not. */
static const struct rule standard[] = {
	{ false, 1, 3, CGROUP_DEVICE_ALL },           /* null */
	{ false, 1, 5, CGROUP_DEVICE_ALL },           /* zero */
	{ false, 1, 7, CGROUP_DEVICE_ALL },           /* full */
	{ false, 1, 8, CGROUP_DEVICE_ALL },           /* random */
	{ false, 1, 9, CGROUP_DEVICE_ALL },           /* urandom */
	{ false, 5, 0, CGROUP_DEVICE_ALL },           /* tty */
	{ false, 5, 1, CGROUP_DEVICE_ALL },           /* console */
	{ false, 5, 2, CGROUP_DEVICE_ALL },           /* ptmx */
	{ false, 136, ANY_MINOR, CGROUP_DEVICE_ALL }, /* pts */
};

static struct rule rule_of(const struct cgroup_device *d)
{
	return (struct rule){ d->block, major(d->number), minor(d->number), d->access };
}

/* --- v1 ---------------------------------------------------------------------------------------------------------------------- */

static int write_rule(int fd, const struct rule *r)
{
	char text[64], minor[16] = "*";

	if (r->minor != ANY_MINOR)
		(void)snprintf(minor, sizeof(minor), "%u", r->minor);
	int n = snprintf(text, sizeof(text), "%c %u:%s %s%sm", r->block ? 'b' : 'c', r->major, minor,
	                 r->access & CGROUP_DEVICE_READ ? "r" : "", r->access & CGROUP_DEVICE_WRITE ? "w" : "");
	return write(fd, text, (size_t)n) < 0 ? -errno : 0;
}

/* Into a fresh directory: the kernel refuses "a" when there are directories below. */
static int write_files(int root, const char *rel, const struct cgroup_device *more, size_t count)
{
	static const char *const nodes[] = { "c *:* m", "b *:* m" };
	int r = cgroup_write(root, rel, "devices.deny", "a");

	if (r < 0)
		return r;
	_cleanup_close_ int fd = cgroup_open_file(root, rel, "devices.allow", O_WRONLY);
	if (fd < 0)
		return fd;
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
		if (write(fd, nodes[i], strlen(nodes[i])) < 0)
			return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(standard) && r == 0; i++)
		r = write_rule(fd, &standard[i]);
	for (size_t i = 0; i < count && r == 0; i++) {
		struct rule rule = rule_of(&more[i]);
		r = write_rule(fd, &rule);
	}
	return r;
}

/* --- BPF --------------------------------------------------------------------------------------------------------------------- */

/* The program gets a struct bpf_cgroup_dev_ctx, and answers whether the access may be. */
enum { ANSWER = BPF_REG_0, CONTEXT = BPF_REG_1, TYPE = BPF_REG_2, ACCESS = BPF_REG_3, MAJOR = BPF_REG_4, MINOR = BPF_REG_5 };

static void emit(struct buf *b, unsigned code, unsigned dst, unsigned src, int off, int imm)
{
	struct bpf_insn i = { (uint8_t)code, dst & 15, src & 15, (int16_t)off, imm };

	buf_append(b, &i, sizeof(i));
}

static void emit_load(struct buf *b, unsigned dst, size_t offset)
{
	emit(b, BPF_LDX | BPF_MEM | BPF_W, dst, CONTEXT, (int)offset, 0);
}

static void emit_answer(struct buf *b, int answer)
{
	emit(b, BPF_ALU64 | BPF_MOV | BPF_K, ANSWER, 0, 0, answer);
	emit(b, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* Each test that fails jumps over what is left of the rule. */
static void emit_rule(struct buf *b, const struct rule *r)
{
	bool minor = r->minor != ANY_MINOR;

	emit(b, BPF_JMP | BPF_JNE | BPF_K, TYPE, 0, 5 + minor, r->block ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	emit(b, BPF_JMP | BPF_JNE | BPF_K, MAJOR, 0, 4 + minor, (int)r->major);
	if (minor)
		emit(b, BPF_JMP | BPF_JNE | BPF_K, MINOR, 0, 4, (int)r->minor);
	emit(b, BPF_ALU64 | BPF_MOV | BPF_X, CONTEXT, ACCESS, 0, 0); /* it is no longer needed */
	emit(b, BPF_JMP | BPF_JSET | BPF_K, CONTEXT, 0, 2, CGROUP_DEVICE_ALL & ~(int)r->access & ~CGROUP_DEVICE_MKNOD);
	emit_answer(b, true);
}

static void emit_program(struct buf *b, const struct cgroup_device *more, size_t count)
{
	emit_load(b, TYPE, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	emit_load(b, MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
	emit_load(b, MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
	emit(b, BPF_ALU64 | BPF_MOV | BPF_X, ACCESS, TYPE, 0, 0);
	emit(b, BPF_ALU64 | BPF_RSH | BPF_K, ACCESS, 0, 0, 16);
	emit(b, BPF_ALU64 | BPF_AND | BPF_K, TYPE, 0, 0, 0xffff);
	emit(b, BPF_JMP | BPF_JNE | BPF_K, ACCESS, 0, 2, BPF_DEVCG_ACC_MKNOD);
	emit_answer(b, true);
	for (size_t i = 0; i < ARRAY_SIZE(standard); i++)
		emit_rule(b, &standard[i]);
	for (size_t i = 0; i < count; i++) {
		struct rule rule = rule_of(&more[i]);
		emit_rule(b, &rule);
	}
	emit_answer(b, false);
}

static int load_program(const struct cgroup_device *more, size_t count)
{
	_cleanup_buf_ struct buf program = BUF_NULL;
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.license = (uintptr_t) "Apache-2.0",
		.prog_name = "podd_devices",
	};

	emit_program(&program, more, count);
	attr.insns = (uintptr_t)program.data;
	attr.insn_cnt = (uint32_t)(program.len / sizeof(struct bpf_insn));
	int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr)); /* close-on-exec, as all of BPF's */
	return fd < 0 ? -errno : fd;
}

/* The directory keeps the program, without podd, until it is removed. What is above has its say, too; a manager inside may add to it. */
static int attach_program(int v2, const char *rel, const struct cgroup_device *more, size_t count)
{
	_cleanup_close_ int dir = cgroup_open_dir(v2, rel);
	if (dir < 0)
		return dir;
	_cleanup_close_ int program = load_program(more, count);
	if (program < 0)
		return program;
	union bpf_attr attr = {
		.target_fd = (uint32_t)dir,
		.attach_bpf_fd = (uint32_t)program,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = BPF_F_ALLOW_MULTI,
	};
	return syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

bool cgroup_bpf_devices(void)
{
	_cleanup_close_ int fd = load_program(NULL, 0);

	return fd >= 0;
}

int cgroup_restrict_devices(struct cgroup_host *h, const char *rel, const struct cgroup_device *more, size_t count)
{
	for (size_t i = 0; i < h->v1_count; i++)
		if (h->v1[i].controllers & CGROUP_BIT(CGROUP_DEVICES))
			return write_files(h->v1[i].root, rel, more, count);
	return cgroup_has(h, CGROUP_DEVICES) ? attach_program(h->v2, rel, more, count) : 0;
}
