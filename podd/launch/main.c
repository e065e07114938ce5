#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "launch/launch.h"
#include "sys/process.h"

/* An operation's failure, in one write: the pipe takes so little whole or not at all. */
static _Noreturn void fail(uint32_t step, int error, const char *operand)
{
	struct plan_failure f = { .op = step, .error = error };

	if (operand)
		memcpy(f.operand, operand, strnlen(operand, sizeof(f.operand) - 1));
	(void)!write(PLAN_FD_REPORT, &f, sizeof(f));
	_exit(EXIT_LAUNCH);
}

static int obey(struct launch *l, const struct plan_op *op)
{
	switch ((enum plan_kind)op->kind) {
	case PLAN_END:
		_exit(0);
	case PLAN_JOIN:
		return op_join(l, op);
	case PLAN_WRITE:
		return op_write(l, op);
	case PLAN_UNSHARE:
		return op_unshare(l, op);
	case PLAN_SETSID:
		return setsid() < 0 ? -errno : 0;
	case PLAN_HOST_TTY:
		return op_host_tty(l, op);
	case PLAN_KEYRING:
		return op_keyring(l, op);
	case PLAN_PRIVATE:
		return op_private(l, op);
	case PLAN_OVERLAY:
		return op_overlay(l, op);
	case PLAN_ROOT:
		return op_root(l, op);
	case PLAN_MOUNT:
		return op_mount(l, op);
	case PLAN_MOVE:
		return op_move(l, op);
	case PLAN_MKDIR:
		return op_mkdir(l, op);
	case PLAN_MKNOD:
		return op_mknod(l, op);
	case PLAN_SYMLINK:
		return op_symlink(l, op);
	case PLAN_MASK:
		return op_mask(l, op);
	case PLAN_READONLY:
		return op_readonly(l, op);
	case PLAN_PIVOT:
		return op_pivot(l, op);
	case PLAN_OOM_SCORE:
		return op_oom_score(l, op);
	case PLAN_APPARMOR:
		return op_apparmor(l, op);
	case PLAN_RLIMIT:
		return op_rlimit(l, op);
	case PLAN_UMASK:
		(void)umask((mode_t)op->a);
		return 0;
	case PLAN_IDS:
		return op_ids(l, op);
	case PLAN_CAPS:
		return op_caps(l, op);
	case PLAN_NO_NEW_PRIVS:
		return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
	case PLAN_SECCOMP:
		return op_seccomp(l, op);
	case PLAN_CHDIR:
		return op_chdir(l, op);
	case PLAN_EXEC:
		return op_exec(l, op);
	case PLAN_TTY:
		return op_tty(l, op);
	case PLAN_COPY:
		return op_copy(l, op);
	case PLAN_IMAGE:
		return op_image(l, op);
	case PLAN_RUN:
		return op_run(l, op);
	case PLAN_ADOPT:
		return op_adopt(l, op);
	case PLAN_ENTER:
		return op_enter(l, op);
	case PLAN_KIND_MAX:
		break;
	}
	return -EINVAL; /* the plan was checked: not reached */
}

static void read_plan(struct launch *l)
{
	struct stat st;

	if (fstat(PLAN_FD_PLAN, &st) < 0)
		fail(PLAN_STEP_READ_PLAN, errno, NULL);
	if (st.st_size <= 0 || st.st_size > PLAN_SIZE_MAX)
		fail(PLAN_STEP_READ_PLAN, EFBIG, NULL);
	/* Unsealed, podd could change the plan between its check and its use. */
	int seals = fcntl(PLAN_FD_PLAN, F_GET_SEALS);
	if (seals < 0 || (seals & (F_SEAL_WRITE | F_SEAL_SHRINK)) != (F_SEAL_WRITE | F_SEAL_SHRINK))
		fail(PLAN_STEP_READ_PLAN, EPERM, NULL);
	void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, PLAN_FD_PLAN, 0);
	if (bytes == MAP_FAILED)
		fail(PLAN_STEP_READ_PLAN, errno, NULL);
	int r = plan_view_init(&l->plan, bytes, (size_t)st.st_size);
	if (r < 0)
		fail(PLAN_STEP_CHECK_PLAN, -r, NULL);
}

int main(void)
{
	struct launch l = { .root = -EBADF, .null = -EBADF, .empty = -EBADF };

	/* Not dumpable until exec: a neighbour in a shared PID namespace can't trace it or look through its /proc while it has
	 * privileges. All signals stay blocked until just before exec, so that none can end it half way. */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)process_close_range(3, ~0u, 1);
	(void)umask(0);
	read_plan(&l);

	for (uint32_t i = 0; i < l.plan.header->op_count; i++) {
		l.operand = NULL;
		int r = obey(&l, &l.plan.ops[i]);
		if (r < 0)
			fail(i, -r, l.operand);
	}
	fail(l.plan.header->op_count, ENOEXEC, NULL); /* a plan that executes nothing */
}
