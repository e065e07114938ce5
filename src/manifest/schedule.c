/* The grammar of a CronJob's schedule:
 *
 *   schedule = minute hour day month weekday | "@yearly" "@annually" "@monthly" "@weekly" "@daily" "@midnight" "@hourly" | "@every" duration
 *   field    = item { "," item }
 *   item     = ( "*" | "?" | value | value "-" value ) [ "/" step ]
 *
 * Months and weekdays have names of three letters. */
#include <strings.h>
#include "base/str.h"
#include "manifest/workload.h"

struct span {
	int low, high;
	const char *names; /* of three letters each, from `low` on */
};

static const struct span spans[] = {
	{ 0, 59, NULL },
	{ 0, 23, NULL },
	{ 1, 31, NULL },
	{ 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec" },
	{ 0, 6, "sunmontuewedthufrisat" },
};

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

static bool take_item(const char **s, const struct span *span)
{
	int low, high, step;

	if (**s == '*' || **s == '?') {
		(*s)++;
	} else {
		if (!take_value(s, span, &low))
			return false;
		if (**s == '-') {
			(*s)++;
			if (!take_value(s, span, &high) || high < low)
				return false;
		}
	}
	if (**s != '/')
		return true;
	(*s)++;
	return take_number(s, &step) && step > 0;
}

static bool take_field(const char **s, const struct span *span)
{
	while (take_item(s, span)) {
		if (**s != ',')
			return true;
		(*s)++;
	}
	return false;
}

static bool is_word(const char *s)
{
	static const char *const words[] = { "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly" };
	const char *every = str_after(s, "@every ");
	int64_t ns;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (streq(s, words[i]))
			return true;
	return every && str_duration(every, &ns) == 0 && ns > 0;
}

bool schedule_is_valid(const char *text)
{
	if (*text == '@')
		return is_word(text);
	text += strspn(text, " ");
	for (size_t i = 0; i < ARRAY_SIZE(spans); i++) {
		if (!take_field(&text, &spans[i]))
			return false;
		size_t blanks = strspn(text, " ");
		if (*text && !blanks)
			return false;
		text += blanks;
	}
	return !*text;
}
