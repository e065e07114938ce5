#include "image/image.h"
#include <errno.h>
#include <string.h>
#include "base/jsonw.h"
#include "image/doc.h"

struct image *image_free(struct image *i)
{
	if (i)
		(void)arena_free(i->arena);
	return NULL;
}

static const char *string(const json_t *j, const char *key, struct image *i, bool *bad)
{
	const char *s = doc_string(j, key, bad);

	return s ? arena_strdup(i->arena, s) : NULL;
}

static const char *required(const json_t *j, const char *key, struct image *i, bool *bad)
{
	const char *s = string(j, key, i, bad);

	*bad |= !s;
	return s;
}

static bool chain_valid(const char *s)
{
	return strlen(s) == IMAGE_LAYER_NAME_SIZE - 1 && strspn(s, "0123456789abcdef") == IMAGE_LAYER_NAME_SIZE - 1;
}

static void parse_config(const json_t *j, struct image *i, bool *bad)
{
	struct image_config *c = &i->config;
	json_t *config = doc_object(j, "config", bad);

	c->entrypoint = doc_strings(config, "entrypoint", i->arena, bad);
	c->cmd = doc_strings(config, "cmd", i->arena, bad);
	c->env = doc_strings(config, "env", i->arena, bad);
	c->working_dir = string(config, "workingDir", i, bad);
	c->user = string(config, "user", i, bad);
	c->stop_signal = string(config, "stopSignal", i, bad);
}

int image_parse(const char *json, size_t size, struct image **ret)
{
	const char *why;
	_cleanup_json_ json_t *j = size > IMAGE_RECORD_MAX ? NULL : doc_load(json, size, &why);
	bool bad = false;

	if (!j)
		return -EBADMSG;
	struct arena *arena = arena_new();
	struct image *i = arena_alloc(arena, sizeof(*i));
	i->arena = arena;
	i->reference = required(j, "reference", i, &bad);
	i->manifest = required(j, "manifest", i, &bad);
	i->index = string(j, "index", i, &bad);
	i->id = required(j, "id", i, &bad);
	i->source = string(j, "source", i, &bad);
	struct string_list layers = doc_strings(j, "layers", arena, &bad), diffs = doc_strings(j, "diffIDs", arena, &bad);
	i->layers = layers.items;
	i->diff_ids = diffs.items;
	i->layer_count = layers.count;
	parse_config(j, i, &bad);
	i->architecture = string(j, "architecture", i, &bad);
	i->os = string(j, "os", i, &bad);
	i->labels = doc_labels(j, "labels", arena, &bad);
	i->size = doc_integer(j, "size", &bad);
	i->imported = doc_integer(j, "imported", &bad);
	i->created = doc_integer(j, "created", &bad);
	i->pinned = json_is_true(json_object_get(j, "pinned"));
	bad = bad || !layers.count || layers.count > IMAGE_LAYERS_MAX || layers.count != diffs.count ||
	      !image_digest_valid(i->manifest) || !image_digest_valid(i->id) || (i->index && !image_digest_valid(i->index));
	for (size_t k = 0; !bad && k < layers.count; k++)
		bad = !chain_valid(i->layers[k]) || !image_digest_valid(i->diff_ids[k]);
	if (bad) {
		(void)image_free(i);
		return -EBADMSG;
	}
	*ret = i;
	return 0;
}

void image_config_json(const struct image_config *c, struct jsonw *w)
{
	jsonw_key(w, "config");
	jsonw_object(w);
	jsonw_member_strings(w, "entrypoint", c->entrypoint.items, c->entrypoint.count);
	jsonw_member_strings(w, "cmd", c->cmd.items, c->cmd.count);
	jsonw_member_strings(w, "env", c->env.items, c->env.count);
	jsonw_member_str(w, "workingDir", c->working_dir);
	jsonw_member_str(w, "user", c->user);
	jsonw_member_str(w, "stopSignal", c->stop_signal);
	jsonw_end(w);
}

void image_write(const struct image *i, struct buf *out)
{
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_object(&w);
	jsonw_member_str(&w, "reference", i->reference);
	jsonw_member_str(&w, "manifest", i->manifest);
	jsonw_member_str(&w, "index", i->index);
	jsonw_member_str(&w, "id", i->id);
	jsonw_member_str(&w, "source", i->source);
	jsonw_member_strings(&w, "layers", i->layers, i->layer_count);
	jsonw_member_strings(&w, "diffIDs", i->diff_ids, i->layer_count);
	image_config_json(&i->config, &w);
	jsonw_member_str(&w, "architecture", i->architecture);
	jsonw_member_str(&w, "os", i->os);
	jsonw_key(&w, "labels");
	jsonw_object(&w);
	for (size_t k = 0; k < i->labels.count; k++)
		jsonw_member_str(&w, i->labels.items[k].name, i->labels.items[k].value);
	jsonw_end(&w);
	jsonw_member_int(&w, "size", i->size);
	jsonw_member_int(&w, "imported", i->imported);
	jsonw_member_int(&w, "created", i->created);
	jsonw_member_bool(&w, "pinned", i->pinned);
	jsonw_end(&w);
	buf_putc(out, '\n');
}
