/* Imports: podd-image (image/job.h) as a child of podd, which never waits for it. At most IMPORTS_RUNNING run at a time and one of a
 * source; the others wait in line. An import dies with podd: whoever wants the image asks anew. */
#pragma once
#include "daemon/daemon.h"
#include "image/job.h"

enum { IMPORTS_RUNNING = 2, IMPORTS_MAX = 1024 };

struct import;

/* All strings are copied. */
struct import_request {
	const char *path; /* the source: a file, or the directory of oci: */
	struct image_job job;
	/* Once, never from within import_start(), and not after import_cancel(). */
	void (*done)(const struct image_job_result *result, void *arg);
	void *arg;
};

struct import *import_start(struct daemon *d, const struct import_request *q); /* NULL: IMPORTS_MAX are in line */
void import_cancel(struct import *i);                                          /* kills it */
void import_kill_all(struct daemon *d);                                        /* podd ends */
bool import_any(const struct daemon *d);                                       /* one runs or waits */
