/* Who a container is: user, capabilities, place in the queue of the OOM killer. */
#pragma once
#include "plan/compile.h"

struct identity {
	int64_t uid, gid;
	uint64_t bounding, permitted;
	bool no_new_privs;
	int oom_score_adj;
};

/* 0 or -EINVAL with *ret_reason. */
int identity_resolve(const struct pod *pod, const struct container *c, const struct image_config *image,
                     const struct plan_context *ctx, struct arena *a, struct identity *ret, const char **ret_reason);
