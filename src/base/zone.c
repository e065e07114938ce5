#include "base/zone.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "base/cleanup.h"

enum { HEADER_SIZE = 44, TYPE_SIZE = 6, DAY = 86400 };

/* When one half of the year begins, as TZ of POSIX has it. */
struct rule {
	char kind; /* 'M': month, week, weekday; 'J': day of the year from 1, without leap days; 'n': from 0, with them */
	int month, week, day;
	int32_t time; /* seconds of that day, by the clock as it was before */
};

struct zone {
	int64_t *times;
	int32_t *offsets; /* from times[i] on */
	size_t count;
	int32_t first; /* before all of them */
	bool ruled, halves;
	int32_t standard, summer;
	struct rule begin, end; /* of summer */
};

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be64(const unsigned char *p)
{
	return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

/* --- days -------------------------------------------------------------------------------------------------------------------------- */

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from the epoch to the first day of a month; years begin in March here, so that leap days are the last. */
static int64_t days_to(int64_t year, int month)
{
	int64_t y = month <= 2 ? year - 1 : year, era = floor_div(y, 400), of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void civil_of(int64_t t, struct civil *ret)
{
	int64_t days = floor_div(t, DAY), seconds = t - days * DAY;
	int64_t z = days + 719468, era = floor_div(z, 146097), d = z - era * 146097;
	int64_t y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
	int64_t of_year = d - (365 * y + y / 4 - y / 100), m = (5 * of_year + 2) / 153;

	ret->month = (int)(m < 10 ? m + 3 : m - 9);
	ret->year = y + era * 400 + (ret->month <= 2);
	ret->day = (int)(of_year - (153 * m + 2) / 5 + 1);
	ret->weekday = (int)(((days + 4) % 7 + 7) % 7); /* the epoch was a Thursday */
	ret->hour = (int)(seconds / 3600);
	ret->minute = (int)(seconds / 60 % 60);
	ret->second = (int)(seconds % 60);
}

/* --- the footer ---------------------------------------------------------------------------------------------------------------------- */

static bool take_number(const char **s, int max, int *ret)
{
	int v = 0, digits = 0;

	for (; **s >= '0' && **s <= '9' && digits < 4; (*s)++, digits++)
		v = v * 10 + (**s - '0');
	*ret = v;
	return digits > 0 && v <= max;
}

/* "[+-]h[h][:mm[:ss]]" */
static bool take_time(const char **s, int32_t *ret)
{
	int sign = **s == '-' ? -1 : 1, part[3] = { 0 };

	*s += **s == '-' || **s == '+';
	if (!take_number(s, 167, &part[0]))
		return false;
	for (int i = 1; i < 3 && **s == ':'; i++) {
		(*s)++;
		if (!take_number(s, 59, &part[i]))
			return false;
	}
	*ret = sign * (part[0] * 3600 + part[1] * 60 + part[2]);
	return true;
}

static bool take_name(const char **s)
{
	const char *from = *s;

	if (**s == '<') {
		*s += strcspn(*s, ">");
		if (**s == '\0')
			return false;
		(*s)++;
		return true;
	}
	while ((**s >= 'a' && **s <= 'z') || (**s >= 'A' && **s <= 'Z'))
		(*s)++;
	return *s - from >= 3;
}

static bool take_rule(const char **s, struct rule *r)
{
	*r = (struct rule){ .time = 7200 };
	if (**s != ',')
		return false;
	(*s)++;
	r->kind = **s == 'M' || **s == 'J' ? **s : 'n';
	*s += r->kind != 'n';
	if (r->kind == 'M') {
		if (!take_number(s, 12, &r->month) || r->month == 0 || *(*s)++ != '.' || !take_number(s, 5, &r->week) ||
		    r->week == 0 || *(*s)++ != '.' || !take_number(s, 6, &r->day))
			return false;
	} else if (!take_number(s, 365, &r->day)) {
		return false;
	}
	if (**s != '/')
		return true;
	(*s)++;
	return take_time(s, &r->time);
}

/* "CET-1CEST,M3.5.0,M10.5.0/3": offsets are west of UTC. */
static bool read_footer(struct zone *z, const char *s)
{
	int32_t west;

	if (!take_name(&s) || !take_time(&s, &west))
		return false;
	z->standard = z->summer = -west;
	z->ruled = true;
	if (!*s)
		return true;
	z->halves = true;
	if (!take_name(&s))
		return false;
	z->summer = z->standard + 3600;
	if (*s != ',') {
		if (!take_time(&s, &west))
			return false;
		z->summer = -west;
	}
	return take_rule(&s, &z->begin) && take_rule(&s, &z->end) && !*s;
}

static int64_t rule_day(const struct rule *r, int64_t year)
{
	if (r->kind == 'J')
		return days_to(year, 1) + r->day - 1 + (is_leap(year) && r->day >= 60);
	if (r->kind == 'n')
		return days_to(year, 1) + r->day;
	int64_t first = days_to(year, r->month), weekday = ((first + 4) % 7 + 7) % 7;
	int64_t day = first + (r->day - weekday + 7) % 7 + (r->week - 1) * 7;
	int64_t next = r->month == 12 ? days_to(year + 1, 1) : days_to(year, r->month + 1);
	return day < next ? day : day - 7; /* the fifth is the last */
}

static int32_t by_rule(const struct zone *z, int64_t t, int64_t *ret_until)
{
	int64_t last = INT64_MIN;
	int32_t offset = z->standard;
	struct civil c;

	*ret_until = INT64_MAX;
	if (!z->halves)
		return offset;
	civil_of(t + z->standard, &c);
	for (int64_t year = c.year - 1; year <= c.year + 1; year++)
		for (int half = 0; half < 2; half++) {
			const struct rule *r = half ? &z->end : &z->begin;
			int64_t at = rule_day(r, year) * DAY + r->time - (half ? z->summer : z->standard);
			if (at <= t && at >= last) {
				last = at;
				offset = half ? z->standard : z->summer;
			} else if (at > t && at < *ret_until) {
				*ret_until = at;
			}
		}
	return offset;
}

/* --- the file ------------------------------------------------------------------------------------------------------------------------ */

struct block {
	uint32_t isut, isstd, leap, times, types, chars;
};

static bool read_header(const unsigned char *p, size_t size, struct block *ret)
{
	if (size < HEADER_SIZE || memcmp(p, "TZif", 4) != 0)
		return false;
	*ret = (struct block){ be32(p + 20), be32(p + 24), be32(p + 28), be32(p + 32), be32(p + 36), be32(p + 40) };
	return ret->isut < 1 << 16 && ret->isstd < 1 << 16 && ret->leap < 1 << 16 && ret->times < 1 << 16 && ret->types > 0 &&
	       ret->types < 256 && ret->chars < 1 << 16;
}

static size_t block_size(const struct block *b, size_t time_size)
{
	return b->times * (time_size + 1) + b->types * TYPE_SIZE + b->chars + b->leap * (time_size + 4) + b->isstd + b->isut;
}

static bool read_times(struct zone *z, const unsigned char *p, const struct block *b)
{
	const unsigned char *index = p + b->times * 8, *types = index + b->times;

	z->times = xnew_array(int64_t, b->times + 1);
	z->offsets = xnew_array(int32_t, b->times + 1);
	z->first = (int32_t)be32(types);
	for (size_t i = 0; i < b->times; i++) {
		if (index[i] >= b->types || (i && be64(p + i * 8) <= z->times[i - 1]))
			return false;
		z->times[i] = be64(p + i * 8);
		z->offsets[i] = (int32_t)be32(types + index[i] * TYPE_SIZE);
		z->count++;
	}
	return true;
}

/* The second block has 64 bits a time; files of the first version alone are of another age. */
static bool read_zone(struct zone *z, const unsigned char *p, size_t size)
{
	struct block first, b;

	if (!read_header(p, size, &first) || p[4] < '2')
		return false;
	size_t skip = HEADER_SIZE + block_size(&first, 4);
	if (skip > size || !read_header(p + skip, size - skip, &b))
		return false;
	p += skip + HEADER_SIZE;
	size -= skip + HEADER_SIZE;
	size_t length = block_size(&b, 8);
	if (length >= size || !read_times(z, p, &b) || p[length] != '\n')
		return false;
	const unsigned char *footer = p + length + 1, *end = memchr(footer, '\n', size - length - 1);
	if (!end)
		return false;
	_cleanup_free_ char *text = xstrndup((const char *)footer, (size_t)(end - footer));
	return !*text || read_footer(z, text);
}

struct zone *zone_new(const void *data, size_t size)
{
	struct zone *z = xnew(struct zone);

	return read_zone(z, data, size) ? z : zone_free(z);
}

struct zone *zone_free(struct zone *z)
{
	if (!z)
		return NULL;
	free(z->times);
	free(z->offsets);
	free(z);
	return NULL;
}

int32_t zone_offset(const struct zone *z, int64_t t, int64_t *ret_until)
{
	size_t n = 0;

	*ret_until = INT64_MAX;
	if (!z)
		return 0;
	for (size_t above = z->count; n < above;) { /* how many are not after t */
		size_t middle = n + (above - n) / 2;
		if (z->times[middle] <= t)
			n = middle + 1;
		else
			above = middle;
	}
	if (n == z->count && z->ruled)
		return by_rule(z, t, ret_until);
	if (n < z->count)
		*ret_until = z->times[n];
	return n ? z->offsets[n - 1] : z->first;
}
