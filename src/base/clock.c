#include "base/clock.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/str.h"

static int64_t clock_read(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts); /* cannot fail for these clocks */
	return (int64_t)ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

int64_t clock_boot(void)
{
	return clock_read(CLOCK_BOOTTIME);
}

int64_t clock_wall(void)
{
	return clock_read(CLOCK_REALTIME);
}

void clock_text(int64_t wall, char ret[static CLOCK_TEXT_SIZE])
{
	time_t t = (time_t)(wall / NS_PER_SEC);
	struct tm tm;

	(void)gmtime_r(&t, &tm);
	(void)strftime(ret, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

void clock_text_ns(int64_t wall, char ret[static CLOCK_TEXT_NS_SIZE])
{
	clock_text(wall, ret);
	(void)snprintf(ret + CLOCK_TEXT_SIZE - 2, CLOCK_TEXT_NS_SIZE - CLOCK_TEXT_SIZE + 2, ".%09uZ",
	               (unsigned)(wall % NS_PER_SEC));
}

/* "Z" or "+02:00", to the text's end. */
static int parse_offset(const char *text, int64_t *ret_seconds)
{
	unsigned hours, minutes;
	char sign, end;

	if (streq(text, "Z")) {
		*ret_seconds = 0;
		return 0;
	}
	if (strlen(text) != 6 || sscanf(text, "%c%2u:%2u%c", &sign, &hours, &minutes, &end) != 3)
		return -EINVAL;
	if ((sign != '+' && sign != '-') || hours > 23 || minutes > 59)
		return -EINVAL;
	*ret_seconds = (sign == '+' ? 1 : -1) * (int64_t)(hours * 60 + minutes) * 60;
	return 0;
}

int clock_parse(const char *text, int64_t *ret_wall)
{
	int64_t ns = 0, unit = NS_PER_SEC, offset;
	struct tm tm = { 0 };

	const char *p = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!p)
		return -EINVAL;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++) {
			unit /= 10;
			ns += (*p - '0') * unit;
		}
	if (parse_offset(p, &offset) < 0)
		return -EINVAL;
	int64_t seconds = timegm(&tm) - offset;
	if (seconds < 0 || seconds >= INT64_MAX / NS_PER_SEC)
		return -EINVAL;
	*ret_wall = seconds * NS_PER_SEC + ns;
	return 0;
}

void clock_age(int64_t ns, char ret[static CLOCK_AGE_SIZE])
{
	long s = ns > 0 ? (long)(ns / NS_PER_SEC) : 0;

	if (s < 120)
		(void)snprintf(ret, CLOCK_AGE_SIZE, "%lds", s);
	else if (s < 600 && s % 60)
		(void)snprintf(ret, CLOCK_AGE_SIZE, "%ldm%lds", s / 60, s % 60);
	else if (s < 3 * 3600)
		(void)snprintf(ret, CLOCK_AGE_SIZE, "%ldm", s / 60);
	else if (s < 8 * 3600 && s / 60 % 60)
		(void)snprintf(ret, CLOCK_AGE_SIZE, "%ldh%ldm", s / 3600, s / 60 % 60);
	else if (s < 48 * 3600)
		(void)snprintf(ret, CLOCK_AGE_SIZE, "%ldh", s / 3600);
	else if (s < 8 * 86400 && s / 3600 % 24)
		(void)snprintf(ret, CLOCK_AGE_SIZE, "%ldd%ldh", s / 86400, s / 3600 % 24);
	else
		(void)snprintf(ret, CLOCK_AGE_SIZE, "%ldd", s / 86400);
}
