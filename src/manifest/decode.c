#include "manifest/decode.h"
#include <assert.h>
#include <stdio.h>
#include "base/alloc.h"
#include "base/str.h"
#include "manifest/decode_scalar.h"
#include "manifest/node.h"
#include "manifest/portable.h"
#include "manifest/suggest.h"

enum { FIELDS_MAX = 64 };

/* What all lists of pod.h look like. */
struct any_list {
	void *items;
	size_t count;
};
_Static_assert(sizeof(struct any_list) == sizeof(struct label_list), "lists are {items, count}");

static void decode_field(struct decoder *d, const struct field *f, const struct node *n, void *at);

void decoder_find(struct decoder *d, enum severity severity, const struct node *where, const char *hint, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	/* Inside what is refused or without effect as a whole, only what Kubernetes wouldn't take is of interest. */
	if (d->unbuilt_depth && severity != SEVERITY_ERROR)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diags_add(d->m, severity, where, &d->path, hint, "%s", text);
	d->errors += severity == SEVERITY_ERROR;
	if (severity != SEVERITY_NOTICE)
		d->failed = true;
}

const struct node *decoder_place(const struct decoder *d, const void *field)
{
	if (d->m->diag_count == MANIFEST_DIAGS_MAX) /* nobody will see it */
		return d->root;
	for (size_t i = 0; i < d->place_count; i++)
		if (d->places[i].field == field)
			return d->places[i].node;
	return d->root;
}

void decoder_deinit(struct decoder *d)
{
	free(d->places);
	buf_deinit(&d->no_ops);
}

static void place_set(struct decoder *d, const void *field, const struct node *n)
{
	if (field)
		*xgrow(d->places, d->place_count) = (struct place){ field, n };
}

static bool expect_node(struct decoder *d, const struct node *n, enum node_type type)
{
	if (n->type == type)
		return true;
	decoder_find(d, SEVERITY_ERROR, n,
	             type == NODE_SEQUENCE ? "begin each item with '- '" : "write it as `name: value` pairs, indented",
	             "Invalid value: must be %s, and this is %s", type == NODE_SEQUENCE ? "a list" : "a mapping",
	             node_type_name(n));
	return false;
}

/* Judged as if it were stored, but nowhere. Whether Kubernetes takes it. */
static bool judge(struct decoder *d, const struct field *f, const struct node *n)
{
	unsigned errors = d->errors;

	d->unbuilt_depth++;
	decode_field(d, f, n, NULL);
	d->unbuilt_depth--;
	return d->errors == errors;
}

/* Whether it asks for what happens anyway. */
static bool asks_nothing(const struct field *f, const struct node *n)
{
	struct scalar s;

	if (n->type != NODE_SCALAR)
		return n->count == 0 && f->type != FIELD_OBJECT;
	if (!f->neutral)
		return false;
	scalar_resolve(n, &s);
	return field_is_neutral(f, s.type == SCALAR_BOOL ? (s.boolean ? "true" : "false") : s.text);
}

/* A field of the API that this podd doesn't do. */
static void decode_unbuilt(struct decoder *d, const struct field *f, const struct node *key, const struct node *n)
{
	if (judge(d, f, n) && !asks_nothing(f, n))
		decoder_find(d, SEVERITY_REFUSED, key, f->hint, "%s",
		             f->verdict == VERDICT_REJECT ? "not supported by podd" : "not yet supported by this podd");
}

/* All of them are mentioned in one notice, each once. */
static void decode_no_op(struct decoder *d, const struct field *f, const struct node *key, const struct node *n)
{
	if (!judge(d, f, n) || d->unbuilt_depth)
		return;
	for (size_t i = 0; i < d->noticed_count; i++)
		if (d->noticed[i] == f)
			return;
	if (d->noticed_count == NOTICED_MAX)
		return;
	d->noticed[d->noticed_count++] = f;
	d->no_op_at = d->no_op_at ? d->no_op_at : key;
	buf_puts(&d->no_ops, d->no_ops.len ? ", " : "");
	path_print(&d->path, &d->no_ops);
}

static void notice_no_ops(struct decoder *d)
{
	if (d->no_op_at)
		decoder_find(d, SEVERITY_NOTICE, d->no_op_at, NULL, "accepted, without effect on one machine: %s",
		             buf_str(&d->no_ops));
}

static void decode_pair(struct decoder *d, const struct field *f, const struct node_pair *pair, void *base)
{
	if (node_is_null(pair->value))
		return;
	path_key(&d->path, f->name);
	if (d->m->portable && d->schema_depth)
		portable_field(d, d->schemas[d->schema_depth - 1], f, pair);
	if (!f->built)
		decode_unbuilt(d, f, pair->key, pair->value);
	else if (f->verdict == VERDICT_NO_OP)
		decode_no_op(d, f, pair->key, pair->value);
	else
		decode_field(d, f, pair->value, base && field_stored(f) ? (char *)base + f->offset : NULL);
	path_pop(&d->path);
}

