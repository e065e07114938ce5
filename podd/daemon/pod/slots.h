/* The descriptors that a plan's slots want, opened afresh for each start. */
#pragma once
#include "daemon/pod/sandbox.h"

struct slot_sources {
	struct sandbox *sandbox;
	const struct pod *pod;
	const struct container *container;
	uint32_t number;
	const struct cgroup_entry *cgroup;
	int layers, upper, work; /* lent */
	const int *procs;        /* likewise; NULL: none */
};

/* Fills fds[] in the order of the slots. -errno with *ret_text (on the plan's arena). */
int slots_open(const struct plan *plan, const struct slot_sources *src, int *fds, size_t *ret_count, const char **ret_text);
