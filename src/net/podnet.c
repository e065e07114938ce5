#include "net/podnet.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include "base/alloc.h"
#include "base/sha256.h"
#include "base/str.h"
#include "net/forward.h"
#include "net/netlink.h"
#include "net/podnet_internal.h"

/* How long a link may take to go with its namespace before it is deleted by hand. */
#define LEAVE_PATIENCE (300 * NS_PER_MS)

void podnet_ifname(const char *uid, char ret[static PODNET_IFNAME_SIZE])
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	unsigned char h[SHA256_SIZE];

	sha256(uid, strlen(uid), h);
	ret[0] = 'p';
	ret[1] = 'd';
	for (size_t i = 0; i < 11; i++)
		ret[2 + i] = digits[h[i] & 31];
	ret[13] = '\0';
}

struct in_addr podnet_gateway(const struct podnet_config *cfg)
{
	uint32_t mask = UINT32_MAX << (32 - cfg->prefix);

	return (struct in_addr){ .s_addr = htonl((ntohl(cfg->network.s_addr) & mask) + 1) };
}

/* --- books ------------------------------------------------------------------------------------------------------------------- */

struct member *member_find(const struct podnet *n, const char *uid)
{
	list_foreach(m, &n->members, struct member, link)
		if (streq(m->uid, uid))
			return m;
	return NULL;
}

/* The hostPorts are free, and nothing here holds the namespace any more. */
static void member_release(struct member *m)
{
	for (size_t i = 0; i < m->port_count; i++)
		fd_close(m->reserved[i]);
	m->port_count = 0;
	m->rtnl_fd = fd_close(m->rtnl_fd);
}

static struct member *member_free(struct member *m)
{
	if (!m)
		return NULL;
	list_remove(&m->link);
	member_release(m);
	free(m->reserved);
	free(m->ports);
	free(m->uid);
	free(m);
	return NULL;
}

static struct member *member_new(struct podnet *n, const struct podnet_pod *p)
{
	struct member *m = xnew(struct member);

	list_init(&m->link);
	m->uid = xstrdup(p->uid);
	m->rtnl_fd = fcntl(p->rtnl_fd, F_DUPFD_CLOEXEC, 3);
	m->port_count = p->port_count;
	m->ports = xnew_array(struct podnet_port, p->port_count + 1);
	m->reserved = xnew_array(int, p->port_count + 1);
	for (size_t i = 0; i < p->port_count; i++) {
		m->ports[i] = p->ports[i];
		m->reserved[i] = -EBADF;
	}
	podnet_ifname(p->uid, m->spec.name);
	/* The tag and the uid are for the census; of a very long name the tail may go. */
	(void)snprintf(m->spec.alias, sizeof(m->spec.alias), "%.63s/%.100s %s %.63s", p->namespace, p->name, n->tag, p->uid);
	m->spec.group = n->group;
	m->spec.gateway = podnet_gateway(&n->config);
	m->spec.address = p->address;
	m->spec.localnet = p->port_count > 0;
	return m;
}

struct nat_pod member_nat(const struct member *m)
{
	return (struct nat_pod){ .uid = m->uid, .address = m->spec.address, .ports = m->ports, .port_count = m->port_count };
}

/* --- opening and closing ----------------------------------------------------------------------------------------------------- */

static void missing(struct podnet *n, const char *what, const char *why)
{
	buf_printf(&n->missing, "%s%s: %s", n->missing.len ? "; " : "", what, why);
}

int podnet_forward(struct podnet *n)
{
	int on = forward_get();
	int r = on == 0 ? forward_set(true) : MIN(on, 0);

	if (r == 0 && on == 0)
		n->switched_forward = n->nat.forwards = true;
	return r < 0 ? r : on == 0;
}

static void setup_forwarding(struct podnet *n)
{
	int r = podnet_forward(n);

	if (r < 0)
		missing(n, "pods reach this host only, since ip_forward can't be switched on", strerror(-r));
	else if (r == 0 && n->nat.fd >= 0)
		n->nat.forwards = nat_shared_exists(&n->nat);
}

