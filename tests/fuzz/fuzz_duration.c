/* A duration that is taken is taken in nanoseconds, too, as the same. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include "base/alloc.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xstrndup((const char *)data, size);
	char again[32];
	int64_t ns, same;

	if (str_duration(text, &ns) < 0)
		return 0;
	(void)snprintf(again, sizeof(again), "%" PRId64 "ns", ns);
	if (str_duration(again, &same) < 0 || same != ns)
		__builtin_trap();
	return 0;
}
