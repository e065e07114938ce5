/* podnet's books, shared by its parts: podnet.c (pods come and go), podnet_ports.c (hostPorts), podnet_repair.c. */
#pragma once
#include "base/list.h"
#include "net/link.h"
#include "net/nat.h"
#include "net/podnet.h"
#include "net/watch.h"

struct podnet {
	struct podnet_config config;
	char tag[PODNET_TAG_SIZE];
	uint32_t group;
	int route; /* rtnetlink of the host */
	struct nat nat;
	struct watch watch;
	bool switched_forward; /* by this process: known even where the shared table can't be had */
	struct list members;
	struct buf missing;
};

/* A pod in the books. */
struct member {
	struct list link;
	char *uid;
	struct link_spec spec;
	int index;
	int rtnl_fd; /* of the pod, our own: to make the link anew */
	struct podnet_port *ports;
	int *reserved; /* a bound socket a port: no program of the host takes it, nor is robbed of it */
	size_t port_count;
	bool adopted;    /* elements may be there that the books do not know */
	int64_t leaving; /* since when it is being detached, boot time; 0: it is not */
};

struct member *member_find(const struct podnet *n, const char *uid); /* NULL */
struct nat_pod member_nat(const struct member *m);

/* Whether no two ports are the same, of this pod's and others'. -EADDRINUSE. */
int member_ports_free(const struct podnet *n, const struct member *mine);
/* Binds a socket to each port. For an adopted pod what can't be had is no reason for anything: its traffic flows already. */
int member_ports_reserve(struct member *m, bool adopted);

/* Switches ip_forward on if it is off, and sees to it that the box does not become a router by that. 1 if it had to. */
int podnet_forward(struct podnet *n);
