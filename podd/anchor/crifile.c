#include "anchor/crifile.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/cleanup.h"

enum { NAME_SIZE = 32, NOTICE_SIZE = 160 };

static char *put(char *p, const char *s)
{
	size_t n = strlen(s);

	memcpy(p, s, n + 1);
	return p + n;
}

static char *put_number(char *p, uint64_t v, unsigned width)
{
	char digits[20];
	unsigned n = 0;

	do
		digits[n++] = (char)('0' + v % 10);
	while (v /= 10);
	for (; width > n; width--)
		*p++ = '0';
	while (n > 0)
		*p++ = digits[--n];
	*p = '\0';
	return p;
}

void crifile_stamp(int64_t wall, char ret[static CRI_STAMP_SIZE])
{
	int64_t seconds = wall / 1000000000, days = seconds / 86400;
	unsigned of_day = (unsigned)(seconds % 86400);
	char text[CRI_STAMP_SIZE + 1], *p = text;

	/* Days to a date of the proleptic Gregorian calendar: eras of 400 years that begin on the first of March of the year 0. */
	int64_t z = days + 719468, era = z / 146097;
	unsigned doe = (unsigned)(z - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153;
	unsigned month = mp < 10 ? mp + 3 : mp - 9;

	p = put_number(p, (uint64_t)(yoe + era * 400 + (month <= 2)), 4);
	p = put(p, "-");
	p = put_number(p, month, 2);
	p = put(p, "-");
	p = put_number(p, doy - (153 * mp + 2) / 5 + 1, 2);
	p = put(p, "T");
	p = put_number(p, of_day / 3600, 2);
	p = put(p, ":");
	p = put_number(p, of_day / 60 % 60, 2);
	p = put(p, ":");
	p = put_number(p, of_day % 60, 2);
	p = put(p, ".");
	p = put_number(p, (uint64_t)(wall % 1000000000), 9);
	(void)put(p, "Z");
	memcpy(ret, text, CRI_STAMP_SIZE);
}

/* ---- cutting into lines ---- */

static void emit(struct criline *l, const char *stamp, char tag, const char *text, size_t n, char *out, size_t *len)
{
	char *p = out + *len;

	memcpy(p, stamp, CRI_STAMP_SIZE);
	p += CRI_STAMP_SIZE;
	memcpy(p, l->is_stderr ? " stderr F " : " stdout F ", 10);
	p[8] = tag;
	p += 10;
	memcpy(p, l->carry, l->carried);
	p += l->carried;
	memcpy(p, text, n);
	p += n;
	*p++ = '\n';
	l->carried = 0;
	*len = (size_t)(p - out);
}

static size_t skip_line(struct criline *l, const char *data, size_t n)
{
	const char *end = memchr(data, '\n', n);

	l->carried = 0;
	l->skip = end == NULL;
	return end ? (size_t)(end - data) + 1 : n;
}

size_t criline_frame(struct criline *l, const char *stamp, const char *data, size_t n, char *out, size_t size, size_t *len)
{
	size_t done = 0;

	if (l->skip)
		done = skip_line(l, data, n);
	while (done < n && size - *len >= CRI_RECORD_MAX) {
		const char *p = data + done;
		size_t left = n - done, room = CRI_LINE_MAX - l->carried;
		size_t window = left < room ? left : room;
		const char *end = memchr(p, '\n', window);

		if (end) {
			window = (size_t)(end - p);
			emit(l, stamp, 'F', p, window, out, len);
			done += window + 1;
		} else if (left > room) { /* full; a newline that follows at once still belongs to it */
			bool whole = p[window] == '\n';
			emit(l, stamp, whole ? 'F' : 'P', p, window, out, len);
			done += window + whole;
		} else {
			memcpy(l->carry + l->carried, p, left);
			l->carried += left;
			done = n;
		}
	}
	return done;
}

void criline_end(struct criline *l, const char *stamp, char *out, size_t *len)
{
	if (l->carried > 0)
		emit(l, stamp, 'P', "", 0, out, len);
}

/* ---- the file ---- */

/* "7.log", or "7.log.3". */
static void file_name(char name[static NAME_SIZE], uint32_t number, unsigned generation)
{
	char *p = put(put_number(name, number, 1), ".log");

	if (generation > 0)
		(void)put_number(put(p, "."), generation, 1);
}

static int open_directory(const struct crifile *f)
{
	int fd;

	if (mkdirat(f->logs, f->container, 0750) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(f->logs, f->container, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A log process that was killed may have left half a record at the end. */
static int cut_torn_end(struct crifile *f)
{
	char tail[4096];
	uint64_t end = f->size;

	while (end > 0) {
		size_t n = end < sizeof(tail) ? (size_t)end : sizeof(tail);
		ssize_t got = pread(f->fd, tail, n, (off_t)(end - n));
		if (got != (ssize_t)n)
			return got < 0 ? -errno : -EIO;
		const char *newline = memrchr(tail, '\n', n);
		if (newline) {
			end = end - n + (size_t)(newline - tail) + 1;
			break;
		}
		end -= n;
	}
	if (end < f->size && ftruncate(f->fd, (off_t)end) < 0)
		return -errno;
	f->size = end;
	return 0;
}

static int open_current(struct crifile *f)
{
	char name[NAME_SIZE];
	struct stat st;
	_cleanup_close_ int dir = open_directory(f);

	if (dir < 0)
		return dir;
	file_name(name, f->number, 0);
	/* Whatever else may be there by this name is not written to. */
	_cleanup_close_ int fd =
		openat(dir, name, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
		return -EPERM;
	f->fd = fd;
	f->size = (uint64_t)st.st_size;
	int r = cut_torn_end(f);
	f->fd = r < 0 ? -EBADF : TAKE_FD(fd);
	return r;
}

static int rotate(struct crifile *f)
{
	char from[NAME_SIZE], to[NAME_SIZE];
	_cleanup_close_ int dir = open_directory(f);

	if (dir < 0)
		return dir;
	if (f->files == 1) {
		if (ftruncate(f->fd, 0) < 0)
			return -errno;
		f->size = 0;
		return 0;
	}
	for (unsigned i = f->files - 1; i > 0; i--) {
		file_name(from, f->number, i - 1);
		file_name(to, f->number, i);
		if (renameat(dir, from, dir, to) < 0 && errno != ENOENT)
			return -errno;
	}
	f->fd = fd_close(f->fd);
	return open_current(f);
}

/* Which start a name belongs to; false for what is no log of ours. */
static bool parse_name(const char *name, uint32_t *ret)
{
	uint64_t v = 0;
	const char *p = name;

	for (; *p >= '0' && *p <= '9' && v <= UINT32_MAX; p++)
		v = v * 10 + (uint64_t)(*p - '0');
	if (p == name || v > UINT32_MAX || strncmp(p, ".log", 4) != 0 || (p[4] != '\0' && p[4] != '.'))
		return false;
	*ret = (uint32_t)v;
	return true;
}

/* Keeps the logs of this start and the one before. The raw call, since readdir(3) wants a heap. */
static void remove_old(const struct crifile *f)
{
	struct entry {
		uint64_t inode;
		int64_t offset;
		unsigned short length;
		unsigned char type;
		char name[];
	};
	_Alignas(8) char entries[2048];
	_cleanup_close_ int dir = open_directory(f);
	long n;

	if (dir < 0 || f->number < 2)
		return;
	while ((n = syscall(SYS_getdents64, dir, entries, sizeof(entries))) > 0)
		for (long at = 0; at < n;) {
			const struct entry *e = (const struct entry *)(entries + at);
			uint32_t number;
			if (parse_name(e->name, &number) && number + UINT64_C(2) <= f->number)
				(void)unlinkat(dir, e->name, 0);
			at += e->length;
		}
}

void crifile_open(struct crifile *f, int logs, const char *container, uint32_t number, uint64_t limit, unsigned files)
{
	*f = (struct crifile){ .number = number, .logs = logs, .limit = limit, .files = files, .fd = -EBADF };
	memcpy(f->container, container, strnlen(container, sizeof(f->container) - 1));
	remove_old(f);
	(void)open_current(f); /* or with the first write */
}

/* Writes n bytes of whole records, which fit the limit. Returns how many bytes of whole records are in the file now, with the errno that
 * ended it in *ret_error. */
static size_t write_records(struct crifile *f, const char *records, size_t n, int *ret_error)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = write(f->fd, records + done, n - done);
		if (r < 0) {
			if (errno == EINTR)
				continue;
			*ret_error = errno;
			return done;
		}
		if ((size_t)r == n - done)
			return n;
		/* The disk is full: what was cut is taken back, so that every reader finds whole lines. */
		const char *newline = memrchr(records + done, '\n', (size_t)r);
		size_t whole = newline ? (size_t)(newline - (records + done)) + 1 : 0;
		if (whole < (size_t)r && ftruncate(f->fd, (off_t)(f->size + done + whole)) < 0)
			f->torn = true;
		done += whole;
		if (whole < (size_t)r || r == 0) {
			*ret_error = ENOSPC; /* a short write is how it begins */
			return done;
		}
	}
	return done;
}

/* As much as may be, with rotation where it is due. Returns the bytes that are on the disk. */
static size_t store(struct crifile *f, const char *records, size_t n, int *ret_error)
{
	size_t done = 0;

	while (done < n) {
		int r = f->fd < 0 ? open_current(f) : 0;
		if (r == 0 && f->torn) {
			r = ftruncate(f->fd, (off_t)f->size) < 0 ? -errno : 0;
			f->torn = r < 0;
		}
		if (r < 0) {
			*ret_error = -r;
			return done;
		}
		uint64_t room = f->limit > f->size ? f->limit - f->size : 0;
		size_t part = n - done;
		if (part > room) {
			const char *newline = room > 0 ? memrchr(records + done, '\n', (size_t)room) : NULL;
			part = newline ? (size_t)(newline - (records + done)) + 1 : 0;
		}
		if (part == 0) {
			r = rotate(f);
			if (r < 0) {
				*ret_error = -r;
				return done;
			}
			continue;
		}
		size_t written = write_records(f, records + done, part, ret_error);
		f->size += written;
		done += written;
		if (written < part)
			return done;
	}
	return done;
}

/* The line that stands for those that were lost. */
static bool say_lost(struct crifile *f, int64_t wall)
{
	char line[NOTICE_SIZE + 64], *p = line + CRI_STAMP_SIZE;
	int error = 0;

	if (f->lost_lines == 0)
		return true;
	crifile_stamp(wall, line);
	p = put(p, " stderr F podd: ");
	p = put_number(p, f->lost_lines, 1);
	p = put(p, f->lost_lines == 1 ? " line dropped: " : " lines dropped: ");
	p = put(p, f->lost_error == ENOSPC      ? "No space left on device"
	           : f->lost_error == ETIMEDOUT ? "the disk hung"
	           : f->lost_error == EDQUOT    ? "Disk quota exceeded"
	           : f->lost_error == EROFS     ? "Read-only file system"
	           : f->lost_error == EFBIG     ? "File too large"
	                                        : "Input/output error");
	p = put(p, "\n");
	if (store(f, line, (size_t)(p - line), &error) == 0)
		return false;
	f->lost_lines = 0;
	return true;
}

void crifile_write(struct crifile *f, const char *records, size_t n, int64_t wall, struct crifile_loss *loss)
{
	size_t done = 0;
	int error = f->lost_error;

	if (say_lost(f, wall))
		done = store(f, records, n, &error);
	if (done == n)
		return;
	for (const char *p = records + done; p < records + n; p++) {
		p = memchr(p, '\n', (size_t)(records + n - p));
		loss->lines++;
		f->lost_lines++;
	}
	loss->bytes += n - done;
	loss->error = f->lost_error = error;
}

void crifile_close(struct crifile *f, int64_t wall)
{
	(void)say_lost(f, wall);
	f->fd = fd_close(f->fd);
}
