#include <stdarg.h>
#include <stdio.h>
#include "base/alloc.h"
#include "base/str.h"
#include "ctl/jsonpath_internal.h"

void set_deinit(struct set *s)
{
	free(s->items);
	*s = (struct set){ 0 };
}

void set_add(struct set *s, const json_t *v)
{
	if (v)
		*xgrow(s->items, s->count) = v;
}

int jsonpath_fail(struct reader *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(r->error->text, sizeof(r->error->text), fmt, ap);
	va_end(ap);
	r->error->at = (size_t)(r->p - r->text);
	return -EINVAL;
}

void jsonpath_skip_blanks(struct reader *r)
{
	while (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r')
		r->p++;
}

bool jsonpath_take(struct reader *r, const char *what)
{
	const char *after = str_after(r->p, what);

	if (after)
		r->p = after;
	return after != NULL;
}

static void set_replace(struct set *s, struct set *by)
{
	set_deinit(s);
	*s = *by;
	*by = (struct set){ 0 };
}

/* A literal in either quotes; \n, \t, \r and whatever else is escaped by itself. */
int jsonpath_quoted(struct reader *r, struct buf *out)
{
	char quote = *r->p++;

	for (; *r->p && *r->p != quote; r->p++) {
		if (*r->p != '\\' || !r->p[1]) {
			buf_putc(out, *r->p);
			continue;
		}
		r->p++;
		buf_putc(out, *r->p == 'n' ? '\n' : *r->p == 't' ? '\t' : *r->p == 'r' ? '\r' : *r->p);
	}
	if (!*r->p)
		return jsonpath_fail(r, "this text has no end: %c is missing", quote);
	r->p++;
	return 0;
}

/* --- steps of a path ------------------------------------------------------------------------------------------------------------- */

static void add_children(struct set *out, const json_t *v)
{
	const char *key;
	json_t *child;
	size_t i;

	json_array_foreach(v, i, child) {
		set_add(out, child);
	}
	json_object_foreach((json_t *)v, key, child) {
		set_add(out, child);
	}
}

static void step_children(struct set *s)
{
	struct set out = { 0 };

	for (size_t i = 0; i < s->count; i++)
		add_children(&out, s->items[i]);
	set_replace(s, &out);
}

/* Each value and all below it, as they stand in the document. */
static void step_recursive(struct set *s)
{
	struct set out = { 0 };
	_cleanup_set_ struct set stack = { 0 };

	for (size_t i = s->count; i-- > 0;)
		set_add(&stack, s->items[i]);
	while (stack.count) {
		const json_t *v = stack.items[--stack.count];
		_cleanup_set_ struct set children = { 0 };
		set_add(&out, v);
		add_children(&children, v);
		for (size_t i = children.count; i-- > 0;)
			set_add(&stack, children.items[i]);
	}
	set_replace(s, &out);
}

static void step_field(struct set *s, const char *key)
{
	struct set out = { 0 };

	for (size_t i = 0; i < s->count; i++)
		set_add(&out, json_object_get(s->items[i], key));
	set_replace(s, &out);
}

/* A key in quotes: that key, or else, as kubectl reads it, keys separated by dots. */
static const json_t *quoted_key(const json_t *v, const char *key)
{
	const json_t *found = json_object_get(v, key);
	const char *dot = strchr(key, '.');

	if (found || !dot)
		return found;
	_cleanup_free_ char *first = strndup(key, (size_t)(dot - key));
	return first ? quoted_key(json_object_get(v, first), dot + 1) : NULL;
}

static bool ends_key(char c)
{
	return !c || strchr(" \t\n\r.,[]$@{}()=!<>", c);
}

static int read_field(struct reader *r, struct set *s)
{
	_cleanup_buf_ struct buf key = BUF_NULL;

	if (jsonpath_take(r, "*")) {
		step_children(s);
		return 0;
	}
	while (!ends_key(*r->p)) {
		if (*r->p == '\\' && r->p[1])
			r->p++;
		buf_putc(&key, *r->p++);
	}
	if (!key.len)
		return jsonpath_fail(r, "a field's name is missing");
	step_field(s, buf_str(&key));
	return 0;
}

static int read_number(struct reader *r, long *ret)
{
	char *end;

	errno = 0;
	long n = strtol(r->p, &end, 10);
	if (end == r->p || errno || n > INT32_MAX || n < INT32_MIN)
		return jsonpath_fail(r, "an index is a whole number");
	r->p = end;
	*ret = n;
	return 0;
}

struct slice {
	long from, to, step;
	bool has_from, has_to, single;
};

static int take_slice(struct reader *r, const json_t *v, const struct slice *l, struct set *out)
{
	long n = (long)json_array_size(v), from = l->has_from ? l->from : 0, to = l->has_to ? l->to : n;

	if (!json_is_array(v))
		return jsonpath_fail(r, "an index needs an array");
	if (from < 0)
		from += n;
	if (l->single)
		to = from + 1;
	else if (to < 0)
		to += n;
	if (from == to)
		return 0;
	if (from < 0 || from >= n || to < 0 || to > n)
		return jsonpath_fail(r, "the array has %ld elements: no index %ld", n, from < 0 || from >= n ? from : to - 1);
	for (long i = from; i < to; i += l->step)
		set_add(out, json_array_get(v, (size_t)i));
	return 0;
}

/* N, A:B, A:B:C; each of them may be left out beside a colon. */
static int read_slice(struct reader *r, const struct set *s, struct set *out)
{
	struct slice l = { .step = 1, .single = true };
	const char *place = r->p;
	int e = 0;

	if (*r->p != ':') {
		e = read_number(r, &l.from);
		l.has_from = true;
	}
	if (e == 0 && jsonpath_take(r, ":")) {
		l.single = false;
		if (*r->p == '-' || (*r->p >= '0' && *r->p <= '9')) {
			e = read_number(r, &l.to);
			l.has_to = true;
		}
		if (e == 0 && jsonpath_take(r, ":") && *r->p != ']')
			e = read_number(r, &l.step);
	}
	if (e == 0 && l.step < 1)
		e = jsonpath_fail(r, "a step is at least 1");
	for (size_t i = 0; e == 0 && i < s->count; i++) {
		const char *after = r->p;
		r->p = place; /* of an error */
		e = take_slice(r, s->items[i], &l, out);
		r->p = e < 0 ? place : after;
	}
	return e;
}

static int read_filter(struct reader *r, struct set *s);

/* One or several, separated by commas: indices, slices, keys in quotes. */
static int read_union(struct reader *r, struct set *s)
{
	_cleanup_set_ struct set out = { 0 };

	do {
		_cleanup_buf_ struct buf key = BUF_NULL;
		int e = 0;
		jsonpath_skip_blanks(r);
		if (*r->p == '\'' || *r->p == '"') {
			e = jsonpath_quoted(r, &key);
			for (size_t i = 0; e == 0 && i < s->count; i++)
				set_add(&out, quoted_key(s->items[i], buf_str(&key)));
		} else {
			e = read_slice(r, s, &out);
		}
		if (e < 0)
			return e;
		jsonpath_skip_blanks(r);
	} while (jsonpath_take(r, ","));
	set_replace(s, &out);
	return 0;
}

static int read_bracket(struct reader *r, struct set *s)
{
	int e = 0;

	jsonpath_skip_blanks(r);
	if (jsonpath_take(r, "*"))
		step_children(s);
	else if (jsonpath_take(r, "?("))
		e = read_filter(r, s);
	else
		e = read_union(r, s);
	if (e < 0)
		return e;
	jsonpath_skip_blanks(r);
	return jsonpath_take(r, "]") ? 0 : jsonpath_fail(r, "] is missing");
}

int jsonpath_path(struct reader *r, struct set *s)
{
	int e = 0;

	if (*r->p == '$' || *r->p == '@') /* kubectl takes both for the value at hand */
		r->p++;
	else if (*r->p != '.' && *r->p != '[')
		return jsonpath_fail(r, "a path begins with . or [");
	while (e == 0) {
		if (jsonpath_take(r, "..")) {
			step_recursive(s);
			if (*r->p != '[')
				e = read_field(r, s);
		} else if (jsonpath_take(r, "[")) {
			e = read_bracket(r, s);
		} else if (*r->p == '.' && ends_key(r->p[1]) && r->p[1] != '[') {
			r->p++; /* "." alone is the value itself */
			if (*r->p && strchr(".$@", *r->p))
				e = jsonpath_fail(r, "a field's name is missing");
		} else if (jsonpath_take(r, ".")) {
			e = *r->p == '[' ? 0 : read_field(r, s);
		} else {
			break;
		}
	}
	return e;
}

/* --- filters --------------------------------------------------------------------------------------------------------------------- */

enum comparison {
	COMPARISON_NONE,
	COMPARISON_EQ,
	COMPARISON_NE,
	COMPARISON_LE,
	COMPARISON_GE,
	COMPARISON_LT,
	COMPARISON_GT,
	COMPARISON_MAX
};

/* In an order in which no one hides a longer one. */
static const char *const comparisons[] = { "", "==", "!=", "<=", ">=", "<", ">" };
_Static_assert(ARRAY_SIZE(comparisons) == COMPARISON_MAX, "a name for each comparison");

/* One side: a path from the element, or a literal, which *ret_made owns. */
static int read_operand(struct reader *r, const json_t *element, struct set *ret, json_t **ret_made)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	const char *place = r->p;
	json_error_t error;

	jsonpath_skip_blanks(r);
	if (*r->p == '@' || *r->p == '.' || *r->p == '$') {
		set_add(ret, element);
		return jsonpath_path(r, ret);
	}
	if (*r->p == '"' || *r->p == '\'') {
		int e = jsonpath_quoted(r, &text);
		if (e < 0)
			return e;
		*ret_made = json_string(buf_str(&text));
	} else {
		while (!ends_key(*r->p) || (*r->p == '.' && r->p > place))
			buf_putc(&text, *r->p++);
		*ret_made = json_loads(buf_str(&text), JSON_DECODE_ANY, &error);
	}
	if (!*ret_made)
		return jsonpath_fail(r, "compare with a text in quotes, a number, true, false or a path");
	set_add(ret, *ret_made);
	return 0;
}

