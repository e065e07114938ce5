/* Strict JSON (RFC 8259) to a node tree with the places of its values. libyaml reads most of JSON, but not all: a pair of
 * surrogates, a raw control character of Latin-1.
 *
 * There are no messages: what isn't strict JSON within the limits of yaml.h, or has a key twice, is left to the YAML reader, which
 * takes it as YAML or says what is wrong. kubectl tries the two in the same order. */
#pragma once
#include "base/arena.h"
#include "manifest/yaml.h"

/* One document that fills the text. False: it is for the YAML reader; `arena` may hold remains. */
bool json_read(struct arena *arena, const char *text, size_t size, struct yaml_file *ret);
