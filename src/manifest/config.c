#include "manifest/config.h"
#include <stdlib.h>
#include "base/str.h"
#include "manifest/check.h"
#include "manifest/decode.h"
#include "manifest/schema_rows.h"
#include "manifest/validate.h"

enum { PRIORITY_MAX = 1000000000 }; /* Kubernetes keeps what is above for classes of its own */

/* The kinds as they are written. */
struct config_source {
	struct pod_metadata metadata;
	struct label_list data, other; /* other: binaryData, or stringData */
	const char *type, *handler;
	bool immutable;
	int32_t value;
	bool global_default;
};

#define ENVELOPE                                                                                                     \
	READ_ELSEWHERE("apiVersion", STRING, MUST, "Of the kind.", .required = true),                                \
		READ_ELSEWHERE("kind", STRING, MUST, "The kind.", .required = true),                                 \
		BUILT("metadata", OBJECT, MUST, config_source, metadata, NONE, "Name and labels.", .required = true, \
	              .object = &schema_metadata)

static const struct field config_map_fields[] = {
	ENVELOPE,
	BUILT("data", MAP, MUST, config_source, data, NONE, "Values that are text."),
	BUILT("binaryData", MAP, MUST, config_source, other, NONE, "Values in base64."),
	BUILT("immutable", BOOL, MUST, config_source, immutable, NONE, "Whether it never changes."),
};
static const struct schema schema_config_map = SCHEMA("ConfigMap", config_map_fields, sizeof(struct config_source));

static const struct field secret_fields[] = {
	ENVELOPE,
	BUILT("data", MAP, MUST, config_source, data, NONE, "Values in base64."),
	BUILT("stringData", MAP, MUST, config_source, other, NONE, "Values that are text; they win over data."),
	BUILT("type", STRING, MUST, config_source, type, NONE, "What it is for.", .fallback = "Opaque"),
	BUILT("immutable", BOOL, MUST, config_source, immutable, NONE, "Whether it never changes."),
};
static const struct schema schema_secret = SCHEMA("Secret", secret_fields, sizeof(struct config_source));

static const struct field priority_class_fields[] = {
	ENVELOPE,
	BUILT("value", INT32, MUST, config_source, value, NONE, "The priority.", .required = true),
	BUILT("globalDefault", BOOL, MUST, config_source, global_default, NONE, "Whether it is that of pods that name none."),
	NO_OP("description", STRING, "When it is to be used."),
	NO_OP("preemptionPolicy", STRING, "Whether lower priorities make room.", .choices = "PreemptLowerPriority|Never"),
};
static const struct schema schema_priority_class = SCHEMA("PriorityClass", priority_class_fields, sizeof(struct config_source));

static const struct field overhead_fields[] = {
	NO_OP("podFixed", QUANTITY_MAP, "Its amounts.", .object = &schema_resource_list),
};
static const struct schema schema_overhead = SCHEMA("Overhead", overhead_fields, 0);

static const struct field class_scheduling_fields[] = {
	NO_OP("nodeSelector", MAP, "Labels of the machines that have it."),
	NO_OP("tolerations", OBJECTS, "Taints of machines to put up with.", .object = &schema_toleration),
};
static const struct schema schema_class_scheduling = SCHEMA("Scheduling", class_scheduling_fields, 0);

static const struct field runtime_class_fields[] = {
	ENVELOPE,
	BUILT("handler", STRING, MUST, config_source, handler, NONE, "Which of the node's runtimes it is.", .required = true,
	      .check = check_label_name),
	NO_OP("overhead", OBJECT, "Resources of the sandbox itself.", .object = &schema_overhead),
	NO_OP("scheduling", OBJECT, "Which machines have it.", .object = &schema_class_scheduling),
};
static const struct schema schema_runtime_class = SCHEMA("RuntimeClass", runtime_class_fields, sizeof(struct config_source));

static const struct schema *const schemas[] = { &schema_config_map, &schema_secret, &schema_priority_class, &schema_runtime_class };
_Static_assert(ARRAY_SIZE(schemas) == CONFIG_KIND_MAX, "a schema for each kind");

