/* hostPorts: one owner each, among pods and programs of the host. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "base/alloc.h"
#include "net/podnet_internal.h"

static bool ports_clash(const struct podnet_port *a, const struct podnet_port *b)
{
	return a->protocol == b->protocol && a->host_port == b->host_port &&
	       (a->host_ip.s_addr == b->host_ip.s_addr || a->host_ip.s_addr == INADDR_ANY || b->host_ip.s_addr == INADDR_ANY);
}

static bool member_clashes(const struct member *m, const struct podnet_port *port)
{
	for (size_t i = 0; i < m->port_count; i++)
		if (ports_clash(&m->ports[i], port))
			return true;
	return false;
}

int member_ports_free(const struct podnet *n, const struct member *mine)
{
	for (size_t i = 0; i < mine->port_count; i++) {
		for (size_t k = 0; k < i; k++)
			if (ports_clash(&mine->ports[i], &mine->ports[k]))
				return -EADDRINUSE;
		list_foreach(m, &n->members, struct member, link)
			if (m != mine && member_clashes(m, &mine->ports[i]))
				return -EADDRINUSE;
	}
	return 0;
}

/* Bound, and neither listening nor read: destination NAT comes before any socket is looked for. */
static int port_reserve(const struct podnet_port *p)
{
	int type = p->protocol == PODNET_UDP ? SOCK_DGRAM : SOCK_STREAM, least = 1;
	_cleanup_close_ int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(p->host_port), .sin_addr = p->host_ip };

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least));
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int member_ports_reserve(struct member *m, bool adopted)
{
	for (size_t i = 0; i < m->port_count; i++) {
		m->reserved[i] = port_reserve(&m->ports[i]);
		/* An address that the host does not have (yet) can't be taken by anyone. */
		if (m->reserved[i] == -EADDRINUSE && !adopted)
			return -EADDRINUSE;
	}
	return 0;
}

static bool same_ports(const struct member *m, const struct podnet_port *ports, size_t count)
{
	bool same = m->port_count == count;

	for (size_t i = 0; same && i < count; i++)
		same = ports_clash(&m->ports[i], &ports[i]) && m->ports[i].container_port == ports[i].container_port &&
		       m->ports[i].host_ip.s_addr == ports[i].host_ip.s_addr;
	return same;
}

/* Frees the former ports and takes the new ones' list. */
static void take_ports(struct member *m, const struct podnet_port *ports, size_t count)
{
	for (size_t i = 0; i < m->port_count; i++)
		(void)fd_close(m->reserved[i]);
	free(m->ports);
	free(m->reserved);
	m->ports = xnew_array(struct podnet_port, count + 1);
	m->reserved = xnew_array(int, count + 1);
	m->port_count = count;
	for (size_t i = 0; i < count; i++) {
		m->ports[i] = ports[i];
		m->reserved[i] = -EBADF;
	}
}

static int apply_ports(struct podnet *n, struct member *m, bool restored)
{
	const struct nat_pod np = member_nat(m);
	int r = restored ? 0 : member_ports_free(n, m);

	if (r == 0)
		r = member_ports_reserve(m, restored);
	if (r == 0 && m->port_count && !m->spec.localnet) {
		m->spec.localnet = true;
		r = link_set_localnet(n->route, &m->spec);
	}
	return r == 0 && n->nat.usable ? MIN(nat_sync(&n->nat, &np, 1), 0) : r;
}

int podnet_set_ports(struct podnet *n, const char *uid, const struct podnet_port *ports, size_t count)
{
	struct member *m = member_find(n, uid);
	_cleanup_free_ struct podnet_port *former = NULL;

	if (!m || m->leaving)
		return -ENOENT;
	if (count > PODNET_PORTS_MAX)
		return -E2BIG;
	if (same_ports(m, ports, count) && !m->adopted)
		return 0;
	size_t former_count = m->port_count;
	former = xnew_array(struct podnet_port, former_count + 1);
	memcpy(former, m->ports, former_count * sizeof(*former));
	take_ports(m, ports, count);
	int r = apply_ports(n, m, /* restored= */ false);
	if (r < 0) {
		take_ports(m, former, former_count);
		(void)apply_ports(n, m, /* restored= */ true);
		return r;
	}
	m->adopted = false;
	return 0;
}

const char *podnet_port_owner(const struct podnet *n, enum podnet_protocol proto, uint16_t host_port)
{
	const struct podnet_port p = { .protocol = proto, .host_port = host_port };

	list_foreach(m, &n->members, struct member, link)
		if (member_clashes(m, &p))
			return m->uid;
	return NULL;
}
