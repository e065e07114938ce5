#include "image/publish.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "image/config.h"
#include "image/doc.h"
#include "image/limits.h"
#include "image/source.h"
#include "image/why.h"
#include "sys/path.h"

struct images {
	struct image **items;
	size_t count;
};

static void images_deinit(struct images *i)
{
	image_list_free(i->items, i->count);
}

static int open_dir(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* A layer's name follows from its diff IDs: a jail can't pass its own off as one with others. */
static int check_record(const struct image *i, const struct image_job *job)
{
	char chain[IMAGE_LAYER_NAME_SIZE] = "", normal[IMAGE_REFERENCE_SIZE];
	struct image_ref ref;
	const char *why;

	for (size_t k = 0; k < i->layer_count; k++) {
		chain_id(chain, i->diff_ids[k], chain);
		if (!streq(chain, i->layers[k]))
			return refuse("the record of %s has a wrong chain ID", i->reference);
	}
	if (image_ref_parse(i->reference, &ref, &why) < 0 || ref.transport == IMAGE_ROOTFS)
		return refuse("a record for no reference");
	image_ref_text(&ref, normal);
	if (!streq(normal, i->reference) || (job->name ? !streq(i->reference, job->name) : ref.transport != IMAGE_REGISTRY))
		return refuse("a record for %s", i->reference);
	return 0;
}

static int parse_result(const struct buf *result, const struct image_job *job, struct images *ret)
{
	const char *why = "";
	json_t *v;
	size_t k;
	bool bad = false;
	int r = 0;
	_cleanup_json_ json_t *j = doc_load(buf_str(result), result->len, &why);
	const char *message = doc_string(j, "message", &bad);

	if (message)
		return refuse("%s", message);
	json_array_foreach(json_object_get(j, "images"), k, v) {
		_cleanup_free_ char *text = json_dumps(v, 0);
		struct image *i;
		r = text ? image_parse(text, strlen(text), &i) : -ENOMEM;
		if (r < 0)
			break;
		*xgrow(ret->items, ret->count) = i;
		i->pinned = job->pin;
		r = check_record(i, job);
		if (r < 0)
			break;
	}
	return r == 0 && !ret->count ? refuse("the jail gave no images") : r;
}

/* path: "<chain ID>/<directory>". */
static int mark_opaque(int layers, const char *path)
{
	char chain[IMAGE_LAYER_NAME_SIZE];

	if (strspn(path, "0123456789abcdef") != sizeof(chain) - 1 || path[sizeof(chain) - 1] != '/')
		return -EINVAL;
	(void)snprintf(chain, sizeof(chain), "%s", path);
	_cleanup_close_ int layer = open_dir(layers, chain);
	if (layer < 0)
		return layer;
	_cleanup_close_ int fd = path_open(layer, path + sizeof(chain), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, PATH_FOLLOW);
	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
		return 0; /* a later entry of the layer took its place */
	if (fd < 0)
		return fd;
	return fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0) < 0 ? -errno : 0;
}

static int mark_all_opaque(int dir, int layers)
{
	_cleanup_buf_ struct buf list = BUF_NULL;
	_cleanup_close_ int fd = openat(dir, "opaque", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	int r = fd_read_all(fd, (size_t)LIMIT_OPAQUE * LIMIT_NAME, &list);
	for (const char *c = list.data; r >= 0 && c && c < list.data + list.len; c += strlen(c) + 1)
		r = mark_opaque(layers, c);
	return MIN(r, 0);
}

static bool is_there(int dirfd, const char *name)
{
	return faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int check_blob(int from, const char *digest, int to)
{
	_cleanup_buf_ struct buf content = BUF_NULL;
	char actual[IMAGE_DIGEST_SIZE];
	struct stat st;

	const char *name = str_after(digest, "sha256:");
	if (is_there(to, name))
		return 0;
	_cleanup_close_ int fd = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
		return refuse("blob %s is no file", name);
	int r = fd_read_all(fd, LIMIT_DOCUMENT, &content);
	if (r < 0)
		return r;
	digest_of(buf_str(&content), content.len, actual);
	return streq(actual, digest) ? 0 : refuse("blob %s is not what its name says", name);
}

static int check_layer(int from, const char *chain, int to)
{
	_cleanup_close_ int layer = open_dir(is_there(to, chain) ? to : from, chain);

	return MIN(layer, 0);
}

/* To its place; that it is there already, from another import, is as good. */
static int move(int from, const char *name, int to)
{
	if (is_there(from, name) && renameat2(from, name, to, name, RENAME_NOREPLACE) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

/* What the images name, from the jail's directory to the store's. */
struct places {
	int blobs, layers, to_blobs, to_layers;
};
typedef int content_fn(int from, const char *name, int to);

static int for_content(const struct images *images, const struct places *p, content_fn *blob, content_fn *layer)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < images->count; i++) {
		const struct image *image = images->items[i];
		r = blob(p->blobs, image->manifest, p->to_blobs);
		if (r == 0)
			r = blob(p->blobs, image->id, p->to_blobs);
		for (size_t k = 0; r == 0 && k < image->layer_count; k++)
			r = layer(p->layers, image->layers[k], p->to_layers);
	}
	return r;
}

static int move_blob(int from, const char *digest, int to)
{
	return move(from, str_after(digest, "sha256:"), to);
}

static int move_content(const struct image_store *store, int dir, const struct images *images)
{
	_cleanup_close_ int layers = open_dir(dir, "layers"), blobs = open_dir(dir, "blobs"),
			    to = open_dir(store->root, "blobs/sha256");
	const struct places places = { blobs, layers, to, store->layers };
	int r = layers < 0 ? layers : blobs < 0 ? blobs : MIN(to, 0);

	if (r == 0)
		r = for_content(images, &places, check_blob, check_layer);
	if (r == 0)
		r = mark_all_opaque(dir, layers);
	/* A record may only name what survives a power cut. */
	if (r == 0 && syncfs(dir) < 0)
		r = -errno;
	if (r == 0)
		r = for_content(images, &places, move_blob, move);
	if (r == 0 && (fsync(store->layers) < 0 || fsync(to) < 0))
		r = -errno;
	return r;
}

int publish(const struct image_store *store, int dir, const struct image_job *job, const struct buf *result, struct buf *ret)
{
	_cleanup_(images_deinit) struct images images = { 0 };
	struct jsonw w;

	int r = parse_result(result, job, &images);
	if (r == 0)
		r = move_content(store, dir, &images);
	for (size_t i = 0; r == 0 && i < images.count; i++)
		r = image_store_put(store, images.items[i]);
	if (r < 0)
		return r;
	jsonw_init(&w, ret);
	jsonw_object(&w);
	jsonw_key(&w, "references");
	jsonw_array(&w);
	for (size_t i = 0; i < images.count; i++)
		jsonw_str(&w, images.items[i]->reference);
	jsonw_end(&w);
	jsonw_end(&w);
	return 0;
}
