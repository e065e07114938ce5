/* The image of each start: its record as it was at that moment, in <state>/pods/<uid>/containers/<container>.<n>/image beside the writable
 * layer, and as long. So a podd that comes back knows what runs, how to confine a session in it, and which layers are in use, whatever
 * has become of the tag since.
 *
 * What a volume's reference stands for is found out once in the life of a sandbox, as in Kubernetes, and remembered beside them as
 * containers/+<volume>.<hash of the reference>/image: after an edit of the reference those that still run have what they had. */
#pragma once
#include "daemon/pod/sandbox.h"
#include "image/image.h"

/* `i` NULL: a rootfs: image, nothing to remember. Takes no reference. */
int start_image_put(struct sandbox *s, const char *container, uint32_t number, const struct image *i);
/* The image of a start, or NULL; valid until the next call about this sandbox's container. */
const struct image *start_image(struct sandbox *s, const char *container, uint32_t number);
/* The caller's; NULL: it is not known yet. */
struct image *start_image_of_volume(struct sandbox *s, const struct volume *v);
int start_image_put_volume(struct sandbox *s, const struct volume *v, const struct image *i);
void start_image_forget_all(struct sandbox *s);

/* Calls f with the image of each start that has not been cleaned up, in whatever state its pod is. */
void start_image_walk(struct daemon *d, void (*f)(const struct image *i, void *arg), void *arg);
