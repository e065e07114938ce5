/* Pods with hostUsers: false: 65536 ids of their own, leased as addresses are, a user namespace that maps them, and what is shown to the
 * pod through that map. The namespace is found again by way of the network namespace, which belongs to it. */
#pragma once
#include "daemon/pod/sandbox.h"
#include "sys/userns.h"

bool users_own(const struct pod *p);

/* Leases the ids and makes the namespaces that the anchor enters; the sandbox keeps the user namespace. */
int users_make(struct sandbox *s, struct userns *ret);
/* Takes the user namespace of a running pod, and its ids, whatever the leases say. */
int users_adopt(struct sandbox *s);

/* Maps the ids of a detached tree, of all below if `recursive`. -EINVAL: its file system can't. */
int users_map(const struct sandbox *s, int tree, bool recursive);
