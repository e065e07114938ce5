#include "net/link.h"
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/sha256.h"
#include "base/str.h"
#include "net/netlink.h"

#define POD_LINK "eth0"

/* In a new network namespace the loopback link is the first. */
enum { LOOPBACK_INDEX = 1 };

uint32_t link_group(const char *tag)
{
	unsigned char h[SHA256_SIZE];

	sha256(tag, strlen(tag), h);
	return LINK_GROUP | (uint32_t)h[0] << 16 | (uint32_t)h[1] << 8 | h[2];
}

/* --- messages ---------------------------------------------------------------------------------------------------------------- */

static struct nl_msg *link_message(uint16_t type, uint16_t flags, int index, unsigned set_flags)
{
	struct ifinfomsg i = { .ifi_index = index, .ifi_flags = set_flags, .ifi_change = set_flags };

	return netlink_message(type, flags, &i, sizeof(i));
}

static struct nl_msg *create_message(const struct link_spec *s, int netns)
{
	struct ifinfomsg peer = { 0 }; /* down: while the peer is being born there is no other end yet that it could be up with */
	struct nl_msg *m = link_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, IFF_UP);

	netlink_put_str(m, IFLA_IFNAME, s->name);
	netlink_put_u32(m, IFLA_GROUP, s->group);
	struct nlattr *info = netlink_nest(m, IFLA_LINKINFO);
	netlink_put_str(m, IFLA_INFO_KIND, "veth");
	struct nlattr *data = netlink_nest(m, IFLA_INFO_DATA);
	struct nlattr *other = netlink_nest(m, VETH_INFO_PEER);
	if (nlmsg_append(m, &peer, sizeof(peer), NLMSG_ALIGNTO) < 0)
		abort();
	netlink_put_str(m, IFLA_IFNAME, POD_LINK);
	netlink_put_u32(m, IFLA_NET_NS_FD, (uint32_t)netns);
	netlink_nest_end(m, other);
	netlink_nest_end(m, data);
	netlink_nest_end(m, info);
	return m;
}

/* What can't be said at birth. */
static struct nl_msg *dress_message(const struct link_spec *s)
{
	struct nl_msg *m = link_message(RTM_SETLINK, 0, 0, IFF_UP);

	netlink_put_str(m, IFLA_IFNAME, s->name);
	netlink_put_str(m, IFLA_IFALIAS, s->alias);
	struct nlattr *families = netlink_nest(m, IFLA_AF_SPEC);
	struct nlattr *inet = netlink_nest(m, AF_INET);
	struct nlattr *conf = netlink_nest(m, IFLA_INET_CONF);
	/* Never for all links: neighbours on the others would reach what listens on 127.0.0.1. */
	netlink_put_u32(m, IPV4_DEVCONF_ROUTE_LOCALNET, s->localnet);
	netlink_nest_end(m, conf);
	netlink_nest_end(m, inet);
	netlink_nest_end(m, families);
	return m;
}

static struct nl_msg *address_message(uint16_t flags, int index, struct in_addr local, struct in_addr peer)
{
	struct ifaddrmsg a = { .ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = (unsigned)index };
	struct nl_msg *m = netlink_message(RTM_NEWADDR, (uint16_t)(NLM_F_CREATE | flags), &a, sizeof(a));

	netlink_put(m, IFA_LOCAL, &local, sizeof(local));
	netlink_put(m, IFA_ADDRESS, &peer, sizeof(peer));
	return m;
}

/* To `to` alone on the link, or everything by way of it. */
static struct nl_msg *route_message(int index, struct in_addr to, bool everything)
{
	struct rtmsg r = {
		.rtm_family = AF_INET,
		.rtm_dst_len = everything ? 0 : 32,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = everything ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
		.rtm_type = RTN_UNICAST,
	};
	struct nl_msg *m = netlink_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &r, sizeof(r));

	netlink_put(m, everything ? RTA_GATEWAY : RTA_DST, &to, sizeof(to));
	netlink_put_u32(m, RTA_OIF, (uint32_t)index);
	return m;
}

/* --- making ------------------------------------------------------------------------------------------------------------------ */

