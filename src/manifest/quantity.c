/* resource.Quantity, exact to the nano:
 *
 *   quantity = ["+" | "-"] number suffix          no blanks anywhere
 *   number   = digits | digits "." | digits "." digits | "." digits
 *   suffix   = Ki Mi Gi Ti Pi Ei | n u m "" k M G T P E | ("e" | "E") ["+" | "-"] digits
 *
 * "E" alone is exa, before a digit or a sign it is an exponent. What is finer than a nano is rounded up, away from zero. */
#include <errno.h>
#include "base/str.h"
#include "manifest/manifest.h"

enum {
	NANO_DIGITS = 9,
	EXPONENT_MAX = 64, /* the work is bounded by it; Kubernetes truncates to 32 bits and computes whatever comes */
};

static const __int128 int128_max = (__int128)(~(unsigned __int128)0 >> 1);

static const struct {
	const char *text;
	int ten, two; /* powers */
} suffixes[] = {
	{ "Ki", 0, 10 }, { "Mi", 0, 20 }, { "Gi", 0, 30 }, { "Ti", 0, 40 }, { "Pi", 0, 50 }, { "Ei", 0, 60 },
	{ "n", -9, 0 },  { "u", -6, 0 },  { "m", -3, 0 },  { "", 0, 0 },    { "k", 3, 0 },   { "M", 6, 0 },
	{ "G", 9, 0 },   { "T", 12, 0 },  { "P", 15, 0 },  { "E", 18, 0 },
};

/* value = mantissa x 10^ten x 2^two, and a little more if `rest`. */
struct parts {
	__int128 mantissa;
	int ten, two;
	bool rest, exponent;
};

static void shorten(struct parts *p)
{
	p->rest |= p->mantissa % 10 != 0;
	p->mantissa /= 10;
	p->ten++;
}

static int parse_number(const char **s, struct parts *p)
{
	bool any = false, fraction = false;

	for (; (**s >= '0' && **s <= '9') || (**s == '.' && !fraction); (*s)++) {
		if (**s == '.') {
			fraction = true;
			continue;
		}
		int digit = **s - '0';
		any = true;
		if (p->mantissa > int128_max / 10 - 1) {
			if (!fraction)
				return -ERANGE;
			p->rest |= digit != 0; /* far below a nano */
			continue;
		}
		p->mantissa = p->mantissa * 10 + digit;
		p->ten -= fraction;
	}
	return any ? 0 : -EINVAL;
}

static int parse_suffix(const char *s, struct parts *p)
{
	int64_t e;

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (streq(s, suffixes[i].text)) {
			p->ten += suffixes[i].ten;
			p->two = suffixes[i].two;
			return 0;
		}
	if (*s != 'e' && *s != 'E')
		return -EINVAL;
	s += s[1] == '+' ? 2 : 1;
	if (s[-1] == '+' && *s == '-')
		return -EINVAL;
	int r = str_int(s, -EXPONENT_MAX, EXPONENT_MAX, &e);
	if (r < 0)
		return r;
	p->ten += (int)e;
	p->exponent = true;
	return 0;
}

static int to_nano(struct parts *p, __int128 *ret)
{
	__int128 v;

	while (__builtin_mul_overflow(p->mantissa, (__int128)1 << p->two, &v))
		shorten(p);
	p->mantissa = v;
	p->ten += NANO_DIGITS;
	while (p->ten < 0 && p->mantissa)
		shorten(p);
	for (; p->ten > 0 && p->mantissa; p->ten--)
		if (__builtin_mul_overflow(p->mantissa, 10, &p->mantissa))
			return -ERANGE;
	*ret = p->mantissa + p->rest;
	return 0;
}

int quantity_parse(const char *text, struct quantity *ret)
{
	static const __int128 binary_max = (__int128)INT64_MAX * 1000000000;
	struct parts p = { 0 };
	bool negative = *text == '-';
	__int128 nano = 0;

	if (*text == '-' || *text == '+')
		text++;
	int r = parse_number(&text, &p);
	if (r == 0)
		r = parse_suffix(text, &p);
	bool binary = p.two != 0;
	if (r == 0)
		r = to_nano(&p, &nano);
	if (r < 0)
		return r;
	if (binary && nano > binary_max) /* Kubernetes caps this family alone */
		nano = binary_max;
	*ret = (struct quantity){ .nano = negative ? -nano : nano, .set = true, .binary = binary, .exponent = p.exponent };
	return 0;
}

/* v / unit, away from zero. */
static __int128 divide_up(__int128 v, int64_t unit)
{
	__int128 d = v / unit;

	return v % unit == 0 ? d : v > 0 ? d + 1 : d - 1;
}

static int64_t clamp(__int128 v)
{
	return v > INT64_MAX ? INT64_MAX : v < INT64_MIN ? INT64_MIN : (int64_t)v;
}

int64_t quantity_value(const struct quantity *q)
{
	return clamp(divide_up(q->nano, 1000000000));
}

int64_t quantity_milli(const struct quantity *q)
{
	return clamp(divide_up(q->nano, 1000000));
}

static void print_int(struct buf *out, __int128 v)
{
	char text[48];
	size_t i = sizeof(text);
	bool negative = v < 0;

	do {
		int digit = (int)(v % 10);
		text[--i] = (char)('0' + (digit < 0 ? -digit : digit));
		v /= 10;
	} while (v);
	if (negative)
		text[--i] = '-';
	buf_append(out, text + i, sizeof(text) - i);
}

/* The largest suffix that leaves no fraction. */
void quantity_print(const struct quantity *q, struct buf *out)
{
	static const char *const decimal[] = { "n", "u", "m", "", "k", "M", "G", "T", "P", "E" };
	static const char *const binary[] = { "", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei" };
	static const __int128 kibi = (__int128)1024 * 1000000000;
	size_t i = 0;
	__int128 v = q->nano;

	if (q->binary && (v >= kibi || v <= -kibi)) { /* smaller ones would need a fraction: Kubernetes prints them as decimal */
		v = divide_up(v, 1000000000);
		for (; i + 1 < ARRAY_SIZE(binary) && v % 1024 == 0; i++)
			v /= 1024;
		print_int(out, v);
		buf_puts(out, binary[i]);
		return;
	}
	if (v == 0)
		i = 3;
	for (; v && i + 1 < ARRAY_SIZE(decimal) && v % 1000 == 0; i++)
		v /= 1000;
	print_int(out, v);
	if (!q->exponent)
		buf_puts(out, decimal[i]);
	else if (i != 3)
		buf_printf(out, "e%d", ((int)i - 3) * 3);
}
