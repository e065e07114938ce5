#include "image/source.h"
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <openssl/evp.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "image/limits.h"
#include "image/stream.h"
#include "image/why.h"
#include "sys/path.h"

void digest_text(const unsigned char hash[static SHA256_SIZE], char ret[static IMAGE_DIGEST_SIZE])
{
	char *end = stpcpy(ret, "sha256:");

	for (size_t i = 0; i < SHA256_SIZE; i++, end += 2)
		(void)snprintf(end, 3, "%02x", hash[i]);
}

void digest_of(const void *data, size_t n, char ret[static IMAGE_DIGEST_SIZE])
{
	unsigned char hash[SHA256_SIZE];

	sha256(data, n, hash);
	digest_text(hash, ret);
}

static const char *plain_name(const char *name)
{
	while (name[0] == '.' && name[1] == '/')
		name += 2;
	return name;
}

/* "a/../b/layer.tar" as seen from directory `from`'s file, by text alone: what comes out is only ever looked up in the list. */
static char *resolve_link(const char *from, const char *target)
{
	const char *slash = strrchr(from, '/');
	size_t depth = slash ? (size_t)(slash - from) : 0;
	_cleanup_free_ char *directory = xstrndup(from, depth);

	while (str_after(target, "../")) {
		char *up = strrchr(directory, '/');
		if (!*directory)
			break;
		*(up ? up : directory) = '\0';
		target += 3;
	}
	return xasprintf("%s%s%s", directory, *directory ? "/" : "", plain_name(target));
}

static int compare_members(const void *a, const void *b)
{
	const struct member *l = a, *m = b;

	return strcmp(l->name, m->name);
}

static int add_member(struct source *s, struct archive *a, struct archive_entry *e)
{
	const char *name = archive_entry_pathname(e), *symlink = archive_entry_symlink(e), *hardlink = archive_entry_hardlink(e);

	if (s->member_count >= LIMIT_MEMBERS)
		return refuse("the archive has more than %d members", LIMIT_MEMBERS);
	if (!name)
		return refuse("a member of the archive has no name");
	if (archive_entry_filetype(e) == AE_IFDIR)
		return 0;
	struct member *m = xgrow(s->members, s->member_count);
	m->name = xstrdup(plain_name(name));
	m->link = symlink ? resolve_link(m->name, symlink) : hardlink ? xstrdup(plain_name(hardlink)) : NULL;
	m->offset = archive_filter_bytes(a, -1); /* right behind the header */
	m->size = archive_entry_size(e);
	return 0;
}

static int list_members(struct source *s)
{
	struct archive *a = archive_read_new();
	struct archive_entry *e;
	int r = 0, ar = ARCHIVE_OK;

	(void)archive_read_support_format_tar(a);
	if (lseek(s->fd, 0, SEEK_SET) < 0)
		r = -errno;
	else if (archive_read_open_fd(a, s->fd, 1 << 16) != ARCHIVE_OK)
		r = refuse("no tar: %s", archive_error_string(a));
	while (r == 0 && (ar = archive_read_next_header(a, &e)) >= ARCHIVE_WARN && ar != ARCHIVE_EOF)
		r = add_member(s, a, e);
	if (r == 0 && ar != ARCHIVE_EOF)
		r = refuse("no tar: %s", archive_error_string(a));
	(void)archive_read_free(a);
	if (r < 0)
		return r;
	if (!s->member_count)
		return refuse("the archive is empty");
	qsort(s->members, s->member_count, sizeof(*s->members), compare_members);
	for (size_t i = 1; i < s->member_count; i++)
		if (streq(s->members[i].name, s->members[i - 1].name))
			return refuse("the archive has %s twice", s->members[i].name);
	return 0;
}

