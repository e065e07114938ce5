/* A finding about a manifest in podd's JSON, as the line that validate prints: "FILE:LINE:COL: error: FIELD: text; hint". */
#pragma once
#include <jansson.h>
#include "base/buf.h"

void finding_print(const json_t *finding, const char *file, struct buf *out);
