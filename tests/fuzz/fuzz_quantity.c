/* A quantity prints as text that reads back and prints the same again. Of the binary family fractions are rounded up, and what is
 * no multiple of 1024 has no suffix and becomes decimal. */
#include <stdint.h>
#include "base/alloc.h"
#include "base/str.h"
#include "manifest/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xstrndup((const char *)data, size);
	_cleanup_buf_ struct buf printed = BUF_NULL, again = BUF_NULL;
	struct quantity q, r;

	if (quantity_parse(text, &q) < 0)
		return 0;
	(void)quantity_value(&q);
	(void)quantity_milli(&q);
	quantity_print(&q, &printed);
	if (quantity_parse(buf_str(&printed), &r) < 0 || (r.nano != q.nano && (!q.binary || r.nano % 1000000000)))
		__builtin_trap();
	quantity_print(&r, &again);
	if (!q.binary && !streq(buf_str(&printed), buf_str(&again)))
		__builtin_trap();
	return 0;
}
