#include "daemon/intake/watch.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/intake/configs.h"

enum { QUIET_MS = 200, RETRY_MS = 100, RETRY_MAX_MS = 10000, FILES_MAX = 20000 /* also in why_lost() */ };

/* A file that may not be what it seems yet. */
struct unsettled {
	struct list link;
	char name[NAME_MAX + 1];
	bool writing;  /* modified, not closed */
	int64_t quiet; /* boot ns from which on it counts */
};

/* A file as it was last read. */
struct known {
	char name[NAME_MAX + 1];
	struct stat stat;
	bool read, found, absent; /* absent: the acceptor was told that it is missing */
};

struct directory {
	struct list link;
	struct watcher *watcher;
	const char *path;
	int wd;    /* -1: not watched */
	dev_t dev; /* of the directory as it was last seen healthy */
	ino_t ino;
	bool healthy;
	const char *said; /* why it is lost, a constant; NULL: it is not */
	int64_t retry_ms; /* when it is lost */
	struct list unsettled;
	struct known **known; /* sorted by name */
	size_t known_count;
};

struct watcher {
	struct daemon *daemon;
	int fd;
	uv_poll_t poll;
	uv_timer_t timer;
	struct list directories;
	bool again; /* a conflict may be over: read its file again */
	unsigned open_handles;
};

static const uint32_t events_mask = IN_CLOSE_WRITE | IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB |
                                    IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

static bool is_manifest(const char *name)
{
	return name[0] != '.' && (str_ends(name, ".yaml") || str_ends(name, ".yml") || str_ends(name, ".json"));
}

/* --- what is not settled -------------------------------------------------------------------------------------------------------- */

static struct unsettled *find_unsettled(struct directory *dir, const char *name)
{
	list_foreach(u, &dir->unsettled, struct unsettled, link)
		if (streq(u->name, name))
			return u;
	return NULL;
}

static void settle(struct unsettled *u)
{
	list_remove(&u->link);
	free(u);
}

static void unsettle(struct directory *dir, const char *name, bool writing)
{
	struct unsettled *u = find_unsettled(dir, name);

	if (!u) {
		u = xnew(struct unsettled);
		(void)snprintf(u->name, sizeof(u->name), "%s", name);
		list_append(&dir->unsettled, &u->link);
	}
	u->writing = writing;
	u->quiet = clock_boot() + QUIET_MS * NS_PER_MS;
}

static bool is_unsettled(struct directory *dir, const char *name, int64_t now)
{
	struct unsettled *u = find_unsettled(dir, name);

	if (!u)
		return false;
	if (u->writing || u->quiet > now)
		return true;
	settle(u);
	return false;
}

/* After a scan: also names that came and went, which no scan asks for. */
static void settle_quiet(struct directory *dir, int64_t now)
{
	list_foreach(u, &dir->unsettled, struct unsettled, link)
		if (!u->writing && u->quiet <= now)
			settle(u);
}

/* --- reading -------------------------------------------------------------------------------------------------------------------- */

static struct known *get_known(struct directory *dir, const char *name)
{
	size_t low = 0, high = dir->known_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(dir->known[middle]->name, name);
		if (order == 0)
			return dir->known[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	struct known *k = xnew(struct known);
	(void)snprintf(k->name, sizeof(k->name), "%s", name);
	(void)xgrow(dir->known, dir->known_count);
	memmove(dir->known + low + 1, dir->known + low, (dir->known_count - 1 - low) * sizeof(*dir->known));
	dir->known[low] = k;
	return k;
}

/* ctime can't be set by anyone: a file with the same stat has the same content. */
static bool same_stat(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mode == b->st_mode &&
	       a->st_uid == b->st_uid && a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Why a file may not be read, or NULL. */
static const char *forbidden(const struct watcher *w, const struct stat *st, const char *path, struct arena *arena,
                             const char **ret_hint)
{
	if (!S_ISREG(st->st_mode)) {
		*ret_hint = "podd reads regular files only";
		return "not a regular file";
	}
	if (st->st_size > MANIFEST_SIZE_MAX) {
		*ret_hint = "a manifest may have at most 1 MiB";
		return "the file is too large";
	}
	if (w->daemon->config->any_owner)
		return NULL;
	if (st->st_uid != 0) {
		*ret_hint = arena_printf(arena, "chown root %s", path);
		return "the file does not belong to root";
	}
	if (st->st_mode & 022) {
		*ret_hint = arena_printf(arena, "chmod go-w %s", path);
		return "the file can be written by others than root";
	}
	return NULL;
}

static void read_file(struct watcher *w, struct directory *dir, int dirfd, const char *name)
{
	struct known *k = get_known(dir, name);
	struct stat before, after;

	if (k->read && !k->absent && !w->again && fstatat(dirfd, name, &before, 0) == 0 && same_stat(&k->stat, &before))
		return;
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_buf_ struct buf text = BUF_NULL;
	const char *path = arena_printf(arena, "%s/%s", dir->path, name), *hint = NULL;

	k->absent = false;
	/* O_NONBLOCK: a FIFO or a device must not hold us up. */
	_cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &before) < 0) {
		int r = -errno;
		if (r != -ENOENT || !k->read) /* a dangling link, or gone again */
			accept_unreadable(w->daemon->acceptor, path, strerror(-r), NULL);
		return;
	}
	if (k->read && same_stat(&k->stat, &before) && !w->again)
		return;
	const char *why = forbidden(w, &before, path, arena, &hint);
	int r = why ? 0 : fd_read_all(fd, MANIFEST_SIZE_MAX, &text);
	if (r == 0 && (fstat(fd, &after) < 0 || !same_stat(&before, &after))) {
		unsettle(dir, name, false); /* it changes under our eyes */
		return;
	}
	k->stat = before;
	k->read = true;
	if (why || r < 0)
		accept_unreadable(w->daemon->acceptor, path, why ? why : strerror(-r), hint);
	else
		accept_text(w->daemon->acceptor, path, buf_str(&text), text.len,
		            w->daemon->config->any_owner || !(before.st_mode & 044));
}

