/* podd-launch: obeys one launch plan (wire/plan.h) and becomes the container's program. All code between clone and exec is here.
 *
 * It is started by the anchor with all signals blocked, stdio in place, the plan, the report pipe and the plan's slots at fixed
 * descriptors. It has no heap, no policy and no look-up of names. A step that fails is reported as {operation, errno, operand} on the
 * report pipe; an end of file there, without a report, says that the program runs.
 *
 * With an OCI runtime it does not become that program: it mounts what the runtime takes over, has it create and start the container, and
 * ends. The container's first process is then the anchor's child, as any orphan of the pod is.
 *
 * Until PLAN_PIVOT the process sees the host; what it walks below the new root is walked by descriptor (sys/path.h). */
#pragma once
#include <stdint.h>
#include "wire/plan.h"

enum { EXIT_LAUNCH = 127 };

struct launch {
	struct plan_view plan;
	int root;  /* the new root: detached until PLAN_ROOT, / after PLAN_PIVOT */
	int null;  /* the host's /dev/null, what masked files are hidden under */
	int empty; /* an empty read-only file system, what masked directories are hidden under; hangs in the tree once used */
	const char *operand; /* what a failure is about; kept by the operation that runs */
	char operand_buffer[200];
};

/* Each obeys one operation: 0 or -errno. */
int op_overlay(struct launch *l, const struct plan_op *op);
int op_private(struct launch *l, const struct plan_op *op);
int op_root(struct launch *l, const struct plan_op *op);
int op_mount(struct launch *l, const struct plan_op *op);
int op_image(struct launch *l, const struct plan_op *op);
int op_move(struct launch *l, const struct plan_op *op);
int op_mkdir(struct launch *l, const struct plan_op *op);
int op_mknod(struct launch *l, const struct plan_op *op);
int op_symlink(struct launch *l, const struct plan_op *op);
int op_mask(struct launch *l, const struct plan_op *op);
int op_readonly(struct launch *l, const struct plan_op *op);
int op_pivot(struct launch *l, const struct plan_op *op);

int op_join(struct launch *l, const struct plan_op *op);
int op_write(struct launch *l, const struct plan_op *op);
int op_unshare(struct launch *l, const struct plan_op *op);
int op_keyring(struct launch *l, const struct plan_op *op);
int op_oom_score(struct launch *l, const struct plan_op *op);
int op_apparmor(struct launch *l, const struct plan_op *op);
int op_rlimit(struct launch *l, const struct plan_op *op);
int op_ids(struct launch *l, const struct plan_op *op);
int op_caps(struct launch *l, const struct plan_op *op);
int op_seccomp(struct launch *l, const struct plan_op *op);
int op_chdir(struct launch *l, const struct plan_op *op);
int op_exec(struct launch *l, const struct plan_op *op);
int op_host_tty(struct launch *l, const struct plan_op *op);
int op_tty(struct launch *l, const struct plan_op *op);
int op_copy(struct launch *l, const struct plan_op *op); /* returns only if it never began */
int op_run(struct launch *l, const struct plan_op *op);
int op_adopt(struct launch *l, const struct plan_op *op);
int op_enter(struct launch *l, const struct plan_op *op);

/* Closes all descriptors but stdio, plan and report: a path like /proc/self/fd/7 must lead nowhere. */
int launch_close_slots(struct launch *l, int keep); /* keep: one of the slots, or -EBADF */

void launch_reset_signals(void); /* all to their defaults, none blocked */

static inline int slot_fd(uint32_t slot)
{
	return PLAN_FD_SLOTS + (int)slot;
}

static inline const char *launch_string(const struct launch *l, uint32_t offset)
{
	return plan_view_string(&l->plan, offset);
}
