/* kubectl's JSONPath: templates of text and {actions}, printed for one JSON value.
 *
 *   {.a.b} {.a['b']} {['a','b']} {.a[0]} {.a[-1]} {.a[1:3]} {.a[::2]} {.a[0,2]} {.a[*]} {.*} {..name} {.a[?(@.b=="c")]}
 *   {range .items[*]}...{end}   the paths between are relative to the element; {@} is the element itself
 *   {"text\n"}                  a literal
 *
 * A template without braces is one path. What is not there prints nothing; an index beyond its array is an error. Several values are
 * separated by a blank; objects and arrays print as JSON. A dot in a key is written "\." or, here, simply inside quotes.
 *
 * There is no tree: a template is evaluated while it is read, the inside of a range once for each element. It is first read once
 * without data, so a mistake shows whatever the data are. */
#pragma once
#include <jansson.h>
#include "base/buf.h"

enum { JSONPATH_DEPTH_MAX = 16 }; /* ranges and filters inside each other */

struct jsonpath_error {
	size_t at; /* offset in the template */
	char text[160];
};

/* Adds what the template prints to `out`. -EINVAL: ret_error says what is wrong, and where; `out` then has what came before. */
int jsonpath_print(const char *template, const json_t *value, struct buf *out, struct jsonpath_error *ret_error);
/* The values of one path, ".a.b" or "{.a.b}", separated by `separator`. */
int jsonpath_values(const char *path, const json_t *value, const char *separator, struct buf *out,
                    struct jsonpath_error *ret_error);
