#include "image/layer.h"
#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include "base/str.h"
#include "image/limits.h"
#include "image/tree.h"
#include "image/why.h"

enum { BLOCK = 512 };

/* Some writers (umoci insert) leave out what follows the last file's data: the zeros to a full block and the end of the archive.
 * libarchive wants the former. */
static ssize_t pad(struct stream *s, const void **ret)
{
	static const char zeros[BLOCK];
	size_t n = (size_t)(-s->expanded & (BLOCK - 1));

	*ret = zeros;
	if (s->padded)
		return 0;
	s->padded = true;
	return (ssize_t)n;
}

static la_ssize_t read_stream(struct archive *a, void *data, const void **ret)
{
	struct stream *s = data;
	ssize_t n = stream_read(s, ret);

	if (n == 0)
		n = pad(s, ret);
	if (n < 0) {
		s->error = (int)n;
		archive_set_error(a, EIO, "%s", why_text((int)n));
		return -1;
	}
	return n;
}

/* Names are bytes here. libarchive would convert those of pax headers from UTF-8 to the locale's encoding, and normalise them on the
 * way, so the locale is C, where it warns and leaves the bytes. Any other warning is about a header that lies. */
static bool is_harmless(struct archive *a)
{
	const char *text = archive_error_string(a);

	return text && strstr(text, "can't be converted from");
}

static int add_entries(struct tree *t, struct archive *a, struct stream *s)
{
	struct archive_entry *e;

	for (;;) {
		int ar = archive_read_next_header(a, &e);
		if (ar == ARCHIVE_EOF)
			return tree_finish(t);
		if (s->error)
			return s->error;
		if (ar != ARCHIVE_OK && !(ar == ARCHIVE_WARN && is_harmless(a)))
			return refuse("not a sound tar: %s", archive_error_string(a));
		if (++s->usage->entries > LIMIT_ENTRIES)
			return refuse("the layers have more than %d files", LIMIT_ENTRIES);
		int64_t data = archive_filter_bytes(a, -1);
		int r = tree_add(t, a, e);
		if (r == 0 && s->padded && data + archive_entry_size(e) > s->expanded && !archive_entry_sparse_count(e))
			r = refuse("the tar ends within a file");
		if (r < 0)
			return s->error ? s->error : r;
	}
}

static int unpack(struct stream *s, struct tree *t, char ret_digest[static IMAGE_DIGEST_SIZE])
{
	struct archive *a = archive_read_new();
	int r;

	(void)archive_read_support_format_tar(a);
	(void)archive_read_support_format_empty(a);
	if (archive_read_open(a, s, NULL, read_stream, NULL) != ARCHIVE_OK)
		r = s->error ? s->error : refuse("not a tar: %s", archive_error_string(a));
	else
		r = add_entries(t, a, s);
	(void)archive_read_free(a);
	/* What follows the tar's end is no file, but it counts for the hash. */
	return r < 0 ? r : stream_end(s, ret_digest);
}

int layer_unpack(const struct layer *l, int dir, const int *lowers, size_t lower_count, const char *chain, struct usage *usage,
                 struct buf *opaque)
{
	static struct stream s;
	static struct tree t;
	char digest[IMAGE_DIGEST_SIZE];

	int r = *l->digest ? blob_verify(&l->blob, l->digest, l->size) : 0;
	if (r < 0)
		return r;
	r = tree_init(&t, dir, lowers, lower_count, chain, opaque);
	if (r == 0)
		r = stream_open(&s, &l->blob, l->compression, usage);
	if (r == 0)
		r = unpack(&s, &t, digest);
	if (r == 0 && !streq(digest, l->diff_id))
		r = refuse("unpacks to %s instead of the diff ID %s", digest, l->diff_id);
	stream_close(&s);
	tree_deinit(&t);
	return r;
}
