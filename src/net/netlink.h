/* Netlink in batches: several requests in one send, one answer each. The kernel works them off in order within the send (rtnetlink and
 * nfnetlink alike), so all answers are there when it returns, and nothing here waits.
 *
 * libnl builds the messages; its sockets, caches and callbacks are not used. Every length is bounded by the callers, so an attribute that
 * does not fit is a bug and aborts. */
#pragma once
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

enum { NETLINK_BATCH_MAX = 256 };

/* Joins a multicast group for each of groups[]; family as NETLINK_ROUTE. Returns the descriptor, non-blocking. */
int netlink_open(int family, const unsigned *groups, size_t group_count);
uint32_t netlink_portid(int fd);

struct netlink_batch {
	struct buf data;
	uint32_t seq; /* of the first message */
	unsigned count;
	bool silent[NETLINK_BATCH_MAX]; /* no answer is asked for (nfnetlink's begin and end) */
};
#define _cleanup_netlink_batch_ _cleanup_(netlink_batch_deinit)

struct netlink_batch netlink_batch_new(void);
void netlink_batch_deinit(struct netlink_batch *b);
/* Starts a message; netlink_batch_add() takes it. Flags NLM_F_*; NLM_F_REQUEST and NLM_F_ACK are added. */
struct nl_msg *netlink_message(uint16_t type, uint16_t flags, const void *header, size_t header_size);
void netlink_batch_add(struct netlink_batch *b, struct nl_msg *m);
void netlink_batch_add_silent(struct netlink_batch *b, struct nl_msg *m);

void netlink_put(struct nl_msg *m, int type, const void *data, size_t size);
void netlink_put_str(struct nl_msg *m, int type, const char *s);
void netlink_put_u32(struct nl_msg *m, int type, uint32_t v);
struct nlattr *netlink_nest(struct nl_msg *m, int type);
void netlink_nest_end(struct nl_msg *m, struct nlattr *nest);

/* Sends all, takes all answers; the first error of a message. An empty batch is success. */
int netlink_send(int fd, struct netlink_batch *b);

/* Asks one question and gives each message of the answer to fn, which stops it by a non-zero value. With NLM_F_DUMP in the message's flags
 * the answer has any number, else one. -EAGAIN: the kernel's tables changed under a dump; ask again. Takes m. */
typedef int (*netlink_fn)(const struct nlmsghdr *h, void *arg);
int netlink_ask(int fd, struct nl_msg *m, netlink_fn fn, void *arg);

/* Gives what has arrived by multicast to fn, without waiting. -ENOBUFS: something was lost. */
int netlink_drain(int fd, netlink_fn fn, void *arg);

/* An attribute's text, or NULL if it is not NUL-terminated. */
const char *netlink_text(const struct nlattr *a);
