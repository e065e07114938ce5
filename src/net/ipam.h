/* Address leases: which pod (uid) has which address of the range. Kept in one small file, written by rename and fsync, with a hash in
 * its last line; a file that is damaged is set aside and the leases are taken from the running pods instead. */
#pragma once
#include <netinet/in.h>
#include "base/buf.h"

struct ipam;

int ipam_open(int dirfd, const char *name, struct in_addr network, unsigned prefix, struct ipam **ret);
struct ipam *ipam_close(struct ipam *i); /* takes NULL, returns NULL */

/* The pod's address: the one it has, else a free one (least recently used, so that an address is not reused at once). -ENOSPC. */
int ipam_lease(struct ipam *i, const char *uid, struct in_addr *ret);
/* A running pod has this address, whatever the file says. -EEXIST if another uid holds it. */
int ipam_claim(struct ipam *i, const char *uid, struct in_addr address);
int ipam_release(struct ipam *i, const char *uid);
int ipam_find(const struct ipam *i, const char *uid, struct in_addr *ret); /* -ENOENT */