/* --- scanning --------------------------------------------------------------------------------------------------------------------- */

struct names {
	char **items;
	size_t count;
};

static void names_deinit(struct names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->items[i]);
	free(n->items);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The manifests of a directory, sorted: of two that define the same pod the first one wins at boot. -E2BIG: more than FILES_MAX, of which
 * a part would be as if the others had been removed. */
static int list_names(int dirfd, struct names *ret)
{
	_cleanup_dir_ DIR *d = dir_open(dirfd, ".");

	if (!d)
		return -errno;
	errno = 0;
	for (struct dirent *e; (e = dir_next(d)) && ret->count <= FILES_MAX;)
		if (is_manifest(e->d_name))
			*xgrow(ret->items, ret->count) = xstrdup(e->d_name);
	int r = ret->count > FILES_MAX ? -E2BIG : -errno;
	if (ret->count)
		qsort(ret->items, ret->count, sizeof(*ret->items), compare_names);
	return r;
}

static void lost(struct directory *dir, const char *why)
{
	struct watcher *w = dir->watcher;

	dir->healthy = false;
	dir->retry_ms = dir->said ? MIN(dir->retry_ms * 2, RETRY_MAX_MS) : RETRY_MS;
	if (dir->wd >= 0)
		(void)inotify_rm_watch(w->fd, dir->wd);
	dir->wd = -1;
	if (!streq0(dir->said, why))
		daemon_report(w->daemon, "", NULL, false, "ManifestDirLost", "%s: %s; its pods are left as they are", dir->path,
		              why);
	dir->said = why;
}

static const char *why_lost(int error)
{
	switch (error) {
	case -EPERM:
		return "it does not belong to root or others can write to it (chown root, chmod go-w)";
	case -E2BIG:
		return "it has more than 20000 manifests";
	}
	return strerror(-error);
}

/* Opens the directory and watches that very one. The descriptor, or -errno. */
static int open_directory(struct directory *dir, struct stat *ret_stat, bool *ret_replaced)
{
	struct watcher *w = dir->watcher;
	struct stat st;

	_cleanup_close_ int fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!w->daemon->config->any_owner && (st.st_uid != 0 || (st.st_mode & 022)))
		return -EPERM;
	*ret_stat = st;
	*ret_replaced = dir->ino && (dir->dev != st.st_dev || dir->ino != st.st_ino);
	if (dir->wd >= 0 && !*ret_replaced)
		return TAKE_FD(fd);
	char self[64];
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d/.", fd);
	if (dir->wd >= 0)
		(void)inotify_rm_watch(w->fd, dir->wd);
	dir->wd = inotify_add_watch(w->fd, self, events_mask);
	if (dir->wd < 0)
		return -errno;
	return TAKE_FD(fd);
}

static void drop_absent(struct directory *dir, int64_t now)
{
	struct watcher *w = dir->watcher;

	size_t kept = 0;

	for (size_t i = 0; i < dir->known_count; i++) {
		struct known *k = dir->known[i];
		if (k->found || is_unsettled(dir, k->name, now)) {
			dir->known[kept++] = k;
			continue;
		}
		_cleanup_free_ char *path = xasprintf("%s/%s", dir->path, k->name);
		accept_absent(w->daemon->acceptor, path);
		free(k);
	}
	/* The vector's capacity follows from its count (base/alloc.h): it shrinks with it. */
	if (kept < dir->known_count) {
		struct known **rest = NULL;
		size_t count = 0;
		for (size_t i = 0; i < kept; i++)
			*xgrow(rest, count) = dir->known[i];
		free(dir->known);
		dir->known = rest;
		dir->known_count = count;
	}
}

