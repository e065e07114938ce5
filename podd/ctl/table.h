/* Columns for people, as wide as their widest cell, three blanks apart: kubectl's layout. */
#pragma once
#include <stddef.h>
#include "base/buf.h"

enum { TABLE_COLUMNS_MAX = 16 };

struct table {
	char **cells; /* row by row */
	size_t cell_count, columns;
	size_t widths[TABLE_COLUMNS_MAX];
};

void table_init(struct table *t, size_t columns);
void table_cell(struct table *t, const char *text); /* the next one; control characters are escaped */
void table_print(struct table *t); /* the rows that are there, which then are no longer; widths stay for those that follow */
void table_deinit(struct table *t);
