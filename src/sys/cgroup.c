#include "sys/cgroup.h"
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "sys/cgroup_internal.h"

static const char *const controller_names[] = {
	[CGROUP_CPU] = "cpu",         [CGROUP_MEMORY] = "memory",   [CGROUP_PIDS] = "pids",
	[CGROUP_DEVICES] = "devices", [CGROUP_HUGETLB] = "hugetlb",
};
_Static_assert(ARRAY_SIZE(controller_names) == CGROUP_CONTROLLER_MAX, "a controller without a name");

const char *cgroup_controller_name(enum cgroup_controller c)
{
	return controller_names[c];
}

/* --- opening ----------------------------------------------------------------------------------------------------------------- */

/* Opens top/name, made if missing. The mount may be hidden under another one: then it is no cgroup directory. */
static int root_open(const char *top, const char *name, long magic, int *ret_top, int *ret_root)
{
	_cleanup_close_ int t = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs st;

	if (t < 0)
		return -errno;
	if (fstatfs(t, &st) < 0)
		return -errno;
	if ((long)st.f_type != magic)
		return -ENOENT;
	int r = dir_make(t, name, 0755);
	if (r < 0)
		return r;
	int root = cgroup_open_dir(t, name);
	if (root < 0)
		return root;
	if (ret_top)
		*ret_top = TAKE_FD(t);
	*ret_root = root;
	return 0;
}

/* A hierarchy that can't be written (mounted read-only, as in many containers) is one that is not there. */
static void v1_open(struct cgroup_host *h, const struct cgroup_mounts *m)
{
	for (size_t i = 0; i < m->v1_count; i++) {
		struct cgroup_hierarchy *v = &h->v1[h->v1_count];
		if (root_open(m->v1[i].point, h->name, CGROUP_SUPER_MAGIC, /* ret_top= */ NULL, &v->root) < 0)
			continue;
		v->controllers = m->v1[i].controllers;
		v->name = cgroup_controller_name((enum cgroup_controller)__builtin_ctz(v->controllers));
		h->v1_set |= v->controllers;
		h->v1_names[h->v1_count++] = v->name;
	}
}

/* The directory that podd may work below, and in h->name the way from there to the root. Where a manager hands out cgroups, it does so in the
 * tree that has the controllers. */
static int find_given(struct cgroup_host *h, const struct cgroup_mounts *m, const char *name, char **ret)
{
	_cleanup_buf_ struct buf membership = BUF_NULL;
	bool absolute = *name == '/';

	if (absolute && !m->v1_count)
		buf_printf(&membership, "0::%s%.*s", streq(m->v2_root, "/") ? "" : m->v2_root, (int)(strrchr(name, '/') - name),
		           name);
	int r = absolute || m->v1_count ? 0 : file_read(AT_FDCWD, "/proc/self/cgroup", 1 << 16, &membership);
	if (r < 0)
		return r;
	char *given = cgroup_mounts_given(m, buf_str(&membership));
	if (absolute)
		name += strlen(given) - strlen(m->v2);
	h->name = xstrdup(name + strspn(name, "/"));
	h->given = xstrdup(given + strlen(m->v2));
	*ret = given;
	return 0;
}

static int host_open(struct cgroup_host *h, struct cgroup_mounts *m, const char *name)
{
	_cleanup_free_ char *given = NULL;

	if (!m->v2)
		return -ENOENT;
	int r = find_given(h, m, name, &given);
	if (r < 0)
		return r;
	v1_open(h, m);
	memcpy(h->others, m->others, sizeof(h->others));
	h->other_count = m->other_count;
	m->other_count = 0; /* taken over */
	r = root_open(given, h->name, CGROUP2_SUPER_MAGIC, &h->v2_top, &h->v2);
	if (r == 0)
		r = cgroup_v2_delegate(h);
	if (r == 0 && !(h->v1_set & CGROUP_BIT(CGROUP_DEVICES)) && cgroup_bpf_devices())
		h->v2_set |= CGROUP_BIT(CGROUP_DEVICES);
	if (r == 0 && !(h->v1_set & CGROUP_BIT(CGROUP_HUGETLB)) && cgroup_huge_offered(h))
		h->v2_set |= CGROUP_BIT(CGROUP_HUGETLB);
	return r;
}

