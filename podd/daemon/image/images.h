/* The images of this node: which image a start runs from, and how it gets into the store.
 *
 *   images.c      an image for a start: in the store, or imported first while the start waits
 *   import.c      podd-image, as a child
 *   origin.c      what was imported from which file, so that a changed file is imported anew
 *   dropin.c      images.d: what is put there is imported and pinned
 *   prune.c       what nobody names or pins goes
 *   startimage.c  which image a start runs from, kept beside its writable layer
 *
 * A reference names the image that the store has under it when a container starts; what its tag or file becomes later counts at the next start.
 * podd has no puller: a registry's image is there, or it is not. */
#pragma once
#include "daemon/daemon.h"
#include "daemon/image/import.h"
#include "image/store.h"
#include "plan/compile.h"

struct pull;

struct images {
	struct image_store store;
	int program_fd;      /* podd-image, once it was needed */
	struct list imports; /* import.c */
	uv_idle_t idle;
	struct list pulls;         /* images.c */
	const struct pull *ending; /* the one whose waiters are being told */
	struct list origins;       /* origin.c */
	struct dropins *dropins;
};

int images_open(struct daemon *d);
void images_close(struct daemon *d);
/* Someone may have removed or replaced the store as a whole: what podd has open has no name any more. Before it is looked into for a start
 * or a hand. */
int images_find_store(struct daemon *d);

struct image_wish { /* what a container or a volume says */
	const char *image;
	enum pull_policy policy;
};

/* The image of a start, or one that it mounts: 0 with *ret, which the caller frees (NULL: rootfs:); 1: it is being imported,
 * launch_start() is called again when that is over; or -errno with *ret_reason (a Kubernetes reason) and text. */
int images_get(struct daemon *d, const struct start_id *id, const struct image_wish *w, struct image **ret, const char **ret_reason,
               struct buf *ret_text);
/* The start waits no more. False: it did not wait. */
bool images_abort(struct daemon *d, const struct start_id *id);

/* The directory for SLOT_LAYERS of an image, `image` as the manifest has it; an fd of the caller's. */
int images_layers(struct daemon *d, const char *image, int *ret, const char **ret_reason, struct buf *ret_text);

/* What a plan wants to know. `layers`: the directory for SLOT_LAYERS. Points into the image. */
void images_describe(const struct image *i, int layers, struct arena *a, struct plan_image *ret);

/* Something was imported: containers that could not be started for want of it are started now. */
void images_arrived(struct daemon *d);

/* Whether any pod that is wanted, running or not, names the image; a drop-in pins it in its record. */
bool images_wanted(const struct daemon *d, const struct image *i);
