/* What of the store can go: images that no wanted pod names (running, stopped by hand or waiting) and no drop-in pins, and content that
 * neither the others nor any start that still has a writable layer uses. */
#pragma once
#include "daemon/daemon.h"

struct prune_result {
	char **references; /* removed; NULL-terminated */
	size_t layers, blobs;
};

/* 0, -EBUSY (an import runs and may count on what is there), or -errno. Trees are out of the store at once and removed by the janitor. */
int prune(struct daemon *d, struct prune_result *ret);
void prune_result_deinit(struct prune_result *r);
