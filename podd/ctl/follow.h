/* A list of the API and then what changes in it, for ever: also past podd's restarts, after which the list is asked for anew. */
#pragma once
#include <jansson.h>
#include "ctl/args.h"

struct follow_callbacks {
	void (*list)(const json_t *list, void *arg);                       /* first, and after each gap */
	void (*change)(const char *type, const json_t *object, void *arg); /* "ADDED", "MODIFIED", "DELETED" */
};

/* `path` with its query. Comes back only with an exit code: podd could not be reached at all, or said no. */
int follow(const struct args *a, const char *path, bool table, const struct follow_callbacks *cb, void *arg);
