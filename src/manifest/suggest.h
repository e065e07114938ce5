/* What an unknown field was probably meant to be: a word that is nearly right, or the right word at the wrong level. */
#pragma once
#include "manifest/schema.h"

const struct field *suggest_nearest(const struct schema *s, const char *name); /* NULL: nothing near */

/* `levels` are the schemas from the Pod down to where the name stands. A hint to be freed, or NULL. */
char *suggest_field(const struct schema *const *levels, unsigned depth, const char *name);
