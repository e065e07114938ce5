#include "net/watch.h"
#include <linux/netconf.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include "net/netlink.h"

static int add(int epoll, int fd)
{
	struct epoll_event e = { .events = EPOLLIN };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

int watch_open(struct watch *w, int route_fd, int nft_fd, uint32_t group, struct in_addr gateway)
{
	static const unsigned route_groups[] = { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_NETCONF };
	static const unsigned nft_groups[] = { NFNLGRP_NFTABLES };

	*w = WATCH_NULL;
	w->group = group;
	w->gateway = gateway;
	w->own_route = netlink_portid(route_fd);
	w->own_nft = nft_fd < 0 ? 0 : netlink_portid(nft_fd);
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	w->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	int r = w->epoll < 0 || w->timer < 0 ? -errno : add(w->epoll, w->timer);
	if (r == 0)
		r = w->route = netlink_open(NETLINK_ROUTE, route_groups, ARRAY_SIZE(route_groups));
	if (r >= 0)
		r = add(w->epoll, w->route);
	if (r == 0 && nft_fd >= 0)
		w->nft = netlink_open(NETLINK_NETFILTER, nft_groups, ARRAY_SIZE(nft_groups));
	if (r == 0 && w->nft >= 0)
		r = add(w->epoll, w->nft);
	if (r < 0)
		watch_close(w);
	return r;
}

void watch_close(struct watch *w)
{
	w->epoll = fd_close(w->epoll);
	w->route = fd_close(w->route);
	w->nft = fd_close(w->nft);
	w->timer = fd_close(w->timer);
}

/* Of the host as a whole: its links say so one by one, too. */
static bool forwarding_off(const struct nlmsghdr *h)
{
	struct nlattr *a[NETCONFA_MAX + 1];

	return nlmsg_parse((struct nlmsghdr *)h, sizeof(struct netconfmsg), a, NETCONFA_MAX, NULL) == 0 && a[NETCONFA_IFINDEX] &&
	       nla_get_u32(a[NETCONFA_IFINDEX]) == (uint32_t)NETCONFA_IFINDEX_ALL && a[NETCONFA_FORWARDING] &&
	       nla_get_u32(a[NETCONFA_FORWARDING]) == 0;
}

/* A notice carries the port of the request that caused it; 0 for the kernel's own doing, and from older kernels for all of rtnetlink's. */
static int take_route(const struct nlmsghdr *h, void *arg)
{
	struct watch *w = arg;
	struct nlattr *a[IFLA_MAX + 1], *f[IFA_MAX + 1];
	const struct ifinfomsg *i = NLMSG_DATA(h);

	if (h->nlmsg_pid == w->own_route)
		return 0;
	if (h->nlmsg_type == RTM_DELADDR && nlmsg_parse((struct nlmsghdr *)h, sizeof(struct ifaddrmsg), f, IFA_MAX, NULL) == 0 &&
	    f[IFA_LOCAL] && nla_len(f[IFA_LOCAL]) == sizeof(uint32_t) && nla_get_u32(f[IFA_LOCAL]) == w->gateway.s_addr)
		w->route_due = true;
	if (h->nlmsg_type == RTM_NEWNETCONF)
		w->route_due |= forwarding_off(h);
	if (h->nlmsg_type != RTM_DELLINK && h->nlmsg_type != RTM_NEWLINK)
		return 0;
	if (nlmsg_parse((struct nlmsghdr *)h, sizeof(*i), a, IFLA_MAX, NULL) == 0 && a[IFLA_GROUP] &&
	    nla_get_u32(a[IFLA_GROUP]) == w->group && (h->nlmsg_type == RTM_DELLINK || !(i->ifi_flags & IFF_UP)))
		w->route_due = true;
	return 0;
}

static int take_nft(const struct nlmsghdr *h, void *arg)
{
	struct watch *w = arg;

	if (h->nlmsg_pid != w->own_nft)
		w->nft_due = true;
	return 0;
}

static void arm(struct watch *w, int64_t delay)
{
	struct itimerspec t = { .it_value = { .tv_sec = delay / NS_PER_SEC, .tv_nsec = delay % NS_PER_SEC } };

	w->armed = delay > 0;
	(void)timerfd_settime(w->timer, 0, &t, NULL);
}

bool watch_take(struct watch *w)
{
	uint64_t ticks;

	if (read(w->timer, &ticks, sizeof(ticks)) > 0)
		w->armed = false;
	/* Something lost: whatever it was, look. */
	if (netlink_drain(w->route, take_route, w) < 0)
		w->route_due = true;
	if (w->nft >= 0 && netlink_drain(w->nft, take_nft, w) < 0)
		w->nft_due = true;
	if (!w->route_due && !w->nft_due)
		return false;
	int64_t wait = w->last + WATCH_PAUSE - clock_boot();
	if (w->last && w->armed)
		return false;
	if (!w->last || wait <= 0)
		return true;
	arm(w, wait);
	return false;
}

void watch_looked(struct watch *w, int64_t delay)
{
	w->last = clock_boot();
	w->route_due = w->nft_due = delay > 0;
	if (delay > 0)
		arm(w, delay);
}
