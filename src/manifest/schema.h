/* The one table that knows the Pod. A struct of the API is a `schema`: its fields by name, each with its type, where podd stores
 * it, what it defaults to, what podd does about it and what an edit of it costs. Decoder, JSON printer, diff, `podctl explain`
 * and the documentation all walk this table; nothing else lists fields.
 *
 * `verdict` is the plan, `built` is today: a field that is not built is refused whatever its verdict, since a field that is
 * accepted and ignored would be a lie. A value in `neutral` asks for what happens anyway and is let pass. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"
#include "base/buf.h"
#include "manifest/manifest.h"

enum field_type {
	FIELD_STRING,         /* const char * */
	FIELD_ENUM,           /* an enum; a string in the API, its words in `values` */
	FIELD_BOOL,           /* bool */
	FIELD_TRISTATE,       /* enum tristate */
	FIELD_INT32,          /* int32_t */
	FIELD_INT64,          /* int64_t */
	FIELD_ID,             /* struct id */
	FIELD_MODE,           /* struct id: an int32 of which 0 is a value */
	FIELD_QUANTITY,       /* struct quantity */
	FIELD_INT_OR_STRING,  /* struct int_or_string */
	FIELD_OBJECT,         /* the struct of `object`, embedded */
	FIELD_OBJECTS,        /* {items, count} of it */
	FIELD_STRINGS,        /* struct string_list */
	FIELD_INT32S,         /* struct int_list */
	FIELD_INT64S,         /* struct int_list */
	FIELD_MAP,            /* struct label_list, sorted by name */
	FIELD_QUANTITY_MAP,   /* the struct of `object`: one quantity a known name */
	FIELD_LABEL_SELECTOR, /* an object, too; not stored yet */
	FIELD_TYPE_MAX,
};

struct decoder;
struct node;

enum verdict {
	VERDICT_MUST,
	VERDICT_SHOULD,
	VERDICT_LATER,
	VERDICT_REJECT, /* never: makes no sense on one machine */
	VERDICT_NO_OP,  /* accepted, without effect on one machine */
	VERDICT_MAX,
};

/* A decoded value, as a check gets it: the one that the type has is set. */
struct value {
	const char *text; /* NULL in an int-or-string that is a number */
	int64_t number;
	const struct quantity *quantity;
};

struct finding {
	enum severity severity;
	const char *text, *hint; /* in the arena, or constant */
};

struct enum_words {
	const char *const *words;
	int count;
};

struct field {
	const char *name;
	enum field_type type;
	enum verdict verdict;
	bool built, required;
	enum edit edit;              /* what a change of it costs; of an object: nothing, its fields say */
	size_t offset;               /* in the struct of its schema; only if built and not a no-op */
	const struct schema *object; /* what is below, if that is known here */
	const struct enum_words *values;
	const char *fallback; /* the default, as it would be written; NULL: none */
	const char *neutral;  /* "a|b": values that are accepted though the field is not built */
	const char *choices;  /* "a|b": the values that Kubernetes knows, of a string or of each of a list of strings */
	const char *of;       /* Kubernetes' type that the field is from, when that is embedded in its schema's */
	/* Returns false and says why when the value is not legal by itself. */
	bool (*check)(const struct value *v, struct arena *a, struct finding *ret);
	/* What holds between the parts of the value; runs over the node, at the decoder's path, whether the field is built or not. */
	void (*rule)(struct decoder *d, const struct node *n);
	const char *doc, *hint; /* one line; the way out of a refusal: for it and, unless they know better, what is below */
};

struct schema {
	const char *name; /* Kubernetes' name of the type */
	const struct field *fields;
	size_t count, size;                                    /* size of the C struct; 0: nothing of it is stored */
	size_t most;                                           /* items of a list of it; 0: as many as the file may have nodes */
	bool starts_with_set;                                  /* its first member is `bool set`: it was there */
	void (*rule)(struct decoder *d, const struct node *n); /* between its fields; as of a field */
	const char *idle_without; /* an item of a list in which this number is 0 has no effect: edits of it cost EDIT_UPDATE */
};

extern const struct schema schema_pod, schema_metadata, schema_spec, schema_container, schema_volume;

void schema_json(const struct schema *s, const void *base, struct jsonw *w); /* its members, into an open object */

const struct field *schema_find(const struct schema *s, const char *name);
/* By a path as people write it: "pod.spec.containers.image", "spec.containers[].image". NULL when there is none. */
const struct field *schema_lookup(const char *path);
const struct field *schema_lookup_in(const struct schema *s, const char *path); /* "runtimes.path" of schema_conf */
bool schema_item_idle(const struct schema *s, const void *item);
bool field_stored(const struct field *f);
bool field_is_neutral(const struct field *f, const char *text);
const char *field_choices(const struct field *f, struct buf *out); /* "a|b", of an enum too; NULL: anything goes */
const char *field_type_name(enum field_type t);                    /* "list of string" */
const char *verdict_name(enum verdict v);                          /* "must", "no-op" */

/* The name of Kubernetes' type that has the field: "VolumeSource" for hostPath, though a volume has it. */
const char *schema_type_of(const struct schema *s, const struct field *f);
/* The schema that has the field named last in the path; NULL when there is none. */
const struct schema *schema_lookup_parent(const char *path);

/* Calls `visit` for every row, parents first, with the path as in "spec.containers[].image". */
struct schema_row {
	const char *path;
	const struct schema *schema; /* the one that has the field */
	const struct field *field;
};
void schema_walk(void (*visit)(const struct schema_row *row, void *user), void *user);
