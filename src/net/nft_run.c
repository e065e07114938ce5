/* The nft program, fed from memory. It runs once at start and for repairs, never for a pod. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "base/fd.h"
#include "net/nft.h"

enum { NFT_PATIENCE_MS = 10000, NFT_ERROR_MAX = 64 << 10 };

/* A file in memory holds any script and any complaint: no pipe that fills up while nobody reads. */
static int memory_file(const char *name, const char *content)
{
	_cleanup_close_ int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	int r = fd_write_all(fd, content, strlen(content));
	if (r < 0)
		return r;
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : TAKE_FD(fd);
}

static int start(int in, int out, pid_t *ret)
{
	static char *const argv[] = { (char *)"nft", (char *)"-f", (char *)"-", NULL };
	static char *const envp[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", (char *)"LC_ALL=C", NULL };
	static const char *const places[] = { "/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft", "/usr/local/sbin/nft" };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int r = ENOENT;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	(void)posix_spawnattr_init(&attr);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	(void)posix_spawnattr_setsigmask(&attr, &none);
	(void)posix_spawnattr_setsigdefault(&attr, &all);
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	(void)posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	(void)posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
	for (size_t i = 0; i < ARRAY_SIZE(places) && r == ENOENT; i++)
		r = posix_spawn(ret, places[i], &actions, &attr, argv, envp);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attr);
	return -r;
}

/* 0 if it ended well. */
static int await(pid_t pid)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int r, status;

	do
		r = pidfd < 0 ? 1 : poll(&p, 1, NFT_PATIENCE_MS);
	while (r < 0 && errno == EINTR);
	bool late = r == 0;
	if (late)
		(void)kill(pid, SIGKILL);
	do
		r = waitpid(pid, &status, 0);
	while (r < 0 && errno == EINTR);
	if (late)
		return -ETIMEDOUT;
	return r == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

int nft_run(const char *script, struct buf *error)
{
	_cleanup_close_ int in = memory_file("nft-script", script), out = memory_file("nft-says", "");
	_cleanup_buf_ struct buf said = BUF_NULL;
	pid_t pid;

	if (in < 0)
		return in;
	if (out < 0)
		return out;
	int r = start(in, out, &pid);
	if (r < 0)
		return r;
	r = await(pid);
	if (r < 0 && lseek(out, 0, SEEK_SET) == 0) {
		(void)fd_read_all(out, NFT_ERROR_MAX, &said);
		buf_append(error, buf_str(&said), strcspn(buf_str(&said), "\n"));
	}
	return r;
}
