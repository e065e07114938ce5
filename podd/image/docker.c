/* What `docker save` and `podman save` write: manifest.json, an array of {Config, RepoTags, Layers}. There is no manifest in the sense of
 * a registry; one is made, so that the image has a digest. */
#include <string.h>
#include "base/alloc.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "image/choose.h"
#include "image/config.h"
#include "image/doc.h"
#include "image/limits.h"
#include "image/why.h"

static bool same_reference(const char *a, const char *b)
{
	char text_a[IMAGE_REFERENCE_SIZE], text_b[IMAGE_REFERENCE_SIZE];
	struct image_ref ref;
	const char *why;

	if (image_ref_parse(a, &ref, &why) < 0)
		return false;
	image_ref_text(&ref, text_a);
	if (image_ref_parse(b, &ref, &why) < 0)
		return false;
	image_ref_text(&ref, text_b);
	return streq(text_a, text_b);
}

/* An old file name is the configuration's digest, and then it has to be. */
static int check_name(const char *path, const char *id)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	if (strspn(name, "0123456789abcdef") == 64 && (!name[64] || streq(name + 64, ".json")) &&
	    strncmp(name, str_after(id, "sha256:"), 64))
		return refuse("the configuration is not what its name %s says; its digest is %s", path, id);
	return 0;
}

static void write_descriptor(struct jsonw *w, const char *type, const char *digest, int64_t size)
{
	jsonw_object(w);
	jsonw_member_str(w, "mediaType", type);
	jsonw_member_str(w, "digest", digest);
	jsonw_member_int(w, "size", size);
	jsonw_end(w);
}

static void make_manifest(struct choice *c)
{
	char digest[IMAGE_DIGEST_SIZE];
	struct jsonw w;

	jsonw_init(&w, &c->manifest);
	jsonw_object(&w);
	jsonw_member_int(&w, "schemaVersion", 2);
	jsonw_member_str(&w, "mediaType", "application/vnd.oci.image.manifest.v1+json");
	jsonw_key(&w, "config");
	write_descriptor(&w, "application/vnd.oci.image.config.v1+json", c->image->id, (int64_t)c->config.len);
	jsonw_key(&w, "layers");
	jsonw_array(&w);
	for (size_t i = 0; i < c->image->layer_count; i++)
		write_descriptor(&w, "application/vnd.oci.image.layer.v1.tar", c->layers[i].diff_id, c->layers[i].blob.size);
	jsonw_end(&w);
	jsonw_end(&w);
	digest_of(c->manifest.data, c->manifest.len, digest);
	c->image->manifest = arena_strdup(c->image->arena, digest);
}

static int find_layers(const struct source *s, const struct string_list *paths, struct choice *c)
{
	struct image *i = c->image;

	if (paths->count != i->layer_count)
		return refuse("manifest.json has %zu layers, the configuration %zu", paths->count, i->layer_count);
	c->layers = xnew_array(struct layer, i->layer_count);
	for (size_t k = 0; k < i->layer_count; k++)
		c->layers[k].blob = BLOB_NULL;
	for (size_t k = 0; k < i->layer_count; k++) {
		struct layer *l = &c->layers[k];
		int r = source_find(s, paths->items[k], &l->blob);
		if (r < 0)
			return r == -ENOENT ? refuse("layer %zu (%s) is missing", k + 1, paths->items[k]) : r;
		l->size = -1;
		l->compression = COMPRESSION_DETECT;
		(void)strcpy(l->diff_id, i->diff_ids[k]);
		i->size += l->blob.size;
	}
	return 0;
}

static int add_image(const struct source *s, const struct image_job *job, const json_t *entry, struct choices *c)
{
	struct choice *choice = choice_add(c, "docker-archive");
	struct image *i = choice->image;
	bool bad = false;
	const char *config = doc_string(entry, "Config", &bad);
	struct string_list layers = doc_strings(entry, "Layers", i->arena, &bad),
			   tags = doc_strings(entry, "RepoTags", i->arena, &bad);

	if (bad || !config)
		return refuse("manifest.json is not as docker save writes it");
	int r = document_read(s, config, "the configuration", "", -1, &choice->config);
	if (r == 0)
		r = config_read(buf_str(&choice->config), choice->config.len, i);
	if (r == 0)
		r = check_name(config, i->id);
	if (r == 0)
		r = find_layers(s, &layers, choice);
	if (r < 0)
		return r;
	i->size += (int64_t)choice->config.len;
	make_manifest(choice);
	for (size_t k = 0; r == 0 && k < tags.count; k++)
		r = choice_name(choice, job, tags.items[k]);
	return r == 0 && !choice->reference_count ? choice_name(choice, job, NULL) : r;
}

static bool is_selected(const struct image_job *job, const json_t *entry)
{
	json_t *v;
	size_t i;

	json_array_foreach(json_object_get(entry, "RepoTags"), i, v)
		if (job->select && json_is_string(v) && same_reference(job->select, json_string_value(v)))
			return true;
	return !job->select;
}

int choose_docker(const struct source *s, const struct image_job *job, struct choices *c)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	const char *why;
	json_t *entry;
	size_t k;

	int r = document_read(s, "manifest.json", "the archive's manifest.json", "", -1, &text);
	if (r < 0)
		return r;
	_cleanup_json_ json_t *j = doc_load(buf_str(&text), text.len, &why);
	if (!json_is_array(j) || json_array_size(j) > LIMIT_IMAGES)
		return refuse("manifest.json %s", !j ? why : "is no list, or one of more than 100 images");
	if (!job->select && job->name && json_array_size(j) > 1)
		return refuse("the archive has %zu images: name one, docker-archive:/path.tar:name", json_array_size(j));
	json_array_foreach(j, k, entry)
		if (r == 0 && is_selected(job, entry))
			r = add_image(s, job, entry, c);
	if (r == 0 && !c->count)
		r = refuse("the archive has no image%s%s", job->select ? " named " : "", job->select ? job->select : "");
	return r;
}
