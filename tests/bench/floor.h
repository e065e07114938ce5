/* The kernel floor: a pod by raw system calls and nothing else, as podd's pods are: routed veth, the same control groups and limits, the same
 * mounts, masks, capabilities. No manifest, no state, no logs, nobody that would notice a death. What it takes is the kernel's part of
 * what podd takes; both are measured in turn, to the first instruction of the same program.
 *
 * It knows the hybrid layout only: cgroup v1 controllers beside a v2 tree. */
#pragma once
#include <stdint.h>
#include <sys/types.h>

enum { FLOOR_V1_MAX = 4, FLOOR_CONTAINERS = 2 };

struct floor {
	const char *bench, *state, *run, *image; /* FIFO's directory; upper layers; pods' small files; root file system */
	int v2, v1[FLOOR_V1_MAX];                /* the floor's own directory in each hierarchy */
	const char *controllers[FLOOR_V1_MAX];
	int v1_count;
	int host_netns, host_rtnl, program;
	long cap_last;
};

struct floor_pod {
	const struct floor *floor;
	int number;
	pid_t anchor, members[FLOOR_CONTAINERS];
	int anchor_pidfd, starts[FLOOR_CONTAINERS];
};

/* floor_cgroup.c */
void floor_cgroup_open(struct floor *f, const char *name);
void floor_cgroup_make(const struct floor *f, const char *rel); /* in all hierarchies */
void floor_cgroup_write(const struct floor *f, const char *controller, const char *rel, const char *file, const char *text);
void floor_cgroup_limit(const struct floor *f, const char *rel, long milli, long memory);
void floor_cgroup_devices(const struct floor *f, const char *rel);
void floor_cgroup_enter(const struct floor *f, const char *rel); /* v1, by the process itself */
int floor_cgroup_fd(const struct floor *f, const char *rel);
void floor_cgroup_kill(const struct floor *f, const char *rel);
void floor_cgroup_remove(const struct floor *f, const char *rel);

/* floor_net.c: the pod's link, from the host and from inside. */
void floor_net_make(const struct floor_pod *p);

/* floor_container.c */
void floor_container_start(struct floor_pod *p, int index);
void floor_put_file(const char *path, const char *text, int optional);