int cgroup_open(const char *name, struct cgroup_host **ret)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	struct cgroup_mounts m;
	char path[CGROUP_PATH_SIZE];

	const char *relative = name + strspn(name, "/");
	if (!*relative || cgroup_path(path, relative, "") < 0)
		return -EINVAL;
	int r = file_read(AT_FDCWD, "/proc/self/mountinfo", 16 << 20, &text);
	if (r < 0)
		return r;
	buf_reserve(&text, 0);
	cgroup_mounts_parse(text.data, &m);
	struct cgroup_host *h = xnew(struct cgroup_host);
	h->v2 = h->v2_top = -EBADF;
	r = host_open(h, &m, name);
	cgroup_mounts_deinit(&m);
	if (r < 0) {
		cgroup_close(h);
		return r;
	}
	*ret = h;
	return 0;
}

struct cgroup_host *cgroup_close(struct cgroup_host *h)
{
	if (!h)
		return NULL;
	for (size_t i = 0; i < h->v1_count; i++)
		fd_close(h->v1[i].root);
	fd_close(h->v2);
	fd_close(h->v2_top);
	for (size_t i = 0; i < h->other_count; i++)
		free(h->others[i]);
	free(h->given);
	free(h->name);
	free(h);
	return NULL;
}

bool cgroup_unified(const struct cgroup_host *h)
{
	return h->v1_count == 0;
}

bool cgroup_has(const struct cgroup_host *h, enum cgroup_controller c)
{
	return (h->v1_set | h->v2_set) & CGROUP_BIT(c);
}

size_t cgroup_v1(const struct cgroup_host *h, const char *const **ret_names)
{
	*ret_names = h->v1_names;
	return h->v1_count;
}

/* --- making and limiting ----------------------------------------------------------------------------------------------------- */

