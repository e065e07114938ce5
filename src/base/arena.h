/* A bump allocator: everything that belongs to one document is allocated here and released at once. Memory is zeroed. */
#pragma once
#include <stddef.h>
#include "base/cleanup.h"

struct arena;

struct arena *arena_new(void);
struct arena *arena_free(struct arena *a); /* takes NULL, returns NULL */
void *arena_alloc(struct arena *a, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) _printf_(2, 3);

#define arena_new_array(a, type, n) ((type *)arena_alloc((a), (n) * sizeof(type)))

static inline void cleanup_arena(struct arena **a)
{
	*a = arena_free(*a);
}
#define _cleanup_arena_ _cleanup_(cleanup_arena)
