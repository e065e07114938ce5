#include "daemon/pod/cdi.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/pod/sources.h"

enum { FILES_MAX = 256 };

enum { PLACES = 2 };

struct cdi {
	struct daemon *daemon;
	const char *places[PLACES]; /* in the order that they are searched */
	int inotify;
	uv_poll_t poll;
};

/* --- specifications ------------------------------------------------------------------------------------------------------------ */

/* What is looked for in one directory, and what came of it. */
struct search {
	const char *want;
	struct arena *arena;
	struct cdi_spec spec; /* that has it */
	char *file;           /* its path; NULL: none yet */
	const char *trouble;  /* the first file that is of no use, and why */
	const char *text;     /* two have it */
};

static bool is_trusted(const struct stat *st)
{
	return st->st_uid == 0 && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

static const char *read_spec(struct search *s, int dir, const char *name, const char *path, struct cdi_spec *ret)
{
	_cleanup_buf_ struct buf text = BUF_NULL, why = BUF_NULL;
	struct manifest findings;
	struct stat st;

	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return arena_printf(s->arena, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || !is_trusted(&st))
		return arena_printf(s->arena, "%s: must be a file of root that nobody else can write to", path);
	int r = fd_read_all(fd, MANIFEST_SIZE_MAX + 1, &text);
	if (r < 0)
		return arena_printf(s->arena, "%s: %s", path, strerror(-r));
	r = cdi_read(s->arena, path, buf_str(&text), text.len, &findings, ret);
	for (size_t i = 0; r < 0 && !why.len && i < findings.diag_count; i++)
		if (findings.diags[i].severity != SEVERITY_NOTICE)
			diag_print(&findings.diags[i], path, &why);
	manifest_deinit(&findings);
	return r < 0 ? arena_strdup(s->arena, buf_str(&why)) : NULL;
}

static void look_into(struct search *s, int dir, const char *name, const char *place)
{
	char *path = arena_printf(s->arena, "%s/%s", place, name);
	struct cdi_spec spec;
	const char *trouble = read_spec(s, dir, name, path, &spec);

	if (trouble) {
		s->trouble = s->trouble ?: trouble;
	} else if (cdi_device(&spec, s->want)) {
		if (s->file)
			s->text = arena_printf(s->arena, "device %s is in %s and in %s", s->want, s->file, path);
		s->file = path;
		s->spec = spec;
	}
}

static void search_place(struct search *s, const char *place)
{
	struct stat st;
	int fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	unsigned count = 0;

	if (!dir)
		return; /* most hosts have none */
	if (fstat(fd, &st) == 0 && !is_trusted(&st))
		s->trouble = arena_printf(s->arena, "%s: must be a directory of root that nobody else can write to", place);
	else
		for (struct dirent *e; (e = readdir(dir)) && count < FILES_MAX;)
			if (e->d_name[0] != '.' && (str_ends(e->d_name, ".json") || str_ends(e->d_name, ".yaml"))) {
				look_into(s, fd, e->d_name, place);
				count++;
			}
	if (count == FILES_MAX)
		s->trouble = arena_printf(s->arena, "%s: more than %d files", place, FILES_MAX - 1);
	(void)closedir(dir);
}

static int find_device(struct daemon *d, const char *want, struct search *s)
{
	for (size_t i = 0; i < PLACES && !s->file; i++)
		search_place(s, d->cdi->places[i]);
	if (s->text)
		return -EBADMSG;
	if (s->file)
		return 0;
	s->text = arena_printf(s->arena, "device %s is in no file of %s or %s%s%s", want, d->cdi->places[0], d->cdi->places[1],
	                       s->trouble ? "; " : "", s->trouble ? s->trouble : "");
	return -ENOENT;
}

/* --- nodes ----------------------------------------------------------------------------------------------------------------------- */

static bool is_as_said(const struct cdi_node *n, const struct stat *st)
{
	if (n->type && S_ISBLK(st->st_mode) != (*n->type == 'b'))
		return false;
	return (!n->major.set || n->major.value == major(st->st_rdev)) && (!n->minor.set || n->minor.value == minor(st->st_rdev));
}

static int find_nodes(struct cdi_edits *edits, struct arena *a, const char **ret_text)
{
	for (size_t i = 0; i < edits->nodes.count; i++) {
		struct cdi_node *n = &edits->nodes.items[i];
		const char *path = n->host_path ? n->host_path : n->path;
		struct stat st;
		if (stat(path, &st) < 0) {
			int r = -errno;
			*ret_text = arena_printf(a, "device node %s: %s", path, strerror(-r));
			return r;
		}
		if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode)) {
			*ret_text = arena_printf(a, "device node %s is no device", path);
			return -EINVAL;
		}
		if (!is_as_said(n, &st)) {
			*ret_text = arena_printf(a, "device node %s is another one than its specification says: %c %u:%u", path,
			                         S_ISBLK(st.st_mode) ? 'b' : 'c', major(st.st_rdev), minor(st.st_rdev));
			return -EINVAL;
		}
		n->mode = st.st_mode;
		n->number = st.st_rdev;
	}
	return 0;
}

