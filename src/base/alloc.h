/* Allocation that does not fail. When memory is gone podd aborts and is started anew; the pods do not notice, since the
 * anchors own all that runs. A half-handled ENOMEM would be the greater danger. */
#pragma once
#include <stddef.h>

void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define xnew(type) ((type *)xcalloc(1, sizeof(type)))
#define xnew_array(type, n) ((type *)xcalloc((n), sizeof(type)))

/* Makes room for one more element at the end of a vector {ptr, count}; grows by doubling. Evaluates to the new, zeroed slot. */
#define xgrow(ptr, count)                                                \
	({                                                               \
		(ptr) = vec_reserve_one((ptr), (count), sizeof(*(ptr))); \
		&(ptr)[(count)++];                                       \
	})
void *vec_reserve_one(void *p, size_t count, size_t size);