static void setup_nat(struct podnet *n)
{
	static const char without[] = "no masquerade, hostPorts or guard against spoofing";
	_cleanup_buf_ struct buf error = BUF_NULL;

	if (n->nat.fd < 0) {
		missing(n, without, "the kernel has no nf_tables");
		return;
	}
	n->nat.usable = nat_whole(&n->nat) == 1;
	if (n->nat.usable)
		return;
	int r = nat_apply(&n->nat, &error);
	if (r == -ENOENT || r == -EACCES)
		missing(n, without, "the nft program is not there");
	else if (r < 0)
		missing(n, without, error.len ? error.data : strerror(-r));
}

int podnet_open(const struct podnet_config *cfg, struct podnet **ret)
{
	if (cfg->prefix < 8 || cfg->prefix > 30 || !*cfg->tag || strlen(cfg->tag) >= PODNET_TAG_SIZE)
		return -EINVAL;
	struct podnet *n = xnew(struct podnet);
	list_init(&n->members);
	n->config = *cfg;
	(void)snprintf(n->tag, sizeof(n->tag), "%s", cfg->tag);
	n->config.tag = n->tag;
	n->group = link_group(n->tag);
	n->nat.fd = -EBADF;
	n->watch = WATCH_NULL;
	n->route = netlink_open(NETLINK_ROUTE, NULL, 0);
	int r = MIN(n->route, 0);
	if (r == 0) {
		(void)nat_open(&n->nat, &n->config, n->group);
		r = watch_open(&n->watch, n->route, n->nat.fd, n->group, podnet_gateway(&n->config));
	}
	if (r < 0) {
		podnet_close(n, /* remove= */ false);
		return r;
	}
	setup_forwarding(n);
	setup_nat(n);
	*ret = n;
	return 0;
}

static int remove_link(const char *name, const char *alias, void *arg)
{
	struct podnet *n = arg;

	(void)alias;
	(void)link_remove(n->route, name, n->group);
	return 0;
}

static void remove_all(struct podnet *n)
{
	(void)link_walk(n->route, n->group, remove_link, n);
	int last = n->nat.fd >= 0 ? nat_remove(&n->nat) : 0;
	/* Without nftables there is no note that others could read. */
	if (last > 0 || (!n->nat.usable && n->switched_forward))
		(void)forward_set(false);
}

struct podnet *podnet_close(struct podnet *n, bool remove)
{
	if (!n)
		return NULL;
	if (remove)
		remove_all(n);
	list_foreach(m, &n->members, struct member, link)
		member_free(m);
	watch_close(&n->watch);
	nat_close(&n->nat);
	fd_close(n->route);
	buf_deinit(&n->missing);
	free(n);
	return NULL;
}

const char *podnet_missing(const struct podnet *n)
{
	return buf_str(&n->missing);
}

/* --- pods -------------------------------------------------------------------------------------------------------------------- */

static int make_link(struct podnet *n, struct member *m)
{
	int r = link_make(n->route, m->rtnl_fd, &m->spec, &m->index);

	if (r != -EEXIST)
		return r;
	/* Left by an earlier sandbox of this pod, whose namespace someone still holds. */
	r = link_remove(n->route, m->spec.name, n->group);
	if (r == -EPERM)
		return -EEXIST;
	return r < 0 ? r : link_make(n->route, m->rtnl_fd, &m->spec, &m->index);
}

int podnet_attach(struct podnet *n, const struct podnet_pod *p)
{
	if (p->port_count > PODNET_PORTS_MAX)
		return -E2BIG;
	struct member *m = member_find(n, p->uid);
	if (m && !m->leaving)
		return -EEXIST;
	member_free(m); /* make_link() removes what is left of it */
	m = member_new(n, p);
	int r = m->rtnl_fd < 0 ? -EBADF : member_ports_free(n, m);
	if (r == 0)
		r = member_ports_reserve(m, /* adopted= */ false);
	if (r == 0)
		r = make_link(n, m);
	if (r == 0 && n->nat.usable) {
		struct nat_pod np = member_nat(m);
		r = nat_add(&n->nat, &np);
		if (r < 0)
			(void)link_remove(n->route, m->spec.name, n->group);
	}
	if (r < 0) {
		member_free(m);
		return r;
	}
	list_append(&n->members, &m->link);
	return 0;
}

