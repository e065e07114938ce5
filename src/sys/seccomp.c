#include "sys/seccomp.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "sys/path.h"

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#define COMPAT_ARCH AUDIT_ARCH_I386
#define COMPAT_TOKEN SCMP_ARCH_X86
enum { COMPAT_IOCTL = 54, COMPAT_SOCKET = 359 };
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#define COMPAT_ARCH AUDIT_ARCH_ARM
#define COMPAT_TOKEN SCMP_ARCH_ARM
enum { COMPAT_IOCTL = 54, COMPAT_SOCKET = 281 };
#else
#error "podd's filters of system calls know x86-64 and arm64"
#endif

/* What libseccomp 2.5 does not know by name. New system calls have one number everywhere (include/uapi/asm-generic/unistd.h). */
static const struct {
	const char *name;
	uint32_t number;
} newest[] = {
	{ "cachestat", 451 },         { "fchmodat2", 452 },         { "map_shadow_stack", 453 }, { "futex_wake", 454 },
	{ "futex_wait", 455 },        { "futex_requeue", 456 },     { "statmount", 457 },        { "listmount", 458 },
	{ "lsm_get_self_attr", 459 }, { "lsm_set_self_attr", 460 }, { "lsm_list_modules", 461 }, { "mseal", 462 },
#ifdef __x86_64__
	{ "uretprobe", 335 },
#endif
	{ "setxattrat", 463 },        { "getxattrat", 464 },        { "listxattrat", 465 },      { "removexattrat", 466 },
};
enum { NEWEST_NUMBER = 466, COMMON_NUMBER = 424 /* the first that is the same everywhere */ };

static void put(struct buf *out, uint16_t code, uint32_t k, unsigned yes, unsigned no)
{
	struct sock_filter f = { .code = code, .k = k, .jt = (uint8_t)yes, .jf = (uint8_t)no };

	buf_append(out, &f, sizeof(f));
}

