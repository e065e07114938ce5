/* A pod's network: a routed veth, no bridge. The peer "eth0" is born inside the pod's namespace; the host end carries the
 * range's first address (the gateway) with the pod's address as its peer, so that one message gives route, source address and ARP answer. In the
 * pod: GW dev eth0 scope link, default via GW. hostPorts are elements of nftables maps in one table of podd's own.
 *
 * Everything of this podd carries its tag: the table's name, the link's alias. What does not carry it is never touched. */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

enum { PODNET_IFNAME_SIZE = 16, PODNET_TAG_SIZE = 16, PODNET_PORTS_MAX = 128 };

struct podnet_config {
	struct in_addr network; /* of the pod range, e.g. 10.88.0.0 */
	unsigned prefix;        /* 8 to 30 */
	const char *tag;        /* "podd", or "podd_" + 8 characters of the root's hash: also the nftables table's name */
};

enum podnet_protocol { PODNET_TCP, PODNET_UDP };

struct podnet_port {
	enum podnet_protocol protocol;
	uint16_t host_port, container_port;
	struct in_addr host_ip; /* INADDR_ANY: every address of the host */
};

struct podnet_pod {
	const char *uid, *namespace, *name;
	struct in_addr address;
	int netns_fd, rtnl_fd; /* of the pod: lent for the call; rtnl_fd leads to the namespace too, so netns_fd may be empty */
	const struct podnet_port *ports;
	size_t port_count;
};

struct podnet;

/* Opens the host's rtnetlink; writes ip_forward; makes the table by one `nft -f -` (kept if it is there and whole). What the host does
 * not give (no nft, read-only /proc/sys) is in podnet_missing() as text for people; the call succeeds then.
 * Adopted elements stay: nothing of a running pod is interrupted. */
int podnet_open(const struct podnet_config *cfg, struct podnet **ret);
/* Closes; with `remove` also removes table, links of this tag, and puts ip_forward back if this podd had set it and nobody else needs it. */
struct podnet *podnet_close(struct podnet *n, bool remove);
const char *podnet_missing(const struct podnet *n); /* "" when nothing */

/* Makes link, addresses, routes, hostPorts; undoes all on failure. -EADDRINUSE: a hostPort is taken by another pod (see podnet_port_owner), or,
 * when that names none, by a program of the host. -EEXIST: the pod is attached, or its link's name is a foreign link's. */
int podnet_attach(struct podnet *n, const struct podnet_pod *p);
/* For an adopted pod: takes it into the books and repairs what is missing. Ports are as in attach. */
int podnet_adopt(struct podnet *n, const struct podnet_pod *p);
/* Gives an attached or adopted pod other hostPorts, in place: connections by those that stay do not notice. A failure leaves the former
 * ones. -EADDRINUSE as in attach; -ENOENT: the pod is not attached. */
int podnet_set_ports(struct podnet *n, const char *uid, const struct podnet_port *ports, size_t count);
/* The address that a running pod's link leads to, whatever the leases say: to be claimed before it is adopted. -ENOENT: there is no link. */
int podnet_find(const struct podnet *n, const char *uid, struct in_addr *ret);
/* Removes elements and link; absence is fine. `uid` may be one that is unknown here (orphans). -EBUSY: the link is going with its namespace,
 * which the caller must not hold any more; ask again some milliseconds later. What does not go by itself is deleted then. */
int podnet_detach(struct podnet *n, const char *uid);
const char *podnet_port_owner(const struct podnet *n, enum podnet_protocol proto, uint16_t host_port); /* uid or NULL */

/* Something of ours was deleted or flushed by others: poll this fd for reading, then call dispatch; it repairs and appends what it did
 * to `report` as lines for people (empty: nothing of note). */
int podnet_fd(const struct podnet *n);
int podnet_dispatch(struct podnet *n, struct buf *report);

void podnet_ifname(const char *uid, char ret[static PODNET_IFNAME_SIZE]); /* "pd" + 11 characters of the uid's hash */
struct in_addr podnet_gateway(const struct podnet_config *cfg);

/* For the census: each link and nft element that carries this tag. `what` is "link" or "element"; uid "" when it can't be told. */
int podnet_walk(struct podnet *n, int (*fn)(const char *what, const char *name, const char *uid, void *arg), void *arg);
