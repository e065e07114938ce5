#include "daemon/image/origin.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/image/images.h"
#include "daemon/janitor.h"

static void origin_free(struct origin *s)
{
	list_remove(&s->link);
	for (char **r = s->references; r && *r; r++)
		free(*r);
	free(s->references);
	free(s->key);
	free(s);
}

static void file_path(const char *key, char ret[static SHA256_HEX_SIZE + 16])
{
	char hash[SHA256_HEX_SIZE];

	sha256_hex(key, strlen(key), hash);
	(void)snprintf(ret, SHA256_HEX_SIZE + 16, "origins/%s", hash);
}

int origin_stamp_at(int dirfd, const char *name, char ret[static ORIGIN_STAMP_SIZE])
{
	struct stat st;

	if (fstatat(dirfd, name, &st, 0) < 0)
		return -errno;
	/* ctime can't be set by anyone: a file with the same stamp has the same content. */
	(void)snprintf(ret, ORIGIN_STAMP_SIZE, "%llx:%llu %lld %lld %lld", (unsigned long long)st.st_dev,
	               (unsigned long long)st.st_ino, (long long)st.st_size,
	               (long long)(st.st_mtim.tv_sec * NS_PER_SEC + st.st_mtim.tv_nsec),
	               (long long)(st.st_ctim.tv_sec * NS_PER_SEC + st.st_ctim.tv_nsec));
	return 0;
}

void origin_path(const struct image_ref *ref, char ret[static ORIGIN_PATH_SIZE])
{
	(void)snprintf(ret, ORIGIN_PATH_SIZE, "%s%s", ref->name, ref->transport == IMAGE_OCI ? "/index.json" : "");
}

int origin_stamp(const struct image_ref *ref, char ret[static ORIGIN_STAMP_SIZE])
{
	char path[ORIGIN_PATH_SIZE];

	origin_path(ref, path);
	return origin_stamp_at(AT_FDCWD, path, ret);
}

struct origin *origin_find(struct daemon *d, const char *key)
{
	list_foreach(s, &d->images->origins, struct origin, link)
		if (streq(s->key, key))
			return s;
	return NULL;
}

bool origin_is(struct daemon *d, const char *key, const char *stamp)
{
	const struct origin *s = origin_find(d, key);

	return s && streq(s->stamp, stamp);
}

static struct origin *add(struct daemon *d, const char *key, const char *stamp)
{
	struct origin *s = xnew(struct origin);

	s->key = xstrdup(key);
	(void)snprintf(s->stamp, sizeof(s->stamp), "%s", stamp);
	list_append(&d->images->origins, &s->link);
	return s;
}

static void save(struct daemon *d, const struct origin *s)
{
	char path[SHA256_HEX_SIZE + 16];
	_cleanup_buf_ struct buf text = BUF_NULL;
	int root = d->images->store.root;

	buf_printf(&text, "%s\n%s\n", s->key, s->stamp);
	for (char **p = s->references; *p; p++)
		buf_printf(&text, "%s\n", *p);
	file_path(s->key, path);
	int r = file_replace_unsynced(root, path, text.data, text.len, 0600);
	if (r < 0)
		log_warning("remembering what was imported from %s: %s; it will be imported again", s->key, strerror(-r));
	else
		janitor_sync(d->janitor, root, path);
}

void origin_set(struct daemon *d, const char *key, const char *stamp, char *const *references)
{
	struct origin *old = origin_find(d, key);
	size_t count = 0;

	if (old)
		origin_free(old);
	struct origin *s = add(d, key, stamp);
	for (char *const *p = references; p && *p; p++)
		*xgrow(s->references, count) = xstrdup(*p);
	if (!count)
		return;
	*xgrow(s->references, count) = NULL;
	if (!strchr(key, '\n'))
		save(d, s);
}

void origin_forget(struct daemon *d, struct origin *s)
{
	char path[SHA256_HEX_SIZE + 16];

	file_path(s->key, path);
	(void)unlinkat(d->images->store.root, path, 0);
	origin_free(s);
}

void origin_unload(struct daemon *d)
{
	list_foreach(s, &d->images->origins, struct origin, link)
		origin_free(s);
}

static void load_one(struct daemon *d, int dirfd, const char *name)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	char *save_ptr = NULL;
	size_t count = 0;

	if (file_read(dirfd, name, ORIGIN_SIZE_MAX, &text) < 0 || !text.data)
		return;
	const char *key = strtok_r(text.data, "\n", &save_ptr), *stamp = strtok_r(NULL, "\n", &save_ptr);
	if (!key || !stamp)
		return;
	struct origin *s = add(d, key, stamp);
	for (char *r; (r = strtok_r(NULL, "\n", &save_ptr));)
		*xgrow(s->references, count) = xstrdup(r);
	*xgrow(s->references, count) = NULL;
}

int origin_load(struct daemon *d)
{
	int r = dir_make(d->images->store.root, "origins", 0700);

	if (r < 0)
		return r;
	_cleanup_dir_ DIR *dir = dir_open(d->images->store.root, "origins");
	if (!dir)
		return -errno;
	for (struct dirent *e; (e = dir_next(dir));)
		if (e->d_name[0] != '.')
			load_one(d, dirfd(dir), e->d_name);
	return 0;
}