static void load(struct buf *out, size_t offset)
{
	put(out, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void return_if_equal(struct buf *out, uint32_t value, uint32_t action)
{
	put(out, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	put(out, BPF_RET | BPF_K, action, 0, 0);
}

/* The lower half of an argument: the machines above are little-endian. */
static void guard_argument(struct buf *out, uint32_t number, unsigned index, uint32_t first, uint32_t second)
{
	const uint32_t refuse = SECCOMP_RET_ERRNO | EPERM;

	load(out, offsetof(struct seccomp_data, nr));
	put(out, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 5);
	load(out, offsetof(struct seccomp_data, args) + 8 * index);
	return_if_equal(out, first, refuse);
	return_if_equal(out, second, refuse);
}

static void guard(struct buf *out, uint32_t ioctl_number, uint32_t socket_number)
{
	guard_argument(out, ioctl_number, 1, TIOCSTI, TIOCLINUX);
	guard_argument(out, socket_number, 0, AF_ALG, AF_VSOCK);
}

/* The block runs only for calls of that architecture. */
static void put_block(struct buf *out, uint32_t arch, const struct buf *block)
{
	load(out, offsetof(struct seccomp_data, arch));
	put(out, BPF_JMP | BPF_JEQ | BPF_K, arch, 0, (unsigned)(block->len / sizeof(struct sock_filter)));
	buf_append(out, block->data, block->len);
}

static uint32_t library_action(uint32_t action)
{
	switch (action & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
		return SCMP_ACT_ALLOW;
	case SECCOMP_RET_LOG:
		return SCMP_ACT_LOG;
	case SECCOMP_RET_ERRNO:
		return SCMP_ACT_ERRNO(action & SECCOMP_RET_DATA);
	case SECCOMP_RET_TRAP:
		return SCMP_ACT_TRAP;
	case SECCOMP_RET_KILL_THREAD:
		return SCMP_ACT_KILL_THREAD;
	default: /* what a filter can't do without a tracer or a supervisor */
		return SCMP_ACT_KILL_PROCESS;
	}
}

static int add_rule(scmp_filter_ctx ctx, const struct seccomp_rule *r, int number)
{
	static const enum scmp_compare compares[] = {
		[SECCOMP_NE] = SCMP_CMP_NE,
		[SECCOMP_LT] = SCMP_CMP_LT,
		[SECCOMP_LE] = SCMP_CMP_LE,
		[SECCOMP_EQ] = SCMP_CMP_EQ,
		[SECCOMP_GE] = SCMP_CMP_GE,
		[SECCOMP_GT] = SCMP_CMP_GT,
		[SECCOMP_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
	};
	_Static_assert(ARRAY_SIZE(compares) == SECCOMP_COMPARE_MAX, "each comparison has libseccomp's");
	struct scmp_arg_cmp args[SECCOMP_ARGS_MAX];

	for (size_t i = 0; i < r->arg_count; i++)
		args[i] = (struct scmp_arg_cmp){ .arg = r->args[i].index,
			                         .op = compares[r->args[i].compare],
			                         .datum_a = r->args[i].value,
			                         .datum_b = r->args[i].other };
	return seccomp_rule_add_array(ctx, library_action(r->action), number, (unsigned)r->arg_count, args);
}

static int newest_number(const char *name, uint32_t *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(newest); i++)
		if (streq(newest[i].name, name)) {
			*ret = newest[i].number;
			return 0;
		}
	return -ENOENT;
}

/* What libseccomp knows goes to it, what is too new for it into the blocks. */
static int add_rules(scmp_filter_ctx ctx, uint32_t fallback, const struct seccomp_rule *rules, size_t count, struct buf *native,
                     struct buf *compat)
{
	uint32_t number;

	for (size_t i = 0; i < count; i++) {
		if (rules[i].action == fallback || rules[i].arg_count > SECCOMP_ARGS_MAX)
			continue;
		int known = seccomp_syscall_resolve_name(rules[i].name);
		if (known != __NR_SCMP_ERROR) {
			int r = add_rule(ctx, &rules[i], known);
			if (r < 0)
				return r;
		} else if (rules[i].arg_count == 0 && newest_number(rules[i].name, &number) == 0) {
			return_if_equal(native, number, rules[i].action);
			if (number >= COMMON_NUMBER)
				return_if_equal(compat, number, rules[i].action);
		}
	}
	return 0;
}

static int export_filter(scmp_filter_ctx ctx, struct buf *ret)
{
	_cleanup_close_ int fd = memfd_create("seccomp", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	int r = seccomp_export_bpf(ctx, fd);
	if (r < 0)
		return r;
	off_t size = lseek(fd, 0, SEEK_CUR);
	if (size < 0)
		return -errno;
	buf_reserve(ret, (size_t)size);
	if (pread(fd, ret->data + ret->len, (size_t)size, 0) != size)
		return -EIO;
	ret->len += (size_t)size;
	return 0;
}

/* A call that nobody here has heard of: libc tries an older one when it hears ENOSYS, but takes EPERM for the answer. */
static void refuse_unknown(struct buf *block)
{
	put(block, BPF_JMP | BPF_JGT | BPF_K, NEWEST_NUMBER, 0, 1);
	put(block, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS, 0, 0);
}

static int compile(scmp_filter_ctx ctx, uint32_t fallback, const struct seccomp_rule *rules, size_t count, unsigned flags,
                   struct buf *ret)
{
	_cleanup_buf_ struct buf native = BUF_NULL, compat = BUF_NULL;

	/* The x32 calls come as x86-64 with a high bit: to libseccomp they are of a bad architecture. */
	int r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
	if (r == 0)
		r = seccomp_arch_add(ctx, COMPAT_TOKEN);
	if (r < 0)
		return r;
	load(&native, offsetof(struct seccomp_data, nr));
	load(&compat, offsetof(struct seccomp_data, nr));
	r = add_rules(ctx, fallback, rules, count, &native, &compat);
	if (r < 0)
		return r;
	if ((fallback & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO) {
		refuse_unknown(&native);
		refuse_unknown(&compat);
	}
	if (flags & SECCOMP_GUARD) {
		guard(&native, SYS_ioctl, SYS_socket);
		guard(&compat, COMPAT_IOCTL, COMPAT_SOCKET);
	}
	put_block(ret, COMPAT_ARCH, &compat);
	put_block(ret, NATIVE_ARCH, &native);
	return export_filter(ctx, ret);
}

int seccomp_compile(uint32_t fallback, const struct seccomp_rule *rules, size_t count, unsigned flags, struct buf *ret)
{
	_cleanup_buf_ struct buf program = BUF_NULL;
	scmp_filter_ctx ctx = seccomp_init(library_action(fallback));

	if (!ctx)
		return -EINVAL;
	int r = compile(ctx, fallback, rules, count, flags, &program);
	seccomp_release(ctx);
	if (r < 0)
		return r;
	if (program.len / sizeof(struct sock_filter) > BPF_MAXINSNS)
		return -E2BIG;
	buf_append(ret, program.data, program.len);
	return 0;
}

int seccomp_read_profile(const char *directory, const char *name, struct buf *ret)
{
	_cleanup_close_ int dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return -errno;
	_cleanup_close_ int fd = path_open(dir, name, O_RDONLY | O_NONBLOCK, PATH_FOLLOW);
	return fd < 0 ? fd : fd_read_all(fd, SECCOMP_PROFILE_SIZE_MAX, ret);
}
