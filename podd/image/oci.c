/* The OCI image layout (image-spec): index.json, maybe more indexes, manifests, blobs by digest. */
#include <string.h>
#include "base/alloc.h"
#include "base/str.h"
#include "image/choose.h"
#include "image/config.h"
#include "image/doc.h"
#include "image/limits.h"
#include "image/why.h"

#if defined(__x86_64__)
#define ARCHITECTURE "amd64"
#elif defined(__aarch64__)
#define ARCHITECTURE "arm64"
#elif defined(__arm__)
#define ARCHITECTURE "arm"
#elif defined(__i386__)
#define ARCHITECTURE "386"
#elif defined(__riscv)
#define ARCHITECTURE "riscv64"
#elif defined(__powerpc64__)
#define ARCHITECTURE "ppc64le"
#elif defined(__s390x__)
#define ARCHITECTURE "s390x"
#else
#error "the name of this architecture in Go is missing"
#endif

struct descriptor {
	const char *type, *digest;
	int64_t size;
};

static const char *const manifest_types[] = {
	"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.docker.distribution.manifest.v2+json",
	NULL,
};
static const char *const index_types[] = {
	"application/vnd.oci.image.index.v1+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
	NULL,
};
static const char *const config_types[] = {
	"application/vnd.oci.image.config.v1+json",
	"application/vnd.docker.container.image.v1+json",
	NULL,
};
static const struct {
	const char *type;
	enum compression compression;
} layer_types[] = {
	{ "application/vnd.oci.image.layer.v1.tar", COMPRESSION_NONE },
	{ "application/vnd.oci.image.layer.v1.tar+gzip", COMPRESSION_GZIP },
	{ "application/vnd.oci.image.layer.v1.tar+zstd", COMPRESSION_ZSTD },
	{ "application/vnd.docker.image.rootfs.diff.tar", COMPRESSION_NONE },
	{ "application/vnd.docker.image.rootfs.diff.tar.gzip", COMPRESSION_GZIP },
	{ "application/vnd.docker.image.rootfs.diff.tar.zstd", COMPRESSION_ZSTD },
};

static bool is_one_of(const char *type, const char *const *types)
{
	for (; *types; types++)
		if (streq(type, *types))
			return true;
	return false;
}

static int read_descriptor(const json_t *j, const char *what, struct descriptor *ret)
{
	bool bad = !json_is_object(j);

	ret->type = doc_string(j, "mediaType", &bad);
	ret->digest = doc_string(j, "digest", &bad);
	ret->size = doc_integer(j, "size", &bad);
	if (bad || !ret->type || !ret->digest || !json_is_integer(json_object_get(j, "size")) || ret->size < 0)
		return refuse("%s has no mediaType, digest and size", what);
	if (!image_digest_valid(ret->digest))
		return refuse("the digest of %s is not sha256: and 64 digits of 0-9a-f", what);
	return 0;
}

static int read_blob(const struct source *s, const struct descriptor *d, const char *what, struct buf *ret)
{
	char name[sizeof("blobs/sha256/") + 64] = "blobs/sha256/";

	(void)strcpy(name + strlen(name), str_after(d->digest, "sha256:"));
	return document_read(s, name, what, d->digest, d->size, ret);
}

/* One document has one meaning (CVE-2021-41190): what it says of itself is what it was named as, and it is not two things at once. */
static int check_document(const json_t *j, const char *type, const char *what)
{
	bool bad = false;
	const char *own = doc_string(j, "mediaType", &bad);

	if (bad || !json_is_object(j) || json_integer_value(json_object_get(j, "schemaVersion")) != 2)
		return refuse("%s is no object of schemaVersion 2", what);
	if (own && type && !streq(own, type))
		return refuse("%s calls itself %.80s, but is named as %.80s", what, own, type);
	if (json_object_get(j, "manifests") && (json_object_get(j, "layers") || json_object_get(j, "config")))
		return refuse("%s is index and manifest at once", what);
	return 0;
}

