/* JSON values as block YAML, in kubectl's layout. Strings are quoted whenever a YAML reader, 1.1 or 1.2, could take them for
 * something else; text of several lines becomes a literal block where that loses nothing. */
#pragma once
#include <jansson.h>
#include "base/buf.h"

void yamlout(const json_t *value, struct buf *out);
