/* The generated files of /etc: hostname and resolv.conf of each pod, one hosts file for all pods of a namespace.
 *
 * hosts names every pod of the namespace and is written in place when pods come and go, since it is bound into running containers;
 * they see it read-only. Only a pod with hostAliases, or in the host's network, has one of its own, so that n pods do not cost n files of n
 * lines; that is why the first alias of a pod restarts its containers, while resolv.conf follows an edit in place. In the host's network
 * the lines of the host's own file come first. */
#pragma once
#include "daemon/pod/sandbox.h"

int etcfiles_write(struct sandbox *s, const struct pod *p);
void etcfiles_hosts_changed(struct daemon *d, const char *ns); /* written in the loop's next turn */
/* The pod has its address: to be told before the first of its containers starts, which finds its own name there. */
void etcfiles_host_came(struct sandbox *s, const struct pod *p);
/* The file `name` ("hosts", "hostname", "resolv.conf") of the pod, as an O_PATH descriptor, or -errno. */
int etcfiles_open(struct sandbox *s, const struct pod *p, const char *name);
