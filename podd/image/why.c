#include "image/why.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/buf.h"
#include "base/str.h"

enum { WHERE_MAX = 400 }; /* of each piece: names in a layer are long and hostile */

static struct buf why;

__attribute__((format(printf, 1, 0))) static void add(const char *fmt, va_list ap)
{
	char text[WHERE_MAX];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	str_escape(&why, text);
}

int refuse(const char *fmt, ...)
{
	va_list ap;

	buf_clear(&why);
	va_start(ap, fmt);
	add(fmt, ap);
	va_end(ap);
	return -EBADMSG;
}

int why_where(int r, const char *fmt, ...)
{
	_cleanup_buf_ struct buf rest = BUF_NULL;
	va_list ap;

	buf_puts(&rest, why_text(r));
	buf_clear(&why);
	va_start(ap, fmt);
	add(fmt, ap);
	va_end(ap);
	buf_printf(&why, ": %s", rest.data);
	return r;
}

const char *why_text(int r)
{
	return why.len ? why.data : strerror(-r);
}
