#include "base/clock.h"
#include <stdio.h>
#include <time.h>

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
