/* Kubernetes' resources as cgroup limits. */
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>
#include "base/str.h"
#include "daemon/pod/etcfiles.h"
#include "daemon/pod/sandbox_internal.h"
#include "manifest/huge.h"

_Static_assert((int)HUGE_SIZE_2MI == CGROUP_HUGE_2MB && (int)HUGE_SIZE_1GI == CGROUP_HUGE_1GB, "one order of sizes");

/* A request that is not given is the limit's: the manifest floor has filled it in. */
static int64_t cpu_request(const struct container *c)
{
	return c->resources.requests.cpu.set ? quantity_milli(&c->resources.requests.cpu) : 0;
}

static int64_t memory_request(const struct container *c)
{
	return c->resources.requests.memory.set ? quantity_value(&c->resources.requests.memory) : 0;
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

static uint64_t pod_memory_request(const struct pod *p)
{
	const struct quantity *own = &p->spec.resources.requests.memory;

	return (uint64_t)(own->set ? quantity_value(own) : pod_peak(p, memory_request));
}

/* As the kubelet's LimitedSwap: only what is burstable and may use more memory than it asked for has swap, in proportion to its request. */
static uint64_t container_swap(const struct pod *p, const struct container *c)
{
	const struct resources *r = &c->resources;
	struct sysinfo host;

	if (p->swap != SWAP_LIMITED || p->qos != QOS_BURSTABLE || !r->requests.memory.set || sysinfo(&host) < 0 || !host.totalram ||
	    (r->limits.memory.set && r->limits.memory.nano == r->requests.memory.nano))
		return 0;
	return (uint64_t)((double)quantity_value(&r->requests.memory) / (double)host.totalram * (double)host.totalswap);
}

/* As in the kubelet, who asks for none of a size, in a pod that does, has none, unless the pod as a whole has. */
static void set_huge(struct cgroup_limits *l, const struct pod *p, const struct resource_list *own)
{
	const struct resource_list *all = &p->spec.resources.limits;

	l->huge = pod_asks_huge(p);
	for (enum huge_size s = 0; s < HUGE_SIZE_MAX; s++)
		l->huge_max[s] = own->huge[s].set   ? (uint64_t)quantity_value(&own->huge[s])
		                 : all->huge[s].set ? (uint64_t)quantity_value(&all->huge[s])
		                                    : 0;
}

static void set_limits(struct cgroup_limits *l, const struct resource_list *limits)
{
	if (limits->cpu.set)
		cgroup_cpu_quota(quantity_milli(&limits->cpu), &l->cpu_quota_us, &l->cpu_period_us);
	if (limits->memory.set)
		l->memory_max = (uint64_t)quantity_value(&limits->memory);
	if (limits->pid.set)
		l->pids_max = (uint64_t)MAX(quantity_value(&limits->pid), 1);
}

struct cgroup_limits sandbox_pod_limits(const struct pod *p)
{
	const struct quantity *own = &p->spec.resources.requests.cpu;

	return (struct cgroup_limits){
		.cpu_shares = cgroup_cpu_shares(own->set ? quantity_milli(own) : pod_peak(p, cpu_request)),
		.memory_low = pod_memory_request(p),
	};
}

/* As the kubelet does: the pod has the limits that it is given, else what its containers may use when every one has a limit. */
struct cgroup_limits sandbox_members_limits(const struct pod *p)
{
	struct cgroup_limits l = { .memory_low = pod_memory_request(p) };
	int64_t cpu = pod_peak(p, cpu_limit), memory = pod_peak(p, memory_limit);
	bool all_cpu = true, all_memory = true;

	for (size_t i = 0; i < pod_container_count(p); i++) {
		const struct container *c = pod_container_at(p, i);
		if (pod_is_ephemeral(p, c)) /* lives on what the others leave */
			continue;
		all_cpu = all_cpu && c->resources.limits.cpu.set;
		all_memory = all_memory && c->resources.limits.memory.set;
		l.swap_max += container_swap(p, c);
	}
	if (all_cpu && cpu > 0)
		cgroup_cpu_quota(cpu, &l.cpu_quota_us, &l.cpu_period_us);
	if (all_memory && memory > 0)
		l.memory_max = (uint64_t)memory;
	set_limits(&l, &p->spec.resources.limits);
	l.huge = huge_asked(&p->spec.resources.limits);
	for (enum huge_size s = 0; s < HUGE_SIZE_MAX; s++) {
		const struct quantity *q = &p->spec.resources.limits.huge[s];
		l.huge_max[s] = q->set ? (uint64_t)quantity_value(q) : CGROUP_HUGE_ANY;
	}
	return l;
}

struct cgroup_limits sandbox_container_limits(const struct config *cfg, const struct pod *p, const struct container *c)
{
	struct cgroup_limits l = {
		.cpu_shares = cgroup_cpu_shares(cpu_request(c)),
		.memory_low = (uint64_t)memory_request(c),
		.swap_max = container_swap(p, c),
		.pids_max = (uint64_t)cfg->pids_max,
		.oom_group = true,
	};

	set_limits(&l, &c->resources.limits);
	set_huge(&l, p, &c->resources.limits);
	return l;
}

/* What is protected in a pod is so only as far as it is in all that is above it, up to podd's own cgroup. */
void sandbox_protect(struct daemon *d)
{
	uint64_t all = 0, burstable = 0;

	list_foreach(s, &d->sandboxes, struct sandbox, link) {
		const struct core_pod *p = core_pod_by_uid(d->core, s->uid);
		uint64_t memory = p && p->pod ? pod_memory_request(p->pod) : 0;
		all += memory;
		burstable += p && p->pod && p->pod->qos == QOS_BURSTABLE ? memory : 0;
	}
	cgroup_protect(d->cgroups, "", all);
	cgroup_protect(d->cgroups, "burstable", burstable);
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
		struct cgroup_limits l = sandbox_container_limits(s->daemon->config, p->pod, c->spec);
		sandbox_leaf(s, c->name, c->number, path);
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
	sandbox_protect(d);
	int r = etcfiles_write(s, p->pod);
	if (r < 0)
		buf_printf(&error, "%swriting resolv.conf: %s", error.len ? "; " : "", strerror(-r));
	(void)sandbox_set_ports(s, p->pod, &error); /* it has said why not */
	if (!error.len)
		daemon_report(d, uid, NULL, true, "Resized", "the new limits, hostPorts and name servers are in force");
	else if (!streq(buf_str(&error), s->resize_error))
		daemon_report(d, uid, NULL, false, "FailedResize", "%s", buf_str(&error));
	(void)snprintf(s->resize_error, sizeof(s->resize_error), "%s", buf_str(&error));
	if (error.len)
		uv_timer_start(&s->resize_timer, resize_again, RETRY_MS, 0);
}