/* Not there, though perhaps only for a moment: it defines nothing against others any more. */
static void tell_absent(struct directory *dir, struct known *k)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir->path, k->name);
	struct accept_file *f = accept_file_find(dir->watcher->daemon->acceptor, path);

	if (f)
		f->present = false;
	k->absent = true;
}

static void scan(struct directory *dir)
{
	__attribute__((cleanup(names_deinit))) struct names names = { 0 };
	struct watcher *w = dir->watcher;
	int64_t now = clock_boot();
	bool replaced = false;
	struct stat st = { 0 };

	_cleanup_close_ int fd = open_directory(dir, &st, &replaced);
	int r = fd < 0 ? fd : list_names(fd, &names);
	if (r < 0) {
		lost(dir, why_lost(r));
		return;
	}
	if (replaced && names.count == 0 && dir->known_count > 0) {
		lost(dir, "it was replaced by one without any manifest (unmounted?)");
		return;
	}
	if (dir->said)
		daemon_report(w->daemon, "", NULL, true, "ManifestDirFound", "%s is back", dir->path);
	dir->said = NULL;
	dir->healthy = true;
	dir->dev = st.st_dev;
	dir->ino = st.st_ino;
	for (size_t i = 0; i < dir->known_count; i++)
		dir->known[i]->found = false;
	/* All names first: a conflict is one only with a file that is still there. */
	for (size_t i = 0; i < names.count; i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", dir->path, names.items[i]);
		get_known(dir, names.items[i])->found = true;
		accept_present(w->daemon->acceptor, path);
	}
	for (size_t i = 0; i < dir->known_count; i++)
		if (!dir->known[i]->found)
			tell_absent(dir, dir->known[i]);
	for (size_t i = 0; i < names.count; i++)
		if (!is_unsettled(dir, names.items[i], now))
			read_file(w, dir, fd, names.items[i]);
	drop_absent(dir, now);
	settle_quiet(dir, now);
}

/* What is being written may stay so for long; nothing waits for that. */
static bool any_settling(const struct watcher *w)
{
	list_foreach(dir, &w->directories, struct directory, link)
		list_foreach(u, &dir->unsettled, struct unsettled, link)
			if (!u->writing)
				return true;
	return false;
}

static void scan_all(struct watcher *w)
{
	list_foreach(dir, &w->directories, struct directory, link)
		scan(dir);
	w->again = accept_moved(w->daemon->acceptor);
	if (w->again)
		list_foreach(dir, &w->directories, struct directory, link)
			scan(dir);
	w->again = false;
	/* A pod may be on its way from one file to another that is not settled yet. */
	if (!any_settling(w))
		accept_sweep(w->daemon->acceptor);
	configs_tell(w->daemon->acceptor);
}

/* --- events --------------------------------------------------------------------------------------------------------------------- */

static void timer_fired(uv_timer_t *t);

/* The one timer: the next file that becomes quiet, or the next look for a directory that is lost; none otherwise. */
static void arm(struct watcher *w)
{
	int64_t now = clock_boot(), at = INT64_MAX;

	list_foreach(dir, &w->directories, struct directory, link) {
		if (!dir->healthy)
			at = MIN(at, now + dir->retry_ms * NS_PER_MS);
		list_foreach(u, &dir->unsettled, struct unsettled, link)
			if (!u->writing)
				at = MIN(at, u->quiet);
	}
	uv_timer_stop(&w->timer);
	if (at == INT64_MAX)
		return;
	uv_update_time(&w->daemon->loop);
	uv_timer_start(&w->timer, timer_fired, at > now ? (uint64_t)((at - now) / NS_PER_MS + 1) : 1, 0);
}

static void timer_fired(uv_timer_t *t)
{
	struct watcher *w = t->data;

	scan_all(w);
	arm(w);
}

static struct directory *find_watch(struct watcher *w, int wd)
{
	list_foreach(dir, &w->directories, struct directory, link)
		if (dir->wd == wd)
			return dir;
	return NULL;
}

