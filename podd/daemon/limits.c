/* Kubernetes' resources as cgroup limits. */
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
