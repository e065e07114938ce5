/* Tells when something of podd's was, or may have been, undone by others: links of its group deleted or taken down, the gateway's address
 * removed, ip_forward switched off, any change of nftables. It does not say what; who is told looks at what matters to him, at most once
 * every WATCH_PAUSE, so that a script that deletes in a loop costs no more than that. */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/clock.h"

#define WATCH_PAUSE (200 * NS_PER_MS)

struct watch {
	int epoll, route, nft, timer;
	uint32_t own_route, own_nft; /* port ids of the sockets that podd itself changes things with */
	uint32_t group;
	struct in_addr gateway;
	bool route_due, nft_due;
	bool armed;
	int64_t last; /* boot time of the last look */
};
#define WATCH_NULL ((struct watch){ .epoll = -EBADF, .route = -EBADF, .nft = -EBADF, .timer = -EBADF })

/* nft_fd < 0: a kernel without nftables; the rest is watched. */
int watch_open(struct watch *w, int route_fd, int nft_fd, uint32_t group, struct in_addr gateway);
void watch_close(struct watch *w);

/* Takes in what happened. True if it is time to look: then route_due and nft_due say at what, and watch_looked() is to be called after. */
bool watch_take(struct watch *w);
/* With a delay above 0 it will be time to look at all once more after that, whatever happens. */
void watch_looked(struct watch *w, int64_t delay);
