#include "wire/terminal.h"
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "wire/frame.h"

int terminal_make(int sock, int *ret_slave)
{
	_cleanup_close_ int master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	int unlocked = 0;

	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked) < 0)
		return -errno;
	/* By the master, not by a name: what lies at /dev/pts/N is the container's business. */
	_cleanup_close_ int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return -errno;
	int r = frame_send(sock, "", 1, &master, 1);
	if (r < 0)
		return r;
	*ret_slave = TAKE_FD(slave);
	return 0;
}

/* The kernel says "tty-index:" in /proc/self/fdinfo for masters alone, and asks no file system for it. */
static bool is_master(int fd)
{
	char path[40], text[512];

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	_cleanup_close_ int info = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = info < 0 ? -1 : read(info, text, sizeof(text) - 1);
	if (n < 0)
		return false;
	text[n] = '\0';
	return strstr(text, "\ntty-index:") != NULL;
}

int terminal_take(int sock, int *ret_master)
{
	int fds[FRAME_FDS_MAX], r = 0;
	size_t count = 0;
	char byte;
	ssize_t n = frame_recv(sock, &byte, 1, fds, &count);

	if (n < 0)
		return (int)n;
	if (n == 0 || count == 0)
		return -ECONNRESET;
	if (count > 1 || !is_master(fds[0]))
		r = -EPERM;
	else if (fcntl(fds[0], F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		r = -errno;
	if (r < 0)
		frame_close(fds, count);
	else
		*ret_master = fds[0];
	return r;
}
