#include "wire/plan.h"
#include <errno.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <string.h>

_Static_assert(sizeof(struct plan_op) == 48, "");
_Static_assert(sizeof(struct plan_header) == 24, "");
_Static_assert(sizeof(struct plan_failure) == 208, "");

/* What of an operation refers to something. */
enum use {
	USE_SLOT = 1 << 0,
	USE_S1 = 1 << 1,
	USE_S1_LIST = 1 << 2, /* `count` strings */
	USE_S2 = 1 << 3,
	USE_S2_LIST = 1 << 4, /* `a` strings */
	USE_S3 = 1 << 5,
	USE_FILTER = 1 << 6,
	USE_A_SLOT = 1 << 7, /* or -1 */
	USE_B_SLOT = 1 << 8, /* if a is one */
	USE_ROOT = 1 << 9,   /* a slot, if count is 1 */
	USE_SLOTS = 1 << 10, /* `count` of them */
};

static const struct {
	const char *name;
	unsigned use;
} kinds[] = {
	[PLAN_END] = { "end", 0 },
	[PLAN_JOIN] = { "join", USE_SLOT },
	[PLAN_WRITE] = { "write", USE_SLOT | USE_S1 },
	[PLAN_UNSHARE] = { "unshare", 0 },
	[PLAN_SETSID] = { "setsid", 0 },
	[PLAN_HOST_TTY] = { "host-tty", USE_SLOT | USE_S1 },
	[PLAN_KEYRING] = { "keyring", 0 },
	[PLAN_PRIVATE] = { "private", 0 },
	[PLAN_OVERLAY] = { "overlay", USE_SLOT | USE_S1_LIST | USE_A_SLOT | USE_B_SLOT },
	[PLAN_ROOT] = { "root", USE_ROOT | USE_S1 },
	[PLAN_MOUNT] = { "mount", USE_S1 | USE_S2 | USE_S3 },
	[PLAN_MOVE] = { "move", USE_SLOT | USE_S3 },
	[PLAN_MKDIR] = { "mkdir", USE_S3 },
	[PLAN_MKNOD] = { "mknod", USE_S3 },
	[PLAN_SYMLINK] = { "symlink", USE_S1 | USE_S3 },
	[PLAN_MASK] = { "mask", USE_S3 },
	[PLAN_READONLY] = { "readonly", USE_S3 },
	[PLAN_PIVOT] = { "pivot", USE_ROOT },
	[PLAN_OOM_SCORE] = { "oom-score", 0 },
	[PLAN_APPARMOR] = { "apparmor", USE_S1 },
	[PLAN_RLIMIT] = { "rlimit", 0 },
	[PLAN_UMASK] = { "umask", 0 },
	[PLAN_IDS] = { "ids", USE_S1_LIST },
	[PLAN_CAPS] = { "caps", 0 },
	[PLAN_NO_NEW_PRIVS] = { "no-new-privs", 0 },
	[PLAN_SECCOMP] = { "seccomp", USE_FILTER | USE_S2 },
	[PLAN_CHDIR] = { "chdir", USE_S1 },
	[PLAN_EXEC] = { "exec", USE_S1_LIST | USE_S2_LIST },
	[PLAN_TTY] = { "tty", 0 },
	[PLAN_COPY] = { "copy", USE_S1_LIST | USE_S2 },
	[PLAN_IMAGE] = { "image", USE_SLOT | USE_S1_LIST | USE_S2 | USE_S3 },
	[PLAN_RUN] = { "run", USE_S1_LIST | USE_S2 },
	[PLAN_ADOPT] = { "adopt", USE_SLOTS | USE_S1 },
	[PLAN_ENTER] = { "enter", 0 },
};
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == PLAN_KIND_MAX, "every kind has a row");

const char *plan_kind_name(uint16_t kind)
{
	return kind < PLAN_KIND_MAX ? kinds[kind].name : NULL;
}

