/* What an image may cost. Generous to what people build, finite to what they forge; each message names its limit. */
#pragma once
#include <stdint.h>

enum {
	LIMIT_DOCUMENT = 4 << 20,     /* bytes of an index, manifest or configuration, as in containerd */
	LIMIT_INDEX_DEPTH = 4,        /* an index of indexes of ... */
	LIMIT_DESCRIPTORS = 1000,     /* in one index */
	LIMIT_MEMBERS = 10000,        /* of an archive that holds images */
	LIMIT_IMAGES = 100,           /* taken from one archive */
	LIMIT_NAME = 4095,            /* bytes of a path in a layer */
	LIMIT_COMPONENT = 255,        /* bytes between its slashes */
	LIMIT_DEPTH = 256,            /* directories above a file */
	LIMIT_XATTRS = 64,            /* of one file */
	LIMIT_XATTR_BYTES = 64 << 10, /* of one file, names and values */
	LIMIT_ENTRIES = 1000000,      /* files in the layers of one run */
	LIMIT_OPAQUE = 100000,        /* opaque directories in them */
	LIMIT_ENV_STRING = 128 << 10, /* what execve(2) takes in one string (MAX_ARG_STRLEN) */
	LIMIT_ENV_TOTAL = 1 << 20,    /* entrypoint, command and environment */
	LIMIT_LABELS = 256 << 10,     /* bytes */
	LIMIT_CPU_SECONDS = 3600,
};

#define LIMIT_COMPRESSED (INT64_C(16) << 30) /* bytes of the layers of one run, as they come */
#define LIMIT_EXPANDED (INT64_C(64) << 30)   /* the same, unpacked */
#define LIMIT_FILE (INT64_C(64) << 30)       /* one file, holes included */
#define LIMIT_RATIO_FREE (INT64_C(64) << 20) /* a layer that unpacks to more may not be compressed better than ... */
#define LIMIT_RATIO 200
#define LIMIT_MEMORY (UINT64_C(1) << 30) /* address space: libraries, a zstd window of 128 MiB, documents */
#define LIMIT_RESERVE (INT64_C(1) << 30) /* left free on the store's file system, or 5 % of a small one */
