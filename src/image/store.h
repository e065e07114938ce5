/* The content store, <state>/images, root's alone (0700):
 *
 *     refs/<sha256 of the reference>.json   a record (image.h) for each reference
 *     blobs/sha256/<digest>                 manifests and configurations, as they came
 *     layers/<chain ID>/                    an unpacked layer, an overlay lower directory as it stands
 *     tmp/<job>/                            work of a podd-image that runs; locked by it, swept by the next one
 *
 * A record is written last and durably, and all it names is there before: what has no record is nothing. Files are made in tmp and
 * renamed into place after they were verified and synced; nothing is changed afterwards, so readers need no lock.
 *
 * A layer's name is its chain ID (OCI image-spec: sha256 over the chain of diff IDs up to it), not its diff ID: a tar may leave out the
 * directories above a file, and these then must look as in the layers below, which differ from image to image. Images that share
 * their lower layers share the directories.
 *
 * Whoever removes (podd alone) does it while no podd-image runs: a running import counts on layers it found. */
#pragma once
#include <stddef.h>
#include "base/buf.h"
#include "image/image.h"

struct image_store {
	int root, refs, layers; /* directories */
};

#define IMAGE_STORE_NULL ((struct image_store){ -EBADF, -EBADF, -EBADF })

/* Opens, and makes where needed, the store `name` below dirfd. */
int image_store_open(int dirfd, const char *name, struct image_store *ret);
void image_store_deinit(struct image_store *s);

/* By reference; a digest finds any image of that repository with this manifest. -ENOENT: not here, or not whole any more (someone
 * removed a layer), so that it is imported again. Never for rootfs:. */
int image_store_find(const struct image_store *s, const struct image_ref *ref, struct image **ret);

/* The directory of layer `index` (0: the lowest), O_PATH. */
int image_store_open_layer(const struct image_store *s, const struct image *i, size_t index);

/* All records, by reference; what can't be read is left out. Free with image_list_free(). */
int image_store_list(const struct image_store *s, struct image ***ret, size_t *ret_count);
void image_list_free(struct image **images, size_t count);

/* Takes the record away, durably; -ENOENT. The content stays until it is found unused. */
int image_store_remove(const struct image_store *s, const char *reference);

/* Paths below `root` of layers and blobs that no record names: "layers/<chain ID>", one after the other, each with its NUL. */
int image_store_unused(const struct image_store *s, struct buf *ret);

/* Writes a record: podd-image when it is done, podd to pin or unpin. */
int image_store_put(const struct image_store *s, const struct image *i);
