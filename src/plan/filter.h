/* Which system calls a container may make: the filter of its seccompProfile, compiled once for each profile and set of capabilities (some
 * 20 ms) and kept.
 *
 * RuntimeDefault is the list that container engines share: what is not named gets EPERM; some calls only come with a capability
 * of the container's. Localhost is a profile of the node's in the format of containers' seccomp.json (the OCI runtime specification's
 * linux.seccomp, with Docker's includes and excludes). */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "manifest/pod.h"
#include "sys/seccomp.h"

enum { FILTER_RULES_MAX = 4096 };

struct filters;

struct filters *filters_new(const char *profiles); /* the directory of the node's profiles */
struct filters *filters_free(struct filters *f);   /* takes NULL, returns NULL */

/* An array of struct sock_filter, which is the cache's; empty: unconfined. 0, or -EINVAL with *ret_reason on the arena. */
int filters_get(struct filters *f, const struct security_profile *profile, uint64_t capabilities, struct arena *a,
                const struct buf **ret, const char **ret_reason);

/* The same before it is compiled. None: unconfined. */
struct filter_rules;
int filters_rules(const struct filters *f, const struct security_profile *profile, uint64_t capabilities, struct arena *a,
                  struct filter_rules *ret, const char **ret_reason);

struct filter_rules {
	unsigned flags;    /* enum seccomp_flag */
	uint32_t fallback; /* SECCOMP_RET_* */
	struct seccomp_rule *items;
	size_t count;
};

/* filter_default.c */
void filter_default(uint64_t capabilities, struct arena *a, struct filter_rules *ret);
/* filter_profile.c: 0, or -EINVAL with *ret_reason. */
int filter_profile(const char *json, size_t size, uint64_t capabilities, struct arena *a, struct filter_rules *ret,
                   const char **ret_reason);
/* As seccomp.json has them, "SCMP_CMP_EQ"; by enum seccomp_compare. */
extern const char *const filter_compare_names[];
