#include "ctl/table.h"
#include <stdio.h>
#include <stdlib.h>
#include "base/alloc.h"
#include "base/str.h"

void table_init(struct table *t, size_t columns)
{
	*t = (struct table){ .columns = MIN(columns, (size_t)TABLE_COLUMNS_MAX) };
}

void table_cell(struct table *t, const char *text)
{
	_cleanup_buf_ struct buf safe = BUF_NULL;

	str_escape(&safe, text);
	*xgrow(t->cells, t->cell_count) = buf_take(&safe);
}

/* Characters, not bytes: good enough for a terminal without East Asian width. */
static size_t width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* Whether the row has something to the right of cell i: no blanks are left at the end of a line. */
static bool more_in_row(const struct table *t, size_t i)
{
	for (i++; i % t->columns; i++)
		if (*t->cells[i])
			return true;
	return false;
}

static void clear(struct table *t)
{
	for (size_t i = 0; i < t->cell_count; i++)
		free(t->cells[i]);
	free(t->cells);
	t->cells = NULL;
	t->cell_count = 0;
}

void table_print(struct table *t)
{
	for (size_t i = 0; i < t->cell_count; i++)
		t->widths[i % t->columns] = MAX(t->widths[i % t->columns], width(t->cells[i]));
	for (size_t i = 0; i < t->cell_count; i++) {
		size_t column = i % t->columns;
		(void)fputs(t->cells[i], stdout);
		if (column + 1 == t->columns)
			(void)putchar('\n');
		else if (more_in_row(t, i))
			(void)printf("%*s", (int)(t->widths[column] - width(t->cells[i]) + 3), "");
	}
	clear(t);
}

void table_deinit(struct table *t)
{
	clear(t);
	*t = (struct table){ 0 };
}
