#include "base/jsonw.h"
#include <assert.h>
#include "base/str.h"

void jsonw_init(struct jsonw *w, struct buf *out)
{
	*w = (struct jsonw){ .out = out };
}

static void value_begin(struct jsonw *w)
{
	if (w->after_key)
		w->after_key = false;
	else if (w->depth && w->filled[w->depth - 1])
		buf_putc(w->out, ',');
	if (w->depth)
		w->filled[w->depth - 1] = true;
}

static void container_begin(struct jsonw *w, char open, char close)
{
	assert(w->depth < JSONW_DEPTH_MAX);
	value_begin(w);
	buf_putc(w->out, open);
	w->filled[w->depth] = false;
	w->close[w->depth++] = close;
}

void jsonw_object(struct jsonw *w)
{
	container_begin(w, '{', '}');
}

void jsonw_array(struct jsonw *w)
{
	container_begin(w, '[', ']');
}

void jsonw_end(struct jsonw *w)
{
	assert(w->depth);
	buf_putc(w->out, w->close[--w->depth]);
}

static void quoted(struct buf *out, const char *s)
{
	static const char hex[] = "0123456789abcdef";

	buf_putc(out, '"');
	for (const unsigned char *p = (const unsigned char *)s; *p;) {
		size_t n = utf8_length(p);
		if (n == 0) {
			buf_puts(out, "\xef\xbf\xbd");
			p++;
		} else if (*p == '"' || *p == '\\') {
			buf_putc(out, '\\');
			buf_putc(out, (char)*p++);
		} else if (*p == '\n' || *p == '\t' || *p == '\r') {
			buf_putc(out, '\\');
			buf_putc(out, *p == '\n' ? 'n' : *p == '\t' ? 't' : 'r');
			p++;
		} else if (*p < 0x20 || *p == 0x7f) {
			buf_puts(out, "\\u00");
			buf_putc(out, hex[*p >> 4]);
			buf_putc(out, hex[*p++ & 15]);
		} else {
			buf_append(out, p, n);
			p += n;
		}
	}
	buf_putc(out, '"');
}

void jsonw_key(struct jsonw *w, const char *key)
{
	assert(!w->after_key);
	value_begin(w);
	quoted(w->out, key);
	buf_putc(w->out, ':');
	w->after_key = true;
}

void jsonw_str(struct jsonw *w, const char *s)
{
	if (!s) {
		jsonw_null(w);
		return;
	}
	value_begin(w);
	quoted(w->out, s);
}

void jsonw_int(struct jsonw *w, int64_t v)
{
	value_begin(w);
	buf_printf(w->out, "%lld", (long long)v);
}

void jsonw_raw(struct jsonw *w, const char *json)
{
	value_begin(w);
	buf_puts(w->out, json);
}

void jsonw_bool(struct jsonw *w, bool v)
{
	jsonw_raw(w, v ? "true" : "false");
}

void jsonw_null(struct jsonw *w)
{
	jsonw_raw(w, "null");
}

void jsonw_member_str(struct jsonw *w, const char *key, const char *s)
{
	jsonw_key(w, key);
	jsonw_str(w, s);
}

void jsonw_member_int(struct jsonw *w, const char *key, int64_t v)
{
	jsonw_key(w, key);
	jsonw_int(w, v);
}

void jsonw_member_bool(struct jsonw *w, const char *key, bool v)
{
	jsonw_key(w, key);
	jsonw_bool(w, v);
}

void jsonw_member_strings(struct jsonw *w, const char *key, const char *const *items, size_t count)
{
	jsonw_key(w, key);
	jsonw_array(w);
	for (size_t i = 0; i < count; i++)
		jsonw_str(w, items[i]);
	jsonw_end(w);
}
