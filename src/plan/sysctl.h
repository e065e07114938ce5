/* Which kernel parameters a pod may set: those that its own namespaces have (network, IPC), and of them the ones that can't harm other pods,
 * which is Kubernetes' list of safe sysctls; others where the node's configuration allows them (allowedUnsafeSysctls). */
#pragma once
#include "manifest/pod.h"

enum { SYSCTLS_MAX = 64 };

/* "net.ipv4.tcp_syncookies" as the path below /proc/sys: with '/' for '.', and the other way around if '/' came first, see sysctl.d(5). */
char *sysctl_path(struct arena *a, const char *name);

/* "net/ipv4/tcp_syncookies=1", for each of the pod's; on the arena. */
const char **sysctl_settings(const struct pod *p, struct arena *a);

/* Why a sysctl of the pod is not allowed, on the arena; NULL: all are. `allowed`: names, or "prefix*". */
const char *sysctl_refused(const struct pod *p, const struct string_list *allowed, struct arena *a);
