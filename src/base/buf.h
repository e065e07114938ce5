/* A growable byte buffer. `data` is always NUL-terminated once something was written, so it can be used as a string. */
#pragma once
#include <stddef.h>
#include "base/cleanup.h"

struct buf {
	char *data;
	size_t len, cap;
};

#define BUF_NULL ((struct buf){ 0 })

void buf_deinit(struct buf *b);
void buf_reserve(struct buf *b, size_t extra); /* room for `extra` more bytes and the NUL */
void buf_append(struct buf *b, const void *data, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) _printf_(2, 3);
void buf_consume(struct buf *b, size_t n); /* drops the first n bytes */
char *buf_take(struct buf *b);             /* hands out the string (never NULL); the buffer is empty afterwards */

static inline void buf_clear(struct buf *b)
{
	b->len = 0;
	if (b->data)
		b->data[0] = '\0';
}

/* The content as a string, "" when nothing was ever written. */
static inline const char *buf_str(const struct buf *b)
{
	return b->data ? b->data : "";
}

#define _cleanup_buf_ _cleanup_(buf_deinit)
