/* Pods of an OCI runtime: `runtimeClassName` names one of the configuration's `runtimes`, or a RuntimeClass document whose
 * `handler` does.
 *
 * The runtime creates and starts a container (plan/oci.h says how the work is shared out) and is asked once more, when the container has
 * ended, to delete what it knows of it. In between there is nobody: the container's first process is the anchor's child as any member's
 * is, so its exit status survives podd, its output goes to the log process, signals go to its pidfd, and exec, probes and hooks
 * join it and confine themselves by podd's own means. So the runtime has to be one whose containers are processes of this kernel.
 *
 * <run>/pods/<uid>/runtime/<container>.<n> is the bundle of a start, .../runtime/state the runtime's own directory. The launch runs in a
 * cgroup beside the container's: some runtimes take no cgroup that has processes in it. */
#pragma once
#include "daemon/pod/sandbox.h"

bool runtime_used(const struct pod *p);
const struct pod *runtime_pod(const struct sandbox *s); /* its pod, if that has a runtime; else NULL */
/* Why the pod can't have its runtime here, on the arena; NULL: it can. */
const char *runtime_refused(const struct daemon *d, const struct pod *p, struct arena *a);

/* What the compiler has to know of a start. Not for a pod that is refused. */
void runtime_describe(const struct sandbox *s, const struct pod *p, const char *container, uint32_t number, struct arena *a,
                      struct plan_runtime *ret);
/* The cgroup of the launch, made; and the way into the container's own, which is there already. */
int runtime_enter(struct sandbox *s, const char *container, uint32_t number, struct cgroup_entry *ret,
                  int ret_procs[static CGROUP_PROCS_MAX], size_t *ret_count);
int runtime_bundle(struct sandbox *s, const char *container, uint32_t number, const struct buf *config);

void runtime_kill(struct sandbox *s, const char *container, uint32_t number); /* a launch that is still at it */
/* The container has ended: the runtime may forget it. A child does it, and has until the end of the pod's sandbox. */
void runtime_delete(struct sandbox *s, const struct pod *p, const char *container, uint32_t number);
void runtime_release(struct sandbox *s, const char *container, uint32_t number); /* bundle and cgroup */
