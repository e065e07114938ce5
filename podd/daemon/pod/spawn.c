#include "daemon/pod/spawn.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include "sys/program.h"
#include "sys/userns.h"
#include "wire/anchor.h"

enum { CHILD_FD_LISTEN = 3, CHILD_FD_LOGS = 4, CHILD_FD_SHM = 5, CHILD_FD_PARK = 10 };

static int open_helper(const char *name)
{
	char self[PATH_MAX], path[PATH_MAX + NAME_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n > 0) {
		self[n] = '\0';
		char *slash = strrchr(self, '/');
		*slash = '\0';
		(void)snprintf(path, sizeof(path), "%s/%s", self, name);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			return fd;
	}
	(void)snprintf(path, sizeof(path), "%s/%s", PODD_LIBEXECDIR, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int spawn_load_helper(const char *name)
{
	_cleanup_close_ int fd = open_helper(name);

	return fd < 0 ? fd : program_copy(name, fd);
}

/* In the child, until exec. Signals are blocked; the anchor unblocks nothing, it reads them from a signalfd. */
static _Noreturn void child(const struct spawn_anchor *s, char *const argv[])
{
	char *envp[] = { NULL };

	for (size_t i = 0; i < s->cgroup->task_count; i++)
		if (write(s->cgroup->tasks[i], "0", 1) < 0)
			_exit(126);
	if (s->users && (setns(s->users->net, CLONE_NEWNET) < 0 || setns(s->users->ipc, CLONE_NEWIPC) < 0 ||
	                 setns(s->users->uts, CLONE_NEWUTS) < 0))
		_exit(126);
	/* Parked high first, so that neither target number can hit a source. */
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int listen = fcntl(s->listen_fd, F_DUPFD_CLOEXEC, CHILD_FD_PARK);
	int logs = fcntl(s->logs_fd, F_DUPFD_CLOEXEC, CHILD_FD_PARK);
	int shm = s->shm_fd < 0 ? -1 : fcntl(s->shm_fd, F_DUPFD_CLOEXEC, CHILD_FD_PARK);
	int exe = fcntl(s->program_fd, F_DUPFD_CLOEXEC, CHILD_FD_PARK);
	for (int fd = 0; fd <= 2; fd++)
		if (dup2(null, fd) < 0)
			_exit(126);
	if (dup2(listen, CHILD_FD_LISTEN) < 0 || dup2(logs, CHILD_FD_LOGS) < 0)
		_exit(126);
	if (s->shm_fd >= 0 && dup2(shm, CHILD_FD_SHM) < 0)
		_exit(126);
	(void)fexecve(exe, argv, envp);
	_exit(127);
}

enum { ARGS_MAX = 24 + 2 * ANCHOR_SYSCTLS_MAX };

static void build_argv(const struct spawn_anchor *s, char size[static 24], char files[static 24], const char *argv[static ARGS_MAX])
{
	size_t n = 0;

	(void)snprintf(size, 24, "%lld", (long long)s->log_size);
	(void)snprintf(files, 24, "%lld", (long long)s->log_files);
	argv[n++] = "podd-anchor";
	argv[n++] = "--listen";
	argv[n++] = "3";
	argv[n++] = "--path";
	argv[n++] = s->socket_path;
	argv[n++] = "--logs";
	argv[n++] = "4";
	argv[n++] = "--hostname";
	argv[n++] = s->hostname;
	argv[n++] = "--title";
	argv[n++] = s->title;
	argv[n++] = "--log-size";
	argv[n++] = size;
	argv[n++] = "--log-files";
	argv[n++] = files;
	if (s->shm_fd >= 0) {
		argv[n++] = "--shm";
		argv[n++] = "5";
	}
	if (s->own_net)
		argv[n++] = "--own-net";
	if (s->own_uts)
		argv[n++] = "--own-uts";
	if (s->share_pid)
		argv[n++] = "--share-pid";
	for (size_t i = 0; i < s->sysctl_count; i++) {
		argv[n++] = "--sysctl";
		argv[n++] = s->sysctls[i];
	}
	argv[n] = NULL;
}

int spawn_anchor(const struct spawn_anchor *s, int *ret_pidfd)
{
	char size[24], files[24];
	const char *argv[ARGS_MAX];
	sigset_t all, old;
	int pidfd = -EBADF;

	uint64_t own = (s->own_net ? CLONE_NEWNET : 0) | (s->own_uts ? CLONE_NEWUTS : 0) | (s->shm_fd >= 0 ? CLONE_NEWIPC : 0);

	build_argv(s, size, files, argv);
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_INTO_CGROUP | (s->users ? 0 : own),
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)s->cgroup->v2,
	};
	/* A child that gets a signal before it has reset its handlers would run podd's. */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &old);
	long pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		child(s, (char *const *)(uintptr_t)argv);
	int r = pid < 0 ? -errno : 0;
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	if (r == 0)
		*ret_pidfd = pidfd;
	return r;
}
