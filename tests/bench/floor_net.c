#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/floor.h"

enum { BATCH_SIZE = 4096, GATEWAY = 0x0a630001 /* not of podd's range: both run in one host */ };

/* Requests, one after the other, for one sendto(2). */
struct batch {
	_Alignas(8) char data[BATCH_SIZE];
	size_t used, count;
	struct nlmsghdr *last;
};

static void *reserve(struct batch *b, size_t size)
{
	void *p = b->data + b->used;

	b->used += NLMSG_ALIGN(size);
	if (b->last)
		b->last->nlmsg_len = (unsigned)((char *)p + size - (char *)b->last);
	return p;
}

static void message(struct batch *b, uint16_t type, uint16_t flags, const void *header, size_t size)
{
	struct nlmsghdr h = { .nlmsg_type = type,
		              .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags),
		              .nlmsg_seq = (unsigned)b->count++ };

	b->last = NULL;
	struct nlmsghdr *m = reserve(b, sizeof(h));
	*m = h;
	b->last = m;
	memcpy(reserve(b, size), header, size);
}

static struct rtattr *put(struct batch *b, unsigned short type, const void *data, size_t size)
{
	struct rtattr *a = reserve(b, RTA_LENGTH(size));

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(a), data, size);
	return a;
}

static void nest_end(struct batch *b, struct rtattr *a)
{
	a->rta_len = (unsigned short)(b->data + b->used - (char *)a);
}

static void transact(int fd, struct batch *b, const char *what)
{
	char answer[8192];
	size_t acks = 0;

	(void)bench_check((int)send(fd, b->data, b->used, 0), what);
	while (acks < b->count) {
		unsigned n = (unsigned)bench_check((int)recv(fd, answer, sizeof(answer), 0), what);
		for (struct nlmsghdr *h = (struct nlmsghdr *)answer; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			const struct nlmsgerr *e = NLMSG_DATA(h);
			if (h->nlmsg_type != NLMSG_ERROR)
				continue;
			acks++;
			if (e->error)
				(void)fprintf(stderr, "message %u: %s\n", e->msg.nlmsg_seq, strerror(-e->error));
		}
	}
}

static void link_up(struct batch *b, int index)
{
	struct ifinfomsg i = { .ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };

	message(b, RTM_NEWLINK, 0, &i, sizeof(i));
}

static void address(struct batch *b, int index, uint32_t local, uint32_t peer)
{
	struct ifaddrmsg a = { .ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = (unsigned)index };

	message(b, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &a, sizeof(a));
	(void)put(b, IFA_LOCAL, &local, sizeof(local));
	(void)put(b, IFA_ADDRESS, &peer, sizeof(peer));
}

static void route(struct batch *b, int index, uint32_t to, int everything)
{
	struct rtmsg r = { .rtm_family = AF_INET,
		           .rtm_dst_len = everything ? 0 : 32,
		           .rtm_table = RT_TABLE_MAIN,
		           .rtm_protocol = RTPROT_STATIC,
		           .rtm_scope = everything ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
		           .rtm_type = RTN_UNICAST };

	message(b, RTM_NEWROUTE, NLM_F_CREATE, &r, sizeof(r));
	(void)put(b, everything ? RTA_GATEWAY : RTA_DST, &to, sizeof(to));
	(void)put(b, RTA_OIF, &index, sizeof(index));
}

static int index_of(int fd, const char *name)
{
	struct ifreq q = { 0 };

	(void)snprintf(q.ifr_name, sizeof(q.ifr_name), "%s", name);
	(void)bench_check(ioctl(fd, SIOCGIFINDEX, &q), name);
	return q.ifr_ifindex;
}

static void create(const struct floor_pod *p, const char *name)
{
	struct ifinfomsg up = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP }, peer = { 0 };
	struct batch b = { .used = 0 };

	message(&b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &up, sizeof(up));
	(void)put(&b, IFLA_IFNAME, name, strlen(name) + 1);
	struct rtattr *info = put(&b, IFLA_LINKINFO, NULL, 0);
	(void)put(&b, IFLA_INFO_KIND, "veth", 5);
	struct rtattr *data = put(&b, IFLA_INFO_DATA, NULL, 0);
	struct rtattr *other = put(&b, VETH_INFO_PEER, &peer, sizeof(peer));
	(void)put(&b, IFLA_IFNAME, "eth0", 5);
	(void)put(&b, IFLA_NET_NS_PID, &p->anchor, sizeof(p->anchor));
	nest_end(&b, other);
	nest_end(&b, data);
	nest_end(&b, info);
	transact(p->floor->host_rtnl, &b, "making a link");
}

/* What a pod's namespace starts with, and a socket into it. */
static int enter(const struct floor_pod *p)
{
	(void)bench_check(setns(p->anchor_pidfd, CLONE_NEWNET), "setns");
	int fd = bench_check(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "netlink");
	floor_put_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0", 0);
	floor_put_file("/proc/sys/net/ipv4/ping_group_range", "0 2147483647", 0);
	floor_put_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1", 1);
	floor_put_file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1", 1);
	(void)bench_check(setns(p->floor->host_netns, CLONE_NEWNET), "setns");
	return fd;
}

void floor_net_make(const struct floor_pod *p)
{
	uint32_t gateway = htonl(GATEWAY), own = htonl(GATEWAY + 1 + (uint32_t)p->number);
	struct batch host = { .used = 0 }, pod = { .used = 0 };
	char name[IFNAMSIZ], path[128];
	int fd = enter(p), host_fd = p->floor->host_rtnl;

	(void)snprintf(name, sizeof(name), "floor%d", p->number);
	create(p, name);
	(void)snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	floor_put_file(path, "1", 1);
	address(&host, index_of(host_fd, name), gateway, own);
	transact(host_fd, &host, "the host's address");

	int index = index_of(fd, "eth0");
	link_up(&pod, 1);
	address(&pod, index, own, own);
	link_up(&pod, index);
	route(&pod, index, gateway, 0);
	route(&pod, index, gateway, 1);
	transact(fd, &pod, "the pod's address");
	(void)close(fd);
}
