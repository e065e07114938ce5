/* The list of findings about one file: bounded, an error never lost to a notice, sorted by place at the end. */
#pragma once
#include <stdarg.h>
#include "base/cleanup.h"
#include "manifest/manifest.h"
#include "manifest/node.h"
#include "manifest/path.h"

/* `where` gives the place: a node, or NULL for the whole file. `path` and `hint` may be NULL. */
void diags_add(struct manifest *m, enum severity severity, const struct node *where, const struct path *path, const char *hint,
               const char *fmt, ...) _printf_(6, 7);
void diags_add_at(struct manifest *m, enum severity severity, unsigned line, unsigned column, const struct path *path,
                  const char *hint, const char *fmt, ...) _printf_(7, 8);
void diags_sort(struct manifest *m);

const char *severity_name(enum severity s); /* "error", "refused", "notice" */