static const char *const kind_names[] = {
	[CONFIG_MAP] = "ConfigMap",
	[CONFIG_SECRET] = "Secret",
	[CONFIG_PRIORITY_CLASS] = "PriorityClass",
	[CONFIG_RUNTIME_CLASS] = "RuntimeClass",
};
_Static_assert(ARRAY_SIZE(kind_names) == CONFIG_KIND_MAX, "a name for each kind");

const char *config_kind_name(enum config_kind k)
{
	return kind_names[k];
}

bool config_kind_find(const char *name, enum config_kind *ret_kind)
{
	for (enum config_kind k = 0; k < CONFIG_KIND_MAX; k++)
		if (streq(name, kind_names[k])) {
			*ret_kind = k;
			return true;
		}
	return false;
}

struct config_object *config_ref(struct config_object *c)
{
	c->refs++;
	return c;
}

struct config_object *config_unref(struct config_object *c)
{
	if (c && --c->refs == 0)
		(void)arena_free(c->arena); /* c itself is in it */
	return NULL;
}

static int digit_of(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* As Go's encoding/base64: padded to a multiple of four, line ends ignored, nothing else. False if it isn't. */
static bool base64_decode(struct arena *a, const char *text, const char **ret, size_t *ret_size)
{
	char *out = arena_alloc(a, strlen(text) / 4 * 3 + 4);
	unsigned bits = 0, count = 0, padding = 0;
	size_t size = 0;

	for (; *text; text++) {
		int digit = digit_of(*text);
		if (*text == '\r' || *text == '\n')
			continue;
		if (*text == '=' && count >= 2) {
			padding++;
			digit = 0;
		} else if (digit < 0 || padding) {
			return false;
		}
		bits = bits << 6 | (unsigned)digit;
		if (++count < 4)
			continue;
		for (unsigned i = 0; i < 3 - padding; i++)
			out[size++] = (char)(bits >> (16 - 8 * i));
		bits = count = 0;
	}
	if (count)
		return false;
	out[size] = '\0';
	*ret = out;
	*ret_size = size;
	return true;
}

static void find_at(struct decoder *d, const char *map, const struct label *l, const char *hint, const char *text)
{
	path_key(&d->path, map);
	path_map_key(&d->path, l->name);
	decoder_find(d, SEVERITY_ERROR, decoder_place(d, &l->name), hint, "%s", text);
	path_pop(&d->path);
	path_pop(&d->path);
}

static void set_item(struct config_object *c, struct config_item item)
{
	for (size_t i = 0; i < c->count; i++)
		if (streq(c->items[i].key, item.key)) {
			c->items[i] = item;
			return;
		}
	c->items[c->count++] = item;
}

static void add_items(struct decoder *d, struct config_object *c, const char *map, const struct label_list *l, bool encoded)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct label *from = &l->items[i];
		struct config_item item = {
			.key = from->name,
			.data = from->value,
			.size = strlen(from->value),
			.binary = encoded && c->kind == CONFIG_MAP,
		};
		struct finding found;
		if (!check_config_key(&(struct value){ .text = from->name }, d->m->arena, &found))
			find_at(d, map, from, found.hint, found.text);
		/* A value is never quoted: it may be a secret. */
		if (encoded && !base64_decode(d->arena, from->value, &item.data, &item.size))
			find_at(d, map, from,
			        c->kind == CONFIG_SECRET ? "write the plain text under stringData" : "write plain text under data",
			        "Invalid value: not base64");
		else if (c->kind == CONFIG_MAP && encoded && config_find(c, item.key))
			find_at(d, map, from, "remove one of the two", "Invalid value: duplicate of a key of data");
		else
			set_item(c, item);
	}
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct config_item *)a)->key, ((const struct config_item *)b)->key);
}

const struct config_item *config_find(const struct config_object *c, const char *key)
{
	for (size_t i = 0; i < c->count; i++)
		if (streq(c->items[i].key, key))
			return &c->items[i];
	return NULL;
}

static void check_size(struct decoder *d, const struct config_object *c)
{
	size_t size = 0;

	for (size_t i = 0; i < c->count; i++)
		size += strlen(c->items[i].key) + c->items[i].size;
	if (size > CONFIG_SIZE_MAX)
		decoder_find(d, SEVERITY_ERROR, d->root, "split it into several objects", "Too long: may not be more than %d bytes",
		             CONFIG_SIZE_MAX);
}