/* Interface requests work on any socket, and mean its namespace. */
static int index_of(int fd, const char *name)
{
	struct ifreq q = { 0 };

	(void)snprintf(q.ifr_name, sizeof(q.ifr_name), "%s", name);
	return ioctl(fd, SIOCGIFINDEX, &q) < 0 ? -errno : q.ifr_ifindex;
}

/* The host would take router advertisements from the pod otherwise. Best effort: our table drops IPv6 from pods as well. */
static void ipv6_off(const char *name)
{
	char path[64 + PODNET_IFNAME_SIZE];

	(void)snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	(void)file_write(AT_FDCWD, path, "1");
}

static int pair_make(int host, int pod, const struct link_spec *s)
{
	_cleanup_netlink_batch_ struct netlink_batch b = netlink_batch_new();
	_cleanup_close_ int netns = ioctl(pod, SIOCGSKNS);

	if (netns < 0)
		return -errno;
	netlink_batch_add(&b, create_message(s, netns));
	return netlink_send(host, &b);
}

static int host_side(int host, const struct link_spec *s, uint16_t address_flags, int *ret_index)
{
	_cleanup_netlink_batch_ struct netlink_batch b = netlink_batch_new();
	int index = index_of(host, s->name);

	if (index < 0)
		return index;
	ipv6_off(s->name);
	netlink_batch_add(&b, dress_message(s));
	netlink_batch_add(&b, address_message(address_flags, index, s->gateway, s->address));
	int r = netlink_send(host, &b);
	if (r == 0)
		*ret_index = index;
	return r;
}

static int pod_side(int pod, const struct link_spec *s)
{
	_cleanup_netlink_batch_ struct netlink_batch b = netlink_batch_new();
	int index = index_of(pod, POD_LINK);

	if (index < 0)
		return index;
	netlink_batch_add(&b, link_message(RTM_NEWLINK, 0, LOOPBACK_INDEX, IFF_UP));
	netlink_batch_add(&b, address_message(NLM_F_REPLACE, index, s->address, s->address));
	netlink_batch_add(&b, link_message(RTM_NEWLINK, 0, index, IFF_UP));
	netlink_batch_add(&b, route_message(index, s->gateway, /* everything= */ false));
	netlink_batch_add(&b, route_message(index, s->gateway, /* everything= */ true));
	return netlink_send(pod, &b);
}

/* --- looking ----------------------------------------------------------------------------------------------------------------- */

struct found {
	uint32_t group;
	unsigned flags;
	int index;
	char name[PODNET_IFNAME_SIZE], alias[LINK_ALIAS_SIZE];
};

static int found_parse(const struct nlmsghdr *h, struct found *ret)
{
	struct nlattr *a[IFLA_MAX + 1];
	struct found f = { 0 };

	if (h->nlmsg_type != RTM_NEWLINK || nlmsg_parse((struct nlmsghdr *)h, sizeof(struct ifinfomsg), a, IFLA_MAX, NULL) < 0)
		return -EBADMSG;
	const struct ifinfomsg *i = NLMSG_DATA(h);
	f.flags = i->ifi_flags;
	f.index = i->ifi_index;
	if (a[IFLA_GROUP])
		f.group = nla_get_u32(a[IFLA_GROUP]);
	(void)snprintf(f.name, sizeof(f.name), "%s", a[IFLA_IFNAME] ? netlink_text(a[IFLA_IFNAME]) ?: "" : "");
	(void)snprintf(f.alias, sizeof(f.alias), "%s", a[IFLA_IFALIAS] ? netlink_text(a[IFLA_IFALIAS]) ?: "" : "");
	*ret = f;
	return 0;
}

static int found_one(const struct nlmsghdr *h, void *arg)
{
	return found_parse(h, arg);
}

