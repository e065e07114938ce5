/* podctl exec and attach: a command in a container, or the container's own process. Its exit code is ours. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include "base/fd.h"
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/exec.h"
#include "ctl/terminal.h"
#include "wire/stream.h"
#include "wire/url.h"

enum {
	EXEC_FAILED = 125,
	READ_SIZE = 32 << 10,
	CTRL_P = 'P' & 0x1f,
	CTRL_Q = 'Q' & 0x1f,
};

struct exec {
	int fd, signals;              /* signals: -EBADF without a terminal */
	bool stdin_open, quiet, deaf; /* deaf: our own output took no more */
	bool detachable, saw_p;       /* ^P ^Q leaves; a ^P waits for what follows */
	struct buf in;
	int code; /* -1: not known yet */
};

/* Podctl's own failures must not look like the command's. */
static int own_failure(int code)
{
	return code == CTL_YES ? CTL_YES : EXEC_FAILED;
}

static void take_status(struct exec *x, const char *data, size_t n)
{
	json_t *status = json_loadb(data, n, 0, NULL), *cause;
	size_t i;

	x->code = streq(json_text(status, "status"), "Success") ? 0 : EXEC_FAILED;
	json_array_foreach(json_at(status, "details.causes"), i, cause) {
		const char *reason = json_text(cause, "reason"), *message = json_text(cause, "message");
		int64_t code;
		if (streq(reason, "ExitCode") && str_int(message, 0, 255, &code) == 0)
			x->code = (int)code;
		else if (streq(reason, "StartError"))
			(void)ctl_fail(0, "%s", message);
	}
	json_decref(status);
}

/* What podd has sent. */
static int take_frames(struct exec *x)
{
	enum stream_channel channel;
	const char *data;
	size_t n;
	int r;

	while ((r = stream_next(&x->in, &channel, &data, &n)) > 0) {
		int written = 0;
		switch (channel) {
		case STREAM_STDOUT:
			written = x->quiet ? 0 : fd_write_all(STDOUT_FILENO, data, n);
			break;
		case STREAM_STDERR:
			written = x->quiet ? 0 : fd_write_all(STDERR_FILENO, data, n);
			break;
		case STREAM_STATUS:
			take_status(x, data, n);
			break;
		case STREAM_STDIN:
		case STREAM_RESIZE:
		case STREAM_CHANNEL_MAX:
			break;
		}
		x->deaf = written < 0;
		if (x->deaf)
			return written;
		buf_consume(&x->in, STREAM_HEADER_SIZE + n);
	}
	return r;
}

/* Gone is the connection when the command has ended; its status is still to be read. */
static int send_frame(struct exec *x, char *frame, enum stream_channel channel, size_t n)
{
	stream_header((uint8_t *)frame, channel, n);
	int r = fd_write_all(x->fd, frame, STREAM_HEADER_SIZE + n);
	return r == -EPIPE || r == -ECONNRESET ? 0 : r;
}

static int send_size(struct exec *x, unsigned more)
{
	_cleanup_buf_ struct buf frame = BUF_NULL;

	buf_append(&frame, "\0\0\0\0\0", STREAM_HEADER_SIZE);
	return terminal_size(more, &frame) ? send_frame(x, frame.data, STREAM_RESIZE, frame.len - STREAM_HEADER_SIZE) : 0;
}

/* Copies what was typed, up to ^P ^Q, which leaves; a ^P at the end is kept until the next key. The length of the copy. */
static size_t filter_keys(struct exec *x, const char *keys, size_t n, char *ret)
{
	size_t count = 0;

	for (size_t i = 0; i < n && x->code < 0; i++) {
		if (x->saw_p && keys[i] == CTRL_Q) {
			x->code = 0;
			break;
		}
		if (x->saw_p)
			ret[count++] = CTRL_P;
		x->saw_p = keys[i] == CTRL_P;
		if (!x->saw_p)
			ret[count++] = keys[i];
	}
	return count;
}

static int send_stdin(struct exec *x)
{
	char keys[READ_SIZE], frame[STREAM_HEADER_SIZE + 1 + READ_SIZE];
	ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));

	if (n < 0 && errno == EINTR)
		return 0;
	if (n <= 0) {
		x->stdin_open = false;
		return send_frame(x, frame, STREAM_STDIN, 0); /* empty: the end */
	}
	size_t count = (size_t)n;
	if (x->detachable)
		count = filter_keys(x, keys, count, frame + STREAM_HEADER_SIZE);
	else
		memcpy(frame + STREAM_HEADER_SIZE, keys, count);
	return count ? send_frame(x, frame, STREAM_STDIN, count) : 0;
}

static int receive(struct exec *x)
{
	char data[READ_SIZE];
	ssize_t n = read(x->fd, data, sizeof(data));

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -ECONNRESET;
	buf_append(&x->in, data, (size_t)n);
	return take_frames(x);
}

