/* Whom an image knows: its /etc/passwd and /etc/group, as texts, and the names and numbers in them. The texts are hostile: lines that are
 * not understood are skipped, numbers beyond an id's range too. */
#pragma once
#include <stdbool.h>
#include "base/arena.h"

struct account {
	const char *name; /* NULL: passwd does not have it */
	int64_t uid, gid; /* gid 0 if passwd does not have it */
	const char *home; /* NULL likewise */
};

/* A user by name or number. False: a name that passwd (may be NULL) does not have, or a number that is no id. */
bool account_find(const char *passwd, const char *user, struct arena *a, struct account *ret);
bool account_find_group(const char *group, const char *name, struct arena *a, int64_t *ret);

/* The groups that list the user as a member, in order, at most `max`, none twice, and none that is in ids[0..count] already. Returns the
 * new count. */
size_t account_groups(const char *group, const char *user, struct arena *a, int64_t *ids, size_t count, size_t max);
