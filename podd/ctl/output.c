#include "ctl/output.h"
#include <stdio.h>
#include "base/alloc.h"
#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/jsonpath.h"
#include "ctl/table.h"

static const char *const names[] = { "", "wide", "json", "yaml", "name", "jsonpath=", "custom-columns=" };
_Static_assert(ARRAY_SIZE(names) == OUTPUT_MAX, "a name for each kind");

static int bad_template(int code, const char *template, const struct jsonpath_error *e)
{
	return ctl_fail(code, "jsonpath %s: column %zu: %s", template, e->at + 1, e->text);
}

/* "NAME:.path": the name's length, or 0. */
static size_t column_name(const char *column)
{
	size_t n = strcspn(column, ":,");

	return column[n] == ':' ? n : 0;
}

/* The next column, cut off at its comma; NULL after the last one. */
static char *next_column(const char **text)
{
	size_t n = strcspn(*text, ",");

	if (!**text)
		return NULL;
	char *column = xasprintf("%.*s", (int)n, *text);
	*text += n + ((*text)[n] == ',');
	return column;
}

static int check_columns(const char *text)
{
	size_t count = 0;

	for (char *c; (c = next_column(&text)); free(c), count++) {
		_cleanup_buf_ struct buf out = BUF_NULL;
		struct jsonpath_error error;
		size_t n = column_name(c);
		int code = CTL_YES;
		if (!n || count == TABLE_COLUMNS_MAX)
			code = ctl_fail(CTL_USAGE, "custom-columns are at most %d of NAME:.path, not \"%s\"", TABLE_COLUMNS_MAX, c);
		else if (jsonpath_values(c + n + 1, NULL, ",", &out, &error) < 0)
			code = bad_template(CTL_USAGE, c + n + 1, &error);
		if (code != CTL_YES) {
			free(c);
			return code;
		}
	}
	return count ? CTL_YES : ctl_fail(CTL_USAGE, "custom-columns=NAME:.path,... needs a column");
}

static enum output_kind find_kind(const char *text, const char **ret_argument)
{
	for (enum output_kind k = OUTPUT_WIDE; k < OUTPUT_MAX; k++) {
		const char *rest = str_after(text, names[k]);
		if (!rest || (*rest && k < OUTPUT_JSONPATH))
			continue;
		*ret_argument = rest;
		return k;
	}
	return OUTPUT_MAX;
}

int output_parse(const struct args *a, struct output *ret)
{
	_cleanup_buf_ struct buf out = BUF_NULL;
	struct output o = { .kind = OUTPUT_TABLE };
	struct jsonpath_error error;
	int code = CTL_YES;

	if (a->output)
		o.kind = find_kind(a->output, &o.argument);
	if (o.kind == OUTPUT_MAX)
		return ctl_fail(CTL_USAGE, "-o is wide, json, yaml, name, jsonpath=TEMPLATE or custom-columns=NAME:.path,...");
	if (o.kind == OUTPUT_JSONPATH && jsonpath_print(o.argument, NULL, &out, &error) < 0)
		return bad_template(CTL_USAGE, o.argument, &error);
	if (o.kind == OUTPUT_COLUMNS)
		code = check_columns(o.argument);
	if (code == CTL_YES)
		*ret = o;
	return code;
}

/* The objects of a list, or the one that is there. */
static size_t item_count(const json_t *value)
{
	return json_at(value, "items") ? json_array_size(json_at(value, "items")) : 1;
}

static const json_t *item_at(const json_t *value, size_t i)
{
	return json_at(value, "items") ? json_array_get(json_at(value, "items"), i) : value;
}

static int print_template(const char *template, const json_t *value)
{
	_cleanup_buf_ struct buf out = BUF_NULL;
	struct jsonpath_error error;
	int r = jsonpath_print(template, value, &out, &error);

	ctl_print(buf_str(&out));
	return r < 0 ? bad_template(CTL_NO, template, &error) : CTL_YES;
}

static void print_columns(const char *columns, const json_t *value)
{
	struct table t;
	size_t count = 0;
	const char *text = columns;

	for (char *c; (c = next_column(&text)); free(c))
		count++;
	table_init(&t, count);
	for (size_t row = 0; row <= item_count(value); row++) {
		text = columns;
		for (char *c; (c = next_column(&text)); free(c)) {
			_cleanup_buf_ struct buf out = BUF_NULL;
			struct jsonpath_error error;
			size_t n = column_name(c);
			if (!row)
				buf_append(&out, c, n);
			else if (jsonpath_values(c + n + 1, item_at(value, row - 1), ",", &out, &error) < 0 || !out.len)
				buf_puts(&out, "<none>");
			table_cell(&t, buf_str(&out));
		}
	}
	table_print(&t);
	table_deinit(&t);
}

int output_print(const struct output *o, const json_t *value, const char *name)
{
	switch (o->kind) {
	case OUTPUT_JSON:
		return ctl_output_json(value);
	case OUTPUT_YAML:
		return ctl_output_yaml(value);
	case OUTPUT_NAME:
		for (size_t i = 0; i < item_count(value); i++)
			(void)printf("%s/%s\n", name, json_text(item_at(value, i), "metadata.name"));
		return CTL_YES;
	case OUTPUT_JSONPATH:
		return print_template(o->argument, value);
	case OUTPUT_COLUMNS:
		print_columns(o->argument, value);
		return CTL_YES;
	case OUTPUT_TABLE:
	case OUTPUT_WIDE:
	case OUTPUT_MAX:
		break;
	}
	return CTL_YES;
}
