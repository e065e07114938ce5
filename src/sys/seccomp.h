/* Filters of system calls, compiled by libseccomp for the machine's architecture and its 32-bit one.
 *
 * Written by hand, ahead of libseccomp's program, is what that can't say: system calls newer than the library, which have the same number
 * on every architecture; and arguments of which the kernel looks at 32 bits only, while a rule of libseccomp compares 64, so that a
 * garbage upper half would slip through (SECCOMP_GUARD). See seccomp(2), libseccomp's seccomp_rule_add(3). */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

enum { SECCOMP_ARGS_MAX = 6, SECCOMP_PROFILE_SIZE_MAX = 1 << 20 };

enum seccomp_compare {
	SECCOMP_NE,
	SECCOMP_LT,
	SECCOMP_LE,
	SECCOMP_EQ,
	SECCOMP_GE,
	SECCOMP_GT,
	SECCOMP_MASKED_EQ, /* (argument & value) == other */
	SECCOMP_COMPARE_MAX,
};

struct seccomp_arg {
	unsigned index;
	enum seccomp_compare compare;
	uint64_t value, other;
};

struct seccomp_rule {
	const char *name;                          /* of the system call; one that nobody knows is passed over */
	uint32_t action;                           /* SECCOMP_RET_* of linux/seccomp.h */
	struct seccomp_arg args[SECCOMP_ARGS_MAX]; /* all must hold */
	size_t arg_count;
};

enum seccomp_flag {
	/* No AF_ALG and AF_VSOCK sockets, no TIOCSTI and TIOCLINUX: they reach the host's kernel, hypervisor, or its terminal. */
	SECCOMP_GUARD = 1 << 0,
};

/* Appends an array of struct sock_filter. 0, -EINVAL (a rule that can't be compiled), -E2BIG (beyond the kernel's 4096 instructions). */
int seccomp_compile(uint32_t fallback, const struct seccomp_rule *rules, size_t count, unsigned flags, struct buf *ret);

/* Appends the profile `name` below the directory, which its symlinks can't leave. 0 or -errno; -EFBIG beyond SECCOMP_PROFILE_SIZE_MAX. */
int seccomp_read_profile(const char *directory, const char *name, struct buf *ret);