/* docker save | gzip: to read members in place it must be plain. */
static int expand(int fd, int64_t size, int scratch)
{
	_cleanup_close_ int out = openat(scratch, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	struct blob blob = { .fd = fd, .size = size };
	struct usage usage = { .reserve_fd = scratch };
	static struct stream s;
	const void *data;
	ssize_t n = 0;

	if (out < 0)
		return -errno;
	int r = stream_open(&s, &blob, COMPRESSION_DETECT, &usage);
	while (r == 0 && (n = stream_read(&s, &data)) > 0)
		r = fd_write_all(out, data, (size_t)n);
	stream_close(&s);
	r = r < 0 ? r : (int)n;
	return r < 0 ? r : TAKE_FD(out);
}

int source_open(int fd, int scratch, struct source *ret)
{
	_cleanup_source_ struct source s = { .fd = -EBADF };
	unsigned char magic[4] = { 0 };
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	s.directory = S_ISDIR(st.st_mode);
	if (!s.directory && !S_ISREG(st.st_mode))
		return refuse("the source is neither a file nor a directory");
	if (!s.directory && pread(fd, magic, sizeof(magic), 0) < 0)
		return -errno;
	bool compressed = memcmp(magic, "\x1f\x8b", 2) == 0 || memcmp(magic, "\x28\xb5\x2f\xfd", 4) == 0;
	s.fd = compressed ? expand(fd, st.st_size, scratch) : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (s.fd < 0)
		return compressed ? s.fd : -errno;
	int r = s.directory ? 0 : list_members(&s);
	if (r < 0)
		return r;
	*ret = s;
	s = (struct source){ .fd = -EBADF };
	return 0;
}

void source_close(struct source *s)
{
	for (size_t i = 0; i < s->member_count; i++) {
		free(s->members[i].name);
		free(s->members[i].link);
	}
	free(s->members);
	s->fd = fd_close(s->fd);
}

static int find_file(const struct source *s, const char *name, struct blob *ret)
{
	struct stat st;
	/* Not blocking: what is there may be a FIFO. */
	_cleanup_close_ int fd = path_open(s->fd, name, O_RDONLY | O_NONBLOCK, PATH_STRICT);

	if (fd < 0)
		return fd == -ENOTDIR ? -ENOENT : fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return refuse("%s is no regular file", name);
	*ret = (struct blob){ .fd = TAKE_FD(fd), .size = st.st_size, .own = true };
	return 0;
}

static const struct member *find_member(const struct source *s, const char *name)
{
	struct member key = { .name = (char *)(uintptr_t)plain_name(name) };

	return s->member_count ? bsearch(&key, s->members, s->member_count, sizeof(key), compare_members) : NULL;
}

int source_find(const struct source *s, const char *name, struct blob *ret)
{
	if (s->directory)
		return find_file(s, name, ret);
	const struct member *m = find_member(s, name);
	if (m && m->link)
		m = find_member(s, m->link);
	if (!m || m->link)
		return -ENOENT;
	*ret = (struct blob){ .fd = s->fd, .offset = m->offset, .size = m->size };
	return 0;
}

void blob_close(struct blob *b)
{
	if (b->own)
		(void)fd_close(b->fd);
	*b = BLOB_NULL;
}

int blob_read(const struct blob *b, size_t max, const char *what, struct buf *ret)
{
	if (b->size < 0 || (size_t)b->size > max)
		return refuse("%s has more than %zu bytes", what, max);
	buf_reserve(ret, (size_t)b->size);
	for (int64_t done = 0; done < b->size;) {
		char piece[4096];
		ssize_t n = pread(b->fd, piece, (size_t)MIN(b->size - done, (int64_t)sizeof(piece)), b->offset + done);
		if (n <= 0)
			return n < 0 ? -errno : refuse("%s is cut short", what);
		buf_append(ret, piece, (size_t)n);
		done += n;
	}
	return 0;
}

int blob_verify(const struct blob *b, const char *digest, int64_t size)
{
	static char piece[1 << 16];
	unsigned char hash[EVP_MAX_MD_SIZE];
	char text[IMAGE_DIGEST_SIZE];

	if (size >= 0 && b->size != size)
		return refuse("%lld bytes instead of the %lld it is declared with", (long long)b->size, (long long)size);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int r = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;
	for (int64_t done = 0; r == 0 && done < b->size;) {
		ssize_t n = pread(b->fd, piece, (size_t)MIN(b->size - done, (int64_t)sizeof(piece)), b->offset + done);
		if (n <= 0)
			r = n < 0 ? -errno : refuse("cut short");
		else if (EVP_DigestUpdate(ctx, piece, (size_t)n) != 1)
			r = -EIO;
		done += n;
	}
	if (r == 0 && EVP_DigestFinal_ex(ctx, hash, NULL) != 1)
		r = -EIO;
	EVP_MD_CTX_free(ctx);
	if (r < 0)
		return r;
	digest_text(hash, text);
	return streq(text, digest) ? 0 : refuse("the bytes are not those of the digest; theirs is %s", text);
}
