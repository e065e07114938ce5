/* Sockets of another network namespace. A socket belongs to the namespace of the thread that makes it and keeps it alive. */
#pragma once

/* socket(2) in the namespace netns_fd, without a step of the caller into it: a child that shares memory and descriptors with the caller,
 * which stands still meanwhile, enters, makes the socket and ends. The socket is close-on-exec and non-blocking. An fd or -errno.
 * Only for programs of one thread. */
int netns_socket(int netns_fd, int family, int type);
