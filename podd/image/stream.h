/* A layer's bytes on their way to the tar reader: decompressed, counted against the limits, and hashed, since a diff ID is the hash of
 * the uncompressed tar. libarchive does the decompression; nothing gets to it whose compressed digest was not verified. */
#pragma once
#include <stdint.h>
#include <stddef.h>
#include <sys/types.h>
#include "image/source.h"

enum compression {
	COMPRESSION_DETECT, /* whatever it is: the writer did not say */
	COMPRESSION_NONE,
	COMPRESSION_GZIP,
	COMPRESSION_ZSTD,
	COMPRESSION_MAX,
};

/* What one run has used up so far. */
struct usage {
	int64_t compressed, expanded, entries;
	int reserve_fd; /* a directory of the file system that must not get full */
};

struct archive;
struct evp_md_ctx_st;

struct stream {
	const struct blob *blob;
	struct usage *usage;
	int64_t position, expanded, checked;
	struct archive *raw;
	struct evp_md_ctx_st *hash;
	bool padded; /* layer.c */
	int error;   /* of a callback: libarchive doesn't carry it */
	char in[1 << 16], out[1 << 16];
};

int stream_open(struct stream *s, const struct blob *blob, enum compression compression, struct usage *usage);
ssize_t stream_read(struct stream *s, const void **ret);                     /* the next bytes, 0 at the end */
int stream_end(struct stream *s, char ret_digest[static IMAGE_DIGEST_SIZE]); /* reads what is left; the digest of all */
void stream_close(struct stream *s);
