#include "ctl/flow.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include "ctl/ctl.h"
#include "wire/stream.h"

enum { READ_SIZE = 32 << 10 };

void flow_init(struct flow *f, int local, int remote, struct buf frames)
{
	*f = (struct flow){ .local = local, .remote = remote, .frames = frames };
	(void)fcntl(local, F_SETFL, O_NONBLOCK);
	(void)fcntl(remote, F_SETFL, O_NONBLOCK);
}

void flow_deinit(struct flow *f)
{
	f->local = fd_close(f->local);
	f->remote = fd_close(f->remote);
	buf_deinit(&f->frames);
	buf_deinit(&f->up);
	buf_deinit(&f->down);
}

void flow_poll(const struct flow *f, struct pollfd fds[static 2])
{
	bool read_local = !f->local_ended && !f->ended && !f->up.len;

	/* A side that we want nothing of now is left out: poll(2) would tell of its hang-up all the time. */
	fds[0] = (struct pollfd){ .fd = f->local, .events = (short)((read_local ? POLLIN : 0) | (f->down.len ? POLLOUT : 0)) };
	fds[1] = (struct pollfd){ .fd = f->remote,
		                  .events = (short)((!f->ended && !f->down.len ? POLLIN : 0) | (f->up.len ? POLLOUT : 0)) };
	for (unsigned i = 0; i < 2; i++)
		if (!fds[i].events)
			fds[i].fd = -1;
}

/* -EAGAIN is nothing, all else is an error. */
static ssize_t receive(int fd, char *data, size_t size)
{
	ssize_t n = recv(fd, data, size, 0);

	return n < 0 ? -errno : n;
}

static bool may_wait(ssize_t r)
{
	return r == -EAGAIN || r == -EINTR;
}

static int drain(int fd, struct buf *b)
{
	while (b->len) {
		ssize_t n = send(fd, b->data, b->len, MSG_NOSIGNAL);
		if (n < 0)
			return may_wait(-errno) ? 0 : -errno;
		buf_consume(b, (size_t)n);
	}
	return 0;
}

static int read_local(struct flow *f)
{
	char data[STREAM_HEADER_SIZE + READ_SIZE];
	ssize_t n = receive(f->local, data + STREAM_HEADER_SIZE, READ_SIZE);

	if (n < 0)
		return may_wait(n) ? 0 : (int)n;
	f->local_ended = n == 0; /* an empty frame says so */
	stream_header((uint8_t *)data, STREAM_STDIN, (size_t)n);
	buf_append(&f->up, data, STREAM_HEADER_SIZE + (size_t)n);
	return 0;
}

static void take_status(struct flow *f, const char *data, size_t size)
{
	json_t *status = json_loadb(data, size, 0, NULL);

	f->ended = true;
	(void)snprintf(f->error, sizeof(f->error), "%s", json_text(status, "message"));
	json_decref(status);
}

static int take_frames(struct flow *f)
{
	enum stream_channel channel;
	const char *data;
	size_t n;
	int r;

	while ((r = stream_next(&f->frames, &channel, &data, &n)) > 0) {
		if (channel == STREAM_STDOUT)
			buf_append(&f->down, data, n);
		else if (channel == STREAM_STATUS)
			take_status(f, data, n);
		buf_consume(&f->frames, STREAM_HEADER_SIZE + n);
	}
	return r;
}

static int read_remote(struct flow *f)
{
	char data[READ_SIZE];
	ssize_t n = receive(f->remote, data, sizeof(data));

	if (n < 0)
		return may_wait(n) ? 0 : (int)n;
	if (n == 0)
		return -ECONNRESET; /* podd's last word is a status */
	buf_append(&f->frames, data, (size_t)n);
	return take_frames(f);
}

bool flow_move(struct flow *f, const struct pollfd fds[static 2])
{
	int local = 0, remote = take_frames(f);

	if (remote == 0 && fds[1].revents & ~POLLOUT)
		remote = read_remote(f);
	if (fds[0].revents & ~POLLOUT && !f->local_ended && !f->up.len)
		local = read_local(f);
	if (local == 0)
		local = drain(f->local, &f->down);
	if (!f->ended && drain(f->remote, &f->up) < 0) { /* podd has closed: its last word is still to be read */
		f->local_ended = true;
		buf_clear(&f->up);
	}
	if (remote < 0 && !f->ended) {
		f->ended = true;
		(void)snprintf(f->error, sizeof(f->error), "the connection to podd was lost");
	}
	return local == 0 && (!f->ended || f->down.len);
}
