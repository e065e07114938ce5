/* A small streaming JSON writer: commas and escapes are its business, the shape is the caller's. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"

enum { JSONW_DEPTH_MAX = 64 };

struct jsonw {
	struct buf *out;
	unsigned depth;
	bool filled[JSONW_DEPTH_MAX]; /* something was written at this depth: a comma is due */
	char close[JSONW_DEPTH_MAX];
	bool after_key;
};

void jsonw_init(struct jsonw *w, struct buf *out);
void jsonw_object(struct jsonw *w);
void jsonw_array(struct jsonw *w);
void jsonw_end(struct jsonw *w); /* closes the innermost object or array */
void jsonw_key(struct jsonw *w, const char *key);
void jsonw_str(struct jsonw *w, const char *s); /* NULL writes null; bytes that are not UTF-8 become U+FFFD */
void jsonw_int(struct jsonw *w, int64_t v);
void jsonw_bool(struct jsonw *w, bool v);
void jsonw_null(struct jsonw *w);
void jsonw_raw(struct jsonw *w, const char *json); /* a value that is JSON already */

void jsonw_member_str(struct jsonw *w, const char *key, const char *s);
void jsonw_member_int(struct jsonw *w, const char *key, int64_t v);
void jsonw_member_bool(struct jsonw *w, const char *key, bool v);
void jsonw_member_strings(struct jsonw *w, const char *key, const char *const *items, size_t count);
