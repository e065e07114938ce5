/* ConfigMap and Secret: named values that pods take files and variables from; PriorityClass, whose values are "value" and
 * "globalDefault"; and RuntimeClass, whose value is "handler". Decoded and judged as Kubernetes does; base64 is undone here, and what a
 * Secret's stringData says has replaced its data. Immutable once decoded; whoever keeps one holds a reference. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"
#include "base/buf.h"

struct decoder;

enum config_kind { CONFIG_MAP, CONFIG_SECRET, CONFIG_PRIORITY_CLASS, CONFIG_RUNTIME_CLASS, CONFIG_KIND_MAX };

enum { CONFIG_SIZE_MAX = 1 << 20 }; /* of all keys and values */

struct config_item { /* sorted by key */
	const char *key;
	const char *data; /* any bytes; a NUL follows that `size` doesn't count */
	size_t size;
	bool binary; /* of a ConfigMap's binaryData: for files only, never a variable */
};

struct config_object {
	struct arena *arena;
	unsigned refs;
	enum config_kind kind;
	const char *namespace, *name;
	const char *type; /* of a Secret: "Opaque"; NULL for a ConfigMap */
	bool immutable;
	struct config_item *items;
	size_t count;
};

/* Fills *ret, on the decoder's arena, from the document. True if nothing but notices was found. */
bool config_decode(struct decoder *d, enum config_kind kind, struct config_object *ret);

struct config_object *config_ref(struct config_object *c);
struct config_object *config_unref(struct config_object *c);                     /* takes NULL, returns NULL */
bool config_equal(const struct config_object *a, const struct config_object *b); /* all but `immutable` */

/* Exactly, for podd's own keeping. NULL: it is no such text. */
void config_store(const struct config_object *c, struct buf *out);
struct config_object *config_restore(const char *text, size_t size);

const char *config_kind_name(enum config_kind k);                    /* "ConfigMap" */
bool config_kind_find(const char *name, enum config_kind *ret_kind); /* false: neither */
const struct config_item *config_find(const struct config_object *c, const char *key);
