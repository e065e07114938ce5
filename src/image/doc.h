/* JSON documents of strangers, bounded and strict: no key twice, no NUL, no depth beyond 64. The home of jansson in this floor. */
#pragma once
#include <jansson.h>
#include "base/arena.h"
#include "base/cleanup.h"
#include "manifest/pod.h"

enum { DOC_DEPTH_MAX = 64, DOC_LIST_MAX = 10000, DOC_STRING_MAX = 1 << 20 };

/* An object or array. NULL: it is none, or beyond the limits; *ret_why says which, in static words. */
json_t *doc_load(const char *text, size_t size, const char **ret_why);

/* A member of what should be an object: NULL (0) if it is absent or null. Of another type or beyond the limits it is an error, which *bad
 * collects. */
const char *doc_string(const json_t *object, const char *key, bool *bad);
int64_t doc_integer(const json_t *object, const char *key, bool *bad);
json_t *doc_array(const json_t *object, const char *key, bool *bad);
json_t *doc_object(const json_t *object, const char *key, bool *bad);

/* Copies to an arena: of an array of strings, of an object of strings (sorted by key). Empty if it is absent. */
struct string_list doc_strings(const json_t *object, const char *key, struct arena *arena, bool *bad);
struct label_list doc_labels(const json_t *object, const char *key, struct arena *arena, bool *bad);

static inline void cleanup_json(json_t **j)
{
	json_decref(*j);
}
#define _cleanup_json_ _cleanup_(cleanup_json)
