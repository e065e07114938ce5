/* The image's configuration, from a stranger's JSON to the record: what is not named here is dropped. */
#pragma once
#include <stddef.h>
#include "image/image.h"

/* Fills in id, config, architecture, os, labels, created, layer_count, diff_ids and layers (their chain IDs). */
int config_read(const char *json, size_t size, struct image *image);

/* Chain ID of the layers up to one: that of those below it ("": none) and its own diff ID (OCI image-spec, config.md). */
void chain_id(const char *below, const char *diff_id, char ret[static IMAGE_LAYER_NAME_SIZE]);