static int find(int host, const char *name, struct found *ret)
{
	struct nl_msg *m = link_message(RTM_GETLINK, 0, 0, 0);

	netlink_put_str(m, IFLA_IFNAME, name);
	netlink_put_u32(m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return netlink_ask(host, m, found_one, ret);
}

int link_address(const char *name, struct in_addr *ret)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq q = { .ifr_addr.sa_family = AF_INET };
	struct sockaddr_in sa;

	if (fd < 0)
		return -errno;
	(void)snprintf(q.ifr_name, sizeof(q.ifr_name), "%s", name);
	if (ioctl(fd, SIOCGIFDSTADDR, &q) < 0)
		return errno == EADDRNOTAVAIL ? -ENOENT : -errno;
	memcpy(&sa, &q.ifr_dstaddr, sizeof(sa));
	*ret = sa.sin_addr;
	return 0;
}

/* The end that came up first can send only once the kernel's link watch has run, whenever that is; until then it drops, and who
 * asked for an address by ARP asks again a second later. Being asked for the link makes newer kernels run it at once. */
static void carrier_settle(int host, const char *name)
{
	struct found f;

	(void)find(host, name, &f);
}

int link_make(int host, int pod, const struct link_spec *s, int *ret_index)
{
	int index = 0;
	int r = pair_make(host, pod, s);

	if (r < 0)
		return r;
	r = host_side(host, s, NLM_F_EXCL, &index);
	if (r == 0)
		r = pod_side(pod, s);
	if (r == 0)
		carrier_settle(host, s->name);
	if (r < 0) {
		(void)link_remove(host, s->name, s->group);
		return r;
	}
	*ret_index = index;
	return 0;
}

int link_set_localnet(int host, const struct link_spec *s)
{
	_cleanup_netlink_batch_ struct netlink_batch b = netlink_batch_new();

	netlink_batch_add(&b, dress_message(s));
	return netlink_send(host, &b);
}

int link_ensure(int host, int pod, const struct link_spec *s, int *ret_index)
{
	struct found f;
	struct in_addr a = { 0 };
	int r = find(host, s->name, &f);

	if (r == 0 && f.group != s->group)
		return -EEXIST;
	if (r < 0 && r != -ENODEV)
		return r;
	if (r == 0 && index_of(pod, POD_LINK) < 0) {
		/* The name was the pod's, but what is there leads elsewhere: left by an earlier sandbox. */
		r = link_remove(host, s->name, s->group);
		if (r < 0)
			return r;
		r = -ENODEV;
	}
	if (r == -ENODEV) {
		r = link_make(host, pod, s, ret_index);
		return r < 0 ? r : 1;
	}
	bool whole =
		(f.flags & IFF_UP) && streq(f.alias, s->alias) && link_address(s->name, &a) == 0 && a.s_addr == s->address.s_addr;
	if (whole) {
		*ret_index = f.index;
		return 0;
	}
	r = host_side(host, s, NLM_F_REPLACE, ret_index);
	if (r < 0)
		return r;
	carrier_settle(host, s->name);
	carrier_settle(pod, POD_LINK);
	return 1;
}

int link_remove(int host, const char *name, uint32_t group)
{
	_cleanup_netlink_batch_ struct netlink_batch b = netlink_batch_new();
	struct found f;
	int r = find(host, name, &f);

	if (r < 0)
		return r == -ENODEV ? 0 : r;
	if (f.group != group)
		return -EPERM;
	netlink_batch_add(&b, link_message(RTM_DELLINK, 0, f.index, 0));
	r = netlink_send(host, &b);
	return r == -ENODEV ? 0 : r;
}

/* The answers are kept until the last is in: fn may use the socket. */
struct links {
	uint32_t group;
	struct found *items;
	size_t count;
};

static int links_take(const struct nlmsghdr *h, void *arg)
{
	struct links *l = arg;
	struct found f;

	if (found_parse(h, &f) == 0 && f.group == l->group)
		*xgrow(l->items, l->count) = f;
	return 0;
}

int link_walk(int host, uint32_t group, int (*fn)(const char *name, const char *alias, void *arg), void *arg)
{
	struct links l = { .group = group };
	struct nl_msg *m = link_message(RTM_GETLINK, NLM_F_DUMP, 0, 0);

	netlink_put_u32(m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	int r = netlink_ask(host, m, links_take, &l);
	for (size_t i = 0; i < l.count && r == 0; i++)
		r = fn(l.items[i].name, l.items[i].alias, arg);
	free(l.items);
	return r;
}