/* True if the directory is worth a look now. */
static bool note_event(struct watcher *w, const struct inotify_event *e)
{
	if (e->mask & IN_Q_OVERFLOW) { /* events were lost: what is being written can't be told, so all is taken as it is */
		list_foreach(dir, &w->directories, struct directory, link)
			list_foreach(u, &dir->unsettled, struct unsettled, link)
				u->writing = false;
		return true;
	}
	struct directory *dir = find_watch(w, e->wd);
	if (!dir)
		return false;
	if (e->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) {
		if (e->mask & (IN_IGNORED | IN_UNMOUNT))
			dir->wd = -1;
		return true;
	}
	if (!e->len)
		return e->mask & IN_ATTRIB; /* its owner or mode may be right now, or wrong */
	if (!is_manifest(e->name))
		return e->mask & IN_MOVED_TO; /* `..data` of a ConfigMap-style swap */
	if (e->mask & IN_MOVED_TO) {
		struct unsettled *u = find_unsettled(dir, e->name);
		if (u)
			settle(u);
		return true;
	}
	struct unsettled *u = find_unsettled(dir, e->name);
	bool writing =
		(e->mask & IN_MODIFY) || (u && u->writing && !(e->mask & (IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM | IN_CREATE)));
	unsettle(dir, e->name, writing);
	return false;
}

static void events_ready(uv_poll_t *p, int status _unused_, int events _unused_)
{
	struct watcher *w = p->data;
	_Alignas(struct inotify_event) char buffer[16384];
	bool look = false;
	ssize_t n;

	while ((n = read(w->fd, buffer, sizeof(buffer))) > 0)
		for (char *c = buffer; c < buffer + n;) {
			struct inotify_event *e = (struct inotify_event *)(void *)c;
			look |= note_event(w, e);
			c += sizeof(*e) + e->len;
		}
	if (look)
		scan_all(w);
	arm(w);
}

void watch_rescan(struct watcher *w)
{
	list_foreach(dir, &w->directories, struct directory, link)
		for (size_t i = 0; i < dir->known_count; i++)
			dir->known[i]->read = false;
	scan_all(w);
	arm(w);
}

/* --- life ------------------------------------------------------------------------------------------------------------------------- */

/* Files of accepted pods that an earlier podd saw: if they are not there now, and the directory is healthy, they were removed meanwhile. */
static void know_source(const char *path, void *arg)
{
	struct watcher *w = arg;

	list_foreach(dir, &w->directories, struct directory, link) {
		const char *name = str_after(path, dir->path);
		if (name && *name == '/' && !strchr(name + 1, '/'))
			(void)get_known(dir, name + 1);
	}
}

/* A file that is being written right now can't be told from a whole one by events: its age must do. */
static void unsettle_young(struct directory *dir)
{
	__attribute__((cleanup(names_deinit))) struct names names = { 0 };
	_cleanup_close_ int fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int64_t now = clock_wall();
	struct stat st;

	if (fd < 0 || list_names(fd, &names) < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		if (fstatat(fd, names.items[i], &st, 0) < 0)
			continue;
		int64_t age = now - ((int64_t)st.st_mtim.tv_sec * NS_PER_SEC + st.st_mtim.tv_nsec);
		if (age >= 0 && age < QUIET_MS * NS_PER_MS)
			unsettle(dir, names.items[i], false);
	}
}

int watch_new(struct daemon *d, struct watcher **ret)
{
	struct watcher *w = xnew(struct watcher);

	w->daemon = d;
	list_init(&w->directories);
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd < 0) {
		int r = -errno;
		free(w);
		return r;
	}
	w->poll.data = w->timer.data = w;
	(void)uv_timer_init(&d->loop, &w->timer);
	int r = uv_poll_init(&d->loop, &w->poll, w->fd);
	if (r < 0)
		return r;
	w->open_handles = 2;
	for (size_t i = 0; i < d->config->manifest_count; i++) {
		struct directory *dir = xnew(struct directory);
		*dir = (struct directory){ .watcher = w, .path = d->config->manifests[i], .wd = -1 };
		list_init(&dir->unsettled);
		list_append(&w->directories, &dir->link);
		unsettle_young(dir);
	}
	accept_sources(d->acceptor, know_source, w);
	scan_all(w);
	arm(w);
	(void)uv_poll_start(&w->poll, UV_READABLE, events_ready);
	*ret = w;
	return 0;
}

static void handle_closed(uv_handle_t *h)
{
	struct watcher *w = h->data;

	if (--w->open_handles)
		return;
	list_foreach(dir, &w->directories, struct directory, link) {
		list_foreach(u, &dir->unsettled, struct unsettled, link)
			settle(u);
		for (size_t i = 0; i < dir->known_count; i++)
			free(dir->known[i]);
		free(dir->known);
		free(dir);
	}
	(void)close(w->fd);
	free(w);
}

void watch_free(struct watcher *w)
{
	if (!w)
		return;
	uv_close((uv_handle_t *)&w->poll, handle_closed);
	uv_close((uv_handle_t *)&w->timer, handle_closed);
}
