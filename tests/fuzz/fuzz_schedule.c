/* A schedule that is taken is taken with more blanks and in capitals, too, and holds no byte that its grammar does not know. */
#include <ctype.h>
#include <stdint.h>
#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "manifest/schedule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xstrndup((const char *)data, size);
	_cleanup_buf_ struct buf other = BUF_NULL;

	if (!schedule_parse(text, &(struct schedule){ 0 }) || *text == '@')
		return 0;
	buf_putc(&other, ' ');
	for (const char *c = text; *c; c++) {
		if (!isalnum((unsigned char)*c) && !strchr(" */?,-", *c))
			__builtin_trap();
		buf_putc(&other, (char)toupper((unsigned char)*c));
		if (*c == ' ')
			buf_putc(&other, ' ');
	}
	buf_putc(&other, ' ');
	if (!schedule_parse(buf_str(&other), &(struct schedule){ 0 }))
		__builtin_trap();
	return 0;
}
