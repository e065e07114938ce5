/* The controllers' files in the v2 tree, and their delegation: a controller's files are there only where the parent's
 * cgroup.subtree_control names it, and only in directories that hold no process themselves may that be written (the true root excepted). */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/fd.h"
#include "base/str.h"
#include "sys/cgroup_internal.h"

static const enum cgroup_controller v2_controllers[] = { CGROUP_CPU, CGROUP_MEMORY, CGROUP_PIDS };

static int read_controllers(int dir, unsigned *ret)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	char *save = NULL;
	int r = file_read(dir, "cgroup.controllers", 4096, &text);

	if (r < 0)
		return r;
	buf_reserve(&text, 0);
	unsigned set = 0;
	for (char *w = strtok_r(text.data, " \n", &save); w; w = strtok_r(NULL, " \n", &save))
		for (size_t i = 0; i < ARRAY_SIZE(v2_controllers); i++)
			if (streq(w, cgroup_controller_name(v2_controllers[i])))
				set |= CGROUP_BIT(v2_controllers[i]);
	*ret = set;
	return 0;
}

/* All controllers in one write: each write takes the kernel's lock for all cgroups. */
static int enable(int dir, const char *rel, unsigned set)
{
	char text[64] = "";
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(v2_controllers); i++)
		if (set & CGROUP_BIT(v2_controllers[i]))
			n += (size_t)snprintf(text + n, sizeof(text) - n, "+%s ", cgroup_controller_name(v2_controllers[i]));
	return n ? cgroup_write(dir, rel, "cgroup.subtree_control", text) : 0;
}

/* Enables on each directory from the given one down to the root's parent. */
static int enable_to_root(const struct cgroup_host *h, unsigned set)
{
	char path[CGROUP_PATH_SIZE];
	int r = enable(h->v2_top, "", set);

	for (const char *s = strchr(h->name, '/'); s && r == 0; s = strchr(s + 1, '/')) {
		(void)snprintf(path, sizeof(path), "%.*s", (int)(s - h->name), h->name);
		r = enable(h->v2_top, path, set);
	}
	return r;
}

int cgroup_v2_delegate(struct cgroup_host *h)
{
	unsigned set;
	int r = read_controllers(h->v2_top, &set);

	if (r < 0)
		return r;
	set &= ~h->v1_set;
	r = enable_to_root(h, set);
	if (r == -EBUSY) {
		/* podd itself is in the way: it goes where it belongs. */
		r = dir_make(h->v2, "supervisor", 0755);
		if (r == 0)
			r = cgroup_write(h->v2, "supervisor", "cgroup.procs", "0");
		if (r == 0)
			(void)enable_to_root(h, set);
	}
	/* What was refused (others live in the given cgroup, read-only tree) shows as a controller that is missing. */
	r = read_controllers(h->v2, &set);
	if (r == 0)
		h->v2_set = set & ~h->v1_set;
	return r;
}

/* Makes the limits of rel writable: enables the controllers in all directories from the root down to its parent. */
static int enable_above(const struct cgroup_host *h, const char *rel)
{
	char parent[CGROUP_PATH_SIZE];
	const char *slash = strrchr(rel, '/');

	if (!*rel || !h->v2_set)
		return 0;
	(void)snprintf(parent, sizeof(parent), "%.*s", slash ? (int)(slash - rel) : 0, rel);
	int r = enable(h->v2, parent, h->v2_set);
	if (r != -ENOENT || !*parent)
		return r;
	/* The parent does not have them itself yet. */
	r = enable_above(h, parent);
	return r < 0 ? r : enable(h->v2, parent, h->v2_set);
}

struct setting {
	enum cgroup_controller controller;
	bool given;
	bool optional; /* the kernel may be built without it */
	const char *file, *none;
	char text[48];
};

/* A memory.max below what is used would have the OOM killer make it true. memory.high only reclaims; so that is tried first. */
static int make_room(const struct cgroup_host *h, const char *rel, uint64_t max)
{
	uint64_t used, high;

	if (!(h->v2_set & CGROUP_BIT(CGROUP_MEMORY)) || cgroup_read_u64(h->v2, rel, "memory.current", &used) < 0 || used <= max ||
	    cgroup_read_u64(h->v2, rel, "memory.high", &high) < 0)
		return 0;
	int r = cgroup_write_u64(h->v2, rel, "memory.high", max);
	if (r == 0)
		r = cgroup_read_u64(h->v2, rel, "memory.current", &used);
	int back = high == UINT64_MAX ? cgroup_write(h->v2, rel, "memory.high", "max")
	                              : cgroup_write_u64(h->v2, rel, "memory.high", high);
	return r < 0 ? r : back < 0 ? back : used > max ? -EBUSY : 0;
}

