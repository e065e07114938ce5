/* podd's side of one anchor: the connection, what waits to be sent, and the watch for its death.
 *
 * Nothing here blocks: what the socket does not take waits in a bounded queue. The anchor's death is the end of file of the
 * connection, confirmed by its pidfd; whether it is podd's child, init's or systemd's makes no difference. */
#pragma once
#include <uv.h>
#include "wire/anchor.h"

enum { ANCHOR_QUEUE_MAX = 512 };

struct anchor;

/* What the owner is told. The connection may be closed from within any of them. */
struct anchor_callbacks {
	/* The descriptors are the callee's. `processes` holds until it returns. */
	void (*snapshot)(void *arg, const struct anchor_snapshot *s, const struct anchor_process *processes, size_t count,
	                 int netns_fd, int rtnl_fd);
	void (*started)(void *arg, const struct anchor_process *p);
	void (*exited)(void *arg, const struct anchor_process *p);
	void (*dropped)(void *arg, const struct anchor_dropped *m);
	void (*refused)(void *arg, const struct anchor_error *m);
	void (*attached)(void *arg, const struct anchor_attached *m, int input); /* input is the callee's; -EBADF: none */
	void (*lost)(void *arg);                                                 /* the anchor is dead; called once */
};

/* Connects to `socket` below dirfd and says hello; a snapshot follows. `pidfd` is taken over if not negative (else the snapshot brings it).
 * -ECONNREFUSED, -ENOENT: nobody is there. */
int anchor_connect(uv_loop_t *loop, int dirfd, const char *socket, int pidfd, const struct anchor_callbacks *cb, void *arg,
                   struct anchor **ret);
void anchor_close(struct anchor *a); /* takes NULL; frees after libuv has let go of its handles */

/* Descriptors are duplicated if they have to wait. -ENOBUFS: the anchor takes nothing and the queue is full. */
int anchor_send(struct anchor *a, const void *message, size_t size, const int *fds, size_t fd_count);

struct anchor_key anchor_key(const char *container, uint32_t number, uint32_t session);
