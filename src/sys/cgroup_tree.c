/* Whole trees: removal and the walk for the census. */
#include <fcntl.h>
#include <string.h>
#include "base/fd.h"
#include "sys/cgroup_internal.h"

typedef int (*visit_fn)(int dir, const char *name, unsigned depth, void *arg);

/* Calls fn for each directory in dir. */
static int each_child(int dir, unsigned depth, visit_fn fn, void *arg)
{
	if (depth == CGROUP_DEPTH_MAX)
		return -ELOOP;
	_cleanup_dir_ DIR *d = dir_open(dir, ".");
	if (!d)
		return -errno;
	int r = 0;
	for (struct dirent *e; r == 0 && (e = dir_next(d));)
		if (e->d_type == DT_DIR)
			r = fn(dirfd(d), e->d_name, depth + 1, arg);
	return r;
}

static int empty_dir(int dir, const char *name, unsigned depth);

static int remove_dir(int dir, const char *name, unsigned depth, void *arg _unused_)
{
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != EBUSY)
		return -errno;
	/* Either something lives in it, or there are directories below. */
	int r = empty_dir(dir, name, depth);
	if (r == 0 && unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		r = -errno;
	return r;
}

static int empty_dir(int dir, const char *name, unsigned depth)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return each_child(fd, depth, remove_dir, NULL);
}

int cgroup_remove(struct cgroup_host *h, const char *rel)
{
	char path[CGROUP_PATH_SIZE];
	int r = cgroup_path(path, rel, "");

	if (r < 0 || !*rel)
		return -EINVAL;
	/* v2 first: while something lives there, the limits on v1 stay. Its own directory last: by that the next podd finds what this one, if it
	 * is killed, leaves of the others. */
	r = empty_dir(h->v2, path, 0);
	for (size_t i = 0; i < h->v1_count && r == 0; i++)
		r = remove_dir(h->v1[i].root, path, 0, NULL);
	return r < 0 ? r : remove_dir(h->v2, path, 0, NULL);
}

void cgroup_remove_others(struct cgroup_host *h, const char *rel)
{
	char path[CGROUP_PATH_SIZE];

	if (cgroup_path(path, h->name, rel) < 0 || !*rel)
		return;
	for (size_t i = 0; i < h->other_count; i++) {
		_cleanup_close_ int top = open(h->others[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (top >= 0)
			(void)remove_dir(top, path, 0, NULL);
	}
}

static int remove_children(int root)
{
	return each_child(root, 0, remove_dir, NULL);
}

int cgroup_remove_root(struct cgroup_host *h)
{
	int r = remove_children(h->v2);

	for (size_t i = 0; i < h->v1_count && r == 0; i++)
		r = remove_children(h->v1[i].root);
	if (r < 0)
		return r;
	if (unlinkat(h->v2_top, h->name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return -errno;
	for (size_t i = 0; i < h->v1_count; i++) {
		_cleanup_close_ int top = openat(h->v1[i].root, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		const char *slash = strrchr(h->name, '/');
		if (unlinkat(top, slash ? slash + 1 : h->name, AT_REMOVEDIR) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

struct walk {
	cgroup_walk_fn fn;
	void *arg;
	const char *hierarchy;
	struct buf rel;
};

static int walk_dir(int dir, const char *name, unsigned depth, void *arg)
{
	struct walk *w = arg;
	size_t len = w->rel.len;

	buf_printf(&w->rel, "%s%s", len ? "/" : "", name);
	int r = w->fn(w->rel.data, w->hierarchy, w->arg);
	_cleanup_close_ int fd = r == 0 ? openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -EBADF;
	if (fd >= 0)
		r = each_child(fd, depth, walk_dir, w);
	w->rel.len = len;
	w->rel.data[len] = '\0';
	return r;
}

static int walk_root(int root, const char *hierarchy, cgroup_walk_fn fn, void *arg)
{
	struct walk w = { .fn = fn, .arg = arg, .hierarchy = hierarchy };
	int r = each_child(root, 0, walk_dir, &w);

	buf_deinit(&w.rel);
	return r;
}

int cgroup_walk_v2(struct cgroup_host *h, cgroup_walk_fn fn, void *arg)
{
	return walk_root(h->v2, "unified", fn, arg);
}

int cgroup_walk(struct cgroup_host *h, cgroup_walk_fn fn, void *arg)
{
	int r = cgroup_walk_v2(h, fn, arg);

	for (size_t i = 0; i < h->v1_count && r == 0; i++)
		r = walk_root(h->v1[i].root, h->v1[i].name, fn, arg);
	return r;
}
