#include "base/str.h"
#include <errno.h>

const char *str_after(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && streq(s + n - m, suffix);
}

int str_int(const char *s, int64_t min, int64_t max, int64_t *ret)
{
	bool negative = *s == '-';
	int64_t v = 0;

	if (negative)
		s++;
	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		int digit = *s - '0';
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, negative ? -digit : digit, &v))
			return -ERANGE;
	}
	if (v < min || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

static const struct {
	const char *name;
	int64_t ns;
} duration_units[] = {
	/* Longest match first: "ms" before "m". Both code points of micro are legal in Go. */
	{ "ns", 1 },       { "us", 1000 },      { "\xc2\xb5s", 1000 },      { "\xce\xbcs", 1000 },
	{ "ms", 1000000 }, { "s", 1000000000 }, { "m", 60 * 1000000000LL }, { "h", 3600 * 1000000000LL },
};

static const char *duration_unit(const char *s, int64_t *ret_ns)
{
	for (size_t i = 0; i < ARRAY_SIZE(duration_units); i++) {
		const char *rest = str_after(s, duration_units[i].name);
		if (rest) {
			*ret_ns = duration_units[i].ns;
			return rest;
		}
	}
	return NULL;
}

/* One "12.5s": digits, an optional fraction, a unit. */
static int duration_part(const char **s, int64_t *total)
{
	const char *p = *s;
	int64_t whole = 0, fraction = 0, scale = 1, unit, part;
	bool digits = false;

	for (; *p >= '0' && *p <= '9'; p++, digits = true)
		if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, *p - '0', &whole))
			return -ERANGE;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++, digits = true)
			if (scale < 1000000000) { /* finer digits are below a nanosecond */
				fraction = fraction * 10 + (*p - '0');
				scale *= 10;
			}
	if (!digits)
		return -EINVAL;
	p = duration_unit(p, &unit);
	if (!p)
		return -EINVAL;
	if (__builtin_mul_overflow(whole, unit, &part) ||
	    __builtin_add_overflow(part, (int64_t)((__int128)fraction * unit / scale), &part) ||
	    __builtin_add_overflow(*total, part, total))
		return -ERANGE;
	*s = p;
	return 0;
}

int str_duration(const char *s, int64_t *ret_ns)
{
	bool negative = *s == '-';
	int64_t total = 0;

	if (*s == '-' || *s == '+')
		s++;
	if (streq(s, "0")) {
		*ret_ns = 0;
		return 0;
	}
	if (!*s)
		return -EINVAL;
	while (*s) {
		int r = duration_part(&s, &total);
		if (r < 0)
			return r;
	}
	*ret_ns = negative ? -total : total;
	return 0;
}

size_t utf8_length(const unsigned char *s)
{
	unsigned c = s[0], n, min;
	uint32_t v;

	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c < 0xe0)
		n = 2, min = 0x80, v = c & 0x1f;
	else if (c >= 0xe0 && c < 0xf0)
		n = 3, min = 0x800, v = c & 0x0f;
	else if (c >= 0xf0 && c < 0xf5)
		n = 4, min = 0x10000, v = c & 0x07;
	else
		return 0;
	for (unsigned i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (s[i] & 0x3f);
	}
	return v < min || v > 0x10ffff || (v >= 0xd800 && v < 0xe000) ? 0 : n;
}

void str_escape(struct buf *out, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	while (*p) {
		size_t n = utf8_length(p);
		bool control = *p < 0x20 || *p == 0x7f || (n == 2 && p[0] == 0xc2 && p[1] < 0xa0);
		if (n && !control) {
			buf_append(out, p, n);
			p += n;
		} else {
			buf_printf(out, "\\x%02x", *p++);
		}
	}
}

unsigned str_distance(const char *a, const char *b, unsigned max)
{
	enum { LIMIT = 64 };
	size_t n = strlen(a), m = strlen(b);
	unsigned row[LIMIT + 1];

	if (n > LIMIT || m > LIMIT || (n > m ? n - m : m - n) > max)
		return max + 1;
	for (size_t j = 0; j <= m; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned diagonal = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned change = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			row[j] = MIN(change, MIN(row[j], row[j - 1]) + 1);
		}
	}
	return MIN(row[m], max + 1);
}
