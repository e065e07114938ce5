/* A member for an OCI runtime: the second back end of the compiler. The member's operations are compiled as always and then shared out,
 * so that there is one place that knows what a container is made of.
 *
 * The runtime's share becomes config.json (OCI runtime specification 1.0.2): its process, standard file systems, what is hidden, capabilities,
 * filter. podd-launch keeps what only podd can do: the cgroup that the launch is in, the overlay and the volumes, which come as
 * descriptors. It mounts them in the bundle, in a mount namespace of its own that ends with it, so the host never sees them and nobody has to
 * unmount them; has the runtime create the container; moves its first process into the pod's cgroup and reports it to the anchor; has
 * the runtime start it.
 *
 * The launch is in the pod's namespaces already, so config.json names none of network, IPC and UTS: the container inherits them. */
#pragma once
#include <stdbool.h>
#include "plan/build.h"
#include "plan/filter.h"

struct oci {
	const struct plan_runtime *runtime;
	const struct filter_rules *rules; /* NULL: unconfined */
	size_t v1_count;                  /* hierarchies of cgroup v1 that podd uses */
	bool host_pid;
};

/* What is in `b` becomes podd-launch's share, and the plan's `config` the runtime's. 0, or -EINVAL with *ret_reason: not for a runtime. */
int oci_share(const struct oci *o, struct build *b, const char **ret_reason);

/* oci_seccomp.c: linux.seccomp as a value. */
struct jsonw;
void oci_seccomp(struct jsonw *w, const struct filter_rules *rules);