static int find_layer(const struct source *s, const json_t *entry, const char *what, struct layer *l)
{
	char name[sizeof("blobs/sha256/") + 64] = "blobs/sha256/";
	struct descriptor d;
	size_t t = 0;

	int r = read_descriptor(entry, what, &d);
	if (r < 0)
		return r;
	while (t < ARRAY_SIZE(layer_types) && !streq(d.type, layer_types[t].type))
		t++;
	if (t == ARRAY_SIZE(layer_types))
		return refuse("%s is of type %.80s, which is no layer that can be unpacked", what, d.type);
	(void)strcpy(name + strlen(name), str_after(d.digest, "sha256:"));
	r = source_find(s, name, &l->blob);
	if (r < 0)
		return r == -ENOENT ? refuse("%s (%s) is missing", what, name) : r;
	(void)strcpy(l->digest, d.digest);
	l->size = d.size;
	l->compression = layer_types[t].compression;
	return 0;
}

static int find_layers(const struct source *s, const json_t *layers, struct choice *c)
{
	struct image *i = c->image;

	if (json_array_size(layers) != i->layer_count)
		return refuse("the manifest has %zu layers, the configuration %zu", json_array_size(layers), i->layer_count);
	c->layers = xnew_array(struct layer, i->layer_count);
	for (size_t k = 0; k < i->layer_count; k++)
		c->layers[k].blob = BLOB_NULL;
	for (size_t k = 0; k < i->layer_count; k++) {
		_cleanup_free_ char *what = xasprintf("layer %zu", k + 1);
		int r = find_layer(s, json_array_get(layers, k), what, &c->layers[k]);
		if (r < 0)
			return r;
		(void)strcpy(c->layers[k].diff_id, i->diff_ids[k]);
		i->size += c->layers[k].size;
	}
	return 0;
}

/* text: the manifest, taken over. */
static int add_image(const struct source *s, const json_t *j, const struct descriptor *d, const char *index, struct buf *text,
                     struct choice *c)
{
	struct descriptor config;
	bool bad = false;

	c->manifest = *text;
	*text = BUF_NULL;
	c->image->manifest = arena_strdup(c->image->arena, d->digest);
	c->image->index = index ? arena_strdup(c->image->arena, index) : NULL;
	json_t *layers = doc_array(j, "layers", &bad);
	if (bad)
		return refuse("the manifest's layers are no list");
	int r = read_descriptor(json_object_get(j, "config"), "the manifest's configuration", &config);
	if (r < 0)
		return r;
	if (!is_one_of(config.type, config_types))
		return refuse("the configuration is of type %.80s: this is no container image", config.type);
	r = read_blob(s, &config, "the configuration", &c->config);
	if (r == 0)
		r = config_read(buf_str(&c->config), c->config.len, c->image);
	if (r < 0)
		return r;
	c->image->size = (int64_t)c->config.len;
	return find_layers(s, layers, c);
}

static bool fits_here(const json_t *entry)
{
	json_t *p = json_object_get(entry, "platform");
	const char *os = json_string_value(json_object_get(p, "os"));
	const char *architecture = json_string_value(json_object_get(p, "architecture"));

	return os && architecture && streq(os, "linux") && streq(architecture, ARCHITECTURE);
}

static int follow(const struct source *s, const json_t *entry, unsigned depth, const char *index, struct choice *c);

/* The first one for this machine, as containerd chooses among equals. */
static int follow_index(const struct source *s, const json_t *j, unsigned depth, const char *index, struct choice *c)
{
	bool bad = false;
	json_t *list = doc_array(j, "manifests", &bad), *entry;
	size_t k;

	if (bad || json_array_size(list) > LIMIT_DESCRIPTORS)
		return refuse("the index has no list of at most %d manifests", LIMIT_DESCRIPTORS);
	if (json_array_size(list) == 1 && !json_object_get(json_array_get(list, 0), "platform"))
		return follow(s, json_array_get(list, 0), depth + 1, index, c);
	json_array_foreach(list, k, entry)
		if (fits_here(entry))
			return follow(s, entry, depth + 1, index, c);
	return refuse("the index has no image for linux/" ARCHITECTURE);
}

