/* The grammar of a CronJob's schedule:
 *
 *   schedule = minute hour day month weekday | "@yearly" "@annually" "@monthly" "@weekly" "@daily" "@midnight" "@hourly" | "@every" duration
 *   field    = item { "," item }
 *   item     = ( "*" | "?" | value | value "-" value ) [ "/" step ]
 *
 * Months and weekdays have names of three letters. "5/15" is from 5 on to the end, and a "*" with a step is no "*" any more. */
#include "manifest/schedule.h"
#include <strings.h>
#include "base/clock.h"
#include "base/str.h"
#include "base/zone.h"

enum { DAY = 86400, HORIZON = 5 * 366 * DAY };

struct span {
	int low, high;
	const char *names; /* of three letters each, from `low` on */
};

enum { SPAN_MINUTE, SPAN_HOUR, SPAN_DAY, SPAN_MONTH, SPAN_WEEKDAY, SPAN_MAX };

static const struct span spans[] = {
	[SPAN_MINUTE] = { 0, 59, NULL },
	[SPAN_HOUR] = { 0, 23, NULL },
	[SPAN_DAY] = { 1, 31, NULL },
	[SPAN_MONTH] = { 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec" },
	[SPAN_WEEKDAY] = { 0, 6, "sunmontuewedthufrisat" },
};
_Static_assert(ARRAY_SIZE(spans) == SPAN_MAX, "each field");

static bool take_number(const char **s, int *ret)
{
	int v = 0, digits = 0;

	for (; **s >= '0' && **s <= '9' && digits < 4; (*s)++, digits++)
		v = v * 10 + (**s - '0');
	*ret = v;
	return digits > 0 && digits < 4;
}

static bool take_value(const char **s, const struct span *span, int *ret)
{
	for (int i = 0; span->names && span->names[i * 3]; i++)
		if (strncasecmp(*s, span->names + (size_t)i * 3, 3) == 0) {
			*s += 3;
			*ret = span->low + i;
			return true;
		}
	return take_number(s, ret) && *ret >= span->low && *ret <= span->high;
}

static bool take_item(const char **s, const struct span *span, uint64_t *bits, bool *any)
{
	bool star = **s == '*' || **s == '?', lone = false;
	int low = span->low, high = span->high, step = 1;

	if (star) {
		(*s)++;
	} else {
		if (!take_value(s, span, &low))
			return false;
		lone = **s != '-';
		high = low;
		if (!lone) {
			(*s)++;
			if (!take_value(s, span, &high) || high < low)
				return false;
		}
	}
	if (**s == '/') {
		(*s)++;
		if (!take_number(s, &step) || step == 0)
			return false;
		if (lone)
			high = span->high;
	}
	*any = *any || (star && step == 1);
	for (int v = low; v <= high; v += step)
		*bits |= UINT64_C(1) << v;
	return true;
}

static bool take_field(const char **s, const struct span *span, uint64_t *bits, bool *any)
{
	*bits = 0;
	*any = false;
	while (take_item(s, span, bits, any)) {
		if (**s != ',')
			return true;
		(*s)++;
	}
	return false;
}

static bool parse_fields(const char *text, struct schedule *ret)
{
	uint64_t bits[SPAN_MAX];
	bool any[SPAN_MAX];

	text += strspn(text, " ");
	for (size_t i = 0; i < SPAN_MAX; i++) {
		if (!take_field(&text, &spans[i], &bits[i], &any[i]))
			return false;
		size_t blanks = strspn(text, " ");
		if (*text && !blanks)
			return false;
		text += blanks;
	}
	*ret = (struct schedule){
		.minutes = bits[SPAN_MINUTE],
		.hours = (uint32_t)bits[SPAN_HOUR],
		.days = (uint32_t)bits[SPAN_DAY],
		.months = (uint32_t)bits[SPAN_MONTH],
		.weekdays = (uint32_t)bits[SPAN_WEEKDAY],
		.any_day = any[SPAN_DAY],
		.any_weekday = any[SPAN_WEEKDAY],
	};
	return !*text;
}

static bool parse_word(const char *s, struct schedule *ret)
{
	static const struct {
		const char *word, *fields;
	} words[] = {
		{ "@yearly", "0 0 1 1 *" }, { "@annually", "0 0 1 1 *" }, { "@monthly", "0 0 1 * *" }, { "@weekly", "0 0 * * 0" },
		{ "@daily", "0 0 * * *" },  { "@midnight", "0 0 * * *" }, { "@hourly", "0 * * * *" },
	};
	const char *every = str_after(s, "@every ");
	int64_t ns;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (streq(s, words[i].word))
			return parse_fields(words[i].fields, ret);
	if (!every || str_duration(every, &ns) < 0 || ns <= 0)
		return false;
	*ret = (struct schedule){ .every = MAX(ns / NS_PER_SEC, 1) };
	return true;
}

bool schedule_parse(const char *text, struct schedule *ret)
{
	return *text == '@' ? parse_word(text, ret) : parse_fields(text, ret);
}

static bool has(uint64_t bits, int n)
{
	return bits >> n & 1;
}

static bool is_day(const struct schedule *s, const struct civil *c)
{
	bool day = has(s->days, c->day), weekday = has(s->weekdays, c->weekday);

	if (!has(s->months, c->month))
		return false;
	return s->any_day || s->any_weekday ? day && weekday : day || weekday;
}

static int64_t next_multiple(int64_t t, int64_t of)
{
	int64_t r = t % of;

	return t - (r < 0 ? r + of : r) + of;
}

int64_t schedule_next(const struct schedule *s, const struct zone *z, int64_t after)
{
	if (s->every)
		return after + s->every;
	for (int64_t t = next_multiple(after, 60); t <= after + HORIZON;) {
		int64_t until, local = t + zone_offset(z, t, &until), to;
		struct civil c;
		civil_of(local, &c);
		if (c.second)
			to = next_multiple(local, 60);
		else if (!is_day(s, &c))
			to = next_multiple(local, DAY);
		else if (!has(s->hours, c.hour))
			to = next_multiple(local, 3600);
		else if (!has(s->minutes, c.minute))
			to = local + 60;
		else
			return t;
		t = MIN(t + (to - local), until); /* beyond that the clock reads otherwise */
	}
	return -1;
}
