#include "manifest/decode_scalar.h"
#include <errno.h>
#include <stdio.h>
#include "base/str.h"

enum { SHOWN_MAX = 80 };

/* A type mismatch: what it must be, what it is, how to write it. */
static void mismatch(struct decoder *d, const struct node *n, const char *must, const char *hint)
{
	if (n->type == NODE_SCALAR && !d->secret)
		decoder_find(d, SEVERITY_ERROR, n, hint,
		             n->style == NODE_STRING ? "Invalid value: \"%.*s\": must be %s, and this is %s"
		                                     : "Invalid value: %.*s: must be %s, and this is %s",
		             SHOWN_MAX, n->text, must, node_type_name(n));
	else
		decoder_find(d, SEVERITY_ERROR, n, n->type == NODE_SCALAR ? hint : NULL,
		             "Invalid value: must be %s, and this is %s", must, node_type_name(n));
}

static bool resolve(struct decoder *d, const struct node *n, const char *must, struct scalar *ret)
{
	if (n->type != NODE_SCALAR) {
		mismatch(d, n, must, NULL);
		return false;
	}
	scalar_resolve(n, ret);
	return true;
}

static bool run_check(struct decoder *d, const struct field *f, const struct node *n, const struct value *v)
{
	struct finding found;

	if (!f->check || f->check(v, d->m->arena, &found))
		return true;
	decoder_find(d, found.severity, n, found.hint, "%s", found.text);
	return found.severity == SEVERITY_NOTICE;
}

static bool get_string(struct decoder *d, const struct node *n, const char **ret)
{
	struct scalar s;

	if (!resolve(d, n, "a string", &s))
		return false;
	if (s.type == SCALAR_NULL) {
		*ret = "";
		return true;
	}
	if (s.type != SCALAR_STRING) {
		char hint[SHOWN_MAX + 32];
		(void)snprintf(hint, sizeof(hint), "quote it: \"%.*s\"", SHOWN_MAX, n->text);
		mismatch(d, n, "a string", d->secret ? "put it into quotes" : hint);
		return false;
	}
	*ret = n->text;
	return true;
}

static bool unsupported(struct decoder *d, const struct node *n, const char *text, const char *choices)
{
	_cleanup_buf_ struct buf supported = BUF_NULL;

	for (const char *word = choices;; word++) {
		size_t len = strcspn(word, "|");
		buf_printf(&supported, "%s\"%.*s\"", word == choices ? "" : ", ", (int)len, word);
		word += len;
		if (!*word)
			break;
	}
	decoder_find(d, SEVERITY_ERROR, n, NULL, "Unsupported value: \"%.*s\": supported values: %s", SHOWN_MAX, text,
	             buf_str(&supported));
	return false;
}

static bool among(const char *choices, const char *text)
{
	size_t len = strlen(text);

	for (const char *word = choices;; word++) {
		size_t n = strcspn(word, "|");
		if (n == len && memcmp(word, text, n) == 0)
			return true;
		word += n;
		if (!*word)
			return false;
	}
}

void scalar_decode_string(struct decoder *d, const struct field *f, const struct node *n, const char **at)
{
	const char *text;

	if (!get_string(d, n, &text) || !run_check(d, f, n, &(struct value){ .text = text }))
		return;
	if (f->choices && !among(f->choices, text))
		(void)unsupported(d, n, text, f->choices);
	else
		*at = d->unbuilt_depth ? text : arena_strdup(d->arena, text);
}

static void decode_enum(struct decoder *d, const struct field *f, const struct node *n, int *at)
{
	_cleanup_buf_ struct buf choices = BUF_NULL;
	const char *text;

	if (!get_string(d, n, &text) || !run_check(d, f, n, &(struct value){ .text = text }))
		return;
	for (int i = 0; i < f->values->count; i++)
		if (streq(f->values->words[i], text)) {
			*at = i;
			return;
		}
	(void)unsupported(d, n, text, field_choices(f, &choices));
}

static bool get_bool(struct decoder *d, const struct node *n, bool *ret)
{
	struct scalar s;

	if (!resolve(d, n, "a boolean", &s))
		return false;
	if (s.type != SCALAR_BOOL) {
		mismatch(d, n, "a boolean",
		         s.type == SCALAR_STRING && n->style == NODE_STRING ? "true or false, without quotes" : "true or false");
		return false;
	}
	*ret = s.boolean;
	return true;
}

