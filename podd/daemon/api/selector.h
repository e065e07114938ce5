/* Kubernetes' selectors, of labels and of fields: terms joined by ',' that all must hold.
 *   a=b  a==b  a!=b  a  !a  a in (x,y)  a notin (x,y)
 * `!=` and `notin` also hold where the key is absent, as in Kubernetes. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"

enum { SELECTOR_TERMS_MAX = 64, SELECTOR_VALUES_MAX = 64 };

enum selector_operator { SELECTOR_IN, SELECTOR_NOT_IN, SELECTOR_EXISTS, SELECTOR_ABSENT };

struct selector_term {
	enum selector_operator operator;
	const char *key;
	const char *values[SELECTOR_VALUES_MAX]; /* `=` and `!=` have one */
	size_t value_count;
};

struct selector {
	struct arena *arena;
	struct selector_term *terms;
	size_t count;
};

#define SELECTOR_NULL ((struct selector){ 0 })

/* NULL or "" select everything. -EINVAL: not a selector; -E2BIG: beyond the limits above. */
int selector_parse(const char *text, struct selector *ret);
void selector_deinit(struct selector *s);

/* `lookup` gives the value of a key, or NULL where there is none. */
bool selector_matches(const struct selector *s, const char *(*lookup)(const char *key, const void *arg), const void *arg);

/* The first key that is not among `names`, or NULL: for selectors of fields. */
const char *selector_unknown(const struct selector *s, const char *const *names, size_t count);

static inline void cleanup_selector(struct selector *s)
{
	selector_deinit(s);
}
#define _cleanup_selector_ _cleanup_(cleanup_selector)
