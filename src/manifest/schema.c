#include "manifest/schema.h"
#include <stdint.h>
#include <stdio.h>
#include "base/str.h"

const struct field *schema_find(const struct schema *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (streq(s->fields[i].name, name))
			return &s->fields[i];
	return NULL;
}

static const struct field *lookup(const struct schema *s, const char *path, const struct schema **ret_parent)
{
	const struct schema *parent = NULL;
	const struct field *f = NULL;

	while (*path) {
		char name[64];
		size_t n = strcspn(path, ".[");
		if (!s || n >= sizeof(name))
			return NULL;
		memcpy(name, path, n);
		name[n] = '\0';
		f = schema_find(s, name);
		if (!f)
			return NULL;
		parent = s;
		s = f->object;
		path += n;
		if (*path == '[') /* [] or an index says nothing here */
			path += strcspn(path, ".");
		path += *path == '.';
	}
	*ret_parent = parent;
	return f;
}

const struct field *schema_lookup(const char *path)
{
	const char *rest = str_after(path, "pod.");

	return schema_lookup_in(&schema_pod, rest ? rest : path);
}

const struct field *schema_lookup_in(const struct schema *s, const char *path)
{
	const struct schema *parent;

	return lookup(s, path, &parent);
}

const struct schema *schema_lookup_parent(const char *path)
{
	const struct schema *parent = NULL;
	const char *rest = str_after(path, "pod.");

	(void)lookup(&schema_pod, rest ? rest : path, &parent);
	return parent;
}

const char *schema_type_of(const struct schema *s, const struct field *f)
{
	return f->of ? f->of : s->name;
}

bool schema_item_idle(const struct schema *s, const void *item)
{
	const struct field *f = s->idle_without ? schema_find(s, s->idle_without) : NULL;

	return f && *(const int32_t *)((const char *)item + f->offset) == 0;
}

bool field_stored(const struct field *f)
{
	return f->built && f->verdict != VERDICT_NO_OP && f->offset != SIZE_MAX;
}

bool field_is_neutral(const struct field *f, const char *text)
{
	size_t n = strlen(text);

	for (const char *word = f->neutral; word; word = strchr(word, '|') ? strchr(word, '|') + 1 : NULL)
		if (strcspn(word, "|") == n && memcmp(word, text, n) == 0)
			return true;
	return false;
}

const char *field_type_name(enum field_type t)
{
	static const char *const names[] = {
		[FIELD_STRING] = "string",
		[FIELD_ENUM] = "string",
		[FIELD_BOOL] = "bool",
		[FIELD_TRISTATE] = "bool",
		[FIELD_INT32] = "int32",
		[FIELD_INT64] = "int64",
		[FIELD_ID] = "int64",
		[FIELD_MODE] = "int32",
		[FIELD_QUANTITY] = "quantity",
		[FIELD_INT_OR_STRING] = "int-or-string",
		[FIELD_OBJECT] = "object",
		[FIELD_OBJECTS] = "list of object",
		[FIELD_STRINGS] = "list of string",
		[FIELD_INT32S] = "list of int32",
		[FIELD_INT64S] = "list of int64",
		[FIELD_MAP] = "map",
		[FIELD_QUANTITY_MAP] = "map of quantity",
		[FIELD_LABEL_SELECTOR] = "labelSelector",
	};
	_Static_assert(ARRAY_SIZE(names) == FIELD_TYPE_MAX, "a name for each type");
	return names[t];
}

const char *verdict_name(enum verdict v)
{
	static const char *const names[] = {
		[VERDICT_MUST] = "must",     [VERDICT_SHOULD] = "should", [VERDICT_LATER] = "later",
		[VERDICT_REJECT] = "reject", [VERDICT_NO_OP] = "no-op",
	};
	_Static_assert(ARRAY_SIZE(names) == VERDICT_MAX, "a name for each verdict");
	return names[v];
}

const char *field_choices(const struct field *f, struct buf *out)
{
	if (!f->values)
		return f->choices;
	for (int i = 0; i < f->values->count; i++)
		buf_printf(out, "%s%s", i ? "|" : "", f->values->words[i]);
	return buf_str(out);
}

static void walk(const struct schema *s, const char *prefix, void (*visit)(const struct schema_row *row, void *user), void *user)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct field *f = &s->fields[i];
		char path[256];
		(void)snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "." : "", f->name);
		visit(&(struct schema_row){ path, s, f }, user);
		if (!f->object)
			continue;
		if (f->type == FIELD_OBJECTS)
			(void)snprintf(path, sizeof(path), "%s%s%s[]", prefix, *prefix ? "." : "", f->name);
		walk(f->object, path, visit, user);
	}
}

void schema_walk(void (*visit)(const struct schema_row *row, void *user), void *user)
{
	walk(&schema_pod, "", visit, user);
}
