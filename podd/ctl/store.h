/* The image store of --root, read directly by the verbs that need no podd. */
#pragma once
#include "ctl/args.h"
#include "image/store.h"

int store_open(const struct args *a, struct image_store *ret); /* makes nothing: -ENOENT where podd never ran */