/* Our stdin is only read when the socket would take it: a command that does not read must not keep us from its output. */
static int relay(struct exec *x)
{
	int r = take_frames(x);

	while (r >= 0 && x->code < 0) {
		struct pollfd fds[] = { { .fd = x->fd, .events = POLLIN },
			                { .fd = -1, .events = POLLIN },
			                { .fd = x->signals, .events = POLLIN } };
		struct pollfd writable = { .fd = x->fd, .events = POLLOUT };
		bool ready = x->stdin_open && poll(&writable, 1, 0) == 1 && (writable.revents & POLLOUT);
		if (ready)
			fds[1].fd = STDIN_FILENO;
		else if (x->stdin_open)
			fds[0].events |= POLLOUT;
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return -errno;
		if (fds[0].revents & ~POLLOUT)
			r = receive(x);
		if (r >= 0 && x->code < 0 && fds[1].revents)
			r = send_stdin(x);
		if (r >= 0 && x->code < 0 && fds[2].revents && terminal_signal(x->signals))
			r = send_size(x, 0);
	}
	return r;
}

static void call_path(const struct args *a, const struct pod_ref *p, const char *verb, struct buf *out)
{
	pod_ref_own_path(p, verb, out);
	if (a->container)
		url_add(out, "container", a->container);
	if (a->stdin)
		url_add(out, "stdin", "true");
	if (a->tty)
		url_add(out, "tty", "true");
	for (size_t i = 0; i < a->command_count; i++)
		url_add(out, "command", a->command[i]);
}

/* With the terminal, if there is one, in raw mode. */
static int converse(struct exec *x, const struct args *a, bool attach)
{
	int r = 0;

	if (a->tty && a->stdin)
		r = terminal_raw(&x->signals);
	if (r == 0 && a->tty && attach) { /* a size that changes makes programs draw anew */
		(void)fputs("If you don't see a command prompt, try pressing enter; ^P ^Q leaves.\r\n", stderr);
		r = send_size(x, 1);
	}
	if (r == 0 && a->tty)
		r = send_size(x, 0);
	if (r == 0)
		r = relay(x);
	terminal_restore();
	x->signals = fd_close(x->signals);
	return r;
}

static int run(const struct args *a, const char *path, bool attach, bool quiet)
{
	_cleanup_client_ struct client *c = NULL;
	struct exec x = { .fd = -EBADF,
		          .signals = -EBADF,
		          .stdin_open = a->stdin,
		          .quiet = quiet,
		          .detachable = attach && a->stdin && a->tty,
		          .code = -1 };

	struct client_request q = { .method = "POST", .path = path, .upgrade = STREAM_PROTOCOL };
	int r = client_open(a, &q, &c);
	if (r == 0)
		r = client_finish(c);
	if (r < 0)
		return own_failure(client_unreachable(a, r));
	if (client_code(c) != 101)
		return quiet ? EXEC_FAILED : own_failure(client_refused(c));
	x.fd = client_take(c, &x.in);
	r = converse(&x, a, attach);
	(void)fd_close(x.fd);
	buf_deinit(&x.in);
	if (x.code >= 0)
		return x.code;
	return ctl_fail(EXEC_FAILED, x.deaf ? "can't write: %s" : "the connection to podd was lost: %s", strerror(-r));
}

int exec_call(const struct args *a, const char *path)
{
	return run(a, path, false, false);
}

static int begin(const struct args *a, const struct pod_ref *p, const char *verb, bool quiet)
{
	_cleanup_buf_ struct buf path = BUF_NULL;
	struct args own = *a;

	(void)signal(SIGPIPE, SIG_IGN);                    /* of the socket; a write to a closed stdout is an error that ends us */
	if (a->tty && a->stdin && !isatty(STDIN_FILENO)) { /* kubectl's words */
		(void)fputs("Unable to use a TTY - input is not a terminal or the right kind of file\n", stderr);
		own.tty = false;
	}
	call_path(&own, p, verb, &path);
	return run(&own, path.data, streq(verb, "attach"), quiet);
}

int exec_attach(const struct args *a, const struct pod_ref *p, bool quiet)
{
	return begin(a, p, "attach", quiet);
}

int verb_exec(const struct args *a)
{
	struct pod_ref p;

	if (a->word_count != 1 || !a->command_count)
		return own_failure(ctl_fail(CTL_USAGE, "exec needs a pod and a command: podctl exec web -- ls -l"));
	return pod_ref_parse(a, a->words[0], &p) < 0 ? EXEC_FAILED : begin(a, &p, "exec", false);
}

int verb_attach(const struct args *a)
{
	struct pod_ref p;

	if (a->word_count != 1 || a->command)
		return own_failure(ctl_fail(CTL_USAGE, "attach needs the name of one pod and no command"));
	return pod_ref_parse(a, a->words[0], &p) < 0 ? EXEC_FAILED : exec_attach(a, &p, false);
}
