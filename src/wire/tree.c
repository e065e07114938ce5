#include "wire/tree.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "base/cleanup.h"

enum { MODE_SIZE = 2, MODE_KEPT = 0777, DENTS_SIZE = 4096 };

/* What getdents64(2) gives: readdir(3) wants a heap. */
struct dent {
	uint64_t inode;
	int64_t offset;
	uint16_t size;
	uint8_t type;
	char name[];
};

static bool name_usable(const char *s)
{
	return *s && strcmp(s, ".") != 0 && strcmp(s, "..") != 0 && !strchr(s, '/') && strlen(s) <= NAME_MAX;
}

static void trouble(struct tree *t, const char *text)
{
	t->incomplete = true;
	t->trouble(t->path, text);
}

/* Names in `path`, for messages alone: one that grows too long is cut. */
static size_t path_push(struct tree *t, const char *name)
{
	size_t before = t->path_len, room = sizeof(t->path) - before;
	int n = snprintf(t->path + before, room, "%s%s", before && t->path[before - 1] != '/' && *name ? "/" : "", name);

	t->path_len += n < 0 ? 0 : MIN((size_t)n, room - 1);
	return before;
}

static void path_pop(struct tree *t, size_t before)
{
	t->path_len = before;
	t->path[before] = '\0';
}

/* --- sending --- */

static int put(struct tree *t, enum tree_type type, size_t size)
{
	unsigned char *p = t->record;

	p[0] = (unsigned char)type;
	for (unsigned i = 0; i < 4; i++)
		p[1 + i] = (unsigned char)(size >> (8 * (3 - i)));
	for (size_t left = TREE_HEADER_SIZE + size; left;) {
		ssize_t n = write(t->stream, p, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		left -= (size_t)n;
	}
	return 0;
}

static int put_entry(struct tree *t, enum tree_type type, mode_t mode, const char *name, const char *text, size_t text_size)
{
	unsigned char *p = t->record + TREE_HEADER_SIZE;
	size_t n = strlen(name);

	p[0] = (unsigned char)((mode & MODE_KEPT) >> 8);
	p[1] = (unsigned char)mode;
	memcpy(p + MODE_SIZE, name, n + 1);
	memcpy(p + MODE_SIZE + n + 1, text, text_size);
	return put(t, type, MODE_SIZE + n + (type == TREE_LINK ? 1 + text_size : 0));
}

static int send_file(struct tree *t, int fd, mode_t mode, const char *name)
{
	int r = put_entry(t, TREE_FILE, mode, name, "", 0);

	while (r == 0) {
		ssize_t n = read(fd, t->record + TREE_HEADER_SIZE, TREE_DATA_MAX);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			trouble(t, strerror(errno));
		if (n <= 0)
			return put(t, TREE_END, 0);
		r = put(t, TREE_DATA, (size_t)n);
	}
	return r;
}

static int send_entry(struct tree *t, int dir, const char *name);

static int send_directory(struct tree *t, int fd, mode_t mode, const char *name)
{
	_Alignas(struct dent) char dents[DENTS_SIZE];
	int r = put_entry(t, TREE_DIRECTORY, mode, name, "", 0);
	long n;

	t->depth++;
	while (r == 0 && (n = syscall(SYS_getdents64, fd, dents, sizeof(dents))) != 0) {
		if (n < 0) {
			trouble(t, strerror(errno));
			break;
		}
		for (long at = 0; at < n && r == 0;) {
			const struct dent *e = (const struct dent *)(dents + at);
			if (name_usable(e->name))
				r = send_entry(t, fd, e->name);
			at += e->size;
		}
	}
	t->depth--;
	return r < 0 ? r : put(t, TREE_END, 0);
}

static int send_link(struct tree *t, int dir, const char *name)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(dir, name, text, sizeof(text));

	if (n >= 0)
		return put_entry(t, TREE_LINK, 0, name, text, (size_t)n);
	trouble(t, strerror(errno));
	return 0;
}

/* A device may act when it is opened, so it is not. */
static int send_at(struct tree *t, int dir, const char *name, const char *as, int follow)
{
	struct stat st;

	if (fstatat(dir, name, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0) {
		trouble(t, strerror(errno));
		return 0;
	}
	if (S_ISLNK(st.st_mode))
		return send_link(t, dir, name);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
		trouble(t, "neither a file nor a directory nor a symlink, left out");
		return 0;
	}
	if (S_ISDIR(st.st_mode) && t->depth == TREE_DEPTH_MAX) {
		trouble(t, "more than 100 directories deep, left out");
		return 0;
	}
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
	if (fd < 0 || fstat(fd, &st) < 0) { /* what was opened counts, not what was there before */
		trouble(t, strerror(errno));
		return 0;
	}
	return S_ISDIR(st.st_mode) ? send_directory(t, fd, st.st_mode, as) : send_file(t, fd, st.st_mode, as);
}

static int send_entry(struct tree *t, int dir, const char *name)
{
	size_t before = path_push(t, name);
	int r = send_at(t, dir, name, name, 0);

	path_pop(t, before);
	return r;
}

int tree_send(struct tree *t, const char *path)
{
	(void)path_push(t, path);
	int r = send_at(t, AT_FDCWD, path, "", 1); /* the receiver knows its name */
	return r < 0 || !t->incomplete ? r : put(t, TREE_END, 0);
}

/* --- receiving --- */

