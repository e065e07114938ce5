#include <arpa/inet.h>
#include <string.h>
#include "base/str.h"
#include "daemon/leases.h"
#include "daemon/pod/sandbox_internal.h"

static bool same_port(const struct podnet_port *a, const struct podnet_port *b)
{
	return a->protocol == b->protocol && a->host_port == b->host_port &&
	       (a->host_ip.s_addr == b->host_ip.s_addr || !a->host_ip.s_addr || !b->host_ip.s_addr);
}

/* Takes the place of the same port of a container before it: init containers are over when the members want theirs. */
static size_t add_port(struct podnet_port ports[static PODNET_PORTS_MAX], size_t count, const struct podnet_port *port)
{
	size_t i = 0;

	while (i < count && !same_port(&ports[i], port))
		i++;
	if (i == PODNET_PORTS_MAX)
		return count;
	ports[i] = *port;
	return MAX(count, i + 1);
}

static size_t collect_ports(const struct pod *p, struct podnet_port ports[static PODNET_PORTS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < pod_container_count(p); i++) {
		const struct container_port_list *l = &pod_container_at(p, i)->ports;
		for (size_t k = 0; k < l->count; k++) {
			if (!l->items[k].host_port || l->items[k].protocol == PROTOCOL_SCTP)
				continue;
			struct podnet_port port = {
				.protocol = l->items[k].protocol == PROTOCOL_UDP ? PODNET_UDP : PODNET_TCP,
				.host_port = (uint16_t)l->items[k].host_port,
				.container_port = (uint16_t)l->items[k].container_port,
			};
			if (l->items[k].host_ip)
				(void)inet_pton(AF_INET, l->items[k].host_ip, &port.host_ip);
			n = add_port(ports, n, &port);
		}
	}
	return n;
}

int sandbox_join_network(struct sandbox *s, const struct pod *p, bool adopt)
{
	struct podnet_port ports[PODNET_PORTS_MAX];
	struct podnet_pod np = {
		.uid = s->uid,
		.namespace = p->metadata.namespace,
		.name = p->metadata.name,
		.netns_fd = s->netns_fd,
		.rtnl_fd = s->rtnl_fd,
		.ports = ports,
		.port_count = collect_ports(p, ports),
	};

	int r = leases_address(s->daemon, s->uid, adopt, &s->address);
	if (r < 0)
		return r;
	np.address = s->address;
	r = adopt ? podnet_adopt(s->daemon->net, &np) : podnet_attach(s->daemon->net, &np);
	if (adopt && r == -EADDRINUSE) { /* edited while podd was away: the pod stays connected without them */
		np.port_count = 0;
		r = podnet_adopt(s->daemon->net, &np);
	}
	s->networked = r == 0;
	return r;
}

/* The other pod that has it. NULL: none, or a program of the host. */
static const struct core_pod *taker_of(const struct sandbox *s, const struct podnet_port *port)
{
	const char *uid = podnet_port_owner(s->daemon->net, port->protocol, port->host_port);
	const struct core_pod *owner = uid && !streq(uid, s->uid) ? core_pod_by_uid(s->daemon->core, uid) : NULL;

	return owner && owner->pod ? owner : NULL;
}

/* Who has one of the pod's hostPorts, and the port. */
static const struct core_pod *port_taker(const struct sandbox *s, const struct podnet_port *ports, size_t count, uint16_t *ret_port)
{
	for (size_t i = 0; i < count; i++) {
		const struct core_pod *owner = taker_of(s, &ports[i]);
		if (owner) {
			*ret_port = ports[i].host_port;
			return owner;
		}
	}
	return NULL;
}

static bool wants_port(const struct pod *p, const struct podnet_port *port)
{
	struct podnet_port ports[PODNET_PORTS_MAX];
	size_t n = collect_ports(p, ports), i = 0;

	while (i < n && !same_port(&ports[i], port))
		i++;
	return i < n;
}

/* Who has a wanted port but wants another may wait for one that this pod has and does not want any more: of two that swap one has to let
 * go. False: nobody who has one is about to, and so the former ports stay. */
static bool let_go(struct sandbox *s, const struct podnet_port *ports, size_t count)
{
	struct podnet_port unclaimed[PODNET_PORTS_MAX];
	size_t n = 0;
	bool moves = false;

	for (size_t i = 0; i < count; i++) {
		const struct core_pod *taker = taker_of(s, &ports[i]);
		if (!taker)
			unclaimed[n++] = ports[i];
		else
			moves = moves || !wants_port(taker->pod, &ports[i]);
	}
	return moves && podnet_set_ports(s->daemon->net, s->uid, unclaimed, n) == 0;
}

int sandbox_set_ports(struct sandbox *s, const struct pod *p, struct buf *error)
{
	struct podnet_port ports[PODNET_PORTS_MAX];
	size_t n = collect_ports(p, ports);
	uint16_t port = 0;

	if (!s->networked)
		return 0;
	int r = podnet_set_ports(s->daemon->net, s->uid, ports, n);
	if (r < 0) {
		const struct core_pod *owner = r == -EADDRINUSE ? port_taker(s, ports, n, &port) : NULL;
		if (owner)
			buf_printf(error, "hostPort %u is taken by pod %s/%s", port, owner->pod->metadata.namespace,
			           owner->pod->metadata.name);
		else
			buf_printf(error, "publishing the hostPorts: %s", strerror(-r));
		if (!owner || !let_go(s, ports, n))
			buf_puts(error, "; the former ones stay until then");
	}
	return r;
}

void sandbox_network_failed(struct sandbox *s, const struct pod *p, int r)
{
	struct podnet_port ports[PODNET_PORTS_MAX];
	size_t n = collect_ports(p, ports);
	uint16_t port = 0;
	const struct core_pod *owner = r == -EADDRINUSE ? port_taker(s, ports, n, &port) : NULL;

	if (owner)
		sandbox_fail(s, "HostPortConflict", "hostPort %u is taken by pod %s/%s", port, owner->pod->metadata.namespace,
		             owner->pod->metadata.name);
	else if (r == -ENOSPC)
		sandbox_fail(s, "NoAddress", "no address is free in the pods' range; give podd a larger --pod-cidr");
	else
		sandbox_fail(s, "FailedCreatePodSandBox", "connecting the pod's network: %s", strerror(-r));
}
