/* Who a container is: user, capabilities, profiles, place in the queue of the OOM killer. */
#pragma once
#include "plan/compile.h"

enum { IDENTITY_GROUPS_MAX = 256 }; /* as podd-launch has room for */

struct identity {
	int64_t uid, gid;
	int64_t groups[IDENTITY_GROUPS_MAX]; /* gid first */
	size_t group_count;
	const char *home; /* NULL: the image does not say */
	uint64_t bounding, permitted;
	bool no_new_privs;
	int oom_score_adj;
	struct security_profile seccomp;
	const char *apparmor;    /* the profile; NULL: none */
	bool apparmor_if_loaded; /* else none */
};

/* 0 or -EINVAL with *ret_reason. */
int identity_resolve(const struct pod *pod, const struct container *c, const struct plan_image *image,
                     const struct plan_context *ctx, struct arena *a, struct identity *ret, const char **ret_reason);

/* Whether what joins `c` could be traced by who is there already, also while it still has podd's capabilities: not being dumpable keeps out all
 * but CAP_SYS_PTRACE of the same user namespace. */
bool identity_traced(const struct pod *pod, const struct container *c, const struct plan_context *ctx, struct arena *a);
/* Where its program is born: one of ANCHOR_SPAWN_PID_NEW, _POD and _JOIN (it has a target), or 0, among the host's. -EINVAL with *ret_reason. */
int identity_pid_namespace(const struct pod *pod, const struct container *c, const struct plan_context *ctx, struct arena *a,
                           uint32_t *ret_flags, const char **ret_reason);
