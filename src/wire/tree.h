/* A file or a directory with all below it, as a stream: what podctl cp and podd-launch in the container say to each other, either way.
 *
 * A record is one byte of type, four of length (most significant first), the data. A tree is one entry, or END alone if there is nothing
 * to send:
 *
 *   FILE       mode (2 bytes), name; then DATA as often as needed, then END
 *   DIRECTORY  mode, name; then entries, then END
 *   LINK       mode, name, NUL, text
 *
 * Whoever receives believes nothing. A name is one component, never "..", and each entry is made by it in a directory that was opened
 * without following a symlink, so no stream can lead out of where it was asked to go, whatever it made there before. Permissions
 * of owner, group and others are kept; set-user-ID and the like are not, nor owners. Libc only, no heap. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TREE_DEPTH_MAX = 100, /* directories within each other: one descriptor each */
	TREE_PATH_MAX = 4096,
	TREE_DATA_MAX = 64 << 10,
	TREE_HEADER_SIZE = 5,
};

enum tree_type { TREE_FILE = 1, TREE_DIRECTORY, TREE_LINK, TREE_DATA, TREE_END };

struct tree {
	int stream;
	void (*trouble)(const char *path, const char *text); /* one entry can't be copied; the others are */
	/* The rest is zero at first. */
	bool incomplete; /* there was trouble */
	unsigned depth;
	size_t path_len;
	char path[TREE_PATH_MAX]; /* of what is being copied, for trouble() */
	unsigned char record[TREE_HEADER_SIZE + TREE_DATA_MAX];
};

/* Both: 0, or -errno of the stream: -EPIPE, or -ENODATA when it ends early, -EPROTO for what can't be.
 *
 * A `path` that is a symlink is followed, those below are sent as such. */
int tree_send(struct tree *t, const char *path);
/* Into the directory `path`, as `name`; or as `path` where no directory is yet. A name like "." puts a directory's entries into it. */
int tree_receive(struct tree *t, const char *path, const char *name);
