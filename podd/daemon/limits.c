/* Kubernetes' resources as cgroup limits. */
#include <stdio.h>
#include <string.h>
#include "daemon/sandbox.h"

static int64_t cpu_request(const struct container *c)
{
	/* Kubernetes: a request that is not given is the limit's. */
	const struct quantity *q = c->resources.requests.cpu.set ? &c->resources.requests.cpu : &c->resources.limits.cpu;

	return q->set ? quantity_milli(q) : 0;
}

struct cgroup_limits sandbox_pod_limits(const struct pod *p)
{
	int64_t milli = 0;

	for (size_t i = 0; i < p->spec.containers.count; i++)
		milli += cpu_request(&p->spec.containers.items[i]);
	return (struct cgroup_limits){ .cpu_weight = cgroup_cpu_weight(milli) };
}

/* As the kubelet does: the pod has a limit of its own when every container has one. */
struct cgroup_limits sandbox_members_limits(const struct pod *p)
{
	struct cgroup_limits l = { 0 };
	int64_t cpu = 0, memory = 0;
	bool all_cpu = true, all_memory = true;

	for (size_t i = 0; i < p->spec.containers.count; i++) {
		const struct resource_list *limits = &p->spec.containers.items[i].resources.limits;
		all_cpu = all_cpu && limits->cpu.set;
		all_memory = all_memory && limits->memory.set;
		cpu += limits->cpu.set ? quantity_milli(&limits->cpu) : 0;
		memory += limits->memory.set ? quantity_value(&limits->memory) : 0;
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

void sandbox_resize(struct daemon *d, const char *uid)
{
	const struct core_pod *p = core_pod_by_uid(d->core, uid);
	struct sandbox *s = sandbox_find(d, uid);
	char path[SANDBOX_LEAF_SIZE];

	if (!s || !p->pod)
		return;
	struct cgroup_limits pod = sandbox_pod_limits(p->pod), members = sandbox_members_limits(p->pod);
	int r = cgroup_limit(d->cgroups, s->cgroup, &pod);
	(void)snprintf(path, sizeof(path), "%s/members", s->cgroup);
	if (r == 0)
		r = cgroup_limit(d->cgroups, path, &members);
	for (size_t i = 0; r == 0 && i < p->container_count; i++) {
		const struct core_container *c = &p->containers[i];
		if (!c->spec || (c->state != CONTAINER_STATE_RUNNING && c->state != CONTAINER_STATE_STARTING))
			continue;
		if (c->applied_hash != c->wanted_hash) /* about to be started anew, with these */
			continue;
		struct cgroup_limits l = sandbox_container_limits(d->config, c->spec);
		sandbox_leaf(s, c->name, c->number, 0, path);
		r = cgroup_limit(d->cgroups, path, &l);
	}
	if (r < 0)
		daemon_report(d, uid, NULL, false, "FailedResize", "writing the new limits: %s; they hold from the next start on",
		              strerror(-r));
	else
		daemon_report(d, uid, NULL, true, "Resized", "the new limits are in force");
}
