/* Where an image comes from: a directory, or a tar whose members are found once and then read in place. Names are those in it, without a
 * leading "./"; a member that is a link stands for the member it names (docker save shares layers so). */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/sha256.h"
#include "image/ref.h"

struct member {
	char *name, *link; /* link: NULL for a regular file */
	int64_t offset, size;
};

struct source {
	int fd; /* the directory or the tar */
	bool directory;
	struct member *members; /* sorted by name */
	size_t member_count;
};

/* A piece of a file, named for messages. */
struct blob {
	int fd;
	int64_t offset, size;
	bool own; /* fd is closed with it */
};
#define BLOB_NULL ((struct blob){ .fd = -EBADF })

/* fd stays the caller's. A tar that is compressed itself is unpacked to a nameless file below scratch first. */
int source_open(int fd, int scratch, struct source *ret);
void source_close(struct source *s);

int source_find(const struct source *s, const char *name, struct blob *ret); /* -ENOENT without words */
void blob_close(struct blob *b);

/* All of a small one; refused beyond `max`. `what` is for messages. */
int blob_read(const struct blob *b, size_t max, const char *what, struct buf *ret);
/* Refused unless it is exactly `size` bytes (-1: any) of this digest. */
int blob_verify(const struct blob *b, const char *digest, int64_t size);
void digest_text(const unsigned char hash[static SHA256_SIZE], char ret[static IMAGE_DIGEST_SIZE]);
void digest_of(const void *data, size_t n, char ret[static IMAGE_DIGEST_SIZE]);

static inline void cleanup_source(struct source *s)
{
	source_close(s);
}
#define _cleanup_source_ _cleanup_(cleanup_source)
#define _cleanup_blob_ _cleanup_(blob_close)
