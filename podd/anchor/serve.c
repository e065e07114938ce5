#include <fcntl.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "anchor/anchor.h"
#include "base/cleanup.h"
#include "sys/process.h"
#include "wire/frame.h"

static struct anchor_header header(uint16_t type, size_t size)
{
	return (struct anchor_header){ .type = type, .size = (uint16_t)size };
}

/* Ends the talk, whatever the reason: podd sees the end of file and connects again. What it had sent is still obeyed. */
static void be_deaf(struct anchor *a)
{
	a->phase = PHASE_DEAF;
	(void)shutdown(a->connection, SHUT_RDWR);
}

/* Sends, or notes why not. A full socket is waited for. */
static bool say(struct anchor *a, const void *message, size_t size, const int *fds, size_t fd_count)
{
	int r = frame_send(a->connection, message, size, fds, fd_count);

	if (r == -EAGAIN)
		a->blocked = true;
	else if (r < 0)
		be_deaf(a);
	return r == 0;
}

static bool say_snapshot(struct anchor *a)
{
	struct anchor_snapshot m = {
		.version = ANCHOR_VERSION,
		.pid = getpid(),
		.note_size = a->note_size,
		.log_dropped = a->log_dropped,
		.degraded = a->degraded,
		.log_restarts = a->log_restarts,
	};
	size_t size = offsetof(struct anchor_snapshot, note) + a->note_size;
	_cleanup_close_ int pidfd = process_pidfd(m.pid);
	/* Opened here, it speaks of the pod's network namespace for ever, wherever podd uses it. */
	_cleanup_close_ int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int fds[] = { pidfd, a->netns, netlink };

	if (pidfd < 0 || netlink < 0) { /* out of descriptors or memory */
		be_deaf(a);
		return false;
	}
	for (size_t i = 0; i < a->table.record_count; i++) {
		a->table.records[i].snapshot_due = !a->table.records[i].forgotten;
		m.process_count += a->table.records[i].snapshot_due;
	}
	m.header = header(ANCHOR_SNAPSHOT, size);
	memcpy(m.note, a->note, a->note_size);
	return say(a, &m, size, fds, ARRAY_SIZE(fds));
}

static bool say_process(struct anchor *a, const struct record *r, uint16_t type)
{
	struct anchor_process m = r->info;

	m.header = header(type, sizeof(m));
	if (type == ANCHOR_STARTED && m.state == ANCHOR_PROCESS_EXITED)
		m.state = ANCHOR_PROCESS_RUNNING; /* it has ended meanwhile: the next message says so */
	return say(a, &m, sizeof(m), NULL, 0);
}

static bool say_records(struct anchor *a)
{
	for (size_t i = 0; i < a->table.record_count; i++) {
		struct record *r = &a->table.records[i];
		if (!r->snapshot_due)
			continue;
		if (!say_process(a, r, ANCHOR_PROCESS))
			return false;
		r->snapshot_due = r->started_due = r->exited_due = false;
	}
	struct anchor_header end = header(ANCHOR_SNAPSHOT_END, sizeof(end));
	return say(a, &end, sizeof(end), NULL, 0);
}

static bool say_attached(struct anchor *a, struct record *r)
{
	struct anchor_attached m = { .header = header(ANCHOR_ATTACHED, sizeof(m)), .key = r->info.key };

	m.key.session = r->attach;
	if (!say(a, &m, sizeof(m), &r->input, r->attach_input && r->input >= 0))
		return false;
	if (r->attach_input && r->input_once) /* when podd lets go of it, the member reads the end */
		r->input = fd_close(r->input);
	r->attach = 0;
	return true;
}

static bool say_changes(struct anchor *a)
{
	for (size_t i = 0; i < a->table.record_count; i++) {
		struct record *r = &a->table.records[i];
		if (r->forgotten)
			continue;
		if (r->started_due && !say_process(a, r, ANCHOR_STARTED))
			return false;
		r->started_due = false;
		if (r->attach && !say_attached(a, r))
			return false;
		if (r->exited_due && !say_process(a, r, ANCHOR_EXITED))
			return false;
		r->exited_due = false;
	}
	for (size_t i = 0; i < a->table.stream_count; i++) {
		struct stream *s = &a->table.streams[i];
		if (s->fd < 0 || (s->lost_lines == 0 && s->lost_bytes == 0))
			continue;
		struct anchor_dropped m = {
			.header = header(ANCHOR_DROPPED, sizeof(m)),
			.key = s->key,
			.lines = s->lost_lines,
			.bytes = s->lost_bytes,
			.error = s->lost_error,
		};
		if (!say(a, &m, sizeof(m), NULL, 0))
			return false;
		s->lost_lines = s->lost_bytes = 0;
		table_release_stream(s);
	}
	return true;
}

void serve_flush(struct anchor *a)
{
	a->blocked = false;
	while (a->error_count > 0 && a->connection >= 0 && a->phase != PHASE_DEAF) {
		if (!say(a, &a->errors[0], sizeof(a->errors[0]), NULL, 0))
			return;
		memmove(a->errors, a->errors + 1, --a->error_count * sizeof(a->errors[0]));
	}
	if (a->connection < 0)
		return;
	if (a->phase == PHASE_SNAPSHOT && say_snapshot(a))
		a->phase = PHASE_RECORDS;
	if (a->phase == PHASE_RECORDS && say_records(a))
		a->phase = PHASE_LIVE;
	if (a->phase == PHASE_LIVE)
		(void)say_changes(a);
}

