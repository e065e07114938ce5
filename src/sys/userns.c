#include "sys/userns.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/cleanup.h"

static int write_map(int proc, const char *name, uint32_t first, uint32_t count)
{
	char text[48];
	int n = snprintf(text, sizeof(text), "0 %u %u\n", first, count);
	_cleanup_close_ int fd = openat(proc, name, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, text, (size_t)n) == n ? 0 : -errno;
}

static int open_namespace(int proc, const char *name, int *ret)
{
	int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	*ret = fd;
	return 0;
}

static int take(pid_t pid, uint32_t first, uint32_t count, uint64_t flags, struct userns *u)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	_cleanup_close_ int proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return -errno;
	int r = write_map(proc, "uid_map", first, count);
	if (r == 0)
		r = write_map(proc, "gid_map", first, count);
	if (r == 0)
		r = open_namespace(proc, "ns/user", &u->user);
	if (r == 0 && (flags & CLONE_NEWNET))
		r = open_namespace(proc, "ns/net", &u->net);
	if (r == 0 && (flags & CLONE_NEWIPC))
		r = open_namespace(proc, "ns/ipc", &u->ipc);
	if (r == 0 && (flags & CLONE_NEWUTS))
		r = open_namespace(proc, "ns/uts", &u->uts);
	return r;
}

int userns_make(uint32_t first, uint32_t count, uint64_t flags, struct userns *ret)
{
	struct clone_args args = { .flags = CLONE_NEWUSER | flags, .exit_signal = SIGCHLD };
	struct userns u = USERNS_NULL;
	sigset_t all, old;

	/* A signal that comes before the child is killed would run its parent's handlers in it. */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &old);
	long pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		for (;;)
			(void)pause();
	int r = pid < 0 ? -errno : take((pid_t)pid, first, count, flags, &u);
	if (pid > 0) {
		(void)kill((pid_t)pid, SIGKILL);
		(void)waitpid((pid_t)pid, NULL, 0);
	}
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	if (r < 0)
		userns_deinit(&u);
	else
		*ret = u;
	return r;
}

void userns_deinit(struct userns *u)
{
	int *fds[] = { &u->user, &u->net, &u->ipc, &u->uts };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (*fds[i] >= 0)
			(void)close(*fds[i]);
		*fds[i] = -EBADF;
	}
}

int userns_of(int ns)
{
	int fd = ioctl(ns, NS_GET_USERNS);

	if (fd < 0)
		return -errno;
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}