int cgroup_v2_limit(const struct cgroup_host *h, const char *rel, const struct cgroup_limits *l, bool reset)
{
	struct setting settings[] = {
		{ CGROUP_CPU, l->cpu_shares, false, "cpu.weight", "100", "" },
		{ CGROUP_CPU, l->cpu_quota_us, false, "cpu.max", "max 100000", "" },
		/* Without this a limit on memory would drive the container into swap; Kubernetes has none by default either. */
		{ CGROUP_MEMORY, l->memory_max || l->swap_max, true, "memory.swap.max", "max", "" },
		{ CGROUP_MEMORY, l->memory_max, false, "memory.max", "max", "" },
		{ CGROUP_MEMORY, l->oom_group, false, "memory.oom.group", "0", "1" },
		{ CGROUP_PIDS, l->pids_max, false, "pids.max", "max", "" },
		{ CGROUP_MEMORY, l->memory_low, false, "memory.low", "0", "" },
	};
	(void)snprintf(settings[0].text, sizeof(settings[0].text), "%" PRIu64, cgroup_cpu_weight(l->cpu_shares));
	(void)snprintf(settings[1].text, sizeof(settings[1].text), "%" PRIu64 " %" PRIu64, l->cpu_quota_us, l->cpu_period_us);
	(void)snprintf(settings[2].text, sizeof(settings[2].text), "%" PRIu64, l->swap_max);
	(void)snprintf(settings[3].text, sizeof(settings[3].text), "%" PRIu64, l->memory_max);
	(void)snprintf(settings[5].text, sizeof(settings[5].text), "%" PRIu64, l->pids_max);
	(void)snprintf(settings[6].text, sizeof(settings[6].text), "%" PRIu64, l->memory_low);

	int low = reset && l->memory_max ? make_room(h, rel, l->memory_max) : 0;
	if (low < 0)
		return low;
	bool enabled = false;
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		const struct setting *s = &settings[i];
		if (!(h->v2_set & CGROUP_BIT(s->controller)) || !(s->given || reset))
			continue;
		const char *text = s->given ? s->text : s->none;
		int r = cgroup_write(h->v2, rel, s->file, text);
		if (r == -ENOENT && !enabled) {
			/* Only now, and not for each new directory: leaves without limits hang below directories with
			 * processes, where enabling is refused. */
			enabled = true;
			r = enable_above(h, rel);
			if (r == 0)
				r = cgroup_write(h->v2, rel, s->file, text);
		}
		if (r < 0 && !(r == -ENOENT && s->optional))
			return r;
	}
	return 0;
}

uint64_t cgroup_v2_oom_kills(const struct cgroup_host *h, const char *rel)
{
	uint64_t n;

	return cgroup_read_key(h->v2, rel, "memory.events", "oom_kill", &n) < 0 ? 0 : n;
}

/* A file that is missing belongs to a controller that is not enabled there: unknown, not wrong. */
static int optional_u64(const struct cgroup_host *h, const char *rel, const char *file, uint64_t *ret)
{
	int r = cgroup_read_u64(h->v2, rel, file, ret);

	return r == -ENOENT ? 0 : r;
}

int cgroup_v2_usage(const struct cgroup_host *h, const char *rel, struct cgroup_usage *u)
{
	uint64_t us;
	/* CPU time is there without the controller. */
	int r = cgroup_read_key(h->v2, rel, "cpu.stat", "usage_usec", &us);

	if (r < 0)
		return r;
	u->cpu_ns = us * 1000;
	if (h->v2_set & CGROUP_BIT(CGROUP_MEMORY)) {
		r = optional_u64(h, rel, "memory.current", &u->memory);
		if (r == 0)
			r = optional_u64(h, rel, "memory.max", &u->memory_max);
		if (u->memory_max == UINT64_MAX)
			u->memory_max = 0;
	}
	if (r == 0 && (h->v2_set & CGROUP_BIT(CGROUP_PIDS)))
		r = optional_u64(h, rel, "pids.current", &u->pids);
	return r;
}
