/* Ephemeral containers (podctl debug) of the pods that run. Manifests know nothing of them: podd keeps their text in debug.json of the sandbox's
 * run directory, and each version of the pod goes to the core with them. So they are adopted as members are, and an edit of the manifest
 * leaves them alone. With the sandbox the file goes, and with it they: a pod that begins anew begins without.
 *
 * A file that is lost or damaged: its containers are in no version any more, and are stopped as those that an edit took out. */
#pragma once
#include "daemon/daemon.h"

#define DEBUG_FILE "debug.json"

/* EVENT_POD_SET of the pod, with the ephemeral containers that it has. */
void debug_set_pod(struct daemon *d, const char *uid, struct pod *pod, enum pod_outcome outcome);
/* Adds those of the API's text. -EBADMSG, with *ret_why for the caller to free: they are refused; or another -errno. */
int debug_add(struct daemon *d, const struct core_pod *p, const char *text, size_t size, char **ret_why);
/* The sandbox is gone; the core is about to hear of it. */
void debug_end(struct daemon *d, const char *uid);
