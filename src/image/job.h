/* How podd has an image imported: it runs podd-image, once for each source.
 *
 *     podd-image import --transport oci|oci-archive|docker-archive|archive [--select TAG] [--name REFERENCE | --stem STEM] [--pin]
 *
 *     fd 0  /dev/null          fd 3  the store's directory (image_store.root)
 *     fd 1  the result         fd 4  the source, opened by podd: the archive (a regular file), or the directory of oci:
 *     fd 2  podd's log
 *
 * --select   which image of the source, its tag or name; must be given if it holds several (archive takes them all)
 * --name     the reference to store it under: for a manifest's `oci:/path:tag` that text, normalised
 * --stem     for drop-ins instead: an image goes by the name the archive gives it; one that has none, or a mere tag, by STEM[:tag]
 * --pin      marks the records as pinned
 * archive    oci-archive or docker-archive, whatever the file is
 *
 * It ends with 0 and one line on fd 1: {"references":["docker.io/library/nginx:1.27"]}, whose records are in the store then; or with 1
 * and {"reason":"ErrImagePull","message":"layer 3 (sha256:...): ..."}, and nothing is in the store. Anything else is a bug or a signal.
 * One that is killed leaves a directory in tmp/ which the next one removes. Several may run at the same time. It dies with podd
 * (PR_SET_PDEATHSIG) if podd sets this in its child, and never waits for anything but the disk. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"
#include "image/ref.h"

enum { IMAGE_JOB_FD_STORE = 3, IMAGE_JOB_FD_SOURCE = 4, IMAGE_JOB_ARGV_MAX = 12, IMAGE_JOB_RESULT_MAX = 1 << 20 };

struct image_job {
	const char *transport;            /* "oci", "oci-archive", "docker-archive" or "archive" */
	const char *select, *name, *stem; /* NULL: not given */
	bool pin;
};

/* argv of podd-image, NULL-terminated; points at the job's texts. */
void image_job_argv(const struct image_job *job, const char *ret[static IMAGE_JOB_ARGV_MAX]);

struct image_job_result {
	char **references;      /* what it imported; NULL-terminated, NULL when it failed */
	char *reason, *message; /* why it failed */
};

/* From the result line and the status of wait(2), whatever they are. */
void image_job_result(const char *line, int wait_status, struct image_job_result *ret);
void image_job_result_deinit(struct image_job_result *r);
