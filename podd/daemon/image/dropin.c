#include "daemon/image/dropin.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/helper.h"
#include "daemon/image/images.h"
#include "daemon/image/origin.h"
#include "daemon/pod/reach.h"
#include "sys/path.h"

enum { DROPINS_MAX = 1024 };

static const char prefix[] = "images.d/";

struct dropins {
	struct daemon *daemon;
	int dir, inotify;
	uv_poll_t poll;
	struct list imports; /* of struct dropin.link */
	struct list looks;   /* of struct look.link */
};

/* One that is being imported. */
struct dropin {
	struct list link;
	struct dropins *owner;
	struct import *import;
	char *key, stamp[ORIGIN_STAMP_SIZE];
};

/* A link, or a mount, that leads to another disk, which may hang: a child (helper.h) looks before podd does. */
struct look {
	struct list link;
	struct dropins *owner;
	struct helper *helper;
	char *name;
	bool again; /* something has changed meanwhile */
};

const char *dropin_path(const struct daemon *d)
{
	return config_path(d->config, "/var/lib/podd/images.d");
}

bool dropin_pending(const struct daemon *d)
{
	return !list_empty(&d->images->dropins->imports);
}

/* --- pins ------------------------------------------------------------------------------------------------------------------------- */

static void unpin(struct daemon *d, const char *reference)
{
	_cleanup_image_ struct image *i = NULL;
	struct image_ref ref;
	const char *why;

	list_foreach(s, &d->images->origins, struct origin, link)
		for (char **p = s->references; p && *p && str_after(s->key, prefix); p++)
			if (streq(*p, reference))
				return; /* another file has it too */
	if (image_ref_parse(reference, &ref, &why) < 0 || image_store_find(&d->images->store, &ref, &i) < 0 || !i->pinned)
		return;
	i->pinned = false;
	int r = image_store_put(&d->images->store, i);
	if (r < 0)
		log_warning("unpinning the image %s: %s, ignoring", reference, strerror(-r));
}

static void forget(struct daemon *d, struct origin *s)
{
	char **references = TAKE_PTR(s->references);

	origin_forget(d, s);
	for (char **p = references; p && *p; p++) {
		unpin(d, *p);
		free(*p);
	}
	free(references);
}

/* --- imports ---------------------------------------------------------------------------------------------------------------------- */

static void dropin_free(struct dropin *i)
{
	list_remove(&i->link);
	free(i->key);
	free(i);
}

static void done(const struct image_job_result *result, void *arg)
{
	struct dropin *i = arg;
	struct daemon *d = i->owner->daemon;
	struct origin *former = origin_find(d, i->key);
	char **references = former ? TAKE_PTR(former->references) : NULL;

	origin_set(d, i->key, i->stamp, result->references);
	for (char **p = references; p && *p; p++) { /* what the file of before held, and this one does not */
		unpin(d, *p);
		free(*p);
	}
	free(references);
	if (result->references)
		for (char **p = result->references; *p; p++)
			daemon_report(d, "", NULL, true, "Pulled", "Successfully pulled image \"%s\" from %s", *p, i->key);
	else
		daemon_report(d, "", NULL, false, "Failed", "Failed to pull images from %s: %s", i->key, result->message);
	dropin_free(i);
	images_arrived(d);
	dropin_rescan(d); /* it may have changed meanwhile */
}

static void import_file(struct dropins *m, const char *name, const char *key, const char *stamp)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dropin_path(m->daemon), name);
	_cleanup_free_ char *stem = xstrndup(name, strlen(name) - strlen(".tar"));
	struct dropin *i = xnew(struct dropin);

	i->owner = m;
	i->key = xstrdup(key);
	(void)snprintf(i->stamp, sizeof(i->stamp), "%s", stamp);
	i->import = import_start(m->daemon, &(struct import_request){ .path = path,
	                                                              .job = { .transport = "archive", .stem = stem, .pin = true },
	                                                              .done = done,
	                                                              .arg = i });
	list_append(&m->imports, &i->link);
	if (!i->import) {
		log_warning("%s waits for other imports: more than %d, ignoring", path, IMPORTS_MAX);
		dropin_free(i);
	}
}

/* All of its images are in the store, and pinned. */
static bool is_whole(struct daemon *d, const struct origin *s)
{
	for (char **p = s->references; p && *p; p++) {
		_cleanup_image_ struct image *i = NULL;
		struct image_ref ref;
		const char *why;
		if (image_ref_parse(*p, &ref, &why) < 0 || image_store_find(&d->images->store, &ref, &i) < 0 || !i->pinned)
			return false;
	}
	return true;
}

static bool under_way(const struct dropins *m, const char *key)
{
	list_foreach(i, &m->imports, struct dropin, link)
		if (streq(i->key, key))
			return true;
	return false;
}