static int get_bytes(struct tree *t, unsigned char *p, size_t size)
{
	while (size) {
		ssize_t n = read(t->stream, p, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENODATA;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

/* The next record; its data is in `record`, with a NUL behind it. */
static int get(struct tree *t, enum tree_type *ret_type, size_t *ret_size)
{
	unsigned char head[TREE_HEADER_SIZE];
	size_t size = 0;
	int r = get_bytes(t, head, sizeof(head));

	if (r < 0)
		return r;
	for (unsigned i = 1; i < TREE_HEADER_SIZE; i++)
		size = size << 8 | head[i];
	if (head[0] < TREE_FILE || head[0] > TREE_END || size > TREE_DATA_MAX)
		return -EPROTO;
	r = get_bytes(t, t->record, size);
	if (r < 0)
		return r;
	t->record[size] = '\0';
	*ret_type = head[0];
	*ret_size = size;
	return 0;
}

/* A file's content; `fd` -EBADF: to nowhere. */
static int receive_data(struct tree *t, int fd)
{
	enum tree_type type;
	size_t size;
	int r;

	while ((r = get(t, &type, &size)) == 0 && type == TREE_DATA) {
		for (const unsigned char *p = t->record; fd >= 0 && size;) {
			ssize_t n = write(fd, p, size);
			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0) {
				trouble(t, strerror(errno));
				fd = -EBADF;
				break;
			}
			p += n;
			size -= (size_t)n;
		}
	}
	return r == 0 && type != TREE_END ? -EPROTO : r;
}

/* `dir` -EBADF, here and below: there was trouble already, the stream is only read. */
static int receive_file(struct tree *t, int dir, const char *name, mode_t mode)
{
	_cleanup_close_ int fd = -EBADF;

	/* Anew: what is there may be a symlink, or a program that runs. */
	if (dir >= 0 && (unlinkat(dir, name, 0) == 0 || errno == ENOENT))
		fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (dir >= 0 && fd < 0)
		trouble(t, strerror(errno));
	int r = receive_data(t, fd);
	if (r == 0 && fd >= 0 && fchmod(fd, mode) < 0)
		trouble(t, strerror(errno));
	return r;
}

static int receive_entries(struct tree *t, int dir);

static int receive_directory(struct tree *t, int dir, const char *name, mode_t mode)
{
	_cleanup_close_ int fd = -EBADF;
	bool made = dir >= 0 && mkdirat(dir, name, 0700) == 0;

	if (made || (dir >= 0 && errno == EEXIST))
		fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir >= 0 && fd < 0)
		trouble(t, strerror(errno));
	if (t->depth == TREE_DEPTH_MAX)
		return -EPROTO;
	t->depth++;
	int r = receive_entries(t, fd);
	t->depth--;
	if (made && fd >= 0 && fchmod(fd, mode) < 0) /* last: it may be one that nothing can be put into */
		trouble(t, strerror(errno));
	return r;
}

static void receive_link(struct tree *t, int dir, const char *name, const char *text)
{
	if (dir < 0)
		return;
	if ((unlinkat(dir, name, 0) < 0 && errno != ENOENT) || symlinkat(text, dir, name) < 0)
		trouble(t, strerror(errno));
}

/* The entry whose record was just read; at the top under a name of the receiver's own. */
static int receive_entry(struct tree *t, enum tree_type type, size_t size, int dir, const char *as)
{
	const char *sent = (const char *)t->record + MODE_SIZE;
	mode_t mode = (mode_t)(t->record[0] << 8 | t->record[1]) & MODE_KEPT;
	size_t before, length = size < MODE_SIZE ? 0 : strlen(sent);
	char name[NAME_MAX + 1];
	int r = 0;

	if (size < MODE_SIZE || (!as && !name_usable(sent)) || (type != TREE_LINK) != (size == MODE_SIZE + length))
		return -EPROTO;
	(void)snprintf(name, sizeof(name), "%s", as ? as : sent);
	before = path_push(t, name);
	if (type == TREE_FILE)
		r = receive_file(t, dir, name, mode);
	else if (type == TREE_DIRECTORY)
		r = receive_directory(t, dir, name, mode);
	else
		receive_link(t, dir, name, sent + length + 1);
	path_pop(t, before);
	return r;
}

static int receive_entries(struct tree *t, int dir)
{
	enum tree_type type;
	size_t size;
	int r;

	while ((r = get(t, &type, &size)) == 0 && type != TREE_END) {
		r = type == TREE_DATA ? -EPROTO : receive_entry(t, type, size, dir, NULL);
		if (r < 0)
			break;
	}
	return r;
}

/* Where a tree goes: a directory, and the name in it; *ret_name "": right into it. */
static int find_place(const char *path, const char *name, const char **ret_name)
{
	char parent[PATH_MAX];
	const char *slash = strrchr(path, '/'), *last = slash ? slash + 1 : path;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		*ret_name = name_usable(name) ? name : "";
		return fd;
	}
	if ((errno != ENOENT && errno != ENOTDIR) || !name_usable(last))
		return -errno;
	if ((size_t)(last - path) >= sizeof(parent))
		return -ENAMETOOLONG;
	(void)snprintf(parent, sizeof(parent), "%.*s", last == path ? 1 : (int)(last - path), last == path ? "." : path);
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_name = last;
	return fd;
}

int tree_receive(struct tree *t, const char *path, const char *name)
{
	enum tree_type type;
	size_t size;
	const char *as;

	int r = get(t, &type, &size);
	if (r < 0 || type == TREE_END)
		return r; /* the sender had nothing, and said why */
	if (type == TREE_DATA || type == TREE_LINK)
		return -EPROTO;
	(void)path_push(t, path);
	_cleanup_close_ int dir = find_place(path, name, &as);
	if (dir < 0) {
		trouble(t, strerror(-dir));
		return 0;
	}
	if (*as && as != name)
		path_pop(t, MIN((size_t)(as - path), t->path_len)); /* it is the path's own last component */
	if (*as)
		return receive_entry(t, type, size, dir, as);
	if (type == TREE_DIRECTORY)
		return receive_entries(t, dir);
	trouble(t, strerror(EISDIR));
	return 0;
}