/* 1 if made, 0 if it was there. Parents are made only when the first try shows that they are missing. */
static int make_dir(int root, const char *rel)
{
	char path[CGROUP_PATH_SIZE];
	int r = cgroup_path(path, rel, "");

	if (r < 0)
		return r;
	if (mkdirat(root, path, 0755) == 0)
		return 1;
	if (errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return -errno;
	r = dir_make(root, path, 0755);
	return r < 0 ? r : 1;
}

static const struct cgroup_limits no_limits;

int cgroup_make(struct cgroup_host *h, const char *rel, const struct cgroup_limits *limits)
{
	const struct cgroup_limits *l = limits ?: &no_limits;
	int r = make_dir(h->v2, rel);

	if (r >= 0)
		r = cgroup_v2_limit(h, rel, l, /* reset= */ false);
	for (size_t i = 0; i < h->v1_count && r >= 0; i++) {
		const struct cgroup_hierarchy *v = &h->v1[i];
		r = make_dir(v->root, rel);
		if (r >= 0)
			r = cgroup_v1_limit(v, rel, l, /* reset= */ false);
	}
	if (r >= 0)
		r = cgroup_huge_limit(h, rel, l);
	return MIN(r, 0);
}

int cgroup_limit(struct cgroup_host *h, const char *rel, const struct cgroup_limits *limits)
{
	int r = cgroup_v2_limit(h, rel, limits, /* reset= */ true);

	for (size_t i = 0; i < h->v1_count && r >= 0; i++)
		r = cgroup_v1_limit(&h->v1[i], rel, limits, /* reset= */ true);
	return r;
}

void cgroup_protect(struct cgroup_host *h, const char *rel, uint64_t bytes)
{
	if (h->v2_set & CGROUP_BIT(CGROUP_MEMORY))
		(void)cgroup_write_u64(h->v2, rel, "memory.low", bytes);
}

/* --- entering, killing ------------------------------------------------------------------------------------------------------- */

void cgroup_entry_deinit(struct cgroup_entry *e)
{
	e->v2 = fd_close(e->v2);
	e->kill = fd_close(e->kill);
	for (size_t i = 0; i < e->task_count; i++)
		e->tasks[i] = fd_close(e->tasks[i]);
	e->task_count = 0;
}

static int enter_fds(struct cgroup_host *h, const char *v2, const char *v1, struct cgroup_entry *ret)
{
	struct cgroup_entry e = CGROUP_ENTRY_NULL;
	int r = e.v2 = cgroup_open_dir(h->v2, v2);

	if (r >= 0)
		r = e.kill = cgroup_open_file(e.v2, "", "cgroup.kill", O_WRONLY);
	for (size_t i = 0; i < h->v1_count && r >= 0; i++) {
		r = cgroup_open_file(h->v1[i].root, v1, "tasks", O_WRONLY);
		if (r >= 0)
			e.tasks[e.task_count++] = r;
	}
	if (r < 0) {
		cgroup_entry_deinit(&e);
		return r;
	}
	*ret = e;
	return 0;
}

int cgroup_enter_fds(struct cgroup_host *h, const char *rel, struct cgroup_entry *ret)
{
	return enter_fds(h, rel, rel, ret);
}

int cgroup_make_branch(struct cgroup_host *h, const char *rel, const char *name, struct cgroup_entry *ret)
{
	char path[CGROUP_PATH_SIZE];
	int r = cgroup_path(path, rel, name);

	if (r == 0 && mkdirat(h->v2, path, 0755) < 0)
		r = -errno;
	return r < 0 ? r : enter_fds(h, path, rel, ret);
}

int cgroup_remove_branch(struct cgroup_host *h, const char *rel, const char *name)
{
	char path[CGROUP_PATH_SIZE];
	int r = cgroup_path(path, rel, name);

	if (r < 0)
		return r;
	if (unlinkat(h->v2, path, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return errno == EBUSY && (r = cgroup_kill(h, path)) < 0 ? r : -errno;
}

int cgroup_procs_fds(struct cgroup_host *h, const char *rel, int ret[static CGROUP_PROCS_MAX], size_t *ret_count)
{
	size_t n = 0;

	for (; n <= h->v1_count; n++) {
		int fd = cgroup_open_file(n ? h->v1[n - 1].root : h->v2, rel, "cgroup.procs", O_WRONLY);
		if (fd < 0) {
			while (n > 0)
				(void)close(ret[--n]);
			return fd;
		}
		ret[n] = fd;
	}
	*ret_count = n;
	return 0;
}

int cgroup_kill(struct cgroup_host *h, const char *rel)
{
	if (!*rel) /* the root: podd itself and all that it keeps */
		return -EINVAL;
	int r = cgroup_write(h->v2, rel, "cgroup.kill", "1");

	/* ENODEV: removed between open and write. */
	return r == -ENOENT || r == -ENODEV ? 0 : r;
}

char *cgroup_from_top(const struct cgroup_host *h, const char *rel)
{
	return xasprintf("%s/%s/%s", h->given, h->name, rel);
}

bool cgroup_exists(struct cgroup_host *h, const char *rel)
{
	_cleanup_close_ int fd = cgroup_open_dir(h->v2, rel);

	return fd >= 0;
}

pid_t cgroup_first_pid(struct cgroup_host *h, const char *rel)
{
	_cleanup_close_ int fd = cgroup_open_file(h->v2, rel, "cgroup.procs", O_RDONLY);
	char text[24];
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	return (pid_t)strtol(text, NULL, 10);
}

int cgroup_populated(struct cgroup_host *h, const char *rel)
{
	uint64_t populated;
	int r = cgroup_read_key(h->v2, rel, "cgroup.events", "populated", &populated);

	if (r == -ENOENT || r == -ENODEV)
		return 0;
	return r < 0 ? r : populated != 0;
}

int cgroup_events_fd(struct cgroup_host *h, const char *rel)
{
	return cgroup_open_file(h->v2, rel, "cgroup.events", O_RDONLY);
}

int cgroup_join(struct cgroup_host *h, const char *rel)
{
	int r = cgroup_write(h->v2, rel, "cgroup.procs", "0");

	/* `tasks` and not `cgroup.procs`: podd has one thread, and this way waits for no RCU grace period. */
	for (size_t i = 0; i < h->v1_count && r >= 0; i++)
		r = cgroup_write(h->v1[i].root, rel, "tasks", "0");
	return r;
}

/* --- reading ----------------------------------------------------------------------------------------------------------------- */

uint64_t cgroup_oom_kills(struct cgroup_host *h, const char *rel)
{
	for (size_t i = 0; i < h->v1_count; i++)
		if (h->v1[i].controllers & CGROUP_BIT(CGROUP_MEMORY))
			return cgroup_v1_oom_kills(&h->v1[i], rel);
	return h->v2_set & CGROUP_BIT(CGROUP_MEMORY) ? cgroup_v2_oom_kills(h, rel) : 0;
}

int cgroup_usage(struct cgroup_host *h, const char *rel, struct cgroup_usage *ret)
{
	struct cgroup_usage u = { 0 };
	int r = cgroup_v2_usage(h, rel, &u);

	for (size_t i = 0; i < h->v1_count && r >= 0; i++)
		r = cgroup_v1_usage(&h->v1[i], rel, &u);
	if (r < 0)
		return r;
	*ret = u;
	return 0;
}

enum { SHARES_MIN = 2, SHARES_MAX = 262144 };

/* --- Kubernetes' numbers ----------------------------------------------------------------------------------------------------- */

uint64_t cgroup_cpu_shares(int64_t milli)
{
	int64_t shares = milli > INT64_MAX / 1024 ? SHARES_MAX : milli * 1024 / 1000;

	return (uint64_t)MAX(SHARES_MIN, MIN(shares, SHARES_MAX));
}

/* log2() and exp() by hand, as libm would be an eighth of podd's resident memory. Good to eight digits, for the numbers below. */
static double log_2(double x)
{
	double l = 0;

	for (; x >= 2; x /= 2)
		l++;
	for (double bit = 0.5; bit > 1e-12; bit /= 2) {
		x *= x;
		if (x >= 2) {
			x /= 2;
			l += bit;
		}
	}
	return l;
}

static double power_of_e(double x)
{
	double sum = 1, term = 1;

	for (int n = 1; term > 1e-12; n++) {
		term *= x / n;
		sum += term;
	}
	return sum;
}

/* The formula that runc and crun changed to in 2025: a parabola in log-log scale through (2, 1), (1024, 100) and (262144, 10000). The
 * linear one before it made of the default of one scale less than half of that of the other. Rounded up; no result but those three is
 * nearer to an integer than a millionth. */
uint64_t cgroup_cpu_weight(uint64_t shares)
{
	double l = log_2((double)MAX((uint64_t)SHARES_MIN, MIN(shares, (uint64_t)SHARES_MAX)));

	return (uint64_t)(power_of_e(M_LN10 * ((l * l + 125 * l) / 612 - 7.0 / 34)) + 1 - 1e-7);
}

void cgroup_cpu_quota(int64_t milli, uint64_t *ret_quota_us, uint64_t *ret_period_us)
{
	const uint64_t period = 100000, least = 1000; /* the kernel takes no quota below 1 ms */

	*ret_quota_us = MAX((uint64_t)milli * period / 1000, least);
	*ret_period_us = period;
}
