#include "daemon/image/prune.h"
#include <fcntl.h>
#include <string.h>
#include "base/alloc.h"
#include "base/str.h"
#include "daemon/image/images.h"
#include "daemon/janitor.h"
#include "daemon/image/origin.h"
#include "daemon/image/startimage.h"

void prune_result_deinit(struct prune_result *r)
{
	for (char **p = r->references; p && *p; p++)
		free(*p);
	free(r->references);
	*r = (struct prune_result){ 0 };
}

static int remove_records(struct daemon *d, struct prune_result *ret)
{
	struct image **images;
	size_t count, removed = 0;
	int r = image_store_list(&d->images->store, &images, &count);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count && r == 0; i++) {
		if (images[i]->pinned || images_wanted(d, images[i]))
			continue;
		r = image_store_remove(&d->images->store, images[i]->reference);
		struct origin *s = origin_find(d, images[i]->reference);
		if (s)
			origin_forget(d, s);
		if (r == 0)
			*xgrow(ret->references, removed) = xstrdup(images[i]->reference);
	}
	*xgrow(ret->references, removed) = NULL;
	image_list_free(images, count);
	return r;
}

/* Paths as image_store_unused() has them, one after the other. */
static void add_used(const struct image *i, void *arg)
{
	struct buf *used = arg;

	for (size_t k = 0; k < i->layer_count; k++) {
		buf_printf(used, "layers/%s", i->layers[k]);
		buf_putc(used, '\0');
	}
}

static bool has(const struct buf *paths, const char *path)
{
	for (size_t at = 0; at < paths->len; at += strlen(paths->data + at) + 1)
		if (streq(paths->data + at, path))
			return true;
	return false;
}

int prune(struct daemon *d, struct prune_result *ret)
{
	_cleanup_buf_ struct buf unused = BUF_NULL;
	_cleanup_buf_ struct buf used = BUF_NULL;
	struct prune_result result = { 0 };

	if (import_any(d))
		return -EBUSY;
	int r = remove_records(d, &result);
	if (r == 0)
		r = image_store_unused(&d->images->store, &unused);
	if (r < 0) {
		prune_result_deinit(&result);
		return r;
	}
	start_image_walk(d, add_used, &used);
	for (size_t at = 0; at < unused.len; at += strlen(unused.data + at) + 1) {
		const char *path = unused.data + at;
		if (has(&used, path))
			continue;
		janitor_remove(d->janitor, d->images->store.root, path);
		*(str_after(path, "layers/") ? &result.layers : &result.blobs) += 1;
	}
	*ret = result;
	return 0;
}
