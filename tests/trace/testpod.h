/* Pods of a few words for the tests of the core: "app=1:100 db=2 policy=never grace=5 host=1 label=2". One field of each cost: a container's
 * image (restart) and its limit after the colon (resize), the host name (recreate), a label (update). */
#pragma once
#include "manifest/pod.h"

enum { TESTPOD_CONTAINERS_MAX = 4, TESTPOD_NAME_SIZE = 16 };

struct testpod_container {
	char name[TESTPOD_NAME_SIZE];
	int image, limit;
};

struct testpod {
	char name[TESTPOD_NAME_SIZE];
	enum restart_policy policy;
	int grace, host, label;
	struct testpod_container containers[TESTPOD_CONTAINERS_MAX];
	size_t count;
};

bool testpod_parse(const char *uid, char *words, struct testpod *ret); /* cuts `words` up */
struct pod *testpod_build(const struct testpod *t);
bool testpod_same_spec(const struct testpod *a, const struct testpod *b); /* but for the label */
const struct testpod_container *testpod_find(const struct testpod *t, const char *name);
