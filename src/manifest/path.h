/* The place of a field as people write it: spec.containers[0].image. Printed only when there is something to say about it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"

enum { PATH_DEPTH_MAX = 80 }; /* more than the reader lets a document nest */

struct path_step {
	const char *key; /* NULL: an index */
	size_t index;
	bool quoted; /* a key of a map of the user's own: labels[app] */
};

struct path {
	struct path_step steps[PATH_DEPTH_MAX];
	unsigned depth;
};

void path_key(struct path *p, const char *key);
void path_index(struct path *p, size_t index);
void path_map_key(struct path *p, const char *key);
void path_pop(struct path *p);
void path_print(const struct path *p, struct buf *out);