int podnet_adopt(struct podnet *n, const struct podnet_pod *p)
{
	if (p->port_count > PODNET_PORTS_MAX)
		return -E2BIG;
	member_free(member_find(n, p->uid));
	struct member *m = member_new(n, p);
	m->adopted = true;
	int r = m->rtnl_fd < 0 ? -EBADF : member_ports_free(n, m);
	if (r == 0)
		r = link_ensure(n->route, m->rtnl_fd, &m->spec, &m->index);
	if (r >= 0 && n->nat.usable && m->port_count) {
		struct nat_pod np = member_nat(m);
		r = nat_sync(&n->nat, &np, 1);
	}
	if (r < 0) {
		member_free(m);
		return r;
	}
	(void)member_ports_reserve(m, /* adopted= */ true);
	list_append(&n->members, &m->link);
	return 0;
}

/* Deleting a link by hand waits for RCU, some 20 ms each, in which podd would do nothing else. With its namespace it goes in the kernel's
 * own time, many at once; so that is waited for, and the hand is for those whose namespace someone else still holds. */
static int leave(struct podnet *n, struct member *m)
{
	const struct nat_pod none = { .uid = m->uid };

	if (!m->leaving) {
		int r = n->nat.usable && (m->port_count || m->adopted) ? nat_sync(&n->nat, &none, 1) : 0;
		if (r < 0)
			return r;
		member_release(m);
		m->leaving = clock_boot();
	}
	if (if_nametoindex(m->spec.name) == 0)
		return 0;
	if (clock_boot() < m->leaving + LEAVE_PATIENCE)
		return -EBUSY;
	return link_remove(n->route, m->spec.name, n->group);
}

/* One that the books don't know: left by an earlier podd. */
static int remove_orphan(struct podnet *n, const char *uid)
{
	const struct nat_pod none = { .uid = uid };
	char name[PODNET_IFNAME_SIZE];
	int r = n->nat.usable ? nat_sync(&n->nat, &none, 1) : 0;

	podnet_ifname(uid, name);
	if (r >= 0)
		r = link_remove(n->route, name, n->group);
	return r == -EPERM ? 0 : r; /* a foreign link that happens to have the name */
}

int podnet_detach(struct podnet *n, const char *uid)
{
	struct member *m = member_find(n, uid);

	if (!m)
		return remove_orphan(n, uid);
	int r = leave(n, m);
	if (r == 0)
		member_free(m); /* uid may have been its own */
	return r;
}

int podnet_find(const struct podnet *n, const char *uid, struct in_addr *ret)
{
	char name[PODNET_IFNAME_SIZE];

	(void)n;
	podnet_ifname(uid, name);
	int r = link_address(name, ret);
	return r == -ENODEV ? -ENOENT : r;
}

/* --- census ------------------------------------------------------------------------------------------------------------------ */

struct census {
	int (*fn)(const char *what, const char *name, const char *uid, void *arg);
	void *arg;
};

static int census_link(const char *name, const char *alias, void *arg)
{
	const struct census *c = arg;
	const char *uid = strrchr(alias, ' ');

	return c->fn("link", name, uid ? uid + 1 : "", c->arg);
}

static int census_element(const char *name, const char *uid, void *arg)
{
	const struct census *c = arg;

	return c->fn("element", name, uid, c->arg);
}

int podnet_walk(struct podnet *n, int (*fn)(const char *what, const char *name, const char *uid, void *arg), void *arg)
{
	struct census c = { .fn = fn, .arg = arg };
	int r = link_walk(n->route, n->group, census_link, &c);

	return r == 0 && n->nat.fd >= 0 ? nat_walk(&n->nat, census_element, &c) : r;
}
