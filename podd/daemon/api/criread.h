/* CRI log lines, as the anchor's log process writes them, back to what the container printed:
 *
 *   2026-01-02T15:04:05.000000000Z stdout F text
 *
 * P instead of F is a part of a line; the parts of a line are joined, each stream by itself. Pure but for criread_tail(). */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/buf.h"
#include "base/clock.h"

/* What is longer is handed out in pieces. */
enum { CRIREAD_LINE_MAX = 1 << 20 };

struct criread {
	bool timestamps;                /* put each line's time in front of it */
	char since[CLOCK_TEXT_NS_SIZE]; /* lines before this are left out; "": none */
	struct buf line;                /* of the file, not complete yet */
	struct buf parts[2];            /* of stdout's and stderr's current line */
};

void criread_init(struct criread *r, bool timestamps, int64_t since_wall); /* since_wall 0: all */
void criread_deinit(struct criread *r);

/* Takes bytes of the file, appends whole lines to out. */
void criread_feed(struct criread *r, const char *data, size_t n, struct buf *out);
/* The file's end: what is there of unfinished lines. A command that printed no newline at its end gets none. */
void criread_flush(struct criread *r, struct buf *out);

/* Where in the file the last *lines lines (joined ones) begin; *lines becomes the number still missing, to be looked for in the file
 * before this one. 0 or -errno. */
int criread_tail(int fd, uint64_t *lines, off_t *ret_offset);
