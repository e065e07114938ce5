/* The log of one start of a container, in the kubelet's format: `<container>/<number>.log` below the pod's log directory, lines of
 *
 *     2006-01-02T15:04:05.000000000Z stdout F text
 *
 * P instead of F marks a piece: of a line beyond 16 KiB, or the last one if it never got its newline.
 *
 * Rotation is exact: no file ever exceeds its limit, `<number>.log.1` is the youngest of the old ones. What the disk does not take is dropped in
 * whole lines and counted; when it takes again, one line says how many. No line is ever cut on disk. Libc only, no heap. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CRI_LINE_MAX = 16384,
	CRI_STAMP_SIZE = 30,
	CRI_PREFIX_SIZE = CRI_STAMP_SIZE + sizeof(" stdout F ") - 1,
	CRI_RECORD_MAX = CRI_PREFIX_SIZE + CRI_LINE_MAX + 1,
	CRI_LIMIT_MIN = 32768, /* of a file: at least one line must fit */
	CRI_FILES_MAX = 100,
};

struct crifile {
	char container[64];
	uint32_t number;
	int logs; /* the pod's log directory; borrowed */
	uint64_t limit;
	unsigned files;
	int fd;
	uint64_t size;
	uint64_t lost_lines; /* not yet said in the file */
	int lost_error;
	bool torn; /* a cut line is at the end: nothing is written before it is gone */
};

/* What a call could not write. */
struct crifile_loss {
	uint64_t lines, bytes;
	int error;
};

/* Removes the logs of starts before the previous one and opens this one's, to be continued if it is there. Always leaves a usable object:
 * a failure is tried again with each write. */
void crifile_open(struct crifile *f, int logs, const char *container, uint32_t number, uint64_t limit, unsigned files);
void crifile_close(struct crifile *f, int64_t wall);

/* Writes whole records, each ending in a newline. What the disk refuses is added to *loss. */
void crifile_write(struct crifile *f, const char *records, size_t n, int64_t wall, struct crifile_loss *loss);

void crifile_stamp(int64_t wall, char ret[static CRI_STAMP_SIZE]);

/* Cuts one output stream into records. `carry` holds the beginning of a line whose end has not come yet. */
struct criline {
	char *carry; /* CRI_LINE_MAX bytes; borrowed */
	size_t carried;
	bool is_stderr;
	bool skip; /* the rest of the current line was lost already: not a line of its own */
};

/* Appends to out the records that data completes, as long as CRI_RECORD_MAX bytes are free there. Returns how much of data was taken. */
size_t criline_frame(struct criline *l, const char *stamp, const char *data, size_t n, char *out, size_t size, size_t *len);

/* At the end of the stream: what is carried becomes a piece. out needs room for CRI_RECORD_MAX. */
void criline_end(struct criline *l, const char *stamp, char *out, size_t *len);
