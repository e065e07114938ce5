/* One layer, from blob to directory, verified: the blob's digest before anything is unpacked, the diff ID of what it unpacked to after. */
#pragma once
#include "image/stream.h"

struct layer {
	struct blob blob;
	char digest[IMAGE_DIGEST_SIZE]; /* of the blob as it came; "" in docker archives, which have the diff ID only */
	int64_t size;                   /* as declared; -1 there */
	enum compression compression;
	char diff_id[IMAGE_DIGEST_SIZE];
};

/* Into `dir`, which is empty. lowers: the layers below it, lowest first. opaque: tree.h; chain: the layer's name there. */
int layer_unpack(const struct layer *l, int dir, const int *lowers, size_t lower_count, const char *chain, struct usage *usage,
                 struct buf *opaque);
