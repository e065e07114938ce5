#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "launch/launch.h"
#include "sys/apparmor.h"
#include "sys/cap.h"
#include "sys/path.h"
#include "sys/process.h"
#include "wire/terminal.h"

enum { GROUPS_MAX = 256 };

int launch_close_slots(struct launch *l, int keep)
{
	/* Whatever was open below the new root is closed too; / is it now. */
	l->root = l->null = l->empty = -EBADF;
	int r = process_close_range(3, PLAN_FD_PLAN - 1, 0);
	if (r == 0 && keep > PLAN_FD_SLOTS)
		r = process_close_range(PLAN_FD_SLOTS, (unsigned)keep - 1, 0);
	return r < 0 ? r : process_close_range(keep < 0 ? PLAN_FD_SLOTS : (unsigned)keep + 1, ~0u, 0);
}

int op_join(struct launch *l, const struct plan_op *op)
{
	(void)l;
	return setns(slot_fd(op->slot), (int)op->flags) < 0 ? -errno : 0;
}

/* The new process waits for its word, so that the anchor never buries it before it knows it. */
int op_enter(struct launch *l, const struct plan_op *op)
{
	struct plan_failure f = { .op = PLAN_STEP_ADOPT };
	int word[2];
	char go = 0;

	(void)l;
	(void)op;
	if (pipe2(word, O_CLOEXEC) < 0)
		return -errno;
	/* Filters refuse clone3(2), whose flags they can't see. */
	long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
	if (pid < 0)
		return -errno;
	if (pid > 0) {
		f.error = (int32_t)pid;
		bool told = write(PLAN_FD_REPORT, &f, sizeof(f)) == (ssize_t)sizeof(f) && write(word[1], &go, 1) == 1;
		_exit(told ? 0 : EXIT_LAUNCH);
	}
	(void)close(word[1]);
	if (read(word[0], &go, 1) != 1)
		_exit(EXIT_LAUNCH);
	(void)close(word[0]);
	return setsid() < 0 ? -errno : 0;
}

int op_write(struct launch *l, const struct plan_op *op)
{
	const char *text = launch_string(l, op->s1);

	return write(slot_fd(op->slot), text, strlen(text)) < 0 ? -errno : 0;
}

int op_unshare(struct launch *l, const struct plan_op *op)
{
	(void)l;
	return unshare((int)op->flags) < 0 ? -errno : 0;
}

int op_keyring(struct launch *l, const struct plan_op *op)
{
	(void)l;
	(void)op;
	/* Without it, what the program adds to its session keyring would be podd's. A kernel without keys has nothing to share. */
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS)
		return -errno;
	return 0;
}

int op_oom_score(struct launch *l, const struct plan_op *op)
{
	char *p = l->operand_buffer;
	long v = (long)op->a;
	char digits[8];
	size_t n = 0;

	if (v < -1000 || v > 1000)
		return -EINVAL;
	if (v < 0)
		*p++ = '-';
	for (v = v < 0 ? -v : v; n == 0 || v > 0; v /= 10)
		digits[n++] = (char)('0' + v % 10);
	while (n > 0)
		*p++ = digits[--n];
	*p = '\0';
	l->operand = l->operand_buffer;

	_cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, l->operand, strlen(l->operand)) >= 0)
		return 0;
	/* Lowering needs CAP_SYS_RESOURCE, which podd may lack: the container is then the likelier victim, not the safer one. */
	return errno == EACCES ? 0 : -errno;
}

int op_apparmor(struct launch *l, const struct plan_op *op)
{
	l->operand = launch_string(l, op->s1);
	int r = apparmor_on_exec(l->operand);
	return r == -ENOENT && (op->flags & PLAN_APPARMOR_IF_LOADED) ? 0 : r;
}

int op_rlimit(struct launch *l, const struct plan_op *op)
{
	struct rlimit own, want = { .rlim_cur = (rlim_t)op->b, .rlim_max = (rlim_t)op->c };

	(void)l;
	if (getrlimit((int)op->a, &own) < 0)
		return -errno;
	bool exact = op->flags & PLAN_RLIMIT_EXACT;
	if (!exact && want.rlim_max > own.rlim_max)
		want.rlim_max = own.rlim_max;
	if (!exact && want.rlim_cur > want.rlim_max)
		want.rlim_cur = want.rlim_max;
	return setrlimit((int)op->a, &want) < 0 ? -errno : 0;
}

static int parse_gid(const char *s, gid_t *ret)
{
	uint64_t v = 0;

	if (*s == '\0')
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		v = v * 10 + (uint64_t)(*s - '0');
		if (v > INT32_MAX)
			return -ERANGE;
	}
	*ret = (gid_t)v;
	return 0;
}

int op_ids(struct launch *l, const struct plan_op *op)
{
	gid_t groups[GROUPS_MAX];
	const char *s = launch_string(l, op->s1);

	if (op->count > GROUPS_MAX)
		return -E2BIG;
	for (uint32_t i = 0; i < op->count; i++, s = plan_view_next(s)) {
		int r = parse_gid(s, &groups[i]);
		if (r < 0)
			return r;
	}
	/* The raw calls: a libc would signal its other threads, of which there are none. */
	if (syscall(SYS_setgroups, (size_t)op->count, groups) < 0)
		return -errno;
	if (syscall(SYS_setresgid, (gid_t)op->b, (gid_t)op->b, (gid_t)op->b) < 0)
		return -errno;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return -errno;
	if (syscall(SYS_setresuid, (uid_t)op->a, (uid_t)op->a, (uid_t)op->a) < 0)
		return -errno;
	/* A change of identity makes the process as dumpable as suid_dumpable says. */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return cap_raise();
}

