/* The scalar part of the decoder: strictly typed, as JSON is behind kubectl; what was written without quotes and reads as
 * something else than the field wants is an error that shows the quotes. */
#pragma once
#include "manifest/decode.h"

void scalar_decode(struct decoder *d, const struct field *f, const struct node *n, void *at);
void scalar_decode_string(struct decoder *d, const struct field *f, const struct node *n, const char **at);
void scalar_fallback(struct decoder *d, const struct field *f, void *at); /* the table's default */
