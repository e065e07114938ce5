/* From the directory of a jail that has ended into the store. Nothing in it is believed: names are checked, small files hashed again,
 * paths walked below the layer they are in, records parsed and rebuilt. */
#pragma once
#include "image/job.h"
#include "image/store.h"

/* The jail's result, and one of podd-image's for podd: {"references":[...]}. -errno with words (why.h): nothing is in the store. */
int publish(const struct image_store *store, int dir, const struct image_job *job, const struct buf *result, struct buf *ret);