static void compare(struct dropins *m, const char *name)
{
	_cleanup_free_ char *key = xasprintf("%s%s", prefix, name);
	const struct origin *s = origin_find(m->daemon, key);
	char stamp[ORIGIN_STAMP_SIZE];

	if (under_way(m, key) || origin_stamp_at(m->dir, name, stamp) < 0)
		return;
	if (!s || !streq(s->stamp, stamp) || !is_whole(m->daemon, s))
		import_file(m, name, key, stamp);
}

static void look_free(struct look *l)
{
	list_remove(&l->link);
	free(l->name);
	free(l);
}

static int visit(void *arg)
{
	const struct look *l = arg;
	char stamp[ORIGIN_STAMP_SIZE];

	return origin_stamp_at(l->owner->dir, l->name, stamp);
}

static void look_afar(struct dropins *m, const char *name);

static void visited(void *arg, int result)
{
	struct look *l = arg;
	struct dropins *m = l->owner;
	_cleanup_free_ char *name = xstrdup(l->name);
	bool again = l->again;

	look_free(l);
	if (again)
		look_afar(m, name);
	else if (result == 0)
		compare(m, name);
}

static void look_afar(struct dropins *m, const char *name)
{
	list_foreach(l, &m->looks, struct look, link)
		if (streq(l->name, name)) {
			l->again = true;
			return;
		}
	struct look *l = xnew(struct look);
	*l = (struct look){ .owner = m, .name = xstrdup(name) };
	list_append(&m->looks, &l->link);
	l->helper = helper_start(&m->daemon->loop, &m->dir, 1, visit, visited, l);
	if (!l->helper)
		look_free(l);
}

static void look_at(struct dropins *m, const char *name)
{
	_cleanup_free_ char *key = xasprintf("%s%s", prefix, name);
	struct origin *s = origin_find(m->daemon, key);

	if (s)
		s->present = true;
	_cleanup_close_ int fd = path_open(m->dir, name, O_PATH, PATH_STRICT);
	if (fd >= 0 && reach_is_own(m->daemon, fd))
		compare(m, name);
	else
		look_afar(m, name);
}

void dropin_rescan(struct daemon *d)
{
	struct dropins *m = d->images->dropins;
	_cleanup_dir_ DIR *dir = dir_open(m->dir, ".");
	unsigned count = 0;

	if (m->dir < 0)
		return;
	if (!dir) {
		log_warning("reading %s: %s, ignoring", dropin_path(d), strerror(errno));
		return;
	}
	list_foreach(s, &d->images->origins, struct origin, link)
		s->present = false;
	errno = 0;
	for (struct dirent *e; (e = readdir(dir)); errno = 0) {
		if (e->d_name[0] == '.' || !str_ends(e->d_name, ".tar") || strchr(e->d_name, '\n'))
			continue;
		if (++count > DROPINS_MAX) {
			log_warning("%s holds more than %d archives; the others are left alone", dropin_path(d), DROPINS_MAX);
			break;
		}
		look_at(m, e->d_name);
	}
	bool whole = errno == 0 && count <= DROPINS_MAX;
	list_foreach(s, &d->images->origins, struct origin, link)
		if (whole && !s->present && str_after(s->key, prefix))
			forget(d, s);
}

static void changed(uv_poll_t *p, int status _unused_, int events _unused_)
{
	struct dropins *m = p->data;
	char data[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

	while (read(m->inotify, data, sizeof(data)) > 0)
		; /* which it was does not matter: the directory is the truth */
	dropin_rescan(m->daemon);
}

int dropin_open(struct daemon *d)
{
	struct dropins *m = xnew(struct dropins);
	const char *path = dropin_path(d);

	*m = (struct dropins){ .daemon = d, .dir = -EBADF, .inotify = -EBADF };
	d->images->dropins = m;
	list_init(&m->imports);
	list_init(&m->looks);
	int r = dir_make(AT_FDCWD, path, 0755);
	if (r == -EROFS)
		return 0; /* nobody can put anything there */
	if (r < 0)
		return r;
	m->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	m->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (m->dir < 0 || m->inotify < 0)
		return -errno;
	if (inotify_add_watch(m->inotify, path, IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR) < 0)
		return -errno;
	m->poll.data = m;
	(void)uv_poll_init(&d->loop, &m->poll, m->inotify);
	(void)uv_poll_start(&m->poll, UV_READABLE, changed);
	dropin_rescan(d);
	return 0;
}

void dropin_close(struct daemon *d)
{
	struct dropins *m = d->images->dropins;

	list_foreach(l, &m->looks, struct look, link) {
		helper_cancel(l->helper);
		helper_leave(l->helper);
		look_free(l);
	}
	list_foreach(i, &m->imports, struct dropin, link)
		dropin_free(i);
}
