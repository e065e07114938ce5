/* Time zones, as tzdata has them: TZif files (RFC 9636), of which the transitions are read and then the rule of the footer, which holds
 * after the last. The file's content is handed in. Times are seconds since the epoch. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct zone;

enum { ZONE_SIZE_MAX = 256 << 10 };

struct zone *zone_new(const void *data, size_t size); /* NULL: not understood */
struct zone *zone_free(struct zone *z);               /* takes NULL, returns NULL */

/* Seconds east of UTC at `t`, and until when that holds (exclusive; INT64_MAX: for ever). NULL is UTC. */
int32_t zone_offset(const struct zone *z, int64_t t, int64_t *ret_until);

struct civil {
	int64_t year;
	int month, day, weekday; /* 1..12, 1..31, 0 is Sunday */
	int hour, minute, second;
};
void civil_of(int64_t t, struct civil *ret); /* `t` with the zone's offset added */
