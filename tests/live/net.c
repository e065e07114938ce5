/* Pods' networks by real traffic, in a network namespace of this process's own that plays the host, with others for pods and a neighbour. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include <cmocka.h> /* wants the others before it */

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "net/forward.h"
#include "net/link.h"
#include "net/netlink.h"
#include "net/nft.h"
#include "net/podnet.h"

enum { PATIENCE_MS = 5000, SILENCE_MS = 400, GUARD_MS = 10000 };

#define HOST_LAN "192.0.2.1"
#define NEIGHBOUR "192.0.2.2"

struct place { /* a network namespace */
	int netns, rtnl;
};

static int host_ns = -EBADF;
static struct place lan, pods[4];
static struct podnet *net;

static struct in_addr addr(const char *s)
{
	struct in_addr a;

	assert_int_equal(inet_pton(AF_INET, s, &a), 1);
	return a;
}

static void enter(int netns)
{
	assert_int_equal(setns(netns, CLONE_NEWNET), 0);
}

static struct place place_new(void)
{
	struct place p;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	p.netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	p.rtnl = netlink_open(NETLINK_ROUTE, NULL, 0);
	enter(host_ns);
	assert_true(p.netns >= 0 && p.rtnl >= 0);
	return p;
}

static void place_free(struct place *p)
{
	p->netns = fd_close(p->netns);
	p->rtnl = fd_close(p->rtnl);
}

/* --- traffic ----------------------------------------------------------------------------------------------------------------- */

static int sock(int netns, int type)
{
	enter(netns);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	enter(host_ns);
	assert_true(fd >= 0);
	return fd;
}

static struct sockaddr_in inet_at(struct in_addr a, uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = a, .sin_port = htons(port) };
}

