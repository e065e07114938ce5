/* Which images of a source are meant, and what they consist of: manifest, configuration, layers; documents verified and parsed, layers
 * only found. */
#pragma once
#include <stddef.h>
#include "base/arena.h"
#include "image/image.h"
#include "image/job.h"
#include "image/layer.h"
#include "image/source.h"

struct choice {
	struct image *image;     /* the record, but for the reference */
	const char **references; /* to store it under */
	size_t reference_count;
	struct buf manifest, config; /* as they came */
	struct layer *layers;        /* bottom first, image->layer_count of them */
};

struct choices {
	struct choice *items;
	size_t count;
};

/* At least one. */
int choose(const struct source *s, const struct image_job *job, struct choices *ret);
void choices_deinit(struct choices *c);

/* --- between choose.c, oci.c and docker.c --- */

int choose_oci(const struct source *s, const struct image_job *job, struct choices *c);
int choose_docker(const struct source *s, const struct image_job *job, struct choices *c);

struct choice *choice_add(struct choices *c, const char *source);
/* The name an archive gives, or NULL, becomes a reference as the job wants it. */
int choice_name(struct choice *c, const struct image_job *job, const char *name);
/* Refused unless the document `what`, `size` bytes (-1: any) of this digest ("": any), is there. */
int document_read(const struct source *s, const char *name, const char *what, const char *digest, int64_t size, struct buf *ret);
