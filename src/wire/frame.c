#include "wire/frame.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { KERNEL_FDS_MAX = 253 };

/* The control buffer must be aligned as a cmsghdr. */
union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int) * KERNEL_FDS_MAX)];
};

int frame_send(int sock, const void *data, size_t size, const int *fds, size_t fd_count)
{
	struct iovec iov = { .iov_base = (void *)data, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control;
	ssize_t n;

	if (size == 0 || size > FRAME_SIZE_MAX || fd_count > FRAME_FDS_MAX)
		return -EMSGSIZE;
	if (fd_count > 0) {
		memset(&control, 0, CMSG_SPACE(sizeof(int) * fd_count));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * fd_count);
	}
	do
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* Collects every descriptor of the message: also those beyond what the caller wants, so that they can be closed. */
static size_t take_fds(struct msghdr *msg, int fds[static KERNEL_FDS_MAX])
{
	size_t count = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		if (n > KERNEL_FDS_MAX - count)
			n = KERNEL_FDS_MAX - count;
		memcpy(fds + count, CMSG_DATA(c), n * sizeof(int));
		count += n;
	}
	return count;
}

ssize_t frame_recv(int sock, void *data, size_t size, int *ret_fds, size_t *ret_fd_count)
{
	struct iovec iov = { .iov_base = data, .iov_len = size };
	union control control;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	int fds[KERNEL_FDS_MAX];
	ssize_t n;

	do
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;

	size_t count = take_fds(&msg, fds);
	if ((msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || count > FRAME_FDS_MAX) {
		frame_close(fds, count);
		return -EMSGSIZE;
	}
	memcpy(ret_fds, fds, count * sizeof(int));
	*ret_fd_count = count;
	return n;
}

void frame_close(const int *fds, size_t fd_count)
{
	for (size_t i = 0; i < fd_count; i++)
		(void)close(fds[i]);
}
