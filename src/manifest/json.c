/* A pod as Kubernetes' JSON: a walk over the schema table. What Go would leave out as empty is left out here. */
#include <assert.h>
#include "base/str.h"
#include "manifest/manifest.h"
#include "manifest/schema.h"
#include "manifest/schema_rows.h"

struct any_list {
	const void *items;
	size_t count;
};

static void print_object(const struct schema *s, const void *base, struct jsonw *w);

static bool is_empty_object(const struct schema *s, const void *base);

static bool is_empty(const struct field *f, const void *at)
{
	switch (f->type) {
	case FIELD_STRING:
		return !*(const char *const *)at || !**(const char *const *)at;
	case FIELD_ENUM:
		return !*f->values->words[*(const int *)at];
	case FIELD_BOOL:
		return !*(const bool *)at;
	case FIELD_TRISTATE:
		return *(const enum tristate *)at == TRISTATE_UNSET;
	case FIELD_INT32:
		return *(const int32_t *)at == 0;
	case FIELD_INT64:
		return !f->fallback && !f->required && *(const int64_t *)at == 0; /* pointers in Go: a zero is a value */
	case FIELD_ID:
	case FIELD_MODE:
		return !((const struct id *)at)->set;
	case FIELD_QUANTITY:
		return !((const struct quantity *)at)->set;
	case FIELD_OBJECT:
	case FIELD_QUANTITY_MAP:
		return f->object->starts_with_set ? !*(const bool *)at : is_empty_object(f->object, at);
	case FIELD_OBJECTS:
	case FIELD_STRINGS:
	case FIELD_INT32S:
	case FIELD_INT64S:
	case FIELD_MAP:
		return ((const struct any_list *)at)->count == 0;
	case FIELD_INT_OR_STRING:
		return !((const struct int_or_string *)at)->text && !((const struct int_or_string *)at)->number;
	case FIELD_LABEL_SELECTOR:
	case FIELD_TYPE_MAX:
		break;
	}
	assert(!"no field of this type is built");
	return true;
}

static bool is_empty_object(const struct schema *s, const void *base)
{
	for (size_t i = 0; i < s->count; i++)
		if (field_stored(&s->fields[i]) && !is_empty(&s->fields[i], (const char *)base + s->fields[i].offset))
			return false;
	return true;
}

static void print_quantity(const struct quantity *q, struct jsonw *w)
{
	_cleanup_buf_ struct buf text = BUF_NULL;

	quantity_print(q, &text);
	jsonw_str(w, buf_str(&text));
}

static void print_int_or_string(const struct int_or_string *v, struct jsonw *w)
{
	if (v->text)
		jsonw_str(w, v->text);
	else
		jsonw_int(w, v->number);
}

static void print_objects(const struct field *f, const struct any_list *l, struct jsonw *w)
{
	jsonw_array(w);
	for (size_t i = 0; i < l->count; i++) {
		jsonw_object(w);
		print_object(f->object, (const char *)l->items + i * f->object->size, w);
		jsonw_end(w);
	}
	jsonw_end(w);
}

static void print_strings(const struct string_list *l, struct jsonw *w)
{
	jsonw_array(w);
	for (size_t i = 0; i < l->count; i++)
		jsonw_str(w, l->items[i]);
	jsonw_end(w);
}

static void print_numbers(const struct int_list *l, struct jsonw *w)
{
	jsonw_array(w);
	for (size_t i = 0; i < l->count; i++)
		jsonw_int(w, l->items[i]);
	jsonw_end(w);
}

static void print_map(const struct label_list *l, struct jsonw *w)
{
	jsonw_object(w);
	for (size_t i = 0; i < l->count; i++)
		jsonw_member_str(w, l->items[i].name, l->items[i].value);
	jsonw_end(w);
}

static void print_value(const struct field *f, const void *at, struct jsonw *w)
{
	switch (f->type) {
	case FIELD_STRING:
		jsonw_str(w, *(const char *const *)at);
		return;
	case FIELD_ENUM:
		jsonw_str(w, f->values->words[*(const int *)at]);
		return;
	case FIELD_BOOL:
		jsonw_bool(w, *(const bool *)at);
		return;
	case FIELD_TRISTATE:
		jsonw_bool(w, *(const enum tristate *)at == TRISTATE_TRUE);
		return;
	case FIELD_INT32:
		jsonw_int(w, *(const int32_t *)at);
		return;
	case FIELD_INT64:
		jsonw_int(w, *(const int64_t *)at);
		return;
	case FIELD_ID:
	case FIELD_MODE:
		jsonw_int(w, ((const struct id *)at)->value);
		return;
	case FIELD_QUANTITY:
		print_quantity(at, w);
		return;
	case FIELD_OBJECT:
	case FIELD_QUANTITY_MAP:
		jsonw_object(w);
		print_object(f->object, at, w);
		jsonw_end(w);
		return;
	case FIELD_OBJECTS:
		print_objects(f, at, w);
		return;
	case FIELD_STRINGS:
		print_strings(at, w);
		return;
	case FIELD_INT32S:
	case FIELD_INT64S:
		print_numbers(at, w);
		return;
	case FIELD_MAP:
		print_map(at, w);
		return;
	case FIELD_INT_OR_STRING:
		print_int_or_string(at, w);
		return;
	case FIELD_LABEL_SELECTOR:
	case FIELD_TYPE_MAX:
		break;
	}
	assert(!"no field of this type is built");
}

static void print_object(const struct schema *s, const void *base, struct jsonw *w)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct field *f = &s->fields[i];
		const void *at = (const char *)base + (field_stored(f) ? f->offset : 0);
		if (!field_stored(f) || is_empty(f, at))
			continue;
		jsonw_key(w, f->name);
		print_value(f, at, w);
	}
}

void schema_json(const struct schema *s, const void *base, struct jsonw *w)
{
	print_object(s, base, w);
}

static void object_json(const struct schema *s, const void *base, struct jsonw *w)
{
	jsonw_object(w);
	print_object(s, base, w);
	jsonw_end(w);
}

void resources_json(const struct resources *r, struct jsonw *w)
{
	object_json(&schema_resources, r, w);
}

void resource_list_json(const struct resource_list *l, struct jsonw *w)
{
	object_json(&schema_resource_list, l, w);
}

static void metadata_json_open(const struct pod *p, const char *uid, struct jsonw *w)
{
	struct pod_metadata metadata = p->metadata;

	if (uid)
		metadata.uid = uid;
	jsonw_key(w, "metadata");
	jsonw_object(w);
	print_object(&schema_metadata, &metadata, w);
}

void pod_spec_json_open(const struct pod *p, struct jsonw *w)
{
	jsonw_key(w, "spec");
	jsonw_object(w);
	print_object(&schema_spec, &p->spec, w);
}

void pod_json(const struct pod *p, const char *uid, const char *resource_version, struct jsonw *w)
{
	metadata_json_open(p, uid, w);
	if (resource_version)
		jsonw_member_str(w, "resourceVersion", resource_version);
	jsonw_end(w);
	pod_spec_json_open(p, w);
	jsonw_end(w);
}
