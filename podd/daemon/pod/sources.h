/* What containers take from elsewhere, at the edge: facts for plan/source.h, the volumes that are made of it, and what an edit of a
 * ConfigMap or Secret means for containers that run or wait. */
#pragma once
#include "daemon/pod/sandbox.h"
#include "plan/source.h"

/* For one start, or one volume. */
struct pod_sources {
	struct sources sources;
	struct sandbox *sandbox;
	const struct pod *pod;
	char host_ip[INET_ADDRSTRLEN], pod_ip[46];
};
void sources_init(struct pod_sources *ps, struct sandbox *s, const struct pod *p);

/* The directory of a volume that podd makes, with its present content: an O_PATH descriptor, or -errno and *ret_text on `arena`. */
int sources_volume(struct sandbox *s, const struct pod *p, const struct volume *v, struct arena *arena, const char **ret_text);

/* The pod's labels or annotations may be others, or podd was away: volumes that exist get their present content. */
void sources_refresh(struct daemon *d, const char *uid);
/* Volumes follow, containers that wait for it start, others do as podd.dev/on-config-change says. */
void sources_changed(struct daemon *d, const struct config_object *c);
void sources_devices_changed(struct daemon *d); /* containers that wait for devices start, if those are there now */
