/* Pods of a few words for the tests of the core: "app=1:100 db=2 policy=never grace=5 host=1 label=2". One field of each cost: a container's
 * image (restart) and its limit after the colon (resize), the host name (recreate), a label (update).
 *
 * "i.setup=1" is an init container, "s.proxy=1" a sidecar, "d.look=1" one of podctl debug; "app=1?never" has its own restartPolicy,
 * "app=1!42" restarts the whole pod when it exits with 42, "app=1+42" itself; "app=1<" has a
 * postStart hook, "app=1>" a preStop hook, "app=1>5" one that sleeps five seconds; "active=10" are activeDeadlineSeconds;
 * "after=db:started" names a pod that comes before it, "for=disk" a label that the node must have,
 * "rank=2" its priority, "class=system-node-critical" that by name.
 *
 * "app=1@s3@r1,5@l" has a startup probe that fails at the third failure, a readiness probe that begins after five seconds, and a liveness
 * probe; a third number is the successThreshold of readiness, or the grace period that the others give. */
#pragma once
#include "core/core.h"

enum { TESTPOD_CONTAINERS_MAX = 6, TESTPOD_NAME_SIZE = 16 };

struct testpod_container {
	char name[TESTPOD_NAME_SIZE];
	enum container_role role;
	enum container_restart restart;
	struct testpod_rule {
		enum restart_action action;
		int code; /* 0: no rule */
	} rule;
	int hooks[2]; /* -1: a command; else seconds to sleep; 0: none */
	struct testpod_probe {
		int failures, delay, third; /* failures 0: none */
	} probes[PROBE_MAX];
	int image, limit;
};

struct testpod {
	char name[TESTPOD_NAME_SIZE];
	char after[TESTPOD_NAME_SIZE], for_label[TESTPOD_NAME_SIZE];
	char class[2 * TESTPOD_NAME_SIZE];
	enum after_until until;
	enum restart_policy policy;
	int grace, host, label, active, rank;
	struct testpod_container containers[TESTPOD_CONTAINERS_MAX]; /* in the order of their start */
	size_t count;
};

bool testpod_parse(const char *uid, char *words, struct testpod *ret); /* cuts `words` up */
/* Puts init containers and sidecars first, as the manifest has them. */
void testpod_sort(struct testpod *t);
struct pod *testpod_build(const struct testpod *t);
bool testpod_same_spec(const struct testpod *a, const struct testpod *b); /* but for the label */
const struct testpod_container *testpod_find(const struct testpod *t, const char *name);
