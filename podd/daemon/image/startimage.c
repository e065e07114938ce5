#include "daemon/image/startimage.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"

enum { PATH_SIZE = CONTAINER_NAME_SIZE + 48 }; /* a volume's name is no longer than a container's */

struct start_image {
	struct list link; /* of sandbox.images */
	char container[CONTAINER_NAME_SIZE];
	uint32_t number;
	struct image *image;
};

static void start_image_free(struct start_image *e)
{
	list_remove(&e->link);
	(void)image_free(e->image);
	free(e);
}

void start_image_forget_all(struct sandbox *s)
{
	list_foreach(e, &s->images, struct start_image, link)
		start_image_free(e);
}

static int read_image(int dirfd, const char *path, struct image **ret)
{
	_cleanup_buf_ struct buf text = BUF_NULL;

	int r = file_read(dirfd, path, IMAGE_RECORD_MAX, &text);
	return r < 0 ? r : image_parse(buf_str(&text), text.len, ret);
}

/* Where what a volume's reference stands for is remembered; no container has such a name. */
static void volume_path(const struct volume *v, const char *file, char ret[static PATH_SIZE])
{
	char hash[SHA256_HEX_SIZE];

	sha256_hex(v->image.reference, strlen(v->image.reference), hash);
	(void)snprintf(ret, PATH_SIZE, "containers/+%.63s.%.16s%s", v->name, hash, file);
}

struct image *start_image_of_volume(struct sandbox *s, const struct volume *v)
{
	char path[PATH_SIZE];
	struct image *i;

	volume_path(v, "/image", path);
	return read_image(s->state_fd, path, &i) < 0 ? NULL : i;
}

/* One that was there is replaced: it could not be read. */
static int write_image(struct sandbox *s, const char *path, const struct image *i)
{
	_cleanup_buf_ struct buf text = BUF_NULL;

	image_write(i, &text);
	(void)unlinkat(s->state_fd, path, 0);
	_cleanup_close_ int fd = openat(s->state_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd_write_all(fd, text.data, text.len);
}

int start_image_put_volume(struct sandbox *s, const struct volume *v, const struct image *i)
{
	char path[PATH_SIZE];

	volume_path(v, "", path);
	int r = dir_make(s->state_fd, path, 0755);
	if (r < 0)
		return r;
	volume_path(v, "/image", path);
	return write_image(s, path, i);
}

int start_image_put(struct sandbox *s, const char *container, uint32_t number, const struct image *i)
{
	char path[PATH_SIZE];

	if (!i)
		return 0;
	(void)snprintf(path, sizeof(path), "containers/%s.%u/image", container, number);
	return write_image(s, path, i);
}

const struct image *start_image(struct sandbox *s, const char *container, uint32_t number)
{
	char path[PATH_SIZE];

	list_foreach(e, &s->images, struct start_image, link) {
		if (!streq(e->container, container))
			continue;
		if (e->number == number)
			return e->image;
		start_image_free(e);
	}
	struct image *i;
	(void)snprintf(path, sizeof(path), "containers/%s.%u/image", container, number);
	if (read_image(s->state_fd, path, &i) < 0)
		return NULL;
	struct start_image *e = xnew(struct start_image);
	(void)snprintf(e->container, sizeof(e->container), "%s", container);
	e->number = number;
	e->image = i;
	list_append(&s->images, &e->link);
	return i;
}

void start_image_walk(struct daemon *d, void (*f)(const struct image *i, void *arg), void *arg)
{
	list_foreach(s, &d->sandboxes, struct sandbox, link) {
		_cleanup_dir_ DIR *dir = dir_open(s->state_fd, "containers");
		for (struct dirent *e; dir && (e = dir_next(dir));) {
			_cleanup_image_ struct image *i = NULL;
			char path[NAME_MAX + 8];
			(void)snprintf(path, sizeof(path), "%s/image", e->d_name);
			if (read_image(dirfd(dir), path, &i) == 0)
				f(i, arg);
		}
	}
}
