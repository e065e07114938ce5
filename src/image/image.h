/* An image in the store: the record of one reference. podd-image writes a record when all that it names is verified and in place, podd
 * reads it: what a stranger wrote (manifests, configurations) never gets into podd, only what podd-image made of it.
 *
 * Of an image's configuration only what is below is kept, each value checked and bounded. Labels and annotations are kept for people to
 * see and steer nothing. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/jsonw.h"
#include "image/ref.h"
#include "manifest/pod.h"

enum {
	IMAGE_LAYERS_MAX = 127,
	IMAGE_LAYER_NAME_SIZE = 64 + 1,
	IMAGE_RECORD_MAX = 4 << 20, /* bytes of a record */
};

/* What an image says about how to run it; rootfs: images say nothing. An absent text is NULL. */
struct image_config {
	struct string_list entrypoint, cmd, env; /* env: "NAME=value" */
	const char *working_dir, *user;
	const char *stop_signal; /* as written: "SIGQUIT", "QUIT" or "3" */
};

/* All that is pointed at is on the arena. */
struct image {
	struct arena *arena;
	const char *reference; /* normalised (image_ref_text) */
	const char *manifest;  /* digest of its manifest: what `name@sha256:` means */
	const char *index;     /* digest of the index it was chosen from, or NULL; means the same */
	const char *id;        /* digest of its configuration: the image ID */
	const char *source;    /* where it came from, for people: "oci-archive", "registry"... */
	size_t layer_count;    /* bottom first, in both lists */
	const char **layers;   /* directories in layers/: the chain ID's digits */
	const char **diff_ids;
	struct image_config config;
	const char *architecture, *os;
	struct label_list labels;
	int64_t size;     /* bytes of its configuration and layers as they came, compressed or not */
	int64_t imported; /* wall clock */
	int64_t created;  /* wall clock, 0: not said */
	bool pinned;      /* dropped in: never collected */
};

/* Reads a record. -EBADMSG: it is none, or beyond the limits. */
int image_parse(const char *json, size_t size, struct image **ret);
void image_config_json(const struct image_config *c, struct jsonw *w); /* the member "config" */
void image_write(const struct image *i, struct buf *out);              /* a record, one line */

struct image *image_free(struct image *i); /* takes NULL, returns NULL */

static inline void cleanup_image(struct image **i)
{
	*i = image_free(*i);
}
#define _cleanup_image_ _cleanup_(cleanup_image)