static int server(int netns, int type, uint16_t port)
{
	int fd = sock(netns, type), on = 1;
	struct sockaddr_in sa = inet_at((struct in_addr){ INADDR_ANY }, port);

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static bool readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

static const char *text(struct in_addr a)
{
	static char s[INET_ADDRSTRLEN];

	return inet_ntop(AF_INET, &a, s, sizeof(s));
}

/* Connects, says a word both ways; the server sees `seen` as the client's address (NULL: any). */
static bool tcp(int from, struct in_addr to, uint16_t port, int listener, const char *seen)
{
	_cleanup_close_ int c = sock(from, SOCK_STREAM);
	struct sockaddr_in sa = inet_at(to, port), peer;
	socklen_t len = sizeof(peer);
	char word[8];

	if (connect(c, (struct sockaddr *)&sa, sizeof(sa)) < 0 && errno != EINPROGRESS)
		return false;
	struct pollfd p[] = { { .fd = listener, .events = POLLIN }, { .fd = c } }; /* the latter: refused */
	if (poll(p, 2, PATIENCE_MS) < 1 || !p[0].revents)
		return false;
	_cleanup_close_ int s = accept4(listener, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(s >= 0);
	if (seen)
		assert_string_equal(text(peer.sin_addr), seen);
	assert_int_equal(send(s, "server", 6, 0), 6);
	if (!readable(c, PATIENCE_MS))
		return false;
	return recv(c, word, sizeof(word), 0) == 6 && send(c, "client", 6, 0) == 6 && readable(s, PATIENCE_MS) &&
	       recv(s, word, sizeof(word), 0) == 6;
}

static bool udp(int from, struct in_addr to, uint16_t port, int server_fd, const char *seen)
{
	_cleanup_close_ int c = sock(from, SOCK_DGRAM);
	struct sockaddr_in sa = inet_at(to, port), peer;
	socklen_t len = sizeof(peer);
	char word[8];

	if (connect(c, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return false;
	while (recv(server_fd, word, sizeof(word), 0) >= 0) /* what came too late for who sent it */
		;
	for (int tries = 0; tries < 3; tries++)
		if (send(c, "client", 6, 0) == 6 && readable(server_fd, SILENCE_MS))
			break;
	if (!readable(server_fd, 0))
		return false;
	assert_int_equal(recvfrom(server_fd, word, sizeof(word), 0, (struct sockaddr *)&peer, &len), 6);
	if (seen)
		assert_string_equal(text(peer.sin_addr), seen);
	assert_int_equal(sendto(server_fd, "server", 6, 0, (struct sockaddr *)&peer, len), 6);
	return readable(c, PATIENCE_MS) && recv(c, word, sizeof(word), 0) == 6;
}

/* --- pods -------------------------------------------------------------------------------------------------------------------- */

static struct podnet_config config = { .prefix = 16, .tag = "podd" };

static struct podnet_pod pod(unsigned i, const struct podnet_port *ports, size_t count)
{
	static char uid[4][8], name[4][8];

	(void)snprintf(uid[i], sizeof(uid[i]), "uid-%u", i);
	(void)snprintf(name[i], sizeof(name[i]), "pod-%u", i);
	return (struct podnet_pod){
		.uid = uid[i],
		.namespace = "default",
		.name = name[i],
		.address = { htonl(0x0a580002 + i) },
		.netns_fd = pods[i].netns,
		.rtnl_fd = pods[i].rtnl,
		.ports = ports,
		.port_count = count,
	};
}

static const struct podnet_port web_ports[] = {
	{ .protocol = PODNET_TCP, .host_port = 8080, .container_port = 80 },
	{ .protocol = PODNET_UDP, .host_port = 8080, .container_port = 53 },
};

static void attach(unsigned i, const struct podnet_port *ports, size_t count)
{
	struct podnet_pod p = pod(i, ports, count);

	assert_int_equal(podnet_attach(net, &p), 0);
}

static void detach(struct podnet *n, const char *uid)
{
	int64_t end = clock_boot() + GUARD_MS * NS_PER_MS;
	int r;

	while ((r = podnet_detach(n, uid)) == -EBUSY) {
		assert_true(clock_boot() < end);
		usleep(2000);
	}
	assert_int_equal(r, 0);
}

static int count_one(const char *what, const char *name, const char *uid, void *arg)
{
	(void)what;
	(void)name;
	(void)uid;
	++*(unsigned *)arg;
	return 0;
}

static unsigned census(struct podnet *n)
{
	unsigned count = 0;

	assert_int_equal(podnet_walk(n, count_one, &count), 0);
	return count;
}

static int setup(void **state)
{
	(void)state;
	assert_int_equal(podnet_open(&config, &net), 0);
	assert_string_equal(podnet_missing(net), "");
	for (size_t i = 0; i < ARRAY_SIZE(pods); i++)
		pods[i] = place_new();
	return 0;
}

static int teardown(void **state)
{
	unsigned all = 1, ours = 1;

	(void)state;
	net = podnet_close(net, /* remove= */ true);
	for (size_t i = 0; i < ARRAY_SIZE(pods); i++)
		place_free(&pods[i]);
	assert_int_equal(forward_get(), 0);
	_cleanup_close_ int nl = netlink_open(NETLINK_NETFILTER, NULL, 0);
	assert_int_equal(nft_rules(nl, "podd", "", &all, &ours), 0);
	assert_int_equal(all, 0);
	return 0;
}

static void test_pods_and_host_reach_each_other(void **state)
{
	(void)state;
	attach(0, NULL, 0);
	attach(1, NULL, 0);
	_cleanup_close_ int a = server(pods[0].netns, SOCK_STREAM, 80), b = server(pods[1].netns, SOCK_STREAM, 80);
	_cleanup_close_ int h = server(host_ns, SOCK_STREAM, 81);
	assert_true(tcp(pods[1].netns, addr("10.88.0.2"), 80, a, "10.88.0.3"));
	assert_true(tcp(pods[0].netns, addr("10.88.0.3"), 80, b, "10.88.0.2"));
	assert_true(tcp(host_ns, addr("10.88.0.2"), 80, a, "10.88.0.1"));
	assert_true(tcp(pods[0].netns, addr("10.88.0.1"), 81, h, "10.88.0.2"));
	assert_true(tcp(pods[0].netns, addr(HOST_LAN), 81, h, "10.88.0.2"));
	assert_true(tcp(pods[0].netns, addr("127.0.0.1"), 80, a, "127.0.0.1")); /* its own loopback is up */
	assert_int_equal(census(net), 2);
	detach(net, "uid-0"); /* though its namespace lives on */
	place_free(&pods[1]);
	b = fd_close(b);
	detach(net, "uid-1"); /* with it */
	assert_int_equal(census(net), 0);
	detach(net, "uid-1");
}

static void test_world_sees_the_host(void **state)
{
	(void)state;
	attach(0, NULL, 0);
	_cleanup_close_ int t = server(lan.netns, SOCK_STREAM, 80), u = server(lan.netns, SOCK_DGRAM, 53);
	assert_true(tcp(pods[0].netns, addr(NEIGHBOUR), 80, t, HOST_LAN));
	assert_true(udp(pods[0].netns, addr(NEIGHBOUR), 53, u, HOST_LAN));
}

static void test_host_port(void **state)
{
	(void)state;
	attach(0, web_ports, ARRAY_SIZE(web_ports));
	attach(1, NULL, 0);
	_cleanup_close_ int t = server(pods[0].netns, SOCK_STREAM, 80), u = server(pods[0].netns, SOCK_DGRAM, 53);
	const struct {
		int from;
		const char *to, *seen;
	} cases[] = {
		{ lan.netns, HOST_LAN, NEIGHBOUR },       { host_ns, HOST_LAN, NULL },
		{ host_ns, "127.0.0.1", "10.88.0.1" },    { host_ns, "10.88.0.1", NULL },
		{ pods[1].netns, HOST_LAN, "10.88.0.3" }, { pods[1].netns, "10.88.0.1", "10.88.0.3" },
		{ pods[0].netns, HOST_LAN, "10.88.0.1" }, { pods[0].netns, "10.88.0.1", "10.88.0.1" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (!tcp(cases[i].from, addr(cases[i].to), 8080, t, cases[i].seen))
			fail_msg("tcp case %zu, to %s", i, cases[i].to);
		if (!udp(cases[i].from, addr(cases[i].to), 8080, u, cases[i].seen))
			fail_msg("udp case %zu, to %s", i, cases[i].to);
	}
	/* What is not one of the host's addresses is not caught. */
	_cleanup_close_ int n = server(lan.netns, SOCK_STREAM, 8080);
	assert_true(tcp(pods[1].netns, addr(NEIGHBOUR), 8080, n, HOST_LAN));
	detach(net, "uid-0");
	assert_false(tcp(lan.netns, addr(HOST_LAN), 8080, t, NULL));
	assert_int_equal(census(net), 1);
}

static void test_host_port_on_one_address(void **state)
{
	const struct podnet_port local = {
		.protocol = PODNET_TCP, .host_port = 8081, .container_port = 80, .host_ip = addr("127.0.0.1")
	};
	const struct podnet_port outer = {
		.protocol = PODNET_TCP, .host_port = 8081, .container_port = 80, .host_ip = addr(HOST_LAN)
	};

	(void)state;
	attach(0, &local, 1);
	attach(1, &outer, 1);
	_cleanup_close_ int a = server(pods[0].netns, SOCK_STREAM, 80), b = server(pods[1].netns, SOCK_STREAM, 80);
	assert_true(tcp(host_ns, addr("127.0.0.1"), 8081, a, "10.88.0.1"));
	assert_true(tcp(host_ns, addr(HOST_LAN), 8081, b, NULL));
	assert_true(tcp(lan.netns, addr(HOST_LAN), 8081, b, NEIGHBOUR));
	assert_false(tcp(pods[1].netns, addr("10.88.0.1"), 8081, a, NULL));
	/* A neighbour that routes 127.0.0.1 to the host gets nowhere, though the pod's link lets it pass. */
	struct podnet_pod third = pod(2, &outer, 1);
	assert_int_equal(podnet_attach(net, &third), -EADDRINUSE);
	assert_string_equal(podnet_port_owner(net, PODNET_TCP, 8081), "uid-0");
}

static void test_ports_are_taken_once(void **state)
{
	struct podnet_pod p = pod(1, web_ports, 1);
	const struct podnet_port other = { .protocol = PODNET_TCP, .host_port = 8082, .container_port = 80 };

	(void)state;
	attach(0, web_ports, ARRAY_SIZE(web_ports));
	assert_int_equal(podnet_attach(net, &p), -EADDRINUSE);
	assert_string_equal(podnet_port_owner(net, PODNET_TCP, 8080), "uid-0");
	assert_null(podnet_port_owner(net, PODNET_TCP, 8081));
	unsigned before = census(net);
	/* Nor from a program of the host, and it can't take the pod's. */
	_cleanup_close_ int listener = server(host_ns, SOCK_STREAM, 8082), robber = sock(host_ns, SOCK_STREAM);
	p = pod(1, &other, 1);
	assert_int_equal(podnet_attach(net, &p), -EADDRINUSE);
	assert_null(podnet_port_owner(net, PODNET_TCP, 8082));
	struct sockaddr_in sa = inet_at((struct in_addr){ INADDR_ANY }, 8080);
	assert_int_equal(bind(robber, (struct sockaddr *)&sa, sizeof(sa)), -1);
	assert_int_equal(census(net), before);
	listener = fd_close(listener);
	assert_int_equal(podnet_attach(net, &p), 0);
	assert_int_equal(podnet_attach(net, &p), -EEXIST);
}

/* Sends from `source`, given to the pod's loopback, to a server of the neighbour's and one of another pod's. */
static void assert_spoof_dropped(const char *source)
{
	_cleanup_netlink_batch_ struct netlink_batch b = netlink_batch_new();
	struct ifaddrmsg a = { .ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = 1 };
	struct nl_msg *m = netlink_message(RTM_NEWADDR, NLM_F_CREATE, &a, sizeof(a));
	struct in_addr from = addr(source);
	_cleanup_close_ int c = sock(pods[0].netns, SOCK_DGRAM), u = server(lan.netns, SOCK_DGRAM, 53);
	_cleanup_close_ int other = server(pods[1].netns, SOCK_DGRAM, 53), host = server(host_ns, SOCK_DGRAM, 54);
	struct sockaddr_in sa = inet_at(from, 0);

	netlink_put(m, IFA_LOCAL, &from, sizeof(from));
	netlink_batch_add(&b, m);
	assert_int_equal(netlink_send(pods[0].rtnl, &b), 0);
	assert_int_equal(bind(c, (struct sockaddr *)&sa, sizeof(sa)), 0);
	const struct {
		const char *to;
		uint16_t port;
		int fd;
	} targets[] = { { NEIGHBOUR, 53, u }, { "10.88.0.3", 53, other }, { "10.88.0.1", 54, host } };
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		sa = inet_at(addr(targets[i].to), targets[i].port);
		(void)sendto(c, "spoof", 5, 0, (struct sockaddr *)&sa, sizeof(sa));
		if (readable(targets[i].fd, SILENCE_MS))
			fail_msg("%s reached %s", source, targets[i].to);
	}
}

static void test_spoofing(void **state)
{
	(void)state;
	attach(0, NULL, 0);
	attach(1, NULL, 0);
	_cleanup_close_ int u = server(lan.netns, SOCK_DGRAM, 54);
	assert_true(udp(pods[0].netns, addr(NEIGHBOUR), 54, u, HOST_LAN)); /* the way is free for its own address */
	assert_spoof_dropped("10.88.0.3");
	assert_spoof_dropped("10.88.0.1");
	assert_spoof_dropped("198.51.100.7");
	assert_spoof_dropped(NEIGHBOUR);
	assert_spoof_dropped(HOST_LAN);
}

/* --- repair ------------------------------------------------------------------------------------------------------------------ */

static void await_repair(struct podnet *n, const char *what)
{
	_cleanup_buf_ struct buf report = BUF_NULL;
	int64_t end = clock_boot() + GUARD_MS * NS_PER_MS;

	while (!report.len) {
		assert_true(clock_boot() < end);
		(void)readable(podnet_fd(n), GUARD_MS);
		assert_int_equal(podnet_dispatch(n, &report), 0);
	}
	if (!strstr(report.data, what))
		fail_msg("\"%s\" is not in: %s", what, report.data);
}

static void assert_idle(struct podnet *n)
{
	_cleanup_buf_ struct buf report = BUF_NULL;

	/* One more look after a repair, that finds nothing; then silence. */
	while (readable(podnet_fd(n), 2 * SILENCE_MS))
		assert_int_equal(podnet_dispatch(n, &report), 0);
	assert_string_equal(buf_str(&report), "");
}

static void test_repair_of_nftables(void **state)
{
	static const char *const damages[] = {
		"flush ruleset\n",
		"delete table inet podd\n",
		"flush chain inet podd prerouting\n",
		"flush map inet podd ports\n",
		"flush set inet podd hairpin\n",
		"delete element inet podd ports { tcp . 8080 }\n",
		"flush chain inet podd_forward forward\n",
		"insert rule inet podd prerouting accept\n",
	};
	_cleanup_buf_ struct buf error = BUF_NULL;

	(void)state;
	attach(0, web_ports, ARRAY_SIZE(web_ports));
	assert_idle(net);
	_cleanup_close_ int t = server(pods[0].netns, SOCK_STREAM, 80);
	_cleanup_close_ int n = server(lan.netns, SOCK_STREAM, 80);
	unsigned before = census(net);
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		assert_int_equal(nft_run(damages[i], &error), 0);
		await_repair(net, "nftables table podd");
		assert_int_equal(census(net), before);
		assert_true(tcp(lan.netns, addr(HOST_LAN), 8080, t, NEIGHBOUR));
		assert_true(tcp(pods[0].netns, addr("10.88.0.1"), 8080, t, "10.88.0.1"));
		assert_true(tcp(pods[0].netns, addr(NEIGHBOUR), 80, n, HOST_LAN));
		assert_idle(net);
	}
	/* Others' rules are others' business. */
	assert_int_equal(nft_run("add table inet other\nadd chain inet other c\ndelete table inet other\n", &error), 0);
	assert_idle(net);
}

static void tamper(uint16_t type, unsigned flags, unsigned change)
{
	_cleanup_close_ int fd = netlink_open(NETLINK_ROUTE, NULL, 0);
	_cleanup_netlink_batch_ struct netlink_batch b = netlink_batch_new();
	struct ifinfomsg i = { .ifi_flags = flags, .ifi_change = change };
	char name[PODNET_IFNAME_SIZE];
	struct nl_msg *m = netlink_message(type, 0, &i, sizeof(i));

	podnet_ifname("uid-0", name);
	netlink_put_str(m, IFLA_IFNAME, name);
	netlink_batch_add(&b, m);
	assert_int_equal(netlink_send(fd, &b), 0);
}

static void drop_address(void)
{
	_cleanup_close_ int fd = netlink_open(NETLINK_ROUTE, NULL, 0);
	_cleanup_netlink_batch_ struct netlink_batch b = netlink_batch_new();
	char name[PODNET_IFNAME_SIZE];
	struct in_addr gateway = podnet_gateway(&config), peer = addr("10.88.0.2");

	podnet_ifname("uid-0", name);
	struct ifaddrmsg a = { .ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = if_nametoindex(name) };
	struct nl_msg *m = netlink_message(RTM_DELADDR, 0, &a, sizeof(a));
	netlink_put(m, IFA_LOCAL, &gateway, sizeof(gateway));
	netlink_put(m, IFA_ADDRESS, &peer, sizeof(peer));
	netlink_batch_add(&b, m);
	assert_int_equal(netlink_send(fd, &b), 0);
}

static void test_repair_of_links(void **state)
{
	(void)state;
	attach(0, web_ports, ARRAY_SIZE(web_ports));
	_cleanup_close_ int t = server(pods[0].netns, SOCK_STREAM, 80);
	for (int i = 0; i < 3; i++) {
		if (i == 0)
			tamper(RTM_DELLINK, 0, 0);
		else if (i == 1)
			tamper(RTM_NEWLINK, 0, IFF_UP);
		else
			drop_address();
		await_repair(net, "default/pod-0 podd uid-0");
		assert_true(tcp(host_ns, addr("10.88.0.2"), 80, t, NULL));
		assert_true(tcp(host_ns, addr("127.0.0.1"), 8080, t, NULL));
		assert_true(tcp(lan.netns, addr(HOST_LAN), 8080, t, NEIGHBOUR));
		assert_idle(net);
	}
}

static void test_repair_of_forwarding(void **state)
{
	(void)state;
	attach(0, NULL, 0);
	_cleanup_close_ int n = server(lan.netns, SOCK_STREAM, 80);
	assert_int_equal(forward_set(false), 0);
	await_repair(net, "ip_forward was switched off");
	assert_true(tcp(pods[0].netns, addr(NEIGHBOUR), 80, n, HOST_LAN));
	assert_idle(net);
}

/* --- life of podd ------------------------------------------------------------------------------------------------------------ */

static void test_adoption_interrupts_nothing(void **state)
{
	struct podnet_pod p = pod(0, web_ports, ARRAY_SIZE(web_ports)), q = pod(1, NULL, 0);
	struct in_addr a;
	char word[8];

	(void)state;
	assert_int_equal(podnet_attach(net, &p), 0);
	assert_int_equal(podnet_attach(net, &q), 0);
	_cleanup_close_ int t = server(pods[0].netns, SOCK_STREAM, 80), c = sock(lan.netns, SOCK_STREAM);
	struct sockaddr_in sa = inet_at(addr(HOST_LAN), 8080);
	(void)connect(c, (struct sockaddr *)&sa, sizeof(sa));
	assert_true(readable(t, PATIENCE_MS));
	_cleanup_close_ int s = accept4(t, NULL, NULL, SOCK_CLOEXEC);
	unsigned before = census(net);
	char name[PODNET_IFNAME_SIZE];
	podnet_ifname("uid-0", name);
	unsigned index = if_nametoindex(name);

	net = podnet_close(net, /* remove= */ false);
	assert_true(tcp(lan.netns, addr(HOST_LAN), 8080, t, NEIGHBOUR)); /* without podd too */
	assert_int_equal(podnet_open(&config, &net), 0);
	assert_int_equal(podnet_find(net, "uid-0", &a), 0);
	assert_string_equal(text(a), "10.88.0.2");
	assert_int_equal(podnet_find(net, "uid-9", &a), -ENOENT);
	assert_int_equal(podnet_adopt(net, &p), 0);
	assert_int_equal(podnet_adopt(net, &q), 0);
	assert_int_equal(census(net), before);
	assert_int_equal(if_nametoindex(name), index);
	assert_int_equal(send(s, "still", 5, 0), 5);
	assert_true(readable(c, PATIENCE_MS));
	assert_int_equal(recv(c, word, sizeof(word), 0), 5);
	struct podnet_pod thief = pod(2, web_ports, 1);
	assert_int_equal(podnet_attach(net, &thief), -EADDRINUSE);
}

static void test_adoption_repairs(void **state)
{
	struct podnet_pod p = pod(0, web_ports, ARRAY_SIZE(web_ports));
	_cleanup_buf_ struct buf error = BUF_NULL;

	(void)state;
	assert_int_equal(podnet_attach(net, &p), 0);
	_cleanup_close_ int t = server(pods[0].netns, SOCK_STREAM, 80);
	net = podnet_close(net, /* remove= */ false);
	assert_int_equal(nft_run("delete table inet podd\n", &error), 0);
	tamper(RTM_DELLINK, 0, 0);
	assert_int_equal(podnet_open(&config, &net), 0);
	assert_int_equal(podnet_adopt(net, &p), 0);
	assert_true(tcp(lan.netns, addr(HOST_LAN), 8080, t, NEIGHBOUR));
	assert_int_equal(census(net), 4);
	/* One that is no longer wanted goes by its uid alone. */
	net = podnet_close(net, /* remove= */ false);
	assert_int_equal(podnet_open(&config, &net), 0);
	detach(net, "uid-0");
	detach(net, "uid-0");
	assert_int_equal(census(net), 0);
}

/* The pod is made anew at once, with the old one's link still going. */
static void test_attach_while_leaving(void **state)
{
	(void)state;
	attach(0, web_ports, ARRAY_SIZE(web_ports));
	assert_int_equal(podnet_detach(net, "uid-0"), -EBUSY);
	assert_null(podnet_port_owner(net, PODNET_TCP, 8080));
	assert_int_equal(census(net), 1); /* the elements are gone already */
	attach(0, web_ports, ARRAY_SIZE(web_ports));
	_cleanup_close_ int t = server(pods[0].netns, SOCK_STREAM, 80);
	assert_true(tcp(lan.netns, addr(HOST_LAN), 8080, t, NEIGHBOUR));
	assert_int_equal(census(net), 4);
}

static void test_a_table_of_another_make(void **state)
{
	_cleanup_buf_ struct buf error = BUF_NULL;

	(void)state;
	net = podnet_close(net, /* remove= */ false);
	assert_int_equal(nft_run("delete table inet podd\nadd table inet podd\n"
	                         "add map inet podd ports { type inet_service : ipv4_addr; }\n",
	                         &error),
	                 0);
	assert_int_equal(podnet_open(&config, &net), 0);
	assert_string_equal(podnet_missing(net), "");
	attach(0, web_ports, ARRAY_SIZE(web_ports));
	_cleanup_close_ int t = server(pods[0].netns, SOCK_STREAM, 80);
	assert_true(tcp(lan.netns, addr(HOST_LAN), 8080, t, NEIGHBOUR));
}

static void test_two_side_by_side(void **state)
{
	struct podnet_config other = { .prefix = 24, .tag = "podd_0a1b2c3d", .network = addr("10.99.0.0") };
	const struct podnet_port port = { .protocol = PODNET_TCP, .host_port = 9090, .container_port = 80 };
	struct podnet_pod p = pod(1, &port, 1);
	struct podnet *second;

	(void)state;
	attach(0, web_ports, ARRAY_SIZE(web_ports));
	assert_int_equal(podnet_open(&other, &second), 0);
	p.address = addr("10.99.0.2");
	assert_int_equal(podnet_attach(second, &p), 0);
	_cleanup_close_ int a = server(pods[0].netns, SOCK_STREAM, 80), b = server(pods[1].netns, SOCK_STREAM, 80);
	assert_true(tcp(lan.netns, addr(HOST_LAN), 8080, a, NEIGHBOUR));
	assert_true(tcp(lan.netns, addr(HOST_LAN), 9090, b, NEIGHBOUR));
	assert_true(tcp(pods[0].netns, addr("10.99.0.2"), 80, b, "10.88.0.2"));
	assert_int_equal(census(net), 4);
	assert_int_equal(census(second), 3);
	/* Neither touches what is the other's, in use or at its end. */
	assert_int_equal(podnet_detach(second, "uid-0"), 0);
	assert_int_equal(census(net), 4);
	net = podnet_close(net, /* remove= */ true);
	assert_int_equal(forward_get(), 1);
	assert_int_equal(census(second), 3);
	assert_true(tcp(lan.netns, addr(HOST_LAN), 9090, b, NEIGHBOUR));
	assert_int_equal(podnet_open(&config, &net), 0);
	second = podnet_close(second, /* remove= */ true);
}

static void test_the_box_is_no_router(void **state)
{
	struct place far = place_new();
	const struct link_spec s = { .name = "far0", .gateway = addr("203.0.113.1"), .address = addr("203.0.113.2") };
	_cleanup_close_ int host = netlink_open(NETLINK_ROUTE, NULL, 0), u = server(far.netns, SOCK_DGRAM, 53);
	int index;

	(void)state;
	assert_int_equal(link_make(host, far.rtnl, &s, &index), 0);
	assert_int_equal(forward_get(), 1);
	assert_false(udp(lan.netns, addr("203.0.113.2"), 53, u, NULL));
	/* Where the owner of the box wants a router, it is one: not by podd's doing, so podd does not stand in the way. */
	net = podnet_close(net, /* remove= */ true);
	assert_int_equal(forward_get(), 0);
	assert_int_equal(forward_set(true), 0);
	assert_int_equal(podnet_open(&config, &net), 0);
	assert_true(udp(lan.netns, addr("203.0.113.2"), 53, u, NULL));
	net = podnet_close(net, /* remove= */ true);
	assert_int_equal(forward_get(), 1);
	assert_int_equal(forward_set(false), 0);
	assert_int_equal(podnet_open(&config, &net), 0);
	assert_int_equal(link_remove(host, "far0", 0), 0);
	place_free(&far);
}

static void test_failure_leaves_nothing(void **state)
{
	struct podnet_pod p = pod(0, web_ports, ARRAY_SIZE(web_ports));
	struct link_spec s = { .gateway = addr("203.0.113.1"), .address = addr("203.0.113.2") };
	_cleanup_close_ int host = netlink_open(NETLINK_ROUTE, NULL, 0);
	int index;

	(void)state;
	/* "eth0" is taken in the pod. */
	(void)snprintf(s.name, sizeof(s.name), "occupant");
	assert_int_equal(link_make(host, pods[0].rtnl, &s, &index), 0);
	assert_int_equal(podnet_attach(net, &p), -EEXIST);
	assert_int_equal(census(net), 0);
	assert_null(podnet_port_owner(net, PODNET_TCP, 8080));
	assert_int_equal(link_remove(host, "occupant", 0), 0);
	/* The link's name is taken by someone else's: it stays. */
	podnet_ifname("uid-0", s.name);
	assert_int_equal(link_make(host, pods[1].rtnl, &s, &index), 0);
	assert_int_equal(podnet_attach(net, &p), -EEXIST);
	assert_int_equal(podnet_detach(net, "uid-0"), 0);
	assert_int_equal(if_nametoindex(s.name), index);
	assert_int_equal(link_remove(host, s.name, 0), 0);
	assert_int_equal(podnet_attach(net, &p), 0);
}

/* A second sandbox of a pod, while someone still holds the first one's namespace. */
static void test_rebuilt_sandbox(void **state)
{
	struct podnet_pod p = pod(0, web_ports, ARRAY_SIZE(web_ports));

	(void)state;
	assert_int_equal(podnet_attach(net, &p), 0);
	net = podnet_close(net, /* remove= */ false);
	assert_int_equal(podnet_open(&config, &net), 0);
	p.netns_fd = pods[3].netns;
	p.rtnl_fd = pods[3].rtnl;
	assert_int_equal(podnet_attach(net, &p), 0);
	_cleanup_close_ int t = server(pods[3].netns, SOCK_STREAM, 80);
	assert_true(tcp(lan.netns, addr(HOST_LAN), 8080, t, NEIGHBOUR));
	assert_int_equal(census(net), 4);
}

/* --- hosts that give less --------------------------------------------------------------------------------------------------- */

static void test_without_nft(void **state)
{
	static const char *const places[] = { "/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft", "/usr/local/sbin/nft" };
	_cleanup_buf_ struct buf report = BUF_NULL;

	(void)state;
	net = podnet_close(net, /* remove= */ true);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		(void)mount("/dev/null", places[i], NULL, MS_BIND, NULL);
	int r = podnet_open(&config, &net);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		while (umount2(places[i], MNT_DETACH) == 0)
			;
	assert_int_equal(r, 0);
	assert_non_null(strstr(podnet_missing(net), "nft program"));
	attach(0, web_ports, ARRAY_SIZE(web_ports));
	attach(1, NULL, 0);
	_cleanup_close_ int t = server(pods[0].netns, SOCK_STREAM, 80);
	assert_true(tcp(pods[1].netns, addr("10.88.0.2"), 80, t, "10.88.0.3"));
	assert_true(tcp(host_ns, addr("10.88.0.2"), 80, t, "10.88.0.1"));
	assert_int_equal(census(net), 2);
	while (readable(podnet_fd(net), SILENCE_MS))
		assert_int_equal(podnet_dispatch(net, &report), 0);
	detach(net, "uid-0");
	detach(net, "uid-1");
}

static void test_with_read_only_sysctls(void **state)
{
	(void)state;
	net = podnet_close(net, /* remove= */ true);
	assert_int_equal(mount("/proc/sys", "/proc/sys", NULL, MS_BIND, NULL), 0);
	assert_int_equal(mount(NULL, "/proc/sys", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), 0);
	int r = podnet_open(&config, &net);
	if (r == 0)
		attach(0, web_ports, ARRAY_SIZE(web_ports));
	assert_int_equal(umount2("/proc/sys", MNT_DETACH), 0);
	assert_int_equal(r, 0);
	assert_non_null(strstr(podnet_missing(net), "ip_forward"));
	_cleanup_close_ int t = server(pods[0].netns, SOCK_STREAM, 80);
	assert_true(tcp(host_ns, addr("127.0.0.1"), 8080, t, "10.88.0.1"));
}

/* --- the test's own host ------------------------------------------------------------------------------------------------------- */

static int group_setup(void **state)
{
	const struct link_spec s = { .name = "lan0", .gateway = addr(HOST_LAN), .address = addr(NEIGHBOUR) };
	_cleanup_close_ int host = -EBADF;
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int index;

	(void)state;
	/* A mount namespace too, so that nothing here can reach the machine's /proc/sys by mistake. */
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	host_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	host = netlink_open(NETLINK_ROUTE, NULL, 0);
	if (host_ns < 0 || host < 0 || ioctl(host, SIOCSIFFLAGS, &lo) < 0)
		return -1;
	config.network = addr("10.88.0.0");
	lan = place_new();
	return link_make(host, lan.rtnl, &s, &index);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_pods_and_host_reach_each_other),
		T(test_world_sees_the_host),
		T(test_host_port),
		T(test_host_port_on_one_address),
		T(test_ports_are_taken_once),
		T(test_spoofing),
		T(test_repair_of_nftables),
		T(test_repair_of_links),
		T(test_repair_of_forwarding),
		T(test_adoption_interrupts_nothing),
		T(test_adoption_repairs),
		T(test_attach_while_leaving),
		T(test_a_table_of_another_make),
		T(test_two_side_by_side),
		T(test_the_box_is_no_router),
		T(test_failure_leaves_nothing),
		T(test_rebuilt_sandbox),
		T(test_without_nft),
		T(test_with_read_only_sysctls),
	};

	return cmocka_run_group_tests_name("net", tests, group_setup, NULL);
}
