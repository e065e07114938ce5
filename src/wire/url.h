/* The target of an HTTP request: a path of segments and a query of pairs, percent-decoded. What podctl builds, podd takes apart.
 * A segment is cut before it is decoded, so %2F is part of a name and never a separator. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"

enum { URL_SEGMENTS_MAX = 16, URL_PARAMS_MAX = 512 };

struct url_param {
	const char *name, *value;
};

struct url {
	char *text; /* what all the others point into */
	const char *segments[URL_SEGMENTS_MAX];
	size_t segment_count;
	struct url_param *params; /* in their order: `command` may be there several times */
	size_t param_count;
};

#define URL_NULL ((struct url){ 0 })

/* -EINVAL: not an absolute path, a broken escape or a zero byte. -E2BIG: beyond the limits above. */
int url_parse(const char *target, struct url *ret);
void url_deinit(struct url *u);

const char *url_param(const struct url *u, const char *name); /* the first of this name, or NULL */

/* Kubernetes' rule for query booleans: absent, "0" and "false" (any case) are false, all else is true, the empty string too. */
bool url_bool(const struct url *u, const char *name);

/* Appends s with all but the unreserved characters of RFC 3986 escaped. */
void url_escape(struct buf *out, const char *s);
/* Appends "?name=value", or "&name=value" when out has a '?' already. */
void url_add(struct buf *out, const char *name, const char *value);

static inline void cleanup_url(struct url *u)
{
	url_deinit(u);
}
#define _cleanup_url_ _cleanup_(cleanup_url)
