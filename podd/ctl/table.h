/* Columns for people, as wide as their widest cell, three blanks apart: kubectl's layout. */
#pragma once
#include <stddef.h>
#include "base/buf.h"

enum { TABLE_COLUMNS_MAX = 16 };

struct table {
	char **cells; /* row by row */
	size_t cell_count, columns;
};

void table_init(struct table *t, size_t columns);
void table_cell(struct table *t, const char *text); /* the next one; control characters are escaped */
void table_print(const struct table *t);
void table_deinit(struct table *t);
