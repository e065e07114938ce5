/* The pods that a verb is about: those it names ("web db", "pod web", "ns/web"), or with -l those that podd knows by their labels. A job
 * ("job/pi", "job pi") stands for its pods, but where the verb is about jobs, too. */
#pragma once
#include "ctl/ctl.h"

struct pod_refs {
	struct pod_ref *items;
	size_t count;
};

/* CTL_YES, or a code after a message: no name, a name that can't be, names and a selector, podd can't be reached. -l may find none. */
int pod_refs_find(const struct args *a, const char *verb, bool jobs, struct pod_refs *ret);
/* "job" or "pod". */
const char *pod_ref_kind(const struct pod_ref *p);
void pod_refs_deinit(struct pod_refs *p);
#define _cleanup_pod_refs_ _cleanup_(pod_refs_deinit)
