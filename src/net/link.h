/* A pod's link: a veth pair made in one message, the peer born in the pod's namespace. (Made here and moved there it costs thirty times
 * as much: a device that changes its namespace waits for RCU.)
 *
 * Ours is what carries our group; the alias says for people whose it is. The group is what nftables rules match, so that a new pod
 * needs no change there: "p" in the top byte for every podd, a hash of the tag below. */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include "net/podnet.h"

enum {
	LINK_ALIAS_SIZE = 256,
	LINK_GROUP = 0x70000000,
	LINK_GROUP_MASK = 0xff000000,
};

struct link_spec {
	char name[PODNET_IFNAME_SIZE];
	char alias[LINK_ALIAS_SIZE];
	uint32_t group;
	struct in_addr gateway, address;
	bool localnet; /* 127.0.0.1 of the host may reach the pod: its hostPorts answer there */
};

uint32_t link_group(const char *tag);

/* Makes the link, addresses and routes on both sides. `host` and `pod` are rtnetlink sockets, lent. All or nothing. -EEXIST: the name is
 * taken. */
int link_make(int host, int pod, const struct link_spec *s, int *ret_index);
/* Makes `localnet` true of a link that is there. */
int link_set_localnet(int host, const struct link_spec *s);
/* What link_make() would have made is there afterwards. 1 if something had to be done. -EEXIST: the name is taken by a foreign link. */
int link_ensure(int host, int pod, const struct link_spec *s, int *ret_index);
/* Removes a link by name, if it is of the group. Absence is success; -EPERM: it is not ours. */
int link_remove(int host, const char *name, uint32_t group);
/* The address that the link's other end has been given. -ENOENT, -ENODEV. */
int link_address(const char *name, struct in_addr *ret);
/* Each link of the group, with its alias ("" if it has none). Non-zero stops. */
int link_walk(int host, uint32_t group, int (*fn)(const char *name, const char *alias, void *arg), void *arg);
