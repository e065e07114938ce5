/* Kubernetes' resources as cgroup limits. */
#include <stdio.h>
#include <string.h>
#include "base/str.h"
#include "daemon/sandbox_internal.h"

static int64_t cpu_request(const struct container *c)
{
	/* Kubernetes: a request that is not given is the limit's. */
	const struct quantity *q = c->resources.requests.cpu.set ? &c->resources.requests.cpu : &c->resources.limits.cpu;

	return q->set ? quantity_milli(q) : 0;
}

static int64_t cpu_limit(const struct container *c)
{
	return c->resources.limits.cpu.set ? quantity_milli(&c->resources.limits.cpu) : 0;
}

static int64_t memory_limit(const struct container *c)
{
	return c->resources.limits.memory.set ? quantity_value(&c->resources.limits.memory) : 0;
}

/* The most that runs at one time: members and sidecars together, or an init container beside the sidecars before it. */
static int64_t pod_peak(const struct pod *p, int64_t (*amount)(const struct container *c))
{
	int64_t sum = 0, peak = 0;

	for (size_t i = 0; i < pod_container_count(p); i++) {
		const struct container *c = pod_container_at(p, i);
		if (pod_is_init(p, c) && !pod_is_sidecar(p, c))
			peak = MAX(peak, sum + amount(c));
		else
			sum += amount(c);
	}
	return MAX(peak, sum);
}

struct cgroup_limits sandbox_pod_limits(const struct pod *p)
{
	return (struct cgroup_limits){ .cpu_weight = cgroup_cpu_weight(pod_peak(p, cpu_request)) };
}

/* As the kubelet does: the pod has a limit of its own when every container has one. */
struct cgroup_limits sandbox_members_limits(const struct pod *p)
{
	struct cgroup_limits l = { 0 };
	int64_t cpu = pod_peak(p, cpu_limit), memory = pod_peak(p, memory_limit);
	bool all_cpu = true, all_memory = true;

	for (size_t i = 0; i < pod_container_count(p); i++) {
		all_cpu = all_cpu && pod_container_at(p, i)->resources.limits.cpu.set;
		all_memory = all_memory && pod_container_at(p, i)->resources.limits.memory.set;
	}
	if (all_cpu && cpu > 0)
		cgroup_cpu_quota(cpu, &l.cpu_quota_us, &l.cpu_period_us);
	if (all_memory && memory > 0)
		l.memory_max = (uint64_t)memory;
	return l;
}

struct cgroup_limits sandbox_container_limits(const struct config *cfg, const struct container *c)
{
	struct cgroup_limits l = {
		.cpu_weight = cgroup_cpu_weight(cpu_request(c)),
		.pids_max = (uint64_t)cfg->pids_max,
		.oom_group = true,
		.devices = c->security.privileged != TRISTATE_TRUE,
	};

	if (c->resources.limits.cpu.set)
		cgroup_cpu_quota(quantity_milli(&c->resources.limits.cpu), &l.cpu_quota_us, &l.cpu_period_us);
	if (c->resources.limits.memory.set)
		l.memory_max = (uint64_t)quantity_value(&c->resources.limits.memory);
	return l;
}

static void limit(struct sandbox *s, const char *path, const struct cgroup_limits *l, const char *what, struct buf *error)
{
	int r = cgroup_limit(s->daemon->cgroups, path, l);

	if (r == -EBUSY)
		buf_printf(error,
		           "%s%s uses more memory than its new limit; the former one holds until it does not, or is started anew",
		           error->len ? "; " : "", what);
	else if (r < 0)
		buf_printf(error, "%swriting the limits of %s: %s", error->len ? "; " : "", what, strerror(-r));
}

static void write_limits(struct sandbox *s, const struct core_pod *p, struct buf *error)
{
	struct cgroup_limits pod = sandbox_pod_limits(p->pod), members = sandbox_members_limits(p->pod);
	char path[SANDBOX_LEAF_SIZE];

	limit(s, s->cgroup, &pod, "the pod", error);
	(void)snprintf(path, sizeof(path), "%s/members", s->cgroup);
	limit(s, path, &members, "the pod", error);
	for (size_t i = 0; i < p->container_count; i++) {
		const struct core_container *c = &p->containers[i];
		if (!c->spec || (c->state != CONTAINER_STATE_RUNNING && c->state != CONTAINER_STATE_STARTING))
			continue;
		if (c->applied_hash != c->wanted_hash) /* about to be started anew, with these */
			continue;
		struct cgroup_limits l = sandbox_container_limits(s->daemon->config, c->spec);
		sandbox_leaf(s, c->name, c->number, 0, path);
		limit(s, path, &l, c->name, error);
	}
}

/* What could not be done is tried again, so that the manifest comes true without another edit; it is told once. */
static void resize_again(uv_timer_t *t)
{
	struct sandbox *s = t->data;

	sandbox_resize(s->daemon, s->uid);
}

void sandbox_resize(struct daemon *d, const char *uid)
{
	enum { RETRY_MS = 1000 };
	const struct core_pod *p = core_pod_by_uid(d->core, uid);
	struct sandbox *s = sandbox_find(d, uid);
	_cleanup_buf_ struct buf error = BUF_NULL;

	if (!s || !p || !p->pod || s->state != SANDBOX_UP)
		return;
	write_limits(s, p, &error);
	if (sandbox_set_ports(s, p->pod, &error) < 0)
		buf_puts(&error, "; the former ones stay until then");
	if (!error.len)
		daemon_report(d, uid, NULL, true, "Resized", "the new limits and hostPorts are in force");
	else if (!streq(buf_str(&error), s->resize_error))
		daemon_report(d, uid, NULL, false, "FailedResize", "%s", buf_str(&error));
	(void)snprintf(s->resize_error, sizeof(s->resize_error), "%s", buf_str(&error));
	if (error.len)
		uv_timer_start(&s->resize_timer, resize_again, RETRY_MS, 0);
}
