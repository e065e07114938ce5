/* Control groups, one interface over two layouts:
 *  - unified: cgroup v2 with the controllers (the target);
 *  - hybrid: the controllers on v1 hierarchies, and a v2 tree beside them, with or without controllers, which podd uses for
 *    cgroup.kill and CLONE_INTO_CGROUP.
 *
 * All paths (`rel`) are below the root directory that was opened, without leading slash: "burstable/pod<uid>/members/app.0".
 * A directory is never reused for a second start: some kernels kill at birth what is cloned into a cgroup that saw cgroup.kill. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/buf.h"

enum cgroup_controller { CGROUP_CPU, CGROUP_MEMORY, CGROUP_PIDS, CGROUP_DEVICES, CGROUP_HUGETLB, CGROUP_CONTROLLER_MAX };

enum { CGROUP_V1_MAX = 8 };

struct cgroup_host;

/* `name` is the root below podd's own cgroup (or the top of each hierarchy); it is made if missing. One that begins with '/' is a path in the
 * tree, and lies in a cgroup that another unit of the service manager was given. -ENOENT: no v2 tree at all. */
int cgroup_open(const char *name, struct cgroup_host **ret);
struct cgroup_host *cgroup_close(struct cgroup_host *h); /* takes NULL, returns NULL; removes nothing */

bool cgroup_unified(const struct cgroup_host *h);
bool cgroup_has(const struct cgroup_host *h, enum cgroup_controller c);
const char *cgroup_controller_name(enum cgroup_controller c);
/* The v1 hierarchies that a process must be moved into: names, as for plan_context. */
size_t cgroup_v1(const struct cgroup_host *h, const char *const **ret_names);

enum cgroup_huge_size { CGROUP_HUGE_2MB, CGROUP_HUGE_1GB, CGROUP_HUGE_MAX };
#define CGROUP_HUGE_ANY UINT64_MAX /* no limit of its own */

struct cgroup_limits {         /* 0: no limit, leave it alone */
	uint64_t cpu_shares;   /* 2..262144; v2: cpu.weight by cgroup_cpu_weight() */
	uint64_t cpu_quota_us; /* per cpu_period_us */
	uint64_t cpu_period_us;
	uint64_t memory_max; /* bytes */
	uint64_t memory_low; /* bytes that are reclaimed last (v2) */
	uint64_t swap_max;   /* bytes; 0: none when memory_max is set */
	uint64_t pids_max;
	bool oom_group; /* v2: memory.oom.group */
	bool huge;      /* when it is made, not later: bytes in huge pages, 0 is none */
	uint64_t huge_max[CGROUP_HUGE_MAX];
};

/* Makes a directory (and its parents) and writes its limits, with the controllers enabled down to it. An existing one is fine. A limit
 * whose controller is missing (cgroup_has) is passed over. NULL limits: none, and on v2 nothing is enabled for it, as is needed below a
 * directory with processes. */
int cgroup_make(struct cgroup_host *h, const char *rel, const struct cgroup_limits *limits);
/* Writes limits anew, in place; 0 fields become "no limit". */
int cgroup_limit(struct cgroup_host *h, const char *rel, const struct cgroup_limits *limits);

enum cgroup_device_access {
	CGROUP_DEVICE_MKNOD = 1,
	CGROUP_DEVICE_READ = 2,
	CGROUP_DEVICE_WRITE = 4,
	CGROUP_DEVICE_ALL = 7
}; /* as BPF's */

struct cgroup_device {
	bool block;
	dev_t number;
	unsigned access; /* making a node is always allowed */
};

/* Closes all devices but the standard nodes, ptys and `more` to what will be in rel, a fresh directory, and below. Nothing without
 * CGROUP_DEVICES. */
int cgroup_restrict_devices(struct cgroup_host *h, const char *rel, const struct cgroup_device *more, size_t count);

/* memory.low of a directory that carries no other limits, "" for the root (v2; best effort: it only says what is reclaimed last). */
void cgroup_protect(struct cgroup_host *h, const char *rel, uint64_t bytes);

