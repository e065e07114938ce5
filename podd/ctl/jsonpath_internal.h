/* Between the two halves of the evaluator: jsonpath.c has templates, jsonpath_path.c has paths and filters. */
#pragma once
#include "ctl/jsonpath.h"

/* Values on the way through a path; borrowed from the document. */
struct set {
	const json_t **items;
	size_t count;
};

struct reader {
	const char *text, *p; /* the template, and where we are */
	unsigned depth;
	const char *separator;
	struct buf *out; /* NULL: nothing is printed */
	struct jsonpath_error *error;
};

void set_deinit(struct set *s);
void set_add(struct set *s, const json_t *v); /* NULL adds nothing */
#define _cleanup_set_ _cleanup_(set_deinit)

_printf_(2, 3) int jsonpath_fail(struct reader *r, const char *fmt, ...); /* -EINVAL, with the place */
void jsonpath_skip_blanks(struct reader *r);
bool jsonpath_take(struct reader *r, const char *what);
int jsonpath_quoted(struct reader *r, struct buf *out);
/* From where `s` is; ends before what is no step. */
int jsonpath_path(struct reader *r, struct set *s);
