/* One forwarded connection: bytes of a local socket, frames of wire/stream.h on a connection to podd. Both are non-blocking; neither side
 * is read while what it sent before is not taken by the other, so a flow holds a few reads at most. */
#pragma once
#include <poll.h>
#include <stdbool.h>
#include "base/buf.h"

struct flow {
	int local, remote;
	struct buf frames; /* from podd, not looked at */
	struct buf up;     /* to podd */
	struct buf down;   /* to the local side */
	bool local_ended;  /* it sends no more */
	bool ended;        /* podd does not, and `error` says why, or nothing */
	char error[256];
};

/* Takes both descriptors over, and what was already read from podd. */
void flow_init(struct flow *f, int local, int remote, struct buf frames);
void flow_deinit(struct flow *f);
/* What poll(2) is to wait for: [0] the local side, [1] podd. */
void flow_poll(const struct flow *f, struct pollfd fds[static 2]);
/* Moves what can be moved. False: the connection is over. */
bool flow_move(struct flow *f, const struct pollfd fds[static 2]);
