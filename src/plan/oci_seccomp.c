/* Filter rules as an OCI runtime reads them. */
#include <errno.h>
#include <inttypes.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/socket.h>
#include "base/alloc.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "plan/oci.h"

enum { FAMILY_VSOCK = 40 };

static const char *action_name(uint32_t action)
{
	static const struct {
		uint32_t action;
		const char *name;
	} names[] = {
		{ SECCOMP_RET_ALLOW, "SCMP_ACT_ALLOW" },      { SECCOMP_RET_LOG, "SCMP_ACT_LOG" },
		{ SECCOMP_RET_ERRNO, "SCMP_ACT_ERRNO" },      { SECCOMP_RET_TRAP, "SCMP_ACT_TRAP" },
		{ SECCOMP_RET_KILL_THREAD, "SCMP_ACT_KILL" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].action == (action & SECCOMP_RET_ACTION_FULL))
			return names[i].name;
	return "SCMP_ACT_KILL_PROCESS";
}

static void put_action(struct jsonw *w, const char *key, const char *error_key, uint32_t action)
{
	uint32_t error = action & SECCOMP_RET_DATA;

	jsonw_member_str(w, key, action_name(action));
	if ((action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO && error != EPERM) /* which is what a runtime takes */
		jsonw_member_int(w, error_key, error);
}

static void put_u64(struct jsonw *w, const char *key, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	jsonw_key(w, key);
	jsonw_raw(w, text);
}

static void put_arg(struct jsonw *w, const struct seccomp_arg *arg)
{
	jsonw_object(w);
	jsonw_member_int(w, "index", arg->index);
	put_u64(w, "value", arg->value);
	put_u64(w, "valueTwo", arg->other);
	jsonw_member_str(w, "op", filter_compare_names[arg->compare]);
	jsonw_end(w);
}

/* `count` rules that differ in their names only. */
static void put_rules(struct jsonw *w, const struct seccomp_rule *rules, size_t count)
{
	jsonw_object(w);
	jsonw_key(w, "names");
	jsonw_array(w);
	for (size_t i = 0; i < count; i++)
		jsonw_str(w, rules[i].name);
	jsonw_end(w);
	put_action(w, "action", "errnoRet", rules->action);
	if (rules->arg_count) {
		jsonw_key(w, "args");
		jsonw_array(w);
		for (size_t i = 0; i < rules->arg_count; i++)
			put_arg(w, &rules->args[i]);
		jsonw_end(w);
	}
	jsonw_end(w);
}

/* SECCOMP_GUARD in this language: each family that may be, since libseccomp takes one comparison of an argument in a rule and an
 * unconditional rule wins. The ioctls of terminals have no such list; but here no container has a terminal. */
static void put_sockets(struct jsonw *w)
{
	for (unsigned family = 0; family < AF_MAX; family++) {
		struct seccomp_rule rule = {
			.name = "socket",
			.action = SECCOMP_RET_ALLOW,
			.args = { { .compare = SECCOMP_MASKED_EQ, .value = UINT32_MAX, .other = family } },
			.arg_count = 1,
		};
		if (family != AF_ALG && family != FAMILY_VSOCK)
			put_rules(w, &rule, 1);
	}
}

static size_t alike(const struct filter_rules *f, size_t first)
{
	size_t n = first + 1;

	while (n < f->count && !f->items[first].arg_count && !f->items[n].arg_count &&
	       f->items[n].action == f->items[first].action && !streq(f->items[n].name, "socket"))
		n++;
	return n - first;
}

void oci_seccomp(struct jsonw *w, const struct filter_rules *f)
{
	static const char *const machines[] = {
#ifdef __x86_64__
		"SCMP_ARCH_X86_64",
		"SCMP_ARCH_X86",
#else
		"SCMP_ARCH_AARCH64",
		"SCMP_ARCH_ARM",
#endif
	};

	jsonw_object(w);
	put_action(w, "defaultAction", "defaultErrnoRet", f->fallback);
	jsonw_member_strings(w, "architectures", machines, ARRAY_SIZE(machines));
	jsonw_key(w, "syscalls");
	jsonw_array(w);
	for (size_t i = 0, n; i < f->count; i += n) {
		n = 1;
		if ((f->flags & SECCOMP_GUARD) && streq(f->items[i].name, "socket"))
			put_sockets(w);
		else
			put_rules(w, &f->items[i], n = alike(f, i));
	}
	jsonw_end(w);
	jsonw_end(w);
}
