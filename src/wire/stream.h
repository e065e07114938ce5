/* The frames of `Upgrade: podd-exec`, the same both ways: one byte of channel, four of length (most significant first), the data.
 * An empty frame on stdin is its end of file. The server's last frame is the status. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

enum stream_channel {
	STREAM_STDIN, /* to the command */
	STREAM_STDOUT,
	STREAM_STDERR,
	STREAM_STATUS, /* a Kubernetes Status object in JSON, once, last */
	STREAM_RESIZE, /* to the terminal: {"Width":80,"Height":24} */
	STREAM_CHANNEL_MAX,
};

enum { STREAM_HEADER_SIZE = 5, STREAM_FRAME_MAX = 1 << 20 };

#define STREAM_PROTOCOL "podd-exec"

void stream_header(uint8_t ret[static STREAM_HEADER_SIZE], enum stream_channel channel, size_t size);

/* Looks at the first frame of `in`. 1 and the frame's place in `in` when it is whole (then buf_consume STREAM_HEADER_SIZE + size of
 * it); 0 when more bytes are needed; -EPROTO for a channel or a size that can't be. */
int stream_next(const struct buf *in, enum stream_channel *ret_channel, const char **ret_data, size_t *ret_size);
