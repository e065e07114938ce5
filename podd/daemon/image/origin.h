/* What was imported from where: <images>/origins/<sha256 of the key>, a few lines of text: the key, the file's stamp, the references that came
 * of it. The key is a reference of the store for what a manifest names by its path, "images.d/<file>" for a drop-in. A file whose stamp
 * is another was changed. Lost, an image is imported once more. */
#pragma once
#include "daemon/daemon.h"
#include "image/ref.h"

enum { ORIGIN_STAMP_SIZE = 128, ORIGIN_PATH_SIZE = IMAGE_REFERENCE_SIZE + 16, ORIGIN_SIZE_MAX = 1 << 20 };

struct origin {
	struct list link; /* of images.origins */
	char *key;
	char stamp[ORIGIN_STAMP_SIZE];
	char **references; /* NULL-terminated; none: its import failed, which is not remembered longer than podd lives */
	bool present;      /* dropin.c: seen by the scan at hand */
};

int origin_load(struct daemon *d);
void origin_unload(struct daemon *d); /* forgets all, and leaves the files alone */

/* The file that is looked at: of an oci: directory, its index. */
void origin_path(const struct image_ref *ref, char ret[static ORIGIN_PATH_SIZE]);
/* What tells a version of it from the next: 0 or -errno. */
int origin_stamp(const struct image_ref *ref, char ret[static ORIGIN_STAMP_SIZE]);
int origin_stamp_at(int dirfd, const char *name, char ret[static ORIGIN_STAMP_SIZE]);

struct origin *origin_find(struct daemon *d, const char *key); /* NULL */
bool origin_is(struct daemon *d, const char *key, const char *stamp);
void origin_set(struct daemon *d, const char *key, const char *stamp, char *const *references); /* NULL: none */
void origin_forget(struct daemon *d, struct origin *s);