static bool ordered(int order, enum comparison c)
{
	switch (c) {
	case COMPARISON_EQ:
		return order == 0;
	case COMPARISON_NE:
		return order != 0;
	case COMPARISON_LE:
		return order <= 0;
	case COMPARISON_GE:
		return order >= 0;
	case COMPARISON_LT:
		return order < 0;
	case COMPARISON_GT:
		return order > 0;
	case COMPARISON_NONE:
	case COMPARISON_MAX:
		break;
	}
	return true;
}

static bool compare(const json_t *a, enum comparison c, const json_t *b)
{
	double x = json_number_value(a), y = json_number_value(b);

	if (json_is_string(a) && json_is_string(b))
		return ordered(strcmp(json_string_value(a), json_string_value(b)), c);
	if (json_is_number(a) && json_is_number(b))
		return ordered((x > y) - (x < y), c);
	if (c == COMPARISON_EQ || c == COMPARISON_NE) /* of different kinds: never equal, and in no order */
		return json_equal(a, b) == (c == COMPARISON_EQ);
	return false;
}

/* Reads the inside of ?( ) for one element; NULL: only reads it. */
static int read_condition(struct reader *r, const json_t *element, bool *ret)
{
	_cleanup_set_ struct set left = { 0 }, right = { 0 };
	json_t *made_left = NULL, *made_right = NULL;
	enum comparison c = COMPARISON_NONE;

	int e = read_operand(r, element, &left, &made_left);
	jsonpath_skip_blanks(r);
	for (enum comparison i = COMPARISON_EQ; e == 0 && c == COMPARISON_NONE && i < COMPARISON_MAX; i++)
		if (jsonpath_take(r, comparisons[i]))
			c = i;
	if (e == 0 && c != COMPARISON_NONE)
		e = read_operand(r, element, &right, &made_right);
	jsonpath_skip_blanks(r);
	if (e == 0 && !jsonpath_take(r, ")"))
		e = jsonpath_fail(r, c == COMPARISON_NONE ? "== != < <= > >= or ) is missing" : ") is missing");
	if (e == 0 && (left.count > 1 || right.count > 1) && c != COMPARISON_NONE)
		e = jsonpath_fail(r, "a comparison is of one value with one");
	if (e == 0)
		*ret = left.count && (c == COMPARISON_NONE || (right.count && compare(left.items[0], c, right.items[0])));
	json_decref(made_left);
	json_decref(made_right);
	return e;
}

static int read_filter(struct reader *r, struct set *s)
{
	_cleanup_set_ struct set all = { 0 }, out = { 0 };
	const char *inside = r->p;
	bool yes;

	if (r->depth == JSONPATH_DEPTH_MAX)
		return jsonpath_fail(r, "more than %d ranges and filters inside each other", JSONPATH_DEPTH_MAX);
	for (size_t i = 0; i < s->count; i++)
		if (json_is_array(s->items[i]))
			add_children(&all, s->items[i]);
	r->depth++;
	int e = read_condition(r, NULL, &yes);
	for (size_t i = 0; e == 0 && i < all.count; i++) {
		r->p = inside;
		e = read_condition(r, all.items[i], &yes);
		if (e == 0 && yes)
			set_add(&out, all.items[i]);
	}
	r->depth--;
	set_replace(s, &out);
	return e;
}