/* --- directories that change ----------------------------------------------------------------------------------------------------- */

/* One that is not there yet is seen to come in its parent. */
static void watch(struct cdi *c)
{
	const uint32_t mask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_ATTRIB | IN_ONLYDIR;

	for (size_t i = 0; i < PLACES; i++) {
		_cleanup_free_ char *path = xstrdup(c->places[i]);
		if (inotify_add_watch(c->inotify, path, mask) >= 0 || errno != ENOENT)
			continue;
		*strrchr(path, '/') = '\0';
		(void)inotify_add_watch(c->inotify, path, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
	}
}

static void changed(uv_poll_t *p, int status _unused_, int events _unused_)
{
	struct cdi *c = p->data;
	char data[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

	while (read(c->inotify, data, sizeof(data)) > 0)
		; /* which it was does not matter: the directories are the truth */
	watch(c);
	sources_devices_changed(c->daemon);
}

static void open_cdi(struct daemon *d)
{
	struct cdi *c;

	if (d->cdi)
		return;
	d->cdi = c = xnew(struct cdi);
	*c = (struct cdi){
		.daemon = d,
		.places = { config_path(d->config, "/var/run/cdi"), config_path(d->config, "/etc/cdi") },
		.inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK),
	};
	if (c->inotify < 0)
		return; /* starts that wait are tried again after a while, as all are */
	watch(c);
	c->poll.data = c;
	(void)uv_poll_init(&d->loop, &c->poll, c->inotify);
	(void)uv_poll_start(&c->poll, UV_READABLE, changed);
}

void cdi_close(struct daemon *d)
{
	if (!d->cdi)
		return;
	(void)fd_close(d->cdi->inotify);
	free(d->cdi);
	d->cdi = NULL;
}

/* --- all of a pod ---------------------------------------------------------------------------------------------------------------- */

int cdi_look_up(struct daemon *d, const struct pod *p, struct arena *a, struct cdi_edits *ret, const char **ret_text)
{
	const char *seen[CDI_NAMES_MAX];
	struct cdi_edits all = { 0 };

	if (p->devices.count)
		open_cdi(d); /* before the look: what comes after it is seen */
	for (size_t i = 0; i < p->devices.count; i++) {
		struct search s = { .want = p->devices.items[i], .arena = a };
		bool first = true, room;
		int r = find_device(d, s.want, &s);
		if (r < 0) {
			*ret_text = s.text;
			return r;
		}
		seen[i] = s.file;
		for (size_t j = 0; j < i; j++)
			first = first && !streq(seen[j], s.file);
		room = !first || cdi_append(a, &all, &s.spec.edits);
		if (!room || !cdi_append(a, &all, &cdi_device(&s.spec, s.want)->edits)) {
			*ret_text = arena_printf(a, "the pod's devices need more than %d nodes, mounts, variables or groups",
			                         CDI_EDITS_MAX);
			return -E2BIG;
		}
	}
	int r = find_nodes(&all, a, ret_text);
	if (r == 0)
		*ret = all;
	return r;
}