const char *plan_step_text(uint32_t step)
{
	switch ((enum plan_step)step) {
	case PLAN_STEP_CLONE:
		return "cloning the process";
	case PLAN_STEP_STDIO:
		return "placing the descriptors";
	case PLAN_STEP_EXEC_LAUNCH:
		return "executing podd-launch";
	case PLAN_STEP_READ_PLAN:
		return "reading the launch plan";
	case PLAN_STEP_CHECK_PLAN:
		return "checking the launch plan";
	case PLAN_STEP_ADOPT:
		break;
	case PLAN_STEP_HANDED_OVER:
		return "starting what the OCI runtime created";
	}
	return NULL;
}

const char *plan_view_next(const char *s)
{
	return s + strlen(s) + 1;
}

/* The string area ends in a NUL, so a string that starts inside ends inside. */
static bool list_fits(const char *strings, uint32_t size, uint32_t offset, uint64_t count)
{
	const char *s = strings + offset, *end = strings + size;

	if (offset >= size)
		return count == 0 && offset == 0;
	for (uint64_t i = 0; i < count; i++) {
		if (s >= end)
			return false;
		s = plan_view_next(s);
	}
	return true;
}

static bool check_op(const struct plan_view *v, const struct plan_op *op)
{
	uint32_t slots = v->header->slot_count, size = v->header->strings_size;

	if (op->kind >= PLAN_KIND_MAX)
		return false;
	unsigned use = kinds[op->kind].use;
	if ((use & USE_SLOT) && op->slot >= slots)
		return false;
	if ((use & USE_SLOTS) && (op->count > slots || op->slot > slots - op->count))
		return false;
	if ((use & USE_ROOT) && (op->count > 1 || (op->count == 1 && op->slot >= slots)))
		return false;
	if ((use & USE_A_SLOT) && (op->a < -1 || op->a >= slots))
		return false;
	if ((use & USE_B_SLOT) && op->a >= 0 && (op->b < 0 || op->b >= slots))
		return false;
	if (((use & USE_S1) && op->s1 >= size) || ((use & USE_S2) && op->s2 >= size) || ((use & USE_S3) && op->s3 >= size))
		return false;
	if ((use & USE_S1_LIST) && !list_fits(v->strings, size, op->s1, op->count))
		return false;
	if ((use & USE_S2_LIST) && (op->a < 0 || !list_fits(v->strings, size, op->s2, (uint64_t)op->a)))
		return false;
	if ((use & USE_FILTER) && (op->count == 0 || op->count > BPF_MAXINSNS || op->s1 >= size || op->s1 % 8 != 0 ||
	                           size - op->s1 < op->count * sizeof(struct sock_filter)))
		return false;
	return true;
}

int plan_view_init(struct plan_view *v, const void *bytes, size_t size)
{
	const struct plan_header *h = bytes;

	if (size < sizeof(*h) || size > PLAN_SIZE_MAX || h->magic != PLAN_MAGIC || h->version != PLAN_VERSION)
		return -EINVAL;
	if (h->op_count == 0 || h->op_count > PLAN_OPS_MAX || h->slot_count > PLAN_SLOTS_MAX)
		return -EINVAL;
	if (h->strings_offset != sizeof(*h) + h->op_count * sizeof(struct plan_op))
		return -EINVAL;
	if (h->strings_size == 0 || h->strings_offset > size || h->strings_size != size - h->strings_offset)
		return -EINVAL;

	struct plan_view view = {
		.header = h,
		.ops = (const struct plan_op *)(h + 1),
		.strings = (const char *)bytes + h->strings_offset,
	};
	if (view.strings[0] != '\0' || view.strings[h->strings_size - 1] != '\0')
		return -EINVAL;
	for (uint32_t i = 0; i < h->op_count; i++)
		if (!check_op(&view, &view.ops[i]))
			return -EINVAL;
	*v = view;
	return 0;
}
