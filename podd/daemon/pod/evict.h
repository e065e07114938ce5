/* Limits on the disk: sizeLimit of an emptyDir, and ephemeral-storage, which counts writable layers, logs and emptyDirs. No kernel keeps
 * these: as the kubelet does, podd measures every volumeStatsAggPeriod, and a pod that holds more is evicted (core/failure.c). So a limit
 * may be exceeded for that long; it is no quota.
 *
 * To measure is to walk through trees that may be large, on a disk that may hang: a child does it (helper.h), for all pods in turn. It
 * rests ten times as long as it worked. While no pod that runs has a limit there is neither timer nor child. */
#pragma once
#include "daemon/daemon.h"

struct evictor *evict_new(struct daemon *d);
void evict_free(struct evictor *e); /* takes NULL */
/* A round begins when the first pod with a limit runs; what an evicted pod held goes when it has ended. */
void evict_pod_changed(struct daemon *d, const char *uid);
