/* Two clocks, never mixed: boot time (CLOCK_BOOTTIME, counts suspend, never set) for every interval,
 * wall time (CLOCK_REALTIME) for stamps that people read. Both int64_t nanoseconds. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_SEC INT64_C(1000000000)

int64_t clock_boot(void);
int64_t clock_wall(void);

/* "2006-01-02T15:04:05Z", and with nanoseconds as CRI logs want it. The buffers hold the NUL too. */
enum { CLOCK_TEXT_SIZE = 21, CLOCK_TEXT_NS_SIZE = 31 };
void clock_text(int64_t wall, char ret[static CLOCK_TEXT_SIZE]);
void clock_text_ns(int64_t wall, char ret[static CLOCK_TEXT_NS_SIZE]);

/* RFC 3339, with any fraction and offset: "2006-01-02T15:04:05.5+02:00". Years 1970 to 2261; -EINVAL. */
int clock_parse(const char *text, int64_t *ret_wall);

/* "5s", "3m12s", "2h5m", "4d3h": an age as kubectl prints it. */
enum { CLOCK_AGE_SIZE = 24 };
void clock_age(int64_t ns, char ret[static CLOCK_AGE_SIZE]);