static void unknown_field(struct decoder *d, const struct node *key)
{
	_cleanup_free_ char *hint = suggest_field(d->schemas, d->schema_depth, key->text);

	path_key(&d->path, key->text);
	decoder_find(d, SEVERITY_ERROR, key, hint, "unknown field \"%.80s\"", key->text);
	path_pop(&d->path);
}

/* Whether the value is as good as absent: Go's zero value and a missing field are the same to Kubernetes. */
static bool is_empty(const struct field *f, const struct node *n)
{
	if (node_is_null(n))
		return true;
	if (f->type == FIELD_STRING || f->type == FIELD_ENUM)
		return n->type == NODE_SCALAR && n->count == 0;
	return n->type == NODE_SEQUENCE && n->count == 0;
}

static void fill_absent(struct decoder *d, const struct schema *s, uint64_t seen, const struct node *n, void *base)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct field *f = &s->fields[i];
		if (seen >> i & 1)
			continue;
		path_key(&d->path, f->name);
		if (f->required)
			decoder_find(d, SEVERITY_ERROR, n, NULL, "Required value");
		else if (base && f->fallback && field_stored(f))
			scalar_fallback(d, f, (char *)base + f->offset);
		path_pop(&d->path);
	}
}

static void decode_object(struct decoder *d, const struct schema *s, const struct node *n, void *base)
{
	uint64_t seen = 0;

	assert(s->count <= FIELDS_MAX && d->schema_depth < SCHEMA_DEPTH_MAX);
	if (!expect_node(d, n, NODE_MAPPING))
		return;
	if (s->starts_with_set && base)
		*(bool *)base = true;
	d->schemas[d->schema_depth++] = s;
	for (size_t i = 0; i < n->count; i++) {
		const struct field *f = schema_find(s, n->pairs[i].key->text);
		if (!f) {
			unknown_field(d, n->pairs[i].key);
			continue;
		}
		if (!is_empty(f, n->pairs[i].value))
			seen |= (uint64_t)1 << (f - s->fields);
		else if (n->pairs[i].value->type != NODE_SEQUENCE)
			continue;
		decode_pair(d, f, &n->pairs[i], base);
	}
	fill_absent(d, s, seen, n, base);
	if (s->rule)
		s->rule(d, n);
	d->schema_depth--;
}

static void decode_objects(struct decoder *d, const struct field *f, const struct node *n, void *at)
{
	struct any_list list = { 0 };

	if (!expect_node(d, n, NODE_SEQUENCE))
		return;
	if (f->object && f->object->most && n->count > f->object->most) { /* its items would only cost memory */
		decoder_find(d, SEVERITY_REFUSED, n, NULL, "Too many: %zu: podd takes at most %zu items", (size_t)n->count,
		             f->object->most);
		return;
	}
	if (at) {
		list.count = n->count;
		list.items = n->count ? arena_alloc(d->arena, n->count * f->object->size) : NULL;
		memcpy(at, &list, sizeof(list));
	}
	for (size_t i = 0; i < n->count; i++) {
		path_index(&d->path, i);
		if (!f->object)
			(void)expect_node(d, n->items[i], NODE_MAPPING);
		else
			decode_object(d, f->object, n->items[i], list.items ? (char *)list.items + i * f->object->size : NULL);
		path_pop(&d->path);
	}
}

static void decode_strings(struct decoder *d, const struct field *f, const struct node *n, struct string_list *at)
{
	if (!expect_node(d, n, NODE_SEQUENCE))
		return;
	if (at) {
		at->count = n->count;
		at->items = n->count ? arena_new_array(d->arena, const char *, n->count) : NULL;
	}
	for (size_t i = 0; i < n->count; i++) {
		const char *text = "", **item = at ? &at->items[i] : &text;
		path_index(&d->path, i);
		*item = "";
		scalar_decode_string(d, f, n->items[i], item);
		if (at)
			place_set(d, item, n->items[i]);
		path_pop(&d->path);
	}
}

static void decode_numbers(struct decoder *d, const struct field *f, const struct node *n, struct int_list *at)
{
	if (!expect_node(d, n, NODE_SEQUENCE))
		return;
	if (at) {
		at->count = n->count;
		at->items = n->count ? arena_new_array(d->arena, int64_t, n->count) : NULL;
	}
	for (size_t i = 0; i < n->count; i++) {
		path_index(&d->path, i);
		scalar_decode(d, f, n->items[i], at ? &at->items[i] : NULL);
		path_pop(&d->path);
	}
}

/* Keys of the user's own become strings, but not by stealth: an unquoted `on` would turn into "true". */
static bool expect_key(struct decoder *d, const struct node *key)
{
	struct scalar s;
	char decimal[24];

	scalar_resolve(key, &s);
	(void)snprintf(decimal, sizeof(decimal), "%lld", (long long)s.integer);
	if (s.type == SCALAR_STRING || (s.type == SCALAR_INT && streq(key->text, decimal)))
		return true;
	decoder_find(d, SEVERITY_ERROR, key, "quote the key", "key \"%.80s\" is read as %s", key->text, scalar_type_name(s.type));
	return false;
}

static int by_key(const void *a, const void *b)
{
	const struct node_pair *p = a, *q = b;

	return strcmp(p->key->text, q->key->text);
}

