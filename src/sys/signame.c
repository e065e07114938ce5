#include "sys/signame.h"
#include <signal.h>
#include <string.h>
#include "base/str.h"

static int real_time(const char *name, int base, int sign)
{
	int64_t n = 0;

	if (*name && (*name != (sign > 0 ? '+' : '-') || str_int(name + 1, 0, SIGRTMAX - SIGRTMIN, &n) < 0))
		return -EINVAL;
	return base + sign * (int)n;
}

int signal_by_name(const char *name)
{
	int64_t number;

	if (str_int(name, 1, SIGRTMAX, &number) == 0)
		return (int)number;
	if (strncasecmp(name, "SIG", 3) == 0)
		name += 3;
	if (strncasecmp(name, "RTMIN", 5) == 0)
		return real_time(name + 5, SIGRTMIN, 1);
	if (strncasecmp(name, "RTMAX", 5) == 0)
		return real_time(name + 5, SIGRTMAX, -1);
	for (int i = 1; i < SIGRTMIN; i++) {
		const char *known = sigabbrev_np(i);
		if (known && strcasecmp(known, name) == 0)
			return i;
	}
	return -EINVAL;
}
