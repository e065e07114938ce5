#include "ctl/yamlout.h"
#include <strings.h>
#include "base/str.h"

static void indent(struct buf *out, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		buf_puts(out, "  ");
}

/* Words that YAML 1.1 reads as booleans or null. */
static bool is_keyword(const char *s)
{
	static const char *const words[] = { "true", "false", "yes", "no", "on", "off", "y", "n", "null", "~", ".nan", ".inf" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasecmp(words[i], s) == 0)
			return true;
	return false;
}

/* "-x" or "--long-name": nothing but a string, and common in commands. */
static bool is_option(const char *s)
{
	s += strspn(s, "-") <= 2 ? strspn(s, "-") : 0;
	if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z')))
		return false;
	for (; *s; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || strchr("0123456789-_=/.", *s)))
			return false;
	return true;
}

/* Plain only if nothing but letters, digits and harmless marks, and not a number, a date or a keyword. */
static bool is_plain(const char *s)
{
	bool letter = false;

	if (!*s || is_keyword(s))
		return false;
	/* "1e3", "0x1f", "1:30" (sixty-based), "1_000", "2001-01-01", ".5", "-x": whatever begins like a number is quoted */
	if (strchr("0123456789.-+", *s))
		return (s[0] == '.' && s[1] == '/') || (s[0] == '-' && is_option(s));
	for (const char *p = s; *p; p++) {
		if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || strchr("/_", *p))
			letter = true;
		else if ((*p == ':' || *p == '#') && (p[1] == ' ' || !p[1] || p[-(p > s)] == ' '))
			return false;
		else if (!strchr("0123456789.-+:=@ ,;()#$", *p) || (*p == ' ' && (p == s || !p[1])))
			return false;
	}
	return letter && !strchr("@=,#", *s);
}

/* A literal block can hold text that starts with a letter, say, and has nothing that an editor would not show. */
static bool is_block(const char *s)
{
	if (!strchr(s, '\n') || strchr(" \t\n", *s))
		return false;
	for (const unsigned char *p = (const unsigned char *)s; *p;) {
		size_t n = utf8_length(p);
		/* A byte-order mark, the C1 range and the two Unicode line ends are control characters to YAML. */
		if (!n || (*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f || (n == 2 && p[0] == 0xc2 && p[1] < 0xa0) ||
		    (n == 3 &&
		     (memcmp(p, "\xe2\x80\xa8", 3) == 0 || memcmp(p, "\xe2\x80\xa9", 3) == 0 || memcmp(p, "\xef\xbb\xbf", 3) == 0)))
			return false;
		p += n;
	}
	return true;
}

static void block(const char *s, unsigned depth, struct buf *out)
{
	size_t n = strlen(s), ends = 0;

	while (ends < n && s[n - 1 - ends] == '\n')
		ends++;
	buf_puts(out, ends == 0 ? "|-\n" : ends == 1 ? "|\n" : "|+\n");
	while (*s) {
		size_t line = strcspn(s, "\n");
		if (line) {
			indent(out, depth);
			buf_append(out, s, line);
		}
		buf_putc(out, '\n');
		s += line + (s[line] == '\n');
	}
}

/* Double quotes take JSON's escapes. */
static void quoted(const char *s, struct buf *out)
{
	json_t *v = json_string(s);
	char *text = v ? json_dumps(v, JSON_ENCODE_ANY) : NULL;

	for (const char *p = text ? text : "\"\""; *p; p++) {
		if ((unsigned char)*p == 0x7f) /* the only control character that jansson leaves as it is */
			buf_puts(out, "\\x7f");
		else if ((unsigned char)*p == 0xc2 && (unsigned char)p[1] < 0xa0)
			buf_printf(out, "\\x%02x", (unsigned char)*++p);
		else
			buf_putc(out, *p);
	}
	free(text);
	json_decref(v);
}

static void string(const char *s, unsigned depth, struct buf *out)
{
	if (is_block(s)) {
		block(s, depth, out);
		return;
	}
	if (is_plain(s))
		buf_puts(out, s);
	else
		quoted(s, out);
	buf_putc(out, '\n');
}

static void key(const char *s, struct buf *out)
{
	if (is_plain(s) && !strchr(s, ' '))
		buf_puts(out, s);
	else
		quoted(s, out);
	buf_putc(out, ':');
}

static void value_out(const json_t *v, unsigned depth, bool in_array, struct buf *out);

static void object_out(const json_t *v, unsigned depth, bool in_array, struct buf *out)
{
	bool first = in_array; /* the first key stands behind "- " */
	const char *name;
	json_t *item;

	json_object_foreach((json_t *)v, name, item) {
		if (!first)
			indent(out, depth);
		first = false;
		key(name, out);
		/* A sequence stands at the indent of its key, as kubectl prints it. */
		if (json_is_array(item) && json_array_size(item)) {
			buf_putc(out, '\n');
			value_out(item, depth, false, out);
		} else if (json_is_object(item) && json_object_size(item)) {
			buf_putc(out, '\n');
			value_out(item, depth + 1, false, out);
		} else {
			buf_putc(out, ' ');
			value_out(item, depth + 1, false, out);
		}
	}
}

static void array_out(const json_t *v, unsigned depth, bool in_array, struct buf *out)
{
	size_t i;
	json_t *item;

	json_array_foreach(v, i, item) {
		if (i || !in_array)
			indent(out, depth);
		buf_puts(out, "- ");
		value_out(item, depth + 1, true, out);
	}
}

/* A value; a scalar and an empty collection end their line. `in_array`: the line has begun, with "- ". */
static void value_out(const json_t *v, unsigned depth, bool in_array, struct buf *out)
{
	char number[32];

	switch (json_typeof(v)) {
	case JSON_OBJECT:
		if (json_object_size(v))
			object_out(v, depth, in_array, out);
		else
			buf_puts(out, "{}\n");
		return;
	case JSON_ARRAY:
		if (json_array_size(v))
			array_out(v, depth, in_array, out);
		else
			buf_puts(out, "[]\n");
		return;
	case JSON_STRING:
		string(json_string_value(v), depth, out);
		return;
	case JSON_INTEGER:
		buf_printf(out, "%lld\n", (long long)json_integer_value(v));
		return;
	case JSON_REAL:
		(void)snprintf(number, sizeof(number), "%.17g", json_real_value(v));
		buf_printf(out, "%s\n", number);
		return;
	case JSON_TRUE:
		buf_puts(out, "true\n");
		return;
	case JSON_FALSE:
		buf_puts(out, "false\n");
		return;
	case JSON_NULL:
		buf_puts(out, "null\n");
		return;
	}
}

void yamlout(const json_t *value, struct buf *out)
{
	value_out(value, 0, false, out);
}
