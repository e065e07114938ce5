/* grpcd PORT: a server of grpc.health.v1.Health for tests of probes. What it says depends on the service that is asked for: "" is SERVING,
 * "sick" NOT_SERVING, "strange" gets NOT_FOUND, "old" is a server that has no such service at all, "slow" is never answered. */
#include <arpa/inet.h>
#include <nghttp2/nghttp2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_MAX = 256, PREFIX = 5, NAME_AT = PREFIX + 2 };

struct call {
	char request[REQUEST_MAX];
	size_t size;
	unsigned char answer[PREFIX + 2];
	char status[4];
};

static ssize_t send_answer(nghttp2_session *s, int32_t stream, uint8_t *out, size_t size, uint32_t *flags,
                           nghttp2_data_source *source, void *arg)
{
	struct call *c = arg;
	const nghttp2_nv trailer = { (uint8_t *)(uintptr_t) "grpc-status", (uint8_t *)c->status, 11, strlen(c->status), 0 };

	(void)source;
	if (size < sizeof(c->answer))
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	memcpy(out, c->answer, sizeof(c->answer));
	*flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
	(void)nghttp2_submit_trailer(s, stream, &trailer, 1);
	return sizeof(c->answer);
}

#define HEADER(n, v)                                                                          \
	{                                                                                     \
		(uint8_t *)(uintptr_t)(n), (uint8_t *)(uintptr_t)(v), strlen(n), strlen(v), 0 \
	}

static void answer(nghttp2_session *s, int32_t stream, struct call *c)
{
	const char *service = c->size > NAME_AT ? c->request + NAME_AT : "";
	const nghttp2_data_provider body = { .read_callback = send_answer };
	nghttp2_nv headers[] = { HEADER(":status", "200"), HEADER("content-type", "application/grpc"),
		                 HEADER("grpc-status", c->status), HEADER("grpc-message", "as asked") };

	(void)strcpy(c->status, strcmp(service, "strange") == 0 ? "5" : strcmp(service, "old") == 0 ? "12" : "0");
	headers[2].valuelen = strlen(c->status);
	memcpy(c->answer, "\0\0\0\0\2\10\1", sizeof(c->answer));
	c->answer[sizeof(c->answer) - 1] = strcmp(service, "sick") == 0 ? 2 : 1;
	if (strcmp(service, "slow") == 0)
		return;
	if (c->status[0] == '0')
		(void)nghttp2_submit_response(s, stream, headers, 2, &body);
	else
		(void)nghttp2_submit_response(s, stream, headers, 4, NULL); /* trailers only */
}

static int on_data(nghttp2_session *s, uint8_t flags, int32_t stream, const uint8_t *data, size_t n, void *arg)
{
	struct call *c = arg;

	(void)s;
	(void)flags;
	(void)stream;
	if (n >= sizeof(c->request) - c->size)
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	memcpy(c->request + c->size, data, n);
	c->size += n;
	return 0;
}

static int on_frame(nghttp2_session *s, const nghttp2_frame *f, void *arg)
{
	if ((f->hd.type == NGHTTP2_DATA || f->hd.type == NGHTTP2_HEADERS) && (f->hd.flags & NGHTTP2_FLAG_END_STREAM))
		answer(s, f->hd.stream_id, arg);
	return 0;
}

static void serve(int fd)
{
	struct call c = { .size = 0 };
	nghttp2_session_callbacks *callbacks;
	nghttp2_session *s;
	uint8_t data[4096];
	const uint8_t *out;
	ssize_t n;

	(void)nghttp2_session_callbacks_new(&callbacks);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	(void)nghttp2_session_server_new(&s, callbacks, &c);
	(void)nghttp2_submit_settings(s, NGHTTP2_FLAG_NONE, NULL, 0);
	do {
		while ((n = nghttp2_session_mem_send(s, &out)) > 0)
			if (write(fd, out, (size_t)n) != n)
				_exit(1);
		n = read(fd, data, sizeof(data));
	} while (n > 0 && nghttp2_session_mem_recv(s, data, (size_t)n) >= 0);
	_exit(0);
}

int main(int argc, char **argv)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 0)) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	(void)signal(SIGCHLD, SIG_IGN);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0 || listen(fd, 64) < 0) {
		perror("grpcd");
		return 1;
	}
	for (;;) {
		int c = accept(fd, NULL, NULL);
		if (c >= 0 && fork() == 0)
			serve(c);
		(void)close(c);
	}
}
