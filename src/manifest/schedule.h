/* The schedule of a CronJob. It is due at each minute whose reading on the clock of its zone it names: so a minute that the clock skips in
 * spring does not come, and one that it shows twice in autumn comes twice, as with Kubernetes' controller. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct zone;

struct schedule {
	uint64_t minutes; /* a bit each */
	uint32_t hours, days, months, weekdays;
	bool any_day, any_weekday; /* "*": the other one decides; else either does */
	int64_t every;             /* seconds, instead of all that; 0: not so */
};

bool schedule_parse(const char *text, struct schedule *ret);
/* The first time after `after` (seconds since the epoch), or -1: none in five years. */
int64_t schedule_next(const struct schedule *s, const struct zone *z, int64_t after);
