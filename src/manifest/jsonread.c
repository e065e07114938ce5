#include "manifest/jsonread.h"
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "base/str.h"

struct reader {
	struct arena *arena;
	const char *p, *end;
	const char *line_start;
	unsigned line, depth;
	size_t nodes;
};

static struct node *read_value(struct reader *r);

static void skip_blanks(struct reader *r)
{
	for (; r->p < r->end && strchr(" \t\r\n", *r->p) && *r->p; r->p++)
		if (*r->p == '\n') {
			r->line++;
			r->line_start = r->p + 1;
		}
}

/* The next character that counts, consumed if it is c. */
static bool take(struct reader *r, char c)
{
	skip_blanks(r);
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

static struct node *node_make(struct reader *r, enum node_type type, const char *start)
{
	if (++r->nodes > YAML_NODES_MAX)
		return NULL;
	struct node *n = arena_alloc(r->arena, sizeof(*n));
	n->type = type;
	n->line = r->line;
	n->column = (unsigned)(start - r->line_start) + 1;
	return n;
}

static int read_hex4(struct reader *r)
{
	int v = 0;

	if (r->end - r->p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = *r->p++;
		int digit = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
		if (digit < 0)
			return -1;
		v = v << 4 | digit;
	}
	return v;
}

static void put_utf8(struct buf *out, int c)
{
	if (c < 0x80) {
		buf_putc(out, (char)c);
		return;
	}
	if (c < 0x800) {
		buf_putc(out, (char)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			buf_putc(out, (char)(0xe0 | c >> 12));
		} else {
			buf_putc(out, (char)(0xf0 | c >> 18));
			buf_putc(out, (char)(0x80 | (c >> 12 & 0x3f)));
		}
		buf_putc(out, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	buf_putc(out, (char)(0x80 | (c & 0x3f)));
}

/* After \u: one code unit, or a pair of surrogates. NUL and half a pair are refused. */
static bool read_unicode(struct reader *r, struct buf *out)
{
	int c = read_hex4(r);

	if (c <= 0 || (c >= 0xdc00 && c < 0xe000))
		return false;
	if (c >= 0xd800 && c < 0xdc00) {
		if (r->end - r->p < 2 || r->p[0] != '\\' || r->p[1] != 'u')
			return false;
		r->p += 2;
		int low = read_hex4(r);
		if (low < 0xdc00 || low >= 0xe000)
			return false;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	put_utf8(out, c);
	return true;
}

static bool read_escape(struct reader *r, struct buf *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";

	if (r->p == r->end)
		return false;
	char c = *r->p++;
	if (c == 'u')
		return read_unicode(r, out);
	const char *at = c ? strchr(from, c) : NULL;
	if (at)
		buf_putc(out, to[at - from]);
	return at;
}

/* utf8_length() stops at a NUL; the text need not end in one. */
static size_t char_length(const struct reader *r)
{
	unsigned char c[5] = { 0 };

	memcpy(c, r->p, (size_t)MIN(r->end - r->p, 4));
	return utf8_length(c);
}

/* After the opening quote. */
static bool read_chars(struct reader *r, struct buf *out)
{
	while (r->p < r->end && *r->p != '"') {
		size_t n = char_length(r);
		if (n == 0 || (unsigned char)*r->p < 0x20)
			return false;
		if (*r->p == '\\') {
			r->p++;
			if (!read_escape(r, out))
				return false;
			continue;
		}
		buf_append(out, r->p, n);
		r->p += n;
	}
	return r->p++ < r->end;
}

static struct node *read_string(struct reader *r)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	struct node *n = node_make(r, NODE_SCALAR, r->p);

	r->p++;
	if (!n || !read_chars(r, &text))
		return NULL;
	n->style = NODE_STRING;
	n->text = arena_strndup(r->arena, buf_str(&text), text.len);
	n->count = text.len;
	return n;
}

static bool is_number(const char *s)
{
	s += *s == '-';
	if (*s == '0')
		s++;
	else if (!strspn(s, "123456789"))
		return false;
	else
		s += strspn(s, "0123456789");
	if (*s == '.') {
		size_t n = strspn(++s, "0123456789");
		if (!n)
			return false;
		s += n;
	}
	if (*s == 'e' || *s == 'E') {
		s++;
		s += *s == '-' || *s == '+';
		size_t n = strspn(s, "0123456789");
		if (!n)
			return false;
		s += n;
	}
	return !*s;
}

static struct node *read_word(struct reader *r)
{
	struct node *n = node_make(r, NODE_SCALAR, r->p);
	const char *start = r->p;

	while (r->p < r->end && *r->p && !strchr(" \t\r\n,]}:\"[{", *r->p))
		r->p++;
	if (!n)
		return NULL;
	n->text = arena_strndup(r->arena, start, (size_t)(r->p - start));
	n->count = (size_t)(r->p - start);
	if (!streq(n->text, "true") && !streq(n->text, "false") && !streq(n->text, "null") && !is_number(n->text))
		return NULL;
	return n;
}

static struct node *read_array(struct reader *r)
{
	struct node *n = node_make(r, NODE_SEQUENCE, r->p);
	_cleanup_free_ struct node **items = NULL;
	size_t count = 0;

	r->p++;
	for (bool first = true; n && !take(r, ']'); first = false) {
		if (!first && !take(r, ','))
			return NULL;
		struct node *item = read_value(r);
		if (!item)
			return NULL;
		*xgrow(items, count) = item;
	}
	if (!n)
		return NULL;
	n->count = count;
	n->items = arena_new_array(r->arena, struct node *, count);
	if (count)
		memcpy(n->items, items, count * sizeof(*items));
	return n;
}

static int by_key(const void *a, const void *b)
{
	const struct node_pair *p = a, *q = b;

	return strcmp(p->key->text, q->key->text);
}

static bool has_duplicates(const struct node_pair *pairs, size_t count)
{
	_cleanup_free_ struct node_pair *sorted = xcalloc(count, sizeof(*sorted));

	if (count < 2)
		return false;
	memcpy(sorted, pairs, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), by_key);
	for (size_t i = 1; i < count; i++)
		if (streq(sorted[i].key->text, sorted[i - 1].key->text))
			return true;
	return false;
}

static struct node *read_object(struct reader *r)
{
	struct node *n = node_make(r, NODE_MAPPING, r->p);
	_cleanup_free_ struct node_pair *pairs = NULL;
	size_t count = 0;

	r->p++;
	for (bool first = true; n && !take(r, '}'); first = false) {
		if (!first && !take(r, ','))
			return NULL;
		skip_blanks(r);
		struct node *key = r->p < r->end && *r->p == '"' ? read_string(r) : NULL;
		struct node *value = key && take(r, ':') ? read_value(r) : NULL;
		if (!value || count == YAML_KEYS_MAX)
			return NULL;
		*xgrow(pairs, count) = (struct node_pair){ key, value };
	}
	if (!n || has_duplicates(pairs, count))
		return NULL;
	n->count = count;
	n->pairs = arena_new_array(r->arena, struct node_pair, count);
	if (count)
		memcpy(n->pairs, pairs, count * sizeof(*pairs));
	return n;
}

static struct node *read_value(struct reader *r)
{
	struct node *n;

	skip_blanks(r);
	if (r->p == r->end || r->depth == YAML_DEPTH_MAX)
		return NULL;
	r->depth++;
	n = *r->p == '{' ? read_object(r) : *r->p == '[' ? read_array(r) : *r->p == '"' ? read_string(r) : read_word(r);
	r->depth--;
	return n;
}

bool json_read(struct arena *arena, const char *text, size_t size, struct yaml_file *ret)
{
	struct reader r = { .arena = arena, .p = text, .end = text + size, .line_start = text, .line = 1 };

	skip_blanks(&r);
	if (r.p == r.end || *r.p != '{')
		return false;
	unsigned line = r.line;
	struct node *root = read_value(&r);
	skip_blanks(&r);
	if (!root || r.p != r.end)
		return false;
	ret->documents = arena_new_array(arena, struct yaml_document, 1);
	ret->documents[0] = (struct yaml_document){ .root = root, .line = line };
	ret->count = 1;
	return true;
}