/* From a descriptor to the image, through as many indexes as there are. index: the outermost one's digest. */
static int follow(const struct source *s, const json_t *entry, unsigned depth, const char *index, struct choice *c)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	struct descriptor d;
	const char *why;

	if (depth > LIMIT_INDEX_DEPTH)
		return refuse("indexes within indexes, more than %d deep", LIMIT_INDEX_DEPTH);
	int r = read_descriptor(entry, "a manifest", &d);
	if (r < 0)
		return r;
	bool is_index = is_one_of(d.type, index_types);
	if (!is_index && !is_one_of(d.type, manifest_types))
		return refuse("type %.80s is neither index nor manifest", d.type);
	const char *what = is_index ? "an index" : "the manifest";
	r = read_blob(s, &d, what, &text);
	if (r < 0)
		return r;
	_cleanup_json_ json_t *j = doc_load(buf_str(&text), text.len, &why);
	if (!j)
		return refuse("%s %s", what, why);
	r = check_document(j, d.type, what);
	if (r < 0)
		return r;
	return is_index ? follow_index(s, j, depth, index ? index : d.digest, c) : add_image(s, j, &d, index, &text, c);
}

/* containerd and docker put the whole reference into one annotation, all others a tag or a reference into the other. */
static const char *name_of(const json_t *entry)
{
	json_t *annotations = json_object_get(entry, "annotations");
	const char *full = json_string_value(json_object_get(annotations, "io.containerd.image.name"));

	return full ? full : json_string_value(json_object_get(annotations, "org.opencontainers.image.ref.name"));
}

static bool is_selected(const struct image_job *job, const json_t *entry)
{
	const char *tag =
		json_string_value(json_object_get(json_object_get(entry, "annotations"), "org.opencontainers.image.ref.name"));
	const char *name = name_of(entry);

	return !job->select || (tag && streq(tag, job->select)) || (name && streq(name, job->select));
}

static int check_layout(const struct source *s)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	const char *why;
	int r = document_read(s, "oci-layout", "the file oci-layout", "", -1, &text);

	if (r < 0)
		return r;
	_cleanup_json_ json_t *j = doc_load(buf_str(&text), text.len, &why);
	const char *version = json_string_value(json_object_get(j, "imageLayoutVersion"));
	return version && str_after(version, "1.") ? 0 : refuse("oci-layout names no imageLayoutVersion 1");
}

static int choose_among(const struct source *s, const struct image_job *job, const json_t *list, struct choices *c)
{
	json_t *entry;
	size_t k;

	json_array_foreach(list, k, entry) {
		if (!is_selected(job, entry))
			continue;
		if (c->count && job->name)
			return refuse("there are several images: name one by its tag, as in oci:/path:tag");
		if (c->count >= LIMIT_IMAGES)
			return refuse("more than %d images", LIMIT_IMAGES);
		struct choice *choice = choice_add(c, "oci");
		int r = follow(s, entry, 0, NULL, choice);
		if (r == 0)
			r = choice_name(choice, job, name_of(entry));
		if (r < 0)
			return r;
	}
	return c->count ? 0 : refuse("there is no image%s%s", job->select ? " tagged " : "", job->select ? job->select : "");
}

int choose_oci(const struct source *s, const struct image_job *job, struct choices *c)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	const char *why;
	bool bad = false;

	int r = check_layout(s);
	if (r == 0)
		r = document_read(s, "index.json", "index.json", "", -1, &text);
	if (r < 0)
		return r;
	_cleanup_json_ json_t *j = doc_load(buf_str(&text), text.len, &why);
	if (!j)
		return refuse("index.json %s", why);
	r = check_document(j, NULL, "index.json");
	json_t *list = doc_array(j, "manifests", &bad);
	if (r == 0 && (bad || json_array_size(list) > LIMIT_DESCRIPTORS))
		r = refuse("index.json has no list of at most %d manifests", LIMIT_DESCRIPTORS);
	return r < 0 ? r : choose_among(s, job, list, c);
}
