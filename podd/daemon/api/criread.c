#include "daemon/api/criread.h"
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/str.h"

enum { STAMP_LENGTH = CLOCK_TEXT_NS_SIZE - 1, PREFIX_MIN = STAMP_LENGTH + 10 /* " stdout F " */, TAIL_CHUNK = 64 << 10 };

struct cri_line {
	const char *stamp, *text;
	size_t size;
	unsigned stream; /* 0 stdout, 1 stderr */
	bool partial;
};

void criread_init(struct criread *r, bool timestamps, int64_t since_wall)
{
	*r = (struct criread){ .timestamps = timestamps };
	if (since_wall > 0)
		clock_text_ns(since_wall, r->since);
}

void criread_deinit(struct criread *r)
{
	buf_deinit(&r->line);
	buf_deinit(&r->parts[0]);
	buf_deinit(&r->parts[1]);
}

/* The tag of a line whose first bytes are these: 'F', 'P', or 0 for something else. */
static char line_tag(const char *line, size_t n)
{
	if (n < PREFIX_MIN || line[STAMP_LENGTH] != ' ')
		return 0;
	const char *p = line + STAMP_LENGTH + 1;
	if (memcmp(p, "stdout ", 7) != 0 && memcmp(p, "stderr ", 7) != 0)
		return 0;
	return (p[7] == 'F' || p[7] == 'P') && p[8] == ' ' ? p[7] : 0;
}

static bool line_parse(const char *line, size_t n, struct cri_line *ret)
{
	char tag = line_tag(line, n);

	if (!tag)
		return false;
	*ret = (struct cri_line){ .stamp = line,
		                  .stream = line[STAMP_LENGTH + 4] == 'e', /* std*e*rr */
		                  .partial = tag == 'P',
		                  .text = line + PREFIX_MIN,
		                  .size = n - PREFIX_MIN };
	return true;
}

static void emit_stamp(const struct criread *r, const char *stamp, struct buf *out)
{
	if (!r->timestamps)
		return;
	buf_append(out, stamp, STAMP_LENGTH);
	buf_putc(out, ' ');
}

static void line_take(struct criread *r, const char *line, size_t n, struct buf *out)
{
	struct cri_line c;

	if (!line_parse(line, n, &c)) { /* torn by a power cut, or not ours: better shown than lost */
		buf_append(out, line, n);
		buf_putc(out, '\n');
		return;
	}
	if (*r->since && memcmp(c.stamp, r->since, STAMP_LENGTH) < 0)
		return;
	struct buf *parts = &r->parts[c.stream];
	if (!c.partial && !parts->len) { /* the usual case: no copy */
		emit_stamp(r, c.stamp, out);
		buf_append(out, c.text, c.size);
		buf_putc(out, '\n');
		return;
	}
	if (!parts->len)
		emit_stamp(r, c.stamp, parts);
	buf_append(parts, c.text, c.size);
	if (!c.partial)
		buf_putc(parts, '\n');
	if (!c.partial || parts->len > CRIREAD_LINE_MAX) {
		buf_append(out, parts->data, parts->len);
		buf_clear(parts);
	}
}

void criread_feed(struct criread *r, const char *data, size_t n, struct buf *out)
{
	const char *end = data + n;

	while (data < end) {
		const char *newline = memchr(data, '\n', (size_t)(end - data));
		size_t size = (size_t)((newline ? newline : end) - data);
		if (!newline || r->line.len) {
			buf_append(&r->line, data, size);
			if (newline || r->line.len > CRIREAD_LINE_MAX) {
				line_take(r, r->line.data, r->line.len, out);
				buf_clear(&r->line);
			}
		} else {
			line_take(r, data, size, out);
		}
		data += size + (newline != NULL);
	}
}

void criread_flush(struct criread *r, struct buf *out)
{
	if (r->line.len)
		line_take(r, r->line.data, r->line.len, out);
	buf_clear(&r->line);
	for (unsigned i = 0; i < ARRAY_SIZE(r->parts); i++) {
		buf_append(out, r->parts[i].data, r->parts[i].len);
		buf_clear(&r->parts[i]);
	}
}

/* Whether the line at `offset` ends a joined line. What can't be read counts as one: it is shown as one. */
static bool ends_line(int fd, off_t offset)
{
	char head[PREFIX_MIN];
	ssize_t n = pread(fd, head, sizeof(head), offset);

	return n < 0 || line_tag(head, (size_t)n) != 'P';
}

/* Walks back over the file; each newline before its last byte begins a line. */
int criread_tail(int fd, uint64_t *lines, off_t *ret_offset)
{
	char chunk[TAIL_CHUNK];
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	off_t begin = st.st_size; /* of what is in the tail so far */
	uint64_t found = 0;
	for (off_t end = st.st_size; end > 0;) {
		size_t n = (size_t)MIN(end, (off_t)sizeof(chunk));
		end -= (off_t)n;
		ssize_t got = pread(fd, chunk, n, end);
		if (got < 0)
			return -errno;
		for (ssize_t i = got; i >= 0; i--) {
			off_t at = end + i; /* a line begins here, if a newline stands before it */
			bool first = at == 0, begins = i > 0 && chunk[i - 1] == '\n' && at < st.st_size;
			if (!first && !begins)
				continue;
			if (ends_line(fd, at) && found++ == *lines) {
				*lines = 0;
				*ret_offset = begin;
				return 0;
			}
			begin = at;
		}
	}
	*lines -= found;
	*ret_offset = 0;
	return 0;
}
