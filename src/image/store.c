#include "image/store.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/sha256.h"
#include "base/str.h"

enum { RECORD_NAME_SIZE = SHA256_HEX_SIZE + sizeof(".json") - 1 };

static void record_name(const char *reference, char ret[static RECORD_NAME_SIZE])
{
	sha256_hex(reference, strlen(reference), ret);
	memcpy(ret + SHA256_HEX_SIZE - 1, ".json", sizeof(".json"));
}

static int open_dir(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int image_store_open(int dirfd, const char *name, struct image_store *ret)
{
	static const char *const dirs[] = { ".", "refs", "layers", "blobs/sha256", "tmp" };
	_cleanup_close_ int root = -EBADF, refs = -EBADF, layers = -EBADF;

	int r = dir_make(dirfd, name, 0700);
	if (r == 0)
		r = root = open_dir(dirfd, name);
	for (size_t i = 1; r >= 0 && i < ARRAY_SIZE(dirs); i++)
		r = dir_make(root, dirs[i], 0700);
	if (r >= 0)
		r = refs = open_dir(root, "refs");
	if (r >= 0)
		r = layers = open_dir(root, "layers");
	if (r < 0)
		return r;
	*ret = (struct image_store){ TAKE_FD(root), TAKE_FD(refs), TAKE_FD(layers) };
	return 0;
}

void image_store_deinit(struct image_store *s)
{
	s->root = fd_close(s->root);
	s->refs = fd_close(s->refs);
	s->layers = fd_close(s->layers);
}

static int read_record(const struct image_store *s, const char *name, struct image **ret)
{
	_cleanup_buf_ struct buf text = BUF_NULL;

	int r = file_read(s->refs, name, IMAGE_RECORD_MAX, &text);
	return r < 0 ? r : image_parse(buf_str(&text), text.len, ret);
}

static bool is_whole(const struct image_store *s, const struct image *i)
{
	struct stat st;

	for (size_t k = 0; k < i->layer_count; k++)
		if (fstatat(s->layers, i->layers[k], &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
			return false;
	return true;
}

/* Whether i is name@digest, whatever tag it came by. */
static bool has_digest(const struct image *i, const struct image_ref *ref)
{
	struct image_ref own;
	const char *why;

	return (streq(i->manifest, ref->digest) || streq0(i->index, ref->digest)) &&
	       image_ref_parse(i->reference, &own, &why) == 0 && streq(own.name, ref->name);
}

static int find_digest(const struct image_store *s, const struct image_ref *ref, struct image **ret)
{
	struct image **images;
	size_t count;

	int r = image_store_list(s, &images, &count);
	if (r < 0)
		return r;
	r = -ENOENT;
	for (size_t i = 0; i < count && r < 0; i++)
		if (has_digest(images[i], ref) && is_whole(s, images[i])) {
			*ret = TAKE_PTR(images[i]);
			r = 0;
		}
	image_list_free(images, count);
	return r;
}

int image_store_find(const struct image_store *s, const struct image_ref *ref, struct image **ret)
{
	char reference[IMAGE_REFERENCE_SIZE], name[RECORD_NAME_SIZE];
	_cleanup_image_ struct image *i = NULL;

	image_ref_text(ref, reference);
	record_name(reference, name);
	int r = read_record(s, name, &i);
	if (r == 0 && (!streq(i->reference, reference) || !is_whole(s, i)))
		r = -ENOENT;
	if ((r == -ENOENT || r == -EBADMSG) && *ref->digest)
		return find_digest(s, ref, ret);
	if (r < 0)
		return r == -EBADMSG ? -ENOENT : r;
	*ret = TAKE_PTR(i);
	return 0;
}

int image_store_open_layer(const struct image_store *s, const struct image *i, size_t index)
{
	int fd = openat(s->layers, i->layers[index], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Calls f with each name in a directory. */
static int each_name(int dirfd, const char *path, void (*f)(void *data, const char *name), void *data)
{
	_cleanup_dir_ DIR *d = dir_open(dirfd, path);

	if (!d)
		return -errno;
	for (struct dirent *e; (e = dir_next(d));)
		f(data, e->d_name);
	return 0;
}

struct listing {
	const struct image_store *store;
	struct image **images;
	size_t count;
};

static void list_one(void *data, const char *name)
{
	struct listing *l = data;
	struct image *i;

	if (str_ends(name, ".json") && read_record(l->store, name, &i) == 0)
		*xgrow(l->images, l->count) = i;
}

static int compare_images(const void *a, const void *b)
{
	struct image *const *i = a, *const *k = b;

	return strcmp((*i)->reference, (*k)->reference);
}

int image_store_list(const struct image_store *s, struct image ***ret, size_t *ret_count)
{
	struct listing l = { .store = s };

	int r = each_name(s->refs, ".", list_one, &l);
	if (r < 0)
		return r;
	if (l.count)
		qsort(l.images, l.count, sizeof(*l.images), compare_images);
	*ret = l.images;
	*ret_count = l.count;
	return 0;
}

void image_list_free(struct image **images, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)image_free(images[i]);
	free(images);
}

int image_store_remove(const struct image_store *s, const char *reference)
{
	char name[RECORD_NAME_SIZE];

	record_name(reference, name);
	if (unlinkat(s->refs, name, 0) < 0 || fsync(s->refs) < 0)
		return -errno;
	return 0;
}

int image_store_put(const struct image_store *s, const struct image *i)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	char name[RECORD_NAME_SIZE];

	record_name(i->reference, name);
	image_write(i, &text);
	return file_replace(s->refs, name, text.data, text.len, 0600);
}

struct unused {
	const struct listing *list;
	const char *dir;
	struct buf *out;
};

static bool names(const struct image *i, const char *dir, const char *name)
{
	if (streq(dir, "layers")) {
		for (size_t k = 0; k < i->layer_count; k++)
			if (streq(i->layers[k], name))
				return true;
		return false;
	}
	return streq(str_after(i->manifest, "sha256:"), name) || streq(str_after(i->id, "sha256:"), name);
}

static void unused_one(void *data, const char *name)
{
	const struct unused *u = data;

	for (size_t i = 0; i < u->list->count; i++)
		if (names(u->list->images[i], u->dir, name))
			return;
	buf_printf(u->out, "%s/%s", u->dir, name);
	buf_putc(u->out, '\0');
}

int image_store_unused(const struct image_store *s, struct buf *ret)
{
	static const char *const dirs[] = { "layers", "blobs/sha256" };
	struct listing l = { .store = s };

	int r = image_store_list(s, &l.images, &l.count);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(dirs); i++)
		r = each_name(s->root, dirs[i], unused_one, &(struct unused){ &l, dirs[i], ret });
	image_list_free(l.images, l.count);
	return r;
}
