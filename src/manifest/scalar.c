/* Untagged scalars, as sigs.k8s.io/yaml resolves them: YAML 1.1, since that is what kubectl and the kubelet do. `yes` and `on`
 * are booleans, 0755 is octal, 1_000 is a number; 12:30:45 and 2001-01-01 are strings. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include "base/str.h"
#include "manifest/node.h"

static const char *const words_null[] = { "", "~", "null", "Null", "NULL" };
static const char *const words_true[] = { "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON" };
static const char *const words_false[] = { "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF" };
static const char *const words_unreal[] = { ".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",  ".INF",
	                                    "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF" };

static bool among(const char *s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (streq(s, words[i]))
			return true;
	return false;
}

/* Go's ParseInt with base 0: a sign, then 0x, 0o, 0b or a leading 0 for octal. 0, -EINVAL, -ERANGE. */
static int parse_int(const char *s, int64_t *ret)
{
	bool negative = *s == '-';
	int64_t base = 10, v = 0;

	if (*s == '-' || *s == '+')
		s++;
	if (s[0] == '0' && s[1]) {
		int c = s[1] | 0x20;
		base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
		s += c == 'x' || c == 'b' || c == 'o' ? 2 : 1;
	}
	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		int c = *s | 0x20;
		int64_t digit = *s >= '0' && *s <= '9' ? *s - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
		if (digit >= base)
			return -EINVAL;
		if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, negative ? -digit : digit, &v))
			return -ERANGE;
	}
	*ret = v;
	return 0;
}

/* [-+]? ( .digits | digits[.digits?] ) ( [eE] [-+]? digits )? */
static bool looks_float(const char *s)
{
	size_t whole, fraction = 0;

	if (*s == '-' || *s == '+')
		s++;
	whole = strspn(s, "0123456789");
	s += whole;
	if (*s == '.') {
		fraction = strspn(s + 1, "0123456789");
		s += 1 + fraction;
	}
	if (!whole && !fraction)
		return false;
	if (*s == 'e' || *s == 'E') {
		s++;
		if (*s == '-' || *s == '+')
			s++;
		size_t n = strspn(s, "0123456789");
		if (!n)
			return false;
		s += n;
	}
	return !*s;
}

static bool parse_float(const char *s, struct scalar *ret)
{
	if (!looks_float(s))
		return false;
	double d = strtod(s, NULL);
	if (isinf(d)) /* out of a float's range: Go leaves it a string */
		return false;
	ret->type = SCALAR_FLOAT;
	ret->whole = d > -9e15 && d < 9e15 && d == (double)(int64_t)d; /* exact in a double */
	if (ret->whole)
		ret->integer = (int64_t)d;
	return true;
}

static bool parse_number(const char *s, struct scalar *ret)
{
	if (!strchr("+-.0123456789", s[0]))
		return false;
	if (s[0] != '.' && parse_int(s, &ret->integer) == 0) {
		ret->type = SCALAR_INT;
		return true;
	}
	return parse_float(s, ret);
}

/* The text without '_', in ret->buffer; false if it is too long for any number. */
static bool strip_underscores(const char *s, struct scalar *ret)
{
	size_t n = 0;

	for (; *s; s++) {
		if (*s == '_')
			continue;
		if (n + 1 >= sizeof(ret->buffer))
			return false;
		ret->buffer[n++] = *s;
	}
	ret->buffer[n] = '\0';
	return n > 0;
}

static void resolve_plain(const char *s, struct scalar *ret)
{
	if (among(s, words_null, ARRAY_SIZE(words_null))) {
		ret->type = SCALAR_NULL;
	} else if (among(s, words_true, ARRAY_SIZE(words_true))) {
		ret->type = SCALAR_BOOL;
		ret->boolean = true;
	} else if (among(s, words_false, ARRAY_SIZE(words_false))) {
		ret->type = SCALAR_BOOL;
	} else if (among(s, words_unreal, ARRAY_SIZE(words_unreal))) {
		ret->type = SCALAR_BAD; /* JSON, which the API speaks, has neither */
	} else if (s[0] != '_' && strip_underscores(s, ret) && parse_number(ret->buffer, ret)) {
		ret->text = ret->buffer;
	}
}

void scalar_resolve(const struct node *n, struct scalar *ret)
{
	static const enum scalar_type wanted[] = {
		[NODE_PLAIN] = SCALAR_TYPE_MAX,  [NODE_STRING] = SCALAR_STRING, [NODE_TAG_INT] = SCALAR_INT,
		[NODE_TAG_FLOAT] = SCALAR_FLOAT, [NODE_TAG_BOOL] = SCALAR_BOOL, [NODE_TAG_NULL] = SCALAR_NULL,
	};
	_Static_assert(ARRAY_SIZE(wanted) == NODE_STYLE_MAX, "a type for each style");

	*ret = (struct scalar){ .type = SCALAR_STRING, .text = n->text };
	if (n->style == NODE_STRING)
		return;
	resolve_plain(n->text, ret);
	if (n->style == NODE_PLAIN || wanted[n->style] == ret->type)
		return;
	if (n->style == NODE_TAG_FLOAT && ret->type == SCALAR_INT) {
		ret->type = SCALAR_FLOAT;
		ret->whole = true;
	} else {
		ret->type = SCALAR_BAD;
	}
}

const char *scalar_type_name(enum scalar_type t)
{
	static const char *const names[] = {
		[SCALAR_NULL] = "null",      [SCALAR_BOOL] = "a boolean",  [SCALAR_INT] = "a number",
		[SCALAR_FLOAT] = "a number", [SCALAR_STRING] = "a string", [SCALAR_BAD] = "no value that JSON has",
	};
	_Static_assert(ARRAY_SIZE(names) == SCALAR_TYPE_MAX, "a name for each type");
	return names[t];
}

const char *node_type_name(const struct node *n)
{
	struct scalar s;

	switch (n->type) {
	case NODE_SEQUENCE:
		return "a list";
	case NODE_MAPPING:
		return "a mapping";
	case NODE_SCALAR:
	case NODE_TYPE_MAX:
		break;
	}
	scalar_resolve(n, &s);
	return scalar_type_name(s.type);
}

bool node_is_null(const struct node *n)
{
	struct scalar s;

	if (n->type != NODE_SCALAR)
		return false;
	scalar_resolve(n, &s);
	return s.type == SCALAR_NULL;
}

const struct node *node_get(const struct node *n, const char *key)
{
	if (n->type == NODE_MAPPING)
		for (size_t i = 0; i < n->count; i++)
			if (streq(n->pairs[i].key->text, key))
				return n->pairs[i].value;
	return NULL;
}