int op_caps(struct launch *l, const struct plan_op *op)
{
	(void)l;
	int r = cap_bound((uint64_t)op->a);
	if (r < 0)
		return r;
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		return -errno;
	return cap_set((uint64_t)op->b);
}

int op_seccomp(struct launch *l, const struct plan_op *op)
{
	struct sock_fprog program = {
		.len = (unsigned short)op->count,
		.filter = (struct sock_filter *)launch_string(l, op->s1),
	};

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}

int op_chdir(struct launch *l, const struct plan_op *op)
{
	char cwd[4096];

	l->operand = launch_string(l, op->s1);
	int r = launch_close_slots(l, -EBADF);
	if (r < 0)
		return r;
	if (chdir(l->operand) < 0) {
		if (errno != ENOENT || !(op->flags & PLAN_CHDIR_CREATE))
			return -errno;
		_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (root < 0)
			return -errno;
		_cleanup_close_ int dir = path_make_directory(root, l->operand, 0755);
		if (dir < 0)
			return dir;
		if (fchdir(dir) < 0)
			return -errno;
	}
	/* A directory that is not below / has no name here: the kernel answers "(unreachable)...". */
	long n = syscall(SYS_getcwd, cwd, sizeof(cwd));
	if (n < 0)
		return -errno;
	return cwd[0] == '/' ? 0 : -EXDEV;
}

/* Only a terminal of no other session: nobody's is taken away. */
static int take_terminal(int fd)
{
	if (ioctl(fd, TIOCSCTTY, 0) < 0)
		return -errno;
	for (int i = 0; i < 3; i++)
		if (dup2(fd, i) < 0)
			return -errno;
	return 0;
}

int op_host_tty(struct launch *l, const struct plan_op *op)
{
	l->operand = launch_string(l, op->s1);
	return take_terminal(slot_fd(op->slot));
}

int op_tty(struct launch *l, const struct plan_op *op)
{
	int slave;

	(void)l;
	(void)op;
	int r = terminal_make(STDIN_FILENO, &slave);
	if (r < 0)
		return r;
	r = take_terminal(slave);
	(void)close(slave);
	return r;
}

static const char *environment(char *const envp[], const char *name)
{
	size_t n = strlen(name);

	for (; *envp; envp++)
		if (strncmp(*envp, name, n) == 0 && (*envp)[n] == '=')
			return *envp + n + 1;
	return NULL;
}

/* Tries each directory of PATH, as execvp(3): what is not there is passed over, what may not be executed is remembered. */
static int search(char *const argv[], char *const envp[])
{
	const char *path = environment(envp, "PATH");
	size_t length = strlen(argv[0]);
	int result = -ENOENT;

	if (!path)
		path = "/usr/local/bin:/bin:/usr/bin";
	for (;;) {
		char file[4096];
		size_t n = strcspn(path, ":");
		if (n + 1 + length < sizeof(file)) {
			memcpy(file, path, n);
			file[n] = '/';
			memcpy(file + n + (n > 0), argv[0], length + 1); /* an empty entry is the working directory */
			(void)execve(file, argv, envp);
			if (errno == EACCES)
				result = -EACCES;
			else if (errno != ENOENT && errno != ENOTDIR && errno != ESTALE && errno != ENODEV && errno != ETIMEDOUT)
				return -errno;
		}
		if (path[n] == '\0')
			return result;
		path += n + 1;
	}
}

static void list(const struct launch *l, uint32_t offset, size_t count, char **ret)
{
	const char *s = launch_string(l, offset);

	for (size_t i = 0; i < count; i++, s = plan_view_next(s))
		ret[i] = (char *)s;
	ret[count] = NULL;
}

/* Nothing of the anchor's: not the signals that it blocks, nor any that podd's parent chose to ignore. */
void launch_reset_signals(void)
{
	static const uint64_t kernel_sigaction[4]; /* zero: SIG_DFL, no flags, no mask, on each architecture */
	sigset_t none;

	/* By the system call, since libc's sigaction() refuses the signals that it keeps for its threads: 32 to 34. */
	for (int i = 1; i <= 64; i++)
		(void)syscall(SYS_rt_sigaction, i, kernel_sigaction, NULL, sizeof(uint64_t)); /* KILL and STOP refuse */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

int op_exec(struct launch *l, const struct plan_op *op)
{
	/* Pointers for the kernel. The count of strings is bounded by the plan's size; so many do not fit a page-sized stack. */
	size_t argc = op->count, envc = (size_t)op->a;
	if (argc == 0 || argc + envc > 65536)
		return -E2BIG;
	char **argv = __builtin_alloca((argc + envc + 2) * sizeof(char *)), **envp = argv + argc + 1;

	list(l, op->s1, argc, argv);
	list(l, op->s2, envc, envp);
	l->operand = argv[0];
	if (argv[0][0] == '\0')
		return -ENOENT;
	launch_reset_signals();
	if (!strchr(argv[0], '/'))
		return search(argv, envp);
	(void)execve(argv[0], argv, envp);
	return -errno;
}
