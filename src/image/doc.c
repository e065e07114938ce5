#include "image/doc.h"
#include <string.h>

/* jansson recurses; what is too deep doesn't get there. */
static bool too_deep(const char *text, size_t size)
{
	unsigned depth = 0;
	bool in_string = false;

	for (const char *c = text; c < text + size; c++) {
		if (in_string) {
			if (*c == '\\')
				c++;
			else if (*c == '"')
				in_string = false;
		} else if (*c == '"') {
			in_string = true;
		} else if (*c == '{' || *c == '[') {
			if (++depth > DOC_DEPTH_MAX)
				return true;
		} else if ((*c == '}' || *c == ']') && depth) {
			depth--;
		}
	}
	return false;
}

json_t *doc_load(const char *text, size_t size, const char **ret_why)
{
	if (too_deep(text, size)) {
		*ret_why = "is JSON deeper than 64 levels";
		return NULL;
	}
	json_t *j = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	if (!j)
		*ret_why = "is no JSON, or has a key twice";
	return j;
}

static json_t *member(const json_t *object, const char *key)
{
	json_t *v = json_object_get(object, key);

	return json_is_null(v) ? NULL : v;
}

const char *doc_string(const json_t *object, const char *key, bool *bad)
{
	json_t *v = member(object, key);

	*bad |= v && (!json_is_string(v) || json_string_length(v) > DOC_STRING_MAX);
	return json_string_value(v);
}

int64_t doc_integer(const json_t *object, const char *key, bool *bad)
{
	json_t *v = member(object, key);

	*bad |= v && !json_is_integer(v);
	return json_integer_value(v);
}

json_t *doc_array(const json_t *object, const char *key, bool *bad)
{
	json_t *v = member(object, key);

	*bad |= v && (!json_is_array(v) || json_array_size(v) > DOC_LIST_MAX);
	return json_is_array(v) ? v : NULL;
}

json_t *doc_object(const json_t *object, const char *key, bool *bad)
{
	json_t *v = member(object, key);

	*bad |= v && (!json_is_object(v) || json_object_size(v) > DOC_LIST_MAX);
	return json_is_object(v) ? v : NULL;
}

struct string_list doc_strings(const json_t *object, const char *key, struct arena *arena, bool *bad)
{
	json_t *array = doc_array(object, key, bad), *v;
	struct string_list list = { .count = json_array_size(array) };
	size_t i;

	list.items = arena_new_array(arena, const char *, list.count);
	json_array_foreach(array, i, v) {
		*bad |= !json_is_string(v) || json_string_length(v) > DOC_STRING_MAX;
		list.items[i] = arena_strdup(arena, json_is_string(v) ? json_string_value(v) : "");
	}
	return list;
}

static int compare_labels(const void *a, const void *b)
{
	const struct label *l = a, *m = b;

	return strcmp(l->name, m->name);
}

struct label_list doc_labels(const json_t *object, const char *key, struct arena *arena, bool *bad)
{
	json_t *labels = doc_object(object, key, bad), *v;
	struct label_list list = { .items = arena_new_array(arena, struct label, json_object_size(labels)) };
	const char *name;

	json_object_foreach(labels, name, v) {
		*bad |= !json_is_string(v) || json_string_length(v) > DOC_STRING_MAX;
		list.items[list.count].name = arena_strdup(arena, name);
		list.items[list.count++].value = arena_strdup(arena, json_is_string(v) ? json_string_value(v) : "");
	}
	qsort(list.items, list.count, sizeof(*list.items), compare_labels);
	return list;
}
