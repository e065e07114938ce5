#include "daemon/pod/termlog.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/fd.h"
#include "base/str.h"
#include "daemon/api/criread.h"
#include "daemon/pod/logs.h"
#include "daemon/pod/volumes.h"

enum {
	MESSAGE_MAX = 4096,
	MESSAGES_MAX = 12 << 10, /* of a pod */
	LOG_BYTES_MAX = 2048,
	LOG_LINES_MAX = 80,
	LOG_WINDOW = 24 << 10, /* of the file: so many bytes in so many lines, after one of the longest */
	NAME_SIZE = CONTAINER_NAME_SIZE + 16,
};

static void file_name(const char *container, uint32_t number, char ret[static NAME_SIZE])
{
	(void)snprintf(ret, NAME_SIZE, "%s.%u", container, number);
}

/* Of this container only `keep` stays, and no more of it than can be told: it takes room from those that run. */
static void sweep(int dirfd, const char *container, const char *keep)
{
	_cleanup_dir_ DIR *dir = dir_open(dirfd, ".");
	struct stat st;

	if (!dir)
		return;
	for (struct dirent *e; (e = dir_next(dir));) {
		const char *rest = str_after(e->d_name, container);
		if (rest && *rest == '.' && !streq(e->d_name, keep))
			(void)unlinkat(dirfd, e->d_name, 0);
	}
	_cleanup_close_ int kept = openat(dirfd, keep, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (kept >= 0 && fstat(kept, &st) == 0 && st.st_size > MESSAGE_MAX) {
		char last[MESSAGE_MAX];
		ssize_t n = pread(kept, last, sizeof(last), st.st_size - MESSAGE_MAX);
		if (n == MESSAGE_MAX && pwrite(kept, last, sizeof(last), 0) == n)
			(void)!ftruncate(kept, n);
	}
}

int termlog_open(struct sandbox *s, const char *container, uint32_t number)
{
	const struct core_pod *p = core_pod_by_uid(s->daemon->core, s->uid);
	const struct core_container *c = p ? core_container(p, container) : NULL;
	_cleanup_close_ int dirfd = openat(s->run_fd, VOLUMES_MESSAGES, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char name[NAME_SIZE] = "", last[NAME_SIZE] = "";

	if (dirfd < 0)
		return -errno;
	if (c && c->last.set)
		file_name(container, c->last.number, last);
	sweep(dirfd, container, last);
	file_name(container, number, name);
	_cleanup_close_ int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	/* For any user of the container, as the kubelet has it. */
	if (fd < 0 || fchmod(fd, 0666) < 0)
		return -errno;
	return volumes_tree(fd);
}

/* The last bytes of a regular file. */
static void read_end(int dirfd, const char *path, size_t max, bool *ret_cut, struct buf *out)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	char data[LOG_WINDOW];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	*ret_cut = st.st_size > (off_t)max;
	ssize_t n = pread(fd, data, max, *ret_cut ? st.st_size - (off_t)max : 0);
	if (n > 0)
		buf_append(out, data, (size_t)n);
}

/* The lines may be on their way to the file still, when the end has just been told: who asks again sees all. */
static void read_log(const struct daemon *d, const struct core_pod *p, const struct core_container *c, struct buf *out)
{
	_cleanup_close_ int dirfd = logs_open(d, p->pod, p->uid);
	_cleanup_buf_ struct buf raw = BUF_NULL, text = BUF_NULL;
	char path[CONTAINER_NAME_SIZE + 24];
	struct criread reader;
	bool cut = false;

	(void)snprintf(path, sizeof(path), "%s/%u.log", c->name, c->last.number);
	read_end(dirfd, path, LOG_WINDOW, &cut, &raw);
	const char *begin = buf_str(&raw), *whole = cut ? memchr(begin, '\n', raw.len) : NULL;
	if (whole)
		buf_consume(&raw, (size_t)(whole + 1 - begin));
	criread_init(&reader, /* timestamps= */ false, 0);
	criread_feed(&reader, buf_str(&raw), raw.len, &text);
	criread_flush(&reader, &text);
	criread_deinit(&reader);
	const char *s = buf_str(&text), *end = s + text.len, *at = end;
	for (unsigned lines = 0; at > s && end - at < LOG_BYTES_MAX; at--) {
		lines += at[-1] == '\n' && at != end;
		if (lines == LOG_LINES_MAX)
			break;
	}
	buf_append(out, at, (size_t)(end - at));
}

void termlog_read(const struct daemon *d, const struct core_pod *p, const struct core_container *c, struct buf *out)
{
	char path[POD_UID_SIZE + sizeof(VOLUMES_MESSAGES) + NAME_SIZE + 8], name[NAME_SIZE];
	_cleanup_buf_ struct buf text = BUF_NULL;
	bool cut;

	if (!c->last.set || !c->spec || !p->pod)
		return;
	file_name(c->name, c->last.number, name);
	(void)snprintf(path, sizeof(path), "pods/%s/%s/%s", p->uid, VOLUMES_MESSAGES, name);
	read_end(d->run_fd, path, MESSAGE_MAX, &cut, &text);
	if (!text.len && c->spec->message_policy == MESSAGE_OR_LOGS && c->last.exit.code != 0)
		read_log(d, p, c, &text);
	size_t size = MIN(text.len, (size_t)MESSAGES_MAX / pod_container_count(p->pod));
	for (size_t i = 0; i < size; i++) {
		unsigned char b = (unsigned char)text.data[i];
		if (b) /* a hole is not text */
			buf_putc(out, (b < ' ' && b != '\n' && b != '\t') || b == 0x7f ? '?' : (char)b);
	}
}