static bool get_int(struct decoder *d, const struct field *f, const struct node *n, int64_t *ret)
{
	struct scalar s;

	if (!resolve(d, n, "an integer", &s))
		return false;
	if (s.type != SCALAR_INT && !(s.type == SCALAR_FLOAT && s.whole)) {
		mismatch(d, n, "an integer", s.type == SCALAR_STRING && n->style == NODE_STRING ? "remove the quotes" : NULL);
		return false;
	}
	if ((f->type == FIELD_INT32 || f->type == FIELD_INT32S || f->type == FIELD_MODE || f->type == FIELD_INT_OR_STRING) &&
	    (s.integer < INT32_MIN || s.integer > INT32_MAX)) {
		decoder_find(d, SEVERITY_ERROR, n, NULL, "Invalid value: %lld: does not fit into 32 bits", (long long)s.integer);
		return false;
	}
	*ret = s.integer;
	return run_check(d, f, n, &(struct value){ .number = s.integer });
}

static void decode_quantity(struct decoder *d, const struct field *f, const struct node *n, struct quantity *at)
{
	const __int128 milli = 1000000, unit = 1000 * milli;
	struct scalar s;
	struct quantity q;
	char decimal[24];

	if (!resolve(d, n, "a quantity", &s))
		return;
	if (s.type == SCALAR_INT) { /* 0x10 is 16 by the time JSON sees it */
		(void)snprintf(decimal, sizeof(decimal), "%lld", (long long)s.integer);
		s.text = decimal;
	} else if (s.type != SCALAR_STRING && s.type != SCALAR_FLOAT) {
		mismatch(d, n, "a quantity", "a number with an optional suffix, as 500m or 64Mi");
		return;
	}
	int r = quantity_parse(s.text, &q);
	if (r < 0) {
		decoder_find(d, SEVERITY_ERROR, n, "a number and one of Ki Mi Gi Ti Pi Ei, m k M G T P E, without blanks",
		             "Invalid value: \"%.*s\": %s", SHOWN_MAX, s.text,
		             r == -ERANGE ? "a quantity out of range" : "not a quantity");
		return;
	}
	if (!run_check(d, f, n, &(struct value){ .quantity = &q }))
		return;
	/* A Pod's quantities are kept in thousandths; in whole units if they will be printed as Ki and the like, so that they read back. */
	const __int128 step = q.binary && q.nano >= 1024 * unit ? unit : milli;
	if (q.nano % step)
		q.nano += step - q.nano % step;
	/* Nor does it read back as binary what is printed without a suffix. */
	q.binary &= q.nano % (1024 * unit) == 0;
	*at = q;
}

static void decode_int_or_string(struct decoder *d, const struct field *f, const struct node *n, struct int_or_string *at)
{
	const char *text;
	int64_t number;
	struct scalar s;

	if (!resolve(d, n, "a number or a string", &s))
		return;
	if (s.type == SCALAR_STRING)
		*at = get_string(d, n, &text) && run_check(d, f, n, &(struct value){ .text = text })
		              ? (struct int_or_string){ 0, arena_strdup(d->arena, text) }
		              : (struct int_or_string){ 0 };
	else if (get_int(d, f, n, &number))
		*at = (struct int_or_string){ (int32_t)number, NULL };
}

void scalar_decode(struct decoder *d, const struct field *f, const struct node *n, void *at)
{
	union {
		const char *text;
		int word;
		struct quantity quantity;
		struct int_or_string int_or_string;
	} nowhere = { 0 };
	int64_t number;
	bool flag;

	if (f->type == FIELD_STRING)
		scalar_decode_string(d, f, n, at ? at : &nowhere.text);
	else if (f->type == FIELD_ENUM)
		decode_enum(d, f, n, at ? at : &nowhere.word);
	else if (f->type == FIELD_QUANTITY)
		decode_quantity(d, f, n, at ? at : &nowhere.quantity);
	else if (f->type == FIELD_INT_OR_STRING)
		decode_int_or_string(d, f, n, at ? at : &nowhere.int_or_string);
	else if (f->type == FIELD_BOOL || f->type == FIELD_TRISTATE) {
		if (!get_bool(d, n, &flag) || !at)
			return;
		if (f->type == FIELD_BOOL)
			*(bool *)at = flag;
		else
			*(enum tristate *)at = flag ? TRISTATE_TRUE : TRISTATE_FALSE;
	} else if (get_int(d, f, n, &number) && at) {
		if (f->type == FIELD_INT32)
			*(int32_t *)at = (int32_t)number;
		else if (f->type == FIELD_INT64 || f->type == FIELD_INT64S || f->type == FIELD_INT32S)
			*(int64_t *)at = number;
		else
			*(struct id *)at = (struct id){ .value = number, .set = true };
	}
}

void scalar_fallback(struct decoder *d, const struct field *f, void *at)
{
	bool text = f->type == FIELD_STRING || f->type == FIELD_ENUM;
	const struct node n = {
		.type = NODE_SCALAR, .style = text ? NODE_STRING : NODE_PLAIN, .text = f->fallback, .count = strlen(f->fallback)
	};

	scalar_decode(d, f, &n, at);
}
