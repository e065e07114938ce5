/* One message of a SOCK_SEQPACKET socket, with descriptors. Libc only, no heap: the anchor uses it too.
 *
 * A message that does not fit, or whose descriptors do not, is an error: what came of it is closed, never half used. */
#pragma once
#include <stddef.h>
#include <sys/types.h>

enum {
	FRAME_SIZE_MAX = 8192, /* of a message; larger things travel as memfds */
	FRAME_FDS_MAX = 250,   /* the kernel takes 253 (SCM_MAX_FD) */
};

/* Sends all of it or nothing; never raises SIGPIPE. 0 or -errno; -EAGAIN when the socket is non-blocking and full. */
int frame_send(int sock, const void *data, size_t size, const int *fds, size_t fd_count);

/* Takes one message of at most `size` bytes; its descriptors are close-on-exec and belong to the caller. ret_fds has room for
 * FRAME_FDS_MAX. The length, or 0 at the end of file, or -errno; -EMSGSIZE when it was cut. */
ssize_t frame_recv(int sock, void *data, size_t size, int *ret_fds, size_t *ret_fd_count);

/* Closes what frame_recv() handed out. */
void frame_close(const int *fds, size_t fd_count);
