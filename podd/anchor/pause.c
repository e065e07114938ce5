#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "anchor/anchor.h"
#include "base/cleanup.h"
#include "sys/cap.h"
#include "sys/mnt.h"
#include "sys/process.h"

/* An empty, read-only root, no descriptors, no capabilities: whoever looks at PID 1 through /proc finds nothing to take. */
static int strip(void)
{
	_cleanup_close_ int empty = mnt_new("tmpfs", "size=4k,nr_inodes=1",
	                                    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	_cleanup_close_ int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (empty < 0 || top < 0)
		return -EIO;
	r = mnt_make_private();
	if (r == 0)
		r = mnt_attach(empty, top);
	if (r == 0)
		r = mnt_pivot(empty);
	if (r == 0)
		r = process_close_range(0, ~0u, 0);
	if (r == 0)
		r = cap_bound(0);
	return r < 0 ? r : cap_set(0);
}

/* Reaps what the members leave to PID 1. All signals are blocked, and those of its own namespace do not reach PID 1 anyway. */
static _Noreturn void reap(void)
{
	sigset_t children;

	(void)sigemptyset(&children);
	(void)sigaddset(&children, SIGCHLD);
	for (;;) {
		while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
			;
		(void)sigwaitinfo(&children, NULL);
	}
}

void pause_start(struct anchor *a)
{
	int pidfd = -EBADF;

	a->pause_pidfd = fd_close(a->pause_pidfd);
	a->pause_pid = 0;
	/* One that ends as soon as it lives would do so again: members are refused then. */
	if (a->quitting || (a->pause_born > 0 && now_boot() - a->pause_born < DIES_OFTEN_NS))
		return;
	pid_t pid = process_clone(CLONE_NEWPID | CLONE_NEWNS, -1, &pidfd);
	if (pid == 0) {
		(void)prctl(PR_SET_NAME, "podd-pause");
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (strip() < 0)
			_exit(1);
		reap();
	}
	if (pid < 0)
		return;
	a->pause_born = now_boot();
	a->pause_pid = pid;
	a->pause_pidfd = pidfd;
}
