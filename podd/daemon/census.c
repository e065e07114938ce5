#include "daemon/census.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "base/str.h"
#include "daemon/image/images.h"
#include "daemon/pod/sandbox.h"

enum { MOUNTINFO_MAX = 8 << 20 };

struct census {
	struct daemon *daemon;
	struct jsonw *out;
	unsigned findings;
};

/* One thing that exists. It is a finding when the pod it belongs to is not known. */
static void add(struct census *c, const char *kind, const char *name, const char *uid, bool finding)
{
	jsonw_object(c->out);
	jsonw_member_str(c->out, "kind", kind);
	jsonw_member_str(c->out, "name", name);
	jsonw_member_str(c->out, "uid", uid);
	jsonw_member_bool(c->out, "finding", finding);
	jsonw_end(c->out);
	c->findings += finding;
}

static bool has_sandbox(const struct census *c, const char *uid)
{
	return sandbox_find(c->daemon, uid) != NULL;
}

static bool is_pod(const struct census *c, const char *uid)
{
	return core_pod_by_uid(c->daemon->core, uid) != NULL;
}

/* The uid in a path component "pod<uid>", or "". */
static void path_uid(const char *rel, char ret[static POD_UID_SIZE])
{
	ret[0] = '\0';
	for (const char *p = rel; p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL) {
		const char *uid = str_after(p, "pod");
		size_t n = uid ? strcspn(uid, "/") : 0;
		if (n && n < POD_UID_SIZE) {
			(void)snprintf(ret, POD_UID_SIZE, "%.*s", (int)n, uid);
			return;
		}
	}
}

static int count_cgroup(const char *rel, const char *hierarchy, void *arg)
{
	struct census *c = arg;
	char uid[POD_UID_SIZE], name[512];

	path_uid(rel, uid);
	(void)snprintf(name, sizeof(name), "%s:%s", hierarchy, rel);
	add(c, "cgroup", name, uid, *uid && !has_sandbox(c, uid));
	return 0;
}

static int count_process(const char *rel, const char *hierarchy, void *arg)
{
	struct census *c = arg;
	char uid[POD_UID_SIZE], name[32];
	pid_t pid;

	if (!streq(hierarchy, "unified"))
		return 0; /* each process stands in several hierarchies; the v2 one is always there */
	path_uid(rel, uid);
	if (*uid && !has_sandbox(c, uid) && (pid = cgroup_first_pid(c->daemon->cgroups, rel)) > 0) {
		(void)snprintf(name, sizeof(name), "%d in %s", pid, rel);
		add(c, "process", name, uid, true);
	}
	return 0;
}

static int count_network(const char *what, const char *name, const char *uid, void *arg)
{
	struct census *c = arg;
	const struct sandbox *s = sandbox_find(c->daemon, uid);

	add(c, what, name, uid, *uid && (!s || !s->networked));
	return 0;
}

static void count_directories(struct census *c, int base, const char *dir, const char *kind,
                              bool (*belongs)(const struct census *, const char *))
{
	_cleanup_dir_ DIR *d = dir_open(base, dir);

	if (!d)
		return;
	for (struct dirent *e; (e = dir_next(d));) {
		/* Log directories are <ns>_<name>_<uid>, the others <uid>. */
		const char *uid = strrchr(e->d_name, '_');
		uid = uid ? uid + 1 : e->d_name;
		if (e->d_name[0] != '.')
			add(c, kind, e->d_name, uid, !belongs(c, uid));
	}
}

/* mountinfo's fifth field, for what lies below our run directory. */
static void count_mounts(struct census *c)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	_cleanup_free_ char *prefix = NULL;
	char *save, uid[POD_UID_SIZE];

	if (asprintf(&prefix, "%s/pods/", c->daemon->run_path) < 0 ||
	    file_read(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text) < 0)
		return;
	for (char *line = strtok_r(text.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *field = line;
		for (int i = 0; field && i < 4; i++) {
			field = strchr(field, ' ');
			field = field ? field + 1 : NULL;
		}
		if (!field)
			continue;
		field[strcspn(field, " ")] = '\0';
		const char *rest = str_after(field, prefix);
		if (!rest)
			continue;
		(void)snprintf(uid, sizeof(uid), "%.*s", (int)strcspn(rest, "/"), rest);
		add(c, "mount", field, uid, !is_pod(c, uid));
	}
}

/* What an import works in goes with it, at the latest with the next import. */
static void count_images(struct census *c)
{
	_cleanup_dir_ DIR *d = dir_open(c->daemon->images->store.root, "tmp");
	struct image **images;
	size_t count;

	if (image_store_list(&c->daemon->images->store, &images, &count) == 0) {
		for (size_t i = 0; i < count; i++)
			add(c, "image", images[i]->reference, "", false);
		image_list_free(images, count);
	}
	if (!d)
		return;
	for (struct dirent *e; (e = dir_next(d));)
		if (e->d_name[0] != '.')
			add(c, "image import", e->d_name, "", !import_any(c->daemon));
}

void census_json(struct daemon *d, struct jsonw *w)
{
	struct census c = { .daemon = d, .out = w };

	jsonw_object(w);
	jsonw_key(w, "items");
	jsonw_array(w);
	(void)cgroup_walk(d->cgroups, count_cgroup, &c);
	(void)cgroup_walk(d->cgroups, count_process, &c);
	(void)podnet_walk(d->net, count_network, &c);
	count_mounts(&c);
	count_directories(&c, d->run_fd, "pods", "run directory", is_pod);
	count_directories(&c, d->state_fd, "pods", "state directory", is_pod);
	count_directories(&c, d->log_fd, ".", "log directory", is_pod);
	count_images(&c);
	jsonw_end(w);
	jsonw_member_int(w, "findings", c.findings);
	jsonw_end(w);
}
