#include "image/jail.h"
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "base/fd.h"
#include "image/filter.h"
#include "image/limits.h"
#include "image/why.h"
#include "sys/cap.h"
#include "sys/mnt.h"
#include "sys/process.h"

#define JAIL_CAPS                                                                                                            \
	(CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_FOWNER) | CAP_BIT(CAP_FSETID) | CAP_BIT(CAP_SETFCAP) | \
	 CAP_BIT(CAP_MKNOD))

static int set_limits(void)
{
	static const struct {
		int resource;
		rlim_t value;
	} limits[] = {
#ifndef __SANITIZE_ADDRESS__ /* its shadow takes terabytes of addresses */
		{ RLIMIT_AS, LIMIT_MEMORY },
#endif
		{ RLIMIT_CPU, LIMIT_CPU_SECONDS }, { RLIMIT_FSIZE, LIMIT_FILE }, { RLIMIT_NPROC, 1 }, { RLIMIT_CORE, 0 },
		{ RLIMIT_NOFILE, 1024 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct rlimit own;
		if (getrlimit((__rlimit_resource_t)limits[i].resource, &own) < 0)
			return -errno;
		own.rlim_cur = own.rlim_max = MIN(own.rlim_max, limits[i].value); /* raising takes CAP_SYS_RESOURCE */
		if (setrlimit((__rlimit_resource_t)limits[i].resource, &own) < 0)
			return -errno;
	}
	(void)signal(SIGXFSZ, SIG_IGN); /* EFBIG says it better */
	return 0;
}

/* dir: a detached mount. */
static int enter(int dir)
{
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return -errno;
	int r = mnt_make_private();
	if (r == 0)
		r = mnt_attach(dir, root);
	if (r == 0)
		r = mnt_pivot(dir);
	if (r == 0)
		r = set_limits();
	if (r == 0)
		r = cap_bound(JAIL_CAPS);
	if (r == 0)
		r = cap_set(JAIL_CAPS);
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	return r < 0 ? r : filter_install();
}

static _Noreturn void child(const struct work *w, int result)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	int keep[] = { w->source, w->dir, w->layers, result };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		_exit(126);
	fd_close_others(keep, ARRAY_SIZE(keep));
	for (int fd = 0; fd <= 2; fd++)
		(void)close(fd);
	(void)umask(0);
	int r = enter(w->dir);
	if (r < 0)
		_exit(-r > 125 ? 125 : -r);
	work_run(w, &text);
	_exit(fd_write_all(result, text.data, text.len) < 0 ? 126 : 0);
}

/* A view of a directory that ends at it; a file, which has no "..", as it is. */
static int view(int fd, uint64_t attrs, int *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	int tree = S_ISDIR(st.st_mode) ? mnt_clone(fd, "", false) : fcntl(fd, F_DUPFD_CLOEXEC, 5);
	if (tree < 0)
		return tree == -1 ? -errno : tree;
	*ret = tree;
	return S_ISDIR(st.st_mode) ? mnt_set_attrs(tree, attrs, 0, false) : 0;
}

static int wait_for(int pidfd)
{
	siginfo_t info;

	while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0)
		if (errno != EINTR)
			return -errno;
	if (info.si_code == CLD_EXITED)
		return info.si_status == 0 ? 0 : why_where(-info.si_status, "making the jail");
	return refuse("what reads the image was ended by %s",
	              info.si_status == SIGSYS ? "its seccomp filter" : strsignal(info.si_status));
}

int jail_run(const struct work *w, struct buf *ret)
{
	const uint64_t plain = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	_cleanup_close_ int dir = -EBADF, layers = -EBADF, source = -EBADF, in = -EBADF, out = -EBADF, pidfd = -EBADF;
	int pipefd[2];

	int r = view(w->dir, plain, &dir);
	if (r == 0)
		r = view(w->layers, plain | MOUNT_ATTR_RDONLY, &layers);
	if (r == 0)
		r = view(w->source, plain | MOUNT_ATTR_RDONLY, &source);
	if (r == 0 && pipe2(pipefd, O_CLOEXEC) < 0)
		r = -errno;
	if (r < 0)
		return why_where(r, "making the jail");
	in = pipefd[0];
	out = pipefd[1];
	pid_t pid = process_clone(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID, -EBADF, &pidfd);
	if (pid == 0)
		child(&(struct work){ w->job, source, dir, layers }, out);
	if (pid < 0)
		return why_where(pid, "making the jail");
	out = fd_close(out);
	r = fd_read_all(in, WORK_RESULT_MAX, ret);
	if (r < 0)
		(void)process_signal(pidfd, SIGKILL); /* it says too much */
	int ended = wait_for(pidfd);
	return ended < 0 ? ended : MIN(r, 0);
}
