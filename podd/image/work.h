/* The work that is done in the jail: from the source to verified layers, and what to say of them.
 *
 * It leaves in its directory what publish.c takes over:
 *
 *     layers/<chain ID>/   layers the store has not
 *     blobs/<digest>       manifests and configurations
 *     opaque               paths of directories to mark as opaque: "<chain ID>/<path>", each with its NUL
 *
 * and writes {"images":[record, ...]} with a record (image/image.h) for each reference, or {"message":"..."}. */
#pragma once
#include "image/job.h"

enum { WORK_RESULT_MAX = 64 << 20 };

struct work {
	const struct image_job *job;
	int source; /* a file, or a directory that can't be left */
	int dir;    /* its own, empty */
	int layers; /* those of the store; read-only */
};

void work_run(const struct work *w, struct buf *ret);