/* What a start needs to get into rel. The caller closes the fds (cgroup_entry_deinit). */
struct cgroup_entry {
	int v2;                   /* directory, for CLONE_INTO_CGROUP */
	int kill;                 /* cgroup.kill, for writing */
	int tasks[CGROUP_V1_MAX]; /* `tasks` of each v1 hierarchy, in cgroup_v1's order, for writing: the child itself writes "0",
				      * since any other way of moving waits for an RCU grace period */
	size_t task_count;
};
#define CGROUP_ENTRY_NULL ((struct cgroup_entry){ .v2 = -EBADF, .kill = -EBADF })
int cgroup_enter_fds(struct cgroup_host *h, const char *rel, struct cgroup_entry *ret);
void cgroup_entry_deinit(struct cgroup_entry *e);
/* To move others there, whole: `cgroup.procs` of v2, then of each v1 hierarchy. The caller closes them. */
enum { CGROUP_PROCS_MAX = 1 + CGROUP_V1_MAX };
int cgroup_procs_fds(struct cgroup_host *h, const char *rel, int ret[static CGROUP_PROCS_MAX], size_t *ret_count);

/* The directory as it is called in every hierarchy, from the mount's top; allocated. */
char *cgroup_from_top(const struct cgroup_host *h, const char *rel);

/* A directory for what is started beside the processes of rel and ends before them: in the v2 tree alone, below rel, to be killed by. On v1
 * it is in rel itself, whose limits it shares: four directories more would be most of the price of a probe. */
int cgroup_make_branch(struct cgroup_host *h, const char *rel, const char *name, struct cgroup_entry *ret);
/* With what lives in it, if anything does: -EBUSY until that has been reaped. Absence is success. */
int cgroup_remove_branch(struct cgroup_host *h, const char *rel, const char *name);

bool cgroup_exists(struct cgroup_host *h, const char *rel);
/* One process in rel itself, or 0. */
pid_t cgroup_first_pid(struct cgroup_host *h, const char *rel);
/* Kills all that is in rel and below, frozen or not (cgroup.kill). Absence is success. */
int cgroup_kill(struct cgroup_host *h, const char *rel);
/* 1 if a process is in rel or below, 0 if none (or no such directory), -errno. */
int cgroup_populated(struct cgroup_host *h, const char *rel);
/* Removes rel and all directories below in all hierarchies; -EBUSY while something lives in it. Absence is success. */
int cgroup_remove(struct cgroup_host *h, const char *rel);
/* The same in the hierarchies that podd does not use, where only others (an OCI runtime) make directories. Best effort. */
void cgroup_remove_others(struct cgroup_host *h, const char *rel);
/* The file to watch with inotify (IN_MODIFY) for a change of `populated`: an fd of cgroup.events of the v2 directory. */
int cgroup_events_fd(struct cgroup_host *h, const char *rel);

/* How often the OOM killer took a process of rel (v2 memory.events oom_kill, v1 memory.oom_control oom_kill). 0 if unknown. */
uint64_t cgroup_oom_kills(struct cgroup_host *h, const char *rel);

struct cgroup_usage {
	uint64_t memory, memory_max; /* bytes; max 0: none */
	uint64_t cpu_ns;
	uint64_t pids;
};
int cgroup_usage(struct cgroup_host *h, const char *rel, struct cgroup_usage *ret);

/* Calls fn for each directory below the root in each hierarchy (rel, hierarchy name), deepest last; stops on non-zero. For the census. */
typedef int (*cgroup_walk_fn)(const char *rel, const char *hierarchy, void *arg);
int cgroup_walk(struct cgroup_host *h, cgroup_walk_fn fn, void *arg);
int cgroup_walk_v2(struct cgroup_host *h, cgroup_walk_fn fn, void *arg); /* in the v2 tree alone, where every process of a pod is */

/* Moves the calling process into rel (podd's own "supervisor"). */
int cgroup_join(struct cgroup_host *h, const char *rel);
/* Removes the root directory itself and what empty directories are in it; -EBUSY while a process lives there, the caller included. */
int cgroup_remove_root(struct cgroup_host *h);

/* Kubernetes' conversions. */
uint64_t cgroup_cpu_shares(int64_t milli);   /* request in milli-CPUs */
uint64_t cgroup_cpu_weight(uint64_t shares); /* the least, the defaults (1024, 100) and the most of both scales meet */
void cgroup_cpu_quota(int64_t milli, uint64_t *ret_quota_us, uint64_t *ret_period_us); /* limit; at least 1 ms in 100 ms */
