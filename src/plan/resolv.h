/* The text of a pod's resolv.conf, as the kubelet makes it: what dnsPolicy takes from the host, then dnsConfig. Pure. */
#pragma once
#include "base/buf.h"
#include "manifest/pod.h"

/* `host`: the text of the host's file. Servers and domains of dnsConfig come after the host's, each once; an option takes the place of
 * the host's of its name. What is more than resolvers take (3 servers; 32 domains, 2048 bytes of them) is left out from the end. */
void resolv_conf(const struct pod *p, const char *host, struct buf *out);
