#include "image/stream.h"
#include <archive.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <openssl/evp.h>
#include "image/limits.h"
#include "image/why.h"

enum { CHECK_EVERY = 16 << 20 }; /* bytes between looks at the free space */

static la_ssize_t read_blob(struct archive *a, void *data, const void **ret)
{
	struct stream *s = data;
	size_t n = (size_t)MIN(s->blob->size - s->position, (int64_t)sizeof(s->in));
	ssize_t got = n ? pread(s->blob->fd, s->in, n, s->blob->offset + s->position) : 0;

	if (got < 0 || (n && got == 0)) {
		s->error = got < 0 ? -errno : -EIO;
		archive_set_error(a, -s->error, "%s", strerror(-s->error));
		return -1;
	}
	s->position += got;
	*ret = s->in;
	return got;
}

static int add_filters(struct archive *a, enum compression compression)
{
	int r = ARCHIVE_OK;

	switch (compression) {
	case COMPRESSION_DETECT:
		r = MIN(archive_read_support_filter_gzip(a), archive_read_support_filter_zstd(a));
		break;
	case COMPRESSION_GZIP:
		r = archive_read_support_filter_gzip(a);
		break;
	case COMPRESSION_ZSTD:
		r = archive_read_support_filter_zstd(a);
		break;
	case COMPRESSION_NONE:
	case COMPRESSION_MAX:
		break;
	}
	/* ARCHIVE_WARN: it would run an external program. */
	return r == ARCHIVE_OK ? 0 : refuse("this libarchive can't unpack gzip or zstd by itself");
}

int stream_open(struct stream *s, const struct blob *blob, enum compression compression, struct usage *usage)
{
	struct archive_entry *e;

	s->blob = blob;
	s->usage = usage;
	s->position = s->expanded = s->checked = 0;
	s->padded = false;
	s->error = 0;
	s->hash = EVP_MD_CTX_new();
	s->raw = archive_read_new();
	if (!s->raw || !s->hash || EVP_DigestInit_ex(s->hash, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	usage->compressed += blob->size;
	if (usage->compressed > LIMIT_COMPRESSED)
		return refuse("the layers have more than %lld bytes", (long long)LIMIT_COMPRESSED);
	(void)archive_read_support_format_raw(s->raw);
	(void)archive_read_support_format_empty(s->raw);
	int r = add_filters(s->raw, compression);
	if (r < 0)
		return r;
	r = archive_read_open(s->raw, s, NULL, read_blob, NULL);
	if (r == ARCHIVE_OK)
		r = archive_read_next_header(s->raw, &e);
	if (r != ARCHIVE_OK && r != ARCHIVE_EOF)
		return s->error ? s->error : refuse("unpacking: %s", archive_error_string(s->raw));
	return 0;
}

/* The file system keeps a reserve: a full one stops more than this import. */
static int check_space(struct stream *s)
{
	struct statvfs fs;

	if (s->expanded < s->checked)
		return 0;
	s->checked = s->expanded + CHECK_EVERY;
	if (fstatvfs(s->usage->reserve_fd, &fs) < 0)
		return -errno;
	int64_t total = (int64_t)(fs.f_blocks * fs.f_frsize), left = (int64_t)(fs.f_bavail * fs.f_frsize);
	if (left - CHECK_EVERY < MIN(LIMIT_RESERVE, total / 20))
		return refuse("no space: %lld MiB left on the store's file system, of which 5 %% or 1 GiB stay free",
		              (long long)left >> 20);
	if (fs.f_files && fs.f_favail < fs.f_files / 20)
		return refuse("no space: fewer than 5 %% of the inodes of the store's file system are left");
	return 0;
}

ssize_t stream_read(struct stream *s, const void **ret)
{
	la_ssize_t n = archive_read_data(s->raw, s->out, sizeof(s->out));

	if (n < 0)
		return s->error ? s->error : refuse("unpacking: %s", archive_error_string(s->raw));
	s->expanded += n;
	s->usage->expanded += n;
	if (s->usage->expanded > LIMIT_EXPANDED)
		return refuse("the layers unpack to more than %lld bytes", (long long)LIMIT_EXPANDED);
	if (s->expanded > LIMIT_RATIO_FREE && s->expanded / LIMIT_RATIO > s->position)
		return refuse("compressed more than %d:1: a bomb", LIMIT_RATIO);
	int r = n ? check_space(s) : 0;
	if (r < 0)
		return r;
	if (EVP_DigestUpdate(s->hash, s->out, (size_t)n) != 1)
		return -EIO;
	*ret = s->out;
	return n;
}

int stream_end(struct stream *s, char ret_digest[static IMAGE_DIGEST_SIZE])
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	const void *data;
	ssize_t n;

	while ((n = stream_read(s, &data)) > 0)
		continue;
	if (n < 0)
		return (int)n;
	if (EVP_DigestFinal_ex(s->hash, hash, NULL) != 1)
		return -EIO;
	digest_text(hash, ret_digest);
	return 0;
}

void stream_close(struct stream *s)
{
	(void)archive_read_free(s->raw);
	EVP_MD_CTX_free(s->hash);
}
