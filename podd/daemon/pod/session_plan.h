/* The launch plan of a command in a container that runs, compiled as the container's own was: from the image of that day. */
#pragma once
#include "core/pod.h"
#include "daemon/pod/sandbox.h"
#include "plan/compile.h"

/* Of one session, or, in sandbox.session_plans, kept for the next one with the same command in the same start. */
struct session_plan {
	struct list link;
	char container[CONTAINER_NAME_SIZE];
	uint32_t number;
	char hash[SHA256_HEX_SIZE]; /* of the pod it was compiled from */
	struct string_list argv;
	struct plan plan; /* but for its bytes */
	int fd;           /* these */
};

/* NULL: none is kept for this command, start and version of the pod. */
struct session_plan *session_plan_find(struct sandbox *s, const struct pod *pod, const struct core_container *cc,
                                       const struct string_list *argv);
/* That, or a new one, on no list and the caller's: 0 or -errno. */
int session_plan_get(struct sandbox *s, const struct pod *pod, const struct core_container *cc, const struct string_list *argv,
                     enum session_kind kind, struct session_plan **ret);
void session_plan_keep(struct sandbox *s, struct session_plan *p, const struct string_list *argv);
void session_plan_free(struct session_plan *p);
void session_plan_forget_all(struct sandbox *s);
