/* A parsed document as a tree: what YAML and JSON have in common, before any meaning. Every node knows its place, and a scalar
 * knows how it was written, since only that tells `yes` (a boolean) from "yes" (a string).
 *
 * An alias is the node it names, so a tree may share branches; the reader bounds what it would be when written out. Merge keys
 * are already resolved, keys are strings and unique. All memory is the arena's. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum node_type { NODE_SCALAR, NODE_SEQUENCE, NODE_MAPPING, NODE_TYPE_MAX };

/* How a scalar was written: without quotes it is resolved by its looks, an explicit tag overrides. */
enum node_style { NODE_PLAIN, NODE_STRING, NODE_TAG_INT, NODE_TAG_FLOAT, NODE_TAG_BOOL, NODE_TAG_NULL, NODE_STYLE_MAX };

struct node_pair {
	struct node *key, *value; /* the key is always a scalar */
};

/* A file of a megabyte may have 100,000 of them: 32 bytes each. */
struct node {
	enum node_type type : 8;
	enum node_style style : 8;
	bool open : 1; /* while it is being read: an alias to it would be a circle */
	uint32_t count;
	uint32_t line, column;  /* from 1 */
	uint32_t weight, bytes; /* nodes and text when every alias is written out */
	union {
		const char *text; /* count: its length; no NUL inside */
		struct node **items;
		struct node_pair *pairs;
	};
};
_Static_assert(sizeof(struct node) == 32, "a node grew");

/* What a scalar means, as sigs.k8s.io/yaml reads it (YAML 1.1). */
enum scalar_type { SCALAR_NULL, SCALAR_BOOL, SCALAR_INT, SCALAR_FLOAT, SCALAR_STRING, SCALAR_BAD, SCALAR_TYPE_MAX };

struct scalar {
	enum scalar_type type;
	bool boolean;
	int64_t integer;  /* SCALAR_INT; and SCALAR_FLOAT when `whole` */
	bool whole;       /* SCALAR_FLOAT: the value is an integer that fits, as 1e3 */
	const char *text; /* as written, without '_' for numbers: a quantity is parsed from it */
	char buffer[48];  /* where `text` may point */
};

void scalar_resolve(const struct node *n, struct scalar *ret);
const char *scalar_type_name(enum scalar_type t); /* "a boolean" */
const char *node_type_name(const struct node *n); /* "a list", "a mapping", "a boolean" */
bool node_is_null(const struct node *n);
const struct node *node_get(const struct node *n, const char *key); /* NULL unless a mapping that has it */
