#include "ctl/jsonpath.h"
#include "base/alloc.h"
#include "base/str.h"
#include "ctl/jsonpath_internal.h"

/* --- printing ------------------------------------------------------------------------------------------------------------------ */

static void print_value(struct buf *out, const json_t *v)
{
	if (json_is_string(v)) {
		buf_puts(out, json_string_value(v));
		return;
	}
	_cleanup_free_ char *text = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	buf_puts(out, text ? text : "");
}

static void print_set(struct reader *r, const struct set *s)
{
	for (size_t i = 0; r->out && i < s->count; i++) {
		if (i)
			buf_puts(r->out, r->separator);
		print_value(r->out, s->items[i]);
	}
}

/* --- templates --------------------------------------------------------------------------------------------------------------------- */

static int read_template(struct reader *r, const json_t *value, bool inside);

static int close_action(struct reader *r)
{
	jsonpath_skip_blanks(r);
	return jsonpath_take(r, "}") ? 0 : jsonpath_fail(r, *r->p ? "} is missing, or this does not belong here" : "} is missing");
}

/* "range" was read; r is left after its {end}. */
static int read_range(struct reader *r, const json_t *value)
{
	_cleanup_set_ struct set s = { 0 };
	struct buf *out = r->out;

	if (r->depth == JSONPATH_DEPTH_MAX)
		return jsonpath_fail(r, "more than %d ranges and filters inside each other", JSONPATH_DEPTH_MAX);
	jsonpath_skip_blanks(r);
	set_add(&s, value);
	int e = jsonpath_path(r, &s);
	if (e == 0)
		e = close_action(r);
	const char *body = r->p;
	r->depth++;
	if (!s.count && e == 0) { /* to its end, silently */
		r->out = NULL;
		e = read_template(r, NULL, true);
		r->out = out;
	}
	for (size_t i = 0; i < s.count && e == 0; i++) {
		r->p = body;
		e = read_template(r, s.items[i], true);
	}
	r->depth--;
	return e;
}

static bool take_word(struct reader *r, const char *word)
{
	const char *after = str_after(r->p, word);

	if (!after || !strchr(" \t}", *after) || !*after)
		return false;
	r->p = after;
	return true;
}

/* After "{". Literals and paths may follow each other. */
static int read_action(struct reader *r, const json_t *value)
{
	jsonpath_skip_blanks(r);
	if (take_word(r, "range"))
		return read_range(r, value);
	for (jsonpath_skip_blanks(r); *r->p && *r->p != '}'; jsonpath_skip_blanks(r)) {
		_cleanup_buf_ struct buf text = BUF_NULL;
		_cleanup_set_ struct set s = { 0 };
		int e;
		if (*r->p == '"' || *r->p == '\'') {
			e = jsonpath_quoted(r, &text);
			if (e == 0 && r->out)
				buf_append(r->out, buf_str(&text), text.len);
		} else {
			set_add(&s, value);
			e = jsonpath_path(r, &s);
			if (e == 0)
				print_set(r, &s);
		}
		if (e < 0)
			return e;
	}
	return close_action(r);
}

/* To the end of the text, or, inside a range, past its {end}. */
static int read_template(struct reader *r, const json_t *value, bool inside)
{
	int e = 0;

	while (*r->p && e == 0) {
		if (*r->p != '{') {
			if (r->out)
				buf_putc(r->out, *r->p);
			r->p++;
			continue;
		}
		const char *open = r->p++;
		jsonpath_skip_blanks(r);
		if (take_word(r, "end")) {
			if (inside)
				return close_action(r);
			r->p = open;
			return jsonpath_fail(r, "{end} without a {range}");
		}
		e = read_action(r, value);
	}
	return e == 0 && inside ? jsonpath_fail(r, "{end} is missing") : e;
}

static int evaluate(const char *template, bool path, const json_t *value, const char *separator, struct buf *out,
                    struct jsonpath_error *ret_error)
{
	struct jsonpath_error error = { 0 };
	int e = 0;

	for (int pass = 0; pass < 2 && e == 0; pass++) {
		struct reader r = {
			.text = template, .p = template, .separator = separator, .out = pass ? out : NULL, .error = &error
		};
		_cleanup_set_ struct set s = { 0 };
		if (!path) {
			e = read_template(&r, pass ? value : NULL, false);
			continue;
		}
		set_add(&s, pass ? value : NULL);
		e = jsonpath_path(&r, &s);
		if (e == 0 && *r.p)
			e = jsonpath_fail(&r, "the path ends here, but not the text");
		print_set(&r, &s);
	}
	if (e < 0)
		*ret_error = error;
	return e;
}

int jsonpath_print(const char *template, const json_t *value, struct buf *out, struct jsonpath_error *ret_error)
{
	return evaluate(template, !strchr(template, '{'), value, " ", out, ret_error);
}

int jsonpath_values(const char *path, const json_t *value, const char *separator, struct buf *out, struct jsonpath_error *ret_error)
{
	return evaluate(path, *path != '{', value, separator, out, ret_error);
}
