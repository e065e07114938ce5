/* YAML text to node trees. The one reader of foreign text in podd, so every amount is bounded, and reading stops at the first
 * event beyond a bound: libyaml's own cost grows with the square of the nesting.
 *
 * Two kinds of trouble. Text that isn't YAML, or is too much of it, spoils the file: nothing may be concluded from it. What is
 * wrong inside one document (a key twice, a foreign tag, a NUL) marks that document as bad and leaves its neighbours alone. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "manifest/manifest.h"
#include "manifest/node.h"

enum {
	YAML_DEPTH_MAX = 64,
	YAML_NODES_MAX = 100000,
	YAML_KEYS_MAX = 10000,
	YAML_ALIASES_MAX = 100,
	YAML_EXPANDED_BYTES_MAX = 4 << 20,
	YAML_DOCUMENTS_MAX = 100,
};

struct yaml_document {
	struct node *root; /* NULL when the document is empty */
	unsigned line;
	bool bad; /* a finding says why */
};

struct yaml_file {
	struct yaml_document *documents;
	size_t count;
};

/* Nodes live in `arena`, findings in m. 0, or -EBADMSG when the file as a whole can't be used. */
int yaml_read(struct manifest *m, struct arena *arena, const char *text, size_t size, struct yaml_file *ret);