static void refuse(struct anchor *a, const void *message, size_t n, int error)
{
	const struct anchor_header *h = message;
	if (a->error_count == ERRORS_MAX)
		return; /* only of a podd that hung up: else its requests would not be read */
	struct anchor_error *e = &a->errors[a->error_count++];

	*e = (struct anchor_error){ .header = header(ANCHOR_ERROR, sizeof(*e)), .error = -error };
	if (n >= sizeof(*h))
		e->request = h->type;
	if (n >= sizeof(*h) + sizeof(e->key) &&
	    (h->type == ANCHOR_SPAWN || h->type == ANCHOR_SIGNAL || h->type == ANCHOR_ACK || h->type == ANCHOR_ATTACH)) {
		memcpy(&e->key, h + 1, sizeof(e->key));
		e->key.container[sizeof(e->key.container) - 1] = '\0';
	}
}

static int take_note(struct anchor *a, const struct anchor_note *m)
{
	memcpy(a->note, m->data, m->size);
	a->note_size = m->size;
	return 0;
}

static int take_signal(struct anchor *a, const struct anchor_signal *m)
{
	struct record *r = table_find(&a->table, &m->key);

	if (!r)
		return -ENOENT;
	if (!record_live(r))
		return -ESRCH;
	return process_signal(r->pidfd, m->signal);
}

static int take_ack(struct anchor *a, const struct anchor_ack *m)
{
	struct record *r = table_find(&a->table, &m->key);

	if (!r)
		return 0; /* acknowledged before: podd need not remember */
	if (record_live(r))
		return -EBUSY;
	bool member = r->info.class == ANCHOR_CLASS_MEMBER;
	table_remove(&a->table, r);
	if (member && m->header.size >= sizeof(*m) && (m->flags & ANCHOR_ACK_SWEEP))
		ipc_sweep(&a->ipc, !table_alive(&a->table));
	else if (member)
		ipc_leave(&a->ipc);
	return 0;
}

static int take_attach(struct anchor *a, const struct anchor_attach *m, const int *fds, size_t fd_count)
{
	struct anchor_key key = m->key;

	key.session = 0;
	struct record *r = table_find(&a->table, &key);
	if (!r || r->info.state != ANCHOR_PROCESS_RUNNING)
		return -ESRCH;
	if (r->attach || !m->key.session)
		return -EBUSY;
	if ((m->flags & ANCHOR_ATTACH_INPUT) && r->input < 0)
		return -ENXIO;
	int e = link_attach(a, &key, fds, fd_count);
	if (e < 0)
		return e;
	r->attach = m->key.session;
	r->attach_input = m->flags & ANCHOR_ATTACH_INPUT;
	return 0;
}

static int take_quit(struct anchor *a)
{
	if (table_alive(&a->table))
		return -EBUSY;
	a->quitting = true;
	return 0;
}

static int take(struct anchor *a, const void *message, size_t n, const int *fds, size_t fd_count)
{
	const struct anchor_header *h = message;
	int r = anchor_check(message, n);

	if (r < 0)
		return r;
	switch (h->type) {
	case ANCHOR_HELLO:
		a->phase = PHASE_SNAPSHOT;
		return 0;
	case ANCHOR_NOTE:
		return take_note(a, message);
	case ANCHOR_SPAWN:
		return spawn(a, message, fds, fd_count);
	case ANCHOR_SIGNAL:
		return take_signal(a, message);
	case ANCHOR_ACK:
		return take_ack(a, message);
	case ANCHOR_QUIT:
		return take_quit(a);
	case ANCHOR_ATTACH:
		return take_attach(a, message, fds, fd_count);
	case ANCHOR_LOGS:
		return fd_count == 1 ? link_move(a, fds[0]) : -EPROTO;
	default: /* a number from outside, not our enum's value: types of the other direction */
		return -EOPNOTSUPP;
	}
}

static void hang_up(struct anchor *a)
{
	a->connection = fd_close(a->connection);
	a->phase = PHASE_QUIET;
	a->blocked = false;
	a->error_count = 0;
	for (size_t i = 0; i < a->table.record_count; i++)
		a->table.records[i].attach = 0;
	spawn_end_sessions(a);
}

void serve_input(struct anchor *a)
{
	_Alignas(8) char message[FRAME_SIZE_MAX];
	int fds[FRAME_FDS_MAX];
	size_t fd_count = 0;

	/* One message a round: children that ended in between are seen first. */
	ssize_t n = frame_recv(a->connection, message, sizeof(message), fds, &fd_count);
	/* ECONNRESET: podd died with messages of ours unread. What it had sent is still in the queue. */
	if (n == -EAGAIN || n == -ECONNRESET)
		return;
	if (n == -EMSGSIZE || n == -ENOMEM || n == -ENOBUFS) {
		refuse(a, message, 0, (int)n);
		return;
	}
	if (n <= 0) {
		hang_up(a);
		return;
	}
	int r = take(a, message, (size_t)n, fds, fd_count);
	frame_close(fds, fd_count);
	if (r < 0 && a->phase != PHASE_DEAF)
		refuse(a, message, (size_t)n, r);
}

void serve_accept(struct anchor *a)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	_cleanup_close_ int fd = accept4(a->options.listen, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	/* The directory lets only root in; this costs nothing. */
	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != geteuid())
		return;
	a->connection = TAKE_FD(fd);
}

void serve_listen_anew(struct anchor *a)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || strlen(a->options.path) >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, a->options.path, strlen(a->options.path) + 1);
	(void)unlink(address.sun_path);
	mode_t old = umask(0177);
	int r = bind(fd, (struct sockaddr *)&address, sizeof(address));
	(void)umask(old);
	if (r < 0 || listen(fd, 16) < 0)
		return;
	(void)fd_close(a->options.listen);
	a->options.listen = TAKE_FD(fd);
}
