/* The controllers' files on v1 hierarchies. */
#include <inttypes.h>
#include <stdio.h>
#include "sys/cgroup_internal.h"

static int limit_cpu(int root, const char *rel, const struct cgroup_limits *l, bool reset)
{
	int r = 0;

	if (l->cpu_shares || reset)
		r = cgroup_write_u64(root, rel, "cpu.shares", l->cpu_shares ? l->cpu_shares : 1024);
	/* The period first: the kernel checks that the quotient fits below the parent's. */
	if (r == 0 && l->cpu_quota_us)
		r = cgroup_write_u64(root, rel, "cpu.cfs_period_us", l->cpu_period_us);
	if (r == 0 && l->cpu_quota_us)
		r = cgroup_write_u64(root, rel, "cpu.cfs_quota_us", l->cpu_quota_us);
	else if (r == 0 && reset)
		r = cgroup_write(root, rel, "cpu.cfs_quota_us", "-1");
	return r;
}

/* memsw limits memory and swap together and may never be below memory alone: the two are written in the order that keeps this true.
 * The difference is the swap: none, as Kubernetes has it, unless it is asked for. A kernel without swap accounting has no memsw. */
static int limit_memory(int root, const char *rel, const struct cgroup_limits *l, bool reset)
{
	char value[24] = "-1", both[24] = "-1";

	if (!l->memory_max && !reset)
		return 0;
	if (l->memory_max)
		(void)snprintf(value, sizeof(value), "%" PRIu64, l->memory_max);
	if (l->memory_max)
		(void)snprintf(both, sizeof(both), "%" PRIu64, l->memory_max + l->swap_max);
	int r = cgroup_write(root, rel, "memory.limit_in_bytes", value);
	if (r == 0 || r == -EINVAL) {
		int sw = cgroup_write(root, rel, "memory.memsw.limit_in_bytes", both);
		if (sw < 0 && sw != -ENOENT)
			return sw;
		if (r == -EINVAL)
			r = cgroup_write(root, rel, "memory.limit_in_bytes", value);
	}
	return r;
}

int cgroup_v1_limit(const struct cgroup_hierarchy *v, const char *rel, const struct cgroup_limits *l, bool reset)
{
	int r = 0;

	if (v->controllers & CGROUP_BIT(CGROUP_CPU))
		r = limit_cpu(v->root, rel, l, reset);
	if (r == 0 && (v->controllers & CGROUP_BIT(CGROUP_MEMORY)))
		r = limit_memory(v->root, rel, l, reset);
	if (r == 0 && (v->controllers & CGROUP_BIT(CGROUP_PIDS)) && l->pids_max)
		r = cgroup_write_u64(v->root, rel, "pids.max", l->pids_max);
	else if (r == 0 && (v->controllers & CGROUP_BIT(CGROUP_PIDS)) && reset)
		r = cgroup_write(v->root, rel, "pids.max", "max");
	return r;
}

uint64_t cgroup_v1_oom_kills(const struct cgroup_hierarchy *v, const char *rel)
{
	uint64_t n;

	return cgroup_read_key(v->root, rel, "memory.oom_control", "oom_kill", &n) < 0 ? 0 : n;
}

int cgroup_v1_usage(const struct cgroup_hierarchy *v, const char *rel, struct cgroup_usage *u)
{
	int r = 0;

	if (v->controllers & CGROUP_BIT(CGROUP_MEMORY)) {
		r = cgroup_read_u64(v->root, rel, "memory.usage_in_bytes", &u->memory);
		if (r == 0)
			r = cgroup_read_u64(v->root, rel, "memory.limit_in_bytes", &u->memory_max);
		/* "None" is the largest multiple of the page size; no machine has half of that. */
		if (u->memory_max >= UINT64_MAX / 4)
			u->memory_max = 0;
	}
	if (r == 0 && (v->controllers & CGROUP_BIT(CGROUP_PIDS)))
		r = cgroup_read_u64(v->root, rel, "pids.current", &u->pids);
	return r;
}