static void decode_map(struct decoder *d, const struct field *f, const struct node *n, struct label_list *at)
{
	if (!expect_node(d, n, NODE_MAPPING) || !n->count)
		return;
	_cleanup_free_ struct node_pair *sorted = xcalloc(n->count, sizeof(*sorted));
	memcpy(sorted, n->pairs, n->count * sizeof(*sorted));
	qsort(sorted, n->count, sizeof(*sorted), by_key);
	if (at) {
		at->count = n->count;
		at->items = arena_new_array(d->arena, struct label, n->count);
	}
	for (size_t i = 0; i < n->count; i++) {
		struct label unused = { 0 }, *l = at ? &at->items[i] : &unused;
		path_map_key(&d->path, sorted[i].key->text);
		l->name = at ? arena_strdup(d->arena, sorted[i].key->text) : "";
		l->value = "";
		if (expect_key(d, sorted[i].key) && !node_is_null(sorted[i].value))
			scalar_decode_string(d, f, sorted[i].value, &l->value);
		if (at) {
			place_set(d, &l->name, sorted[i].key);
			place_set(d, &l->value, sorted[i].value);
		}
		path_pop(&d->path);
	}
}

static void unknown_resource(struct decoder *d, const struct schema *s, const struct node *key, const struct node *value)
{
	const struct field *f = suggest_nearest(s, key->text);
	_cleanup_free_ char *hint = f ? xasprintf("did you mean \"%s\"?", f->name) : NULL;
	static const struct field amount = { .name = "amount", .type = FIELD_QUANTITY };
	const char *size = str_after(key->text, "hugepages-");
	unsigned errors = d->errors;
	struct quantity unused;

	if (size || strchr(key->text, '/'))
		scalar_decode(d, &amount, value, NULL);
	if (d->errors != errors)
		return;
	if (size && (quantity_parse(size, &unused) < 0 || unused.nano <= 0))
		decoder_find(d, SEVERITY_ERROR, key, "as hugepages-2Mi",
		             "Invalid value: the part after hugepages- must be a quantity");
	else if (size)
		decoder_find(d, SEVERITY_REFUSED, key, "use hugepages-2Mi or hugepages-1Gi",
		             "huge pages of this size are not supported by podd");
	else if (strchr(key->text, '/'))
		decoder_find(d, SEVERITY_REFUSED, key,
		             "name its devices in the annotation podd.dev/devices, as vendor.com/class=name",
		             "extended resources are not supported by podd");
	else
		decoder_find(d, SEVERITY_ERROR, key, hint,
		             "Invalid value: \"%.80s\": must be a standard resource type, cpu or memory", key->text);
}

static void decode_quantity_map(struct decoder *d, const struct field *f, const struct node *n, void *at)
{
	if (!expect_node(d, n, NODE_MAPPING))
		return;
	for (size_t i = 0; i < n->count; i++) {
		const struct field *resource = schema_find(f->object, n->pairs[i].key->text);
		if (resource) {
			decode_pair(d, resource, &n->pairs[i], at);
			continue;
		}
		path_key(&d->path, n->pairs[i].key->text);
		unknown_resource(d, f->object, n->pairs[i].key, n->pairs[i].value);
		path_pop(&d->path);
	}
}

static void decode_by_type(struct decoder *d, const struct field *f, const struct node *n, void *at)
{
	switch (f->type) {
	case FIELD_OBJECT:
	case FIELD_LABEL_SELECTOR:
		if (f->object)
			decode_object(d, f->object, n, at);
		else
			(void)expect_node(d, n, NODE_MAPPING);
		return;
	case FIELD_OBJECTS:
		decode_objects(d, f, n, at);
		return;
	case FIELD_STRINGS:
		decode_strings(d, f, n, at);
		return;
	case FIELD_MAP:
		decode_map(d, f, n, at);
		return;
	case FIELD_QUANTITY_MAP:
		decode_quantity_map(d, f, n, at);
		return;
	case FIELD_INT32S:
	case FIELD_INT64S:
		decode_numbers(d, f, n, at);
		return;
	case FIELD_STRING:
	case FIELD_ENUM:
	case FIELD_BOOL:
	case FIELD_TRISTATE:
	case FIELD_INT32:
	case FIELD_INT64:
	case FIELD_ID:
	case FIELD_MODE:
	case FIELD_QUANTITY:
	case FIELD_INT_OR_STRING:
		scalar_decode(d, f, n, at);
		return;
	case FIELD_TYPE_MAX:
		break;
	}
	assert(!"no type of a field");
}

/* `at` is NULL when the value is only judged. */
static void decode_field(struct decoder *d, const struct field *f, const struct node *n, void *at)
{
	if (f->type != FIELD_OBJECT)
		place_set(d, at, n);
	decode_by_type(d, f, n, at);
	if (f->rule)
		f->rule(d, n);
}

bool decode_root(struct decoder *d, const struct schema *s, void *base)
{
	decode_object(d, s, d->root, base);
	notice_no_ops(d);
	return !d->failed;
}

bool decode_pod(struct decoder *d, struct pod *pod)
{
	return decode_root(d, &schema_pod, pod);
}
