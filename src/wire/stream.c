#include "wire/stream.h"
#include <arpa/inet.h>
#include <string.h>

void stream_header(uint8_t ret[static STREAM_HEADER_SIZE], enum stream_channel channel, size_t size)
{
	uint32_t n = htonl((uint32_t)size);

	ret[0] = (uint8_t)channel;
	memcpy(ret + 1, &n, sizeof(n));
}

int stream_next(const struct buf *in, enum stream_channel *ret_channel, const char **ret_data, size_t *ret_size)
{
	uint32_t n;

	if (in->len < STREAM_HEADER_SIZE)
		return 0;
	uint8_t channel = (uint8_t)in->data[0];
	memcpy(&n, in->data + 1, sizeof(n));
	n = ntohl(n);
	if (channel >= STREAM_CHANNEL_MAX || n > STREAM_FRAME_MAX)
		return -EPROTO;
	if (in->len - STREAM_HEADER_SIZE < n)
		return 0;
	*ret_channel = (enum stream_channel)channel;
	*ret_data = in->data + STREAM_HEADER_SIZE;
	*ret_size = n;
	return 1;
}
