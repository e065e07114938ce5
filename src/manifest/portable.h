/* Whether a manifest would also run elsewhere: on a kubelet's static pod directory, and with `podman kube play`. Notices, and only when
 * asked for. What is known of the two is in the table of portable.c. */
#pragma once
#include "manifest/decode.h"

/* `key` is there, at the decoder's path. */
void portable_field(struct decoder *d, const struct schema *s, const struct field *f, const struct node_pair *pair);
void portable_document(struct decoder *d, const char *kind, size_t index);
