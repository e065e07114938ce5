#include "daemon/api/selector.h"
#include "base/str.h"

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

/* A key or a value: up to a character that means something. */
static const char *parse_word(struct selector *s, const char *p, const char **ret)
{
	size_t n = strcspn(p, " \t=!,()");

	*ret = arena_strndup(s->arena, p, n);
	return p + n;
}

static int add_value(struct selector_term *t, const char *value)
{
	if (t->value_count == SELECTOR_VALUES_MAX)
		return -E2BIG;
	t->values[t->value_count++] = value;
	return 0;
}

/* "(x, y)" */
static int parse_set(struct selector *s, const char **pp, struct selector_term *t)
{
	const char *p = skip_blanks(*pp), *value;

	if (*p != '(')
		return -EINVAL;
	do {
		p = skip_blanks(parse_word(s, skip_blanks(p + 1), &value));
		int r = add_value(t, value);
		if (r < 0)
			return r;
	} while (*p == ',');
	if (*p != ')')
		return -EINVAL;
	*pp = p + 1;
	return 0;
}

/* What follows the key. */
static int parse_condition(struct selector *s, const char **pp, struct selector_term *t)
{
	const char *p = skip_blanks(*pp), *rest, *value;

	if ((rest = str_after(p, "!=")) || (rest = str_after(p, "==")) || (rest = str_after(p, "="))) {
		t->operator= * p == '!' ? SELECTOR_NOT_IN : SELECTOR_IN;
		*pp = parse_word(s, skip_blanks(rest), &value);
		return add_value(t, value);
	}
	if ((rest = str_after(p, "notin")) || (rest = str_after(p, "in"))) {
		t->operator= * p == 'n' ? SELECTOR_NOT_IN : SELECTOR_IN;
		*pp = rest;
		return parse_set(s, pp, t);
	}
	t->operator= SELECTOR_EXISTS;
	*pp = p;
	return 0;
}

static int parse_term(struct selector *s, const char **pp, struct selector_term *t)
{
	const char *p = skip_blanks(*pp);
	bool absent = *p == '!';

	p = parse_word(s, skip_blanks(absent ? p + 1 : p), &t->key);
	if (!*t->key)
		return -EINVAL;
	*pp = p;
	if (absent) {
		t->operator= SELECTOR_ABSENT;
		return 0;
	}
	return parse_condition(s, pp, t);
}

int selector_parse(const char *text, struct selector *ret)
{
	const char *p = skip_blanks(text ? text : "");
	size_t most = 1; /* of terms: a watcher keeps its selectors, and most have a term or two */
	int r = 0;

	if (!*p) {
		*ret = SELECTOR_NULL;
		return 0;
	}
	for (const char *comma = p; most < SELECTOR_TERMS_MAX && (comma = strchr(comma, ',')); comma++)
		most++;
	struct selector s = { .arena = arena_new() };
	s.terms = arena_new_array(s.arena, struct selector_term, most);
	while (*p) {
		if (s.count == SELECTOR_TERMS_MAX) {
			r = -E2BIG;
			break;
		}
		r = parse_term(&s, &p, &s.terms[s.count++]);
		if (r < 0)
			break;
		p = skip_blanks(p);
		if (*p && *p != ',') {
			r = -EINVAL;
			break;
		}
		p = *p ? p + 1 : p;
	}
	if (r < 0) {
		selector_deinit(&s);
		return r;
	}
	*ret = s;
	return 0;
}

void selector_deinit(struct selector *s)
{
	s->arena = arena_free(s->arena);
	*s = SELECTOR_NULL;
}

static bool among(const struct selector_term *t, const char *value)
{
	for (size_t i = 0; i < t->value_count; i++)
		if (value && streq(t->values[i], value))
			return true;
	return false;
}

static bool term_holds(const struct selector_term *t, const char *value)
{
	switch (t->operator) {
	case SELECTOR_IN:
		return among(t, value);
	case SELECTOR_NOT_IN:
		return !among(t, value);
	case SELECTOR_EXISTS:
		return value;
	case SELECTOR_ABSENT:
		return !value;
	}
	return false;
}

bool selector_matches(const struct selector *s, const char *(*lookup)(const char *key, const void *arg), const void *arg)
{
	for (size_t i = 0; i < s->count; i++)
		if (!term_holds(&s->terms[i], lookup(s->terms[i].key, arg)))
			return false;
	return true;
}

const char *selector_unknown(const struct selector *s, const char *const *names, size_t count)
{
	for (size_t i = 0; i < s->count; i++) {
		size_t j = 0;
		while (j < count && !streq(names[j], s->terms[i].key))
			j++;
		if (j == count)
			return s->terms[i].key;
	}
	return NULL;
}
