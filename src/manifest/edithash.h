/* The facts of a pod: each field that is set to something else than its default, with what a change of it costs and whom. All that is
 * said about edits comes from here: the hashes by which podd acts are sums over facts, the difference that `podctl diff` shows is
 * one of facts. So what is predicted is what is done.
 *
 * A container's own facts are its fields; those of the volumes that it mounts, since a mount can't be changed under a running
 * process; and those of the pod that say how each container is started. A volume that no container mounts costs nobody anything. */
#pragma once
#include "manifest/manifest.h"
#include "manifest/path.h"

struct edit_fact {
	enum edit cost;
	uint64_t hash; /* of path and value; the containers' paths without the container */
	const struct path *path;
};

typedef void (*edit_fact_fn)(const struct edit_fact *f, void *arg);

void edit_pod_facts(const struct pod *p, edit_fact_fn fn, void *arg); /* of metadata and spec, without its containers */
/* `restarts`: which resources restart it when edited, as container_resize_restarts says of one of its versions. */
void edit_container_facts(const struct pod *p, const struct container *c, unsigned restarts, edit_fact_fn fn, void *arg);
