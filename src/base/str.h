/* Strings: comparison, strict number parsing, safe printing. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "base/buf.h"

static inline bool streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* Equality that takes NULL: two NULLs are equal, NULL differs from "". */
static inline bool streq0(const char *a, const char *b)
{
	return a == b || (a && b && streq(a, b));
}

/* What follows the prefix, or NULL if s does not start with it. */
const char *str_after(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);

/* Whole string, decimal, in range; 0 or -EINVAL, -ERANGE. No sign but '-', no blanks. */
int str_int(const char *s, int64_t min, int64_t max, int64_t *ret);

/* Go's time.ParseDuration ("1h2m3.5s", "100ms"); nanoseconds. 0, -EINVAL or -ERANGE. */
int str_duration(const char *s, int64_t *ret_ns);

/* Length of the valid UTF-8 sequence that starts at s (1 to 4), or 0. s is NUL-terminated. */
size_t utf8_length(const unsigned char *s);

/* Appends s with control characters (C0, DEL, C1, invalid UTF-8) shown as \xNN, so that text from a manifest can't drive a terminal. */
void str_escape(struct buf *out, const char *s);

/* Levenshtein distance, at most `max` + 1: for "did you mean". */
unsigned str_distance(const char *a, const char *b, unsigned max);
