/* The annotation podd.dev/ulimits: "nofile=65536:524288, core=0". */
#pragma once
#include "manifest/pod.h"

/* NULL, or what is wrong with the text; the items are on the arena. */
const char *ulimits_parse(struct arena *a, const char *text, struct ulimit_list *ret);
const char *ulimit_name(int resource); /* "nofile" of RLIMIT_NOFILE */