static void need_key(struct decoder *d, const struct config_object *c, const char *key)
{
	if (config_find(c, key))
		return;
	path_key(&d->path, "data");
	path_map_key(&d->path, key);
	decoder_find(d, SEVERITY_ERROR, d->root, NULL, "Required value: a Secret of type %s has this key", c->type);
	path_pop(&d->path);
	path_pop(&d->path);
}

/* The types that Kubernetes knows promise keys. */
static void check_type(struct decoder *d, const struct config_object *c)
{
	static const struct {
		const char *type, *keys[2];
	} types[] = {
		{ "kubernetes.io/dockercfg", { ".dockercfg" } },
		{ "kubernetes.io/dockerconfigjson", { ".dockerconfigjson" } },
		{ "kubernetes.io/ssh-auth", { "ssh-privatekey" } },
		{ "kubernetes.io/tls", { "tls.crt", "tls.key" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		for (size_t j = 0; streq(c->type, types[i].type) && j < ARRAY_SIZE(types[i].keys); j++)
			if (types[i].keys[j])
				need_key(d, c, types[i].keys[j]);
	if (streq(c->type, "kubernetes.io/basic-auth") && !config_find(c, "username"))
		need_key(d, c, "password");
}

static void add_priority(struct decoder *d, struct config_object *c, const struct config_source *s)
{
	const char *value = arena_printf(d->arena, "%d", s->value);

	if (s->metadata.name && str_after(s->metadata.name, "system-")) {
		path_key(&d->path, "metadata");
		path_key(&d->path, "name");
		decoder_find(d, SEVERITY_ERROR, decoder_place(d, &s->metadata.name), NULL,
		             "Forbidden: priority class names with 'system-' prefix are reserved for system use only");
		path_pop(&d->path);
		path_pop(&d->path);
	}
	if (s->value > PRIORITY_MAX) {
		path_key(&d->path, "value");
		decoder_find(d, SEVERITY_ERROR, decoder_place(d, &s->value), NULL,
		             "Forbidden: maximum allowed value of a user defined priority is %d", PRIORITY_MAX);
		path_pop(&d->path);
	}
	c->items = arena_new_array(d->arena, struct config_item, 2);
	if (s->global_default)
		c->items[c->count++] = (struct config_item){ .key = "globalDefault", .data = "true", .size = 4 };
	c->items[c->count++] = (struct config_item){ .key = "value", .data = value, .size = strlen(value) };
}

static void add_handler(struct decoder *d, struct config_object *c, const struct config_source *s)
{
	if (!s->handler)
		return; /* that was an error */
	c->items = arena_new_array(d->arena, struct config_item, 1);
	c->items[c->count++] = (struct config_item){ .key = "handler", .data = s->handler, .size = strlen(s->handler) };
}

bool config_decode(struct decoder *d, enum config_kind kind, struct config_object *ret)
{
	bool secret = kind == CONFIG_SECRET;
	struct config_source source = { .type = NULL };

	d->secret = secret;
	bool decoded = decode_root(d, schemas[kind], &source);

	validate_object_metadata(d, &source.metadata);
	struct config_object c = { .kind = kind,
		                   .namespace = source.metadata.namespace,
		                   .name = source.metadata.name,
		                   .type = secret ? (source.type ? source.type : "Opaque") : NULL,
		                   .immutable = source.immutable };
	if (kind == CONFIG_PRIORITY_CLASS) {
		add_priority(d, &c, &source);
	} else if (kind == CONFIG_RUNTIME_CLASS) {
		add_handler(d, &c, &source);
	} else {
		c.items = arena_new_array(d->arena, struct config_item, source.data.count + source.other.count);
		add_items(d, &c, "data", &source.data, secret);
		add_items(d, &c, secret ? "stringData" : "binaryData", &source.other, !secret);
	}
	check_size(d, &c);
	if (secret)
		check_type(d, &c);
	if (c.count)
		qsort(c.items, c.count, sizeof(*c.items), by_key);
	*ret = c;
	return decoded && !d->failed;
}
