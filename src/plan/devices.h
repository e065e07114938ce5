/* The devices of a container: the standard ones, and what those that its pod names need (manifest/cdi.h), in its plan. NULL edits: the pod
 * names none. */
#pragma once
#include "plan/build.h"
#include "plan/identity.h"

void devices_standard(struct build *b); /* what every container has */

/* Their nodes, in a /dev of the container's own. They are its user's unless the vendor says whose. */
void devices_nodes(struct build *b, const struct cdi_edits *edits, const struct identity *id, uint32_t first_id);
/* Files and directories of the host. Nothing in them shows a later mount of the host's. */
void devices_files(struct build *b, const struct cdi_edits *edits);
/* Their variables come last, and so count. */
void devices_env(struct arena *a, const struct cdi_edits *edits, struct label_list *env);
