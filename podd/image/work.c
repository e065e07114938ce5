#include "image/work.h"
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "image/choose.h"
#include "image/limits.h"
#include "image/why.h"

struct progress {
	const struct work *work;
	int layers; /* of this run */
	struct usage usage;
	struct buf opaque;
};

static int open_dir(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* An open directory of layer k, unpacked now if neither the store nor this run has it; lowers: those below it. */
static int take_layer(struct progress *p, const struct choice *c, size_t k, const int *lowers)
{
	const char *chain = c->image->layers[k];

	int fd = open_dir(p->work->layers, chain);
	if (fd == -ENOENT)
		fd = open_dir(p->layers, chain);
	if (fd != -ENOENT)
		return fd;
	if (mkdirat(p->layers, chain, 0755) < 0)
		return -errno;
	fd = open_dir(p->layers, chain);
	if (fd < 0)
		return fd;
	int r = layer_unpack(&c->layers[k], fd, lowers, k, chain, &p->usage, &p->opaque);
	if (r < 0)
		(void)fd_close(fd);
	return r < 0 ? r : fd;
}

static int take_layers(struct progress *p, const struct choice *c)
{
	int lowers[IMAGE_LAYERS_MAX];
	size_t count = 0;
	int r = 0;

	while (r == 0 && count < c->image->layer_count) {
		int fd = take_layer(p, c, count, lowers);
		if (fd < 0)
			r = why_where(fd, "layer %zu (%s)", count + 1, c->layers[count].diff_id);
		else
			lowers[count++] = fd;
	}
	while (count)
		(void)fd_close(lowers[--count]);
	return r;
}

static int put_file(int dirfd, const char *name, const struct buf *content)
{
	_cleanup_close_ int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd_write_all(fd, buf_str(content), content->len);
}

static int take_image(struct progress *p, struct choice *c, struct jsonw *w)
{
	int r = take_layers(p, c);
	_cleanup_close_ int blobs = r < 0 ? -EBADF : open_dir(p->work->dir, "blobs");

	if (r == 0)
		r = put_file(blobs, str_after(c->image->manifest, "sha256:"), &c->manifest);
	if (r == 0)
		r = put_file(blobs, str_after(c->image->id, "sha256:"), &c->config);
	for (size_t k = 0; r == 0 && k < c->reference_count; k++) {
		_cleanup_buf_ struct buf record = BUF_NULL;
		c->image->reference = c->references[k];
		c->image->pinned = p->work->job->pin;
		image_write(c->image, &record);
		jsonw_raw(w, record.data);
	}
	return r;
}

static int take_all(struct progress *p, struct jsonw *w)
{
	_cleanup_source_ struct source source = { .fd = -EBADF };
	_cleanup_(choices_deinit) struct choices c = { 0 };

	if (mkdirat(p->work->dir, "layers", 0700) < 0 || mkdirat(p->work->dir, "blobs", 0700) < 0)
		return -errno;
	p->layers = open_dir(p->work->dir, "layers");
	if (p->layers < 0)
		return p->layers;
	int r = source_open(p->work->source, p->work->dir, &source);
	if (r == 0)
		r = choose(&source, p->work->job, &c);
	for (size_t i = 0; r == 0 && i < c.count; i++)
		r = take_image(p, &c.items[i], w);
	return r < 0 ? r : put_file(p->work->dir, "opaque", &p->opaque);
}

void work_run(const struct work *work, struct buf *ret)
{
	struct progress p = { .work = work, .layers = -EBADF, .usage = { .reserve_fd = work->dir } };
	struct jsonw w;

	jsonw_init(&w, ret);
	jsonw_object(&w);
	jsonw_key(&w, "images");
	jsonw_array(&w);
	int r = take_all(&p, &w);
	jsonw_end(&w);
	jsonw_end(&w);
	if (r < 0) {
		buf_clear(ret);
		jsonw_init(&w, ret);
		jsonw_object(&w);
		jsonw_member_str(&w, "message", why_text(r));
		jsonw_end(&w);
	}
	(void)fd_close(p.layers);
	buf_deinit(&p.opaque);
}
