/* Address leases: which pod (uid) has which address of the range. Kept in one small file, written by rename, with a hash in its last line; a
 * file that is damaged is set aside (".bad") and the leases are taken from the running pods instead.
 *
 * A change is in memory until ipam_save(), which the caller calls once, soon, after any number of changes; and that waits for no disk, since an
 * fsync may take longer than all the rest of a pod's start (the caller has it done elsewhere). What a loss costs is little: the pods that
 * run are claimed again.
 *
 * The range's first address is the gateway. Free addresses are handed out round and round, so that one is not used again at once. */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include "base/cleanup.h"

enum { IPAM_UID_MAX = 63 };

struct ipam;

/* dirfd is lent for the call. -EINVAL: a prefix that is not 8 to 30. */
int ipam_open(int dirfd, const char *name, struct in_addr network, unsigned prefix, struct ipam **ret);
struct ipam *ipam_close(struct ipam *i); /* saves what is not saved, as far as that goes; takes NULL, returns NULL */
bool ipam_damaged(const struct ipam *i); /* the file was set aside at opening */

/* The pod's address: the one it has, else a free one. -ENOSPC: all are taken; -EINVAL: a uid that the file can't hold. */
int ipam_lease(struct ipam *i, const char *uid, struct in_addr *ret);
/* A running pod has this address, whatever the file says. -EEXIST if another uid holds it, -ERANGE if it is not of the range. */
int ipam_claim(struct ipam *i, const char *uid, struct in_addr address);
int ipam_release(struct ipam *i, const char *uid);                         /* absence is success */
int ipam_find(const struct ipam *i, const char *uid, struct in_addr *ret); /* -ENOENT */

bool ipam_dirty(const struct ipam *i);
int ipam_save(struct ipam *i); /* nothing to do is success */
