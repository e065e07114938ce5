#include "anchor/logger.h"
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "anchor/anchor.h"
#include "anchor/crifile.h"
#include "base/cleanup.h"
#include "sys/cap.h"
#include "sys/process.h"
#include "wire/frame.h"

enum {
	PAGE = 4096,
	IN_SIZE = 256 << 10,
	OUT_SIZE = 512 << 10,
	PIPE_SIZE = 1 << 20,  /* of a pipe that was once found full: fewer switches between writer and reader */
	PIPE_FULL = 64 << 10, /* as pipes are born */
	TRIM_SIZE = 32 << 10, /* buffers that were filled further than this are given back when nothing is left to do */
	TRIM_MS = 200,
	EVENTS = 32,
	TAPS_MAX = 64,
	QUIT_ROUNDS = 256, /* of reading after QUIT: what a process that outlives its pod still writes is not waited for */
};
static const uint32_t SOCKET_EVENT = UINT32_MAX;
/* A second before the timer fires: whoever took less was certainly not drained for. */
static const int64_t SLOW_NS = (HANG_SECONDS - 1) * INT64_C(1000000000);

struct log_stream {
	int fd; /* -EBADF or 0-filled with used false */
	bool used, large;
	struct criline line;
	struct crifile *file;
};

struct log_file {
	struct crifile file;
	unsigned refs;
};

/* Who is attached to a stream; fd 0 is an empty place. */
struct tap {
	int fd;
	uint32_t stream;
};

/* All of it lies in .bss: pages that are never touched cost nothing. */
struct logger {
	struct logger_config config;
	int epoll;
	bool armed, go, quit, orphan;
	int64_t armed_at, wall;
	size_t filled; /* how far the buffers were used since they were last given back */
	char stamp[CRI_STAMP_SIZE];
	struct log_stream streams[TABLE_STREAMS_MAX];
	struct log_file files[TABLE_STREAMS_MAX];
	struct tap taps[TAPS_MAX];
	_Alignas(PAGE) char in[IN_SIZE];
	_Alignas(PAGE) char out[OUT_SIZE];
	_Alignas(PAGE) char carries[TABLE_STREAMS_MAX][CRI_LINE_MAX];
};

static void reply(struct logger *g, enum log_reply_type type, size_t stream, const struct crifile_loss *loss)
{
	struct log_reply m = { .type = type, .stream = (uint32_t)stream };

	if (loss) {
		m.lines = loss->lines;
		m.bytes = loss->bytes;
		m.error = loss->error;
	}
	if (frame_send(g->config.socket, &m, sizeof(m), NULL, 0) < 0)
		g->orphan = true;
}

static void set_timer(struct logger *g, int64_t seconds)
{
	timer_set(g->config.hang, seconds);
	g->armed = seconds > 0;
}

static void store(struct logger *g, size_t stream, size_t n)
{
	struct crifile_loss loss = { 0 };

	if (n == 0)
		return;
	crifile_write(g->streams[stream].file, g->out, n, g->wall, &loss);
	if (loss.lines > 0)
		reply(g, LOG_LOST, stream, &loss);
	g->filled = MAX(g->filled, n);
}

static struct crifile *take_file(struct logger *g, const struct anchor_key *key)
{
	struct log_file *free_file = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(g->files); i++) {
		struct log_file *f = &g->files[i];
		if (f->refs == 0) {
			free_file = f;
			break; /* places are taken from the front, and pages beyond stay untouched */
		}
		if (f->file.number == key->number && strcmp(f->file.container, key->container) == 0) {
			f->refs++;
			return &f->file;
		}
	}
	/* A file further on may still be the one. */
	for (struct log_file *f = free_file; f && f < g->files + ARRAY_SIZE(g->files); f++)
		if (f->refs > 0 && f->file.number == key->number && strcmp(f->file.container, key->container) == 0) {
			f->refs++;
			return &f->file;
		}
	crifile_open(&free_file->file, g->config.logs, key->container, key->number, g->config.limit, g->config.files);
	free_file->refs = 1; /* cppcheck-suppress nullPointer ; there are as many places as streams: one was free */
	return &free_file->file;
}

static void tap_close(struct tap *t)
{
	(void)close(t->fd);
	t->fd = 0;
}

static void open_tap(struct logger *g, uint32_t stream, int fd)
{
	for (size_t i = 0; i < TAPS_MAX; i++) {
		if (g->taps[i].fd)
			continue;
		(void)fcntl(fd, F_SETFL, O_NONBLOCK);
		g->taps[i] = (struct tap){ .fd = fd, .stream = stream };
		return;
	}
	(void)close(fd); /* one too many sees the end */
}

static void feed_taps(struct logger *g, size_t stream, size_t n)
{
	for (size_t i = 0; i < TAPS_MAX; i++) {
		struct tap *t = &g->taps[i];
		/* SIGPIPE is blocked, as all signals are. Beyond what fits now, the reader has lost. */
		if (t->fd && t->stream == stream && write(t->fd, g->in, n) < 0 && errno != EAGAIN)
			tap_close(t);
	}
}

static void release(struct logger *g, size_t stream)
{
	struct log_stream *s = &g->streams[stream];
	struct log_file *f = container_of(s->file, struct log_file, file);

	if (--f->refs == 0)
		crifile_close(&f->file, g->wall);
	for (size_t i = 0; i < TAPS_MAX; i++)
		if (g->taps[i].fd && g->taps[i].stream == stream)
			tap_close(&g->taps[i]);
	(void)madvise(g->carries[stream], CRI_LINE_MAX, MADV_DONTNEED);
	s->fd = fd_close(s->fd);
	s->used = false;
}

static void end_stream(struct logger *g, size_t stream)
{
	struct log_stream *s = &g->streams[stream];
	size_t n = 0;

	criline_end(&s->line, g->stamp, g->out, &n);
	store(g, stream, n);
	release(g, stream);
	reply(g, LOG_END, stream, NULL);
}

static void open_stream(struct logger *g, const struct log_order *m, int fd)
{
	struct log_stream *s = &g->streams[m->stream];
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = m->stream };

	*s = (struct log_stream){ .fd = fd, .used = true };
	s->line.carry = g->carries[m->stream];
	s->line.is_stderr = m->which == 2;
	s->file = take_file(g, &m->key);
	(void)epoll_ctl(g->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* One read's worth, so that no stream starves the others. */
static void pump(struct logger *g, size_t stream)
{
	struct log_stream *s = &g->streams[stream];
	ssize_t n = read(s->fd, g->in, IN_SIZE);

	if (n == 0 || (n < 0 && errno == EIO)) { /* EIO: nobody has the terminal open any more */
		end_stream(g, stream);
		return;
	}
	if (n < 0)
		return; /* the reaper was faster */
	feed_taps(g, stream, (size_t)n);
	if (n >= PIPE_FULL && !s->large) {
		s->large = true;
		(void)fcntl(s->fd, F_SETPIPE_SZ, PIPE_SIZE);
	}
	g->filled = MAX(g->filled, (size_t)n);
	for (size_t done = 0; done < (size_t)n;) {
		size_t len = 0;
		done += criline_frame(&s->line, g->stamp, g->in + done, (size_t)n - done, g->out, OUT_SIZE, &len);
		store(g, stream, len);
	}
}

static void take_drained(struct logger *g, const struct log_order *m)
{
	struct log_stream *s = &g->streams[m->stream];

	/* Its beginning was part of the first line that was dropped. */
	s->line.carried = 0;
	s->line.skip = m->midline;
	s->file->lost_lines += m->lines;
	s->file->lost_error = ETIMEDOUT;
}

static void take_orders(struct logger *g)
{
	struct log_order m;
	int fds[FRAME_FDS_MAX];
	size_t fd_count = 0;
	ssize_t n = frame_recv(g->config.socket, &m, sizeof(m), fds, &fd_count);

	if (n <= 0) { /* the reaper is gone; so are the members, or soon */
		g->quit = g->orphan = true;
		return;
	}
	bool known = n == (ssize_t)sizeof(m) && m.stream < TABLE_STREAMS_MAX;
	if (known && m.type == LOG_OPEN && fd_count == 1 && !g->streams[m.stream].used) {
		open_stream(g, &m, fds[0]);
		return;
	}
	if (known && m.type == LOG_TAP && fd_count == 1 && g->streams[m.stream].used) {
		open_tap(g, m.stream, fds[0]);
		return;
	}
	frame_close(fds, fd_count);
	if (known && m.type == LOG_DRAINED && g->streams[m.stream].used)
		take_drained(g, &m);
	else if (m.type == LOG_GO)
		g->go = true;
	else if (m.type == LOG_QUIT)
		g->quit = true;
}

/* If what was done since the timer was set took so long that it may have fired, the reaper may be emptying the pipes. */
static void settle(struct logger *g)
{
	if (!g->armed || now_boot() - g->armed_at < SLOW_NS)
		return;
	set_timer(g, 0); /* before SLOW: it can't fire any more once the reaper has heard that */
	g->go = false;
	reply(g, LOG_SLOW, 0, NULL);
	while (!g->go && !g->orphan)
		take_orders(g);
}

/* Once a second is often enough to push off a timer of five. */
static void tick(struct logger *g)
{
	settle(g);
	g->wall = now_wall();
	crifile_stamp(g->wall, g->stamp);
	int64_t boot = now_boot();
	if (!g->armed || boot - g->armed_at > INT64_C(1000000000)) {
		set_timer(g, HANG_SECONDS);
		g->armed_at = boot;
	}
}

static void trim(struct logger *g)
{
	(void)madvise(g->in, IN_SIZE, MADV_DONTNEED);
	(void)madvise(g->out, OUT_SIZE, MADV_DONTNEED);
	for (size_t i = 0; i < ARRAY_SIZE(g->streams); i++)
		if (g->streams[i].used && g->streams[i].line.carried == 0)
			(void)madvise(g->carries[i], CRI_LINE_MAX, MADV_DONTNEED);
	g->filled = 0;
}

/* Nothing is left to do: the timer goes off, and large buffers go back; but not in the short pauses of a flood, when they would be
 * wanted again at once. */
static int rest(struct logger *g, struct epoll_event *events)
{
	settle(g);
	if (g->armed)
		set_timer(g, 0);
	if (g->filled > TRIM_SIZE) {
		int n = epoll_wait(g->epoll, events, EVENTS, TRIM_MS);
		if (n != 0)
			return n;
		trim(g);
	}
	return epoll_wait(g->epoll, events, EVENTS, -1);
}

static void run(struct logger *g)
{
	struct epoll_event events[EVENTS];

	for (unsigned rounds = 0; !g->quit || rounds < QUIT_ROUNDS; rounds += g->quit) {
		int n = epoll_wait(g->epoll, events, EVENTS, 0);
		if (n == 0 && g->quit)
			return;
		if (n == 0)
			n = rest(g, events);
		if (n > 0)
			tick(g);
		for (int i = 0; i < n; i++) {
			uint32_t stream = events[i].data.u32;
			if (stream == SOCKET_EVENT && !g->orphan)
				take_orders(g);
			else if (stream != SOCKET_EVENT && g->streams[stream].used)
				pump(g, stream);
			settle(g);
		}
		if (g->orphan) {
			(void)epoll_ctl(g->epoll, EPOLL_CTL_DEL, g->config.socket, NULL);
			g->quit = true;
		}
	}
}

/* Only the log directory, and there only what logging needs. */
static int confine(int logs)
{
	enum { TRUNCATE = 1 << 14 }; /* ABI 3: newer than some headers */
	uint64_t fs = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
	              LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
	              LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
	              LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
	              LANDLOCK_ACCESS_FS_MAKE_SYM;
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (abi < 1)
		return -EOPNOTSUPP;
	if (abi >= 3)
		fs |= TRUNCATE;
	struct landlock_ruleset_attr attr = { .handled_access_fs = fs };
	struct landlock_path_beneath_attr rule = {
		.allowed_access = fs & (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
		                        LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
		                        TRUNCATE),
		.parent_fd = logs,
	};
	_cleanup_close_ int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset < 0 || syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return -errno;
	return 0;
}

/* Keeps the three descriptors, at the lowest numbers after stdio; what else the reaper had open is closed. */
static void keep(struct logger_config *c)
{
	int high[3] = { fcntl(c->socket, F_DUPFD_CLOEXEC, 10), fcntl(c->logs, F_DUPFD_CLOEXEC, 10),
		        fcntl(c->hang, F_DUPFD_CLOEXEC, 10) };

	for (int i = 0; i < 3; i++)
		(void)dup3(high[i], 3 + i, O_CLOEXEC);
	(void)process_close_range(6, ~0u, 0);
	c->socket = 3;
	c->logs = 4;
	c->hang = 5;
}

_Noreturn void logger_main(const struct logger_config *config)
{
	static struct logger logger;
	struct logger *g = &logger;
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = SOCKET_EVENT };

	g->config = *config;
	keep(&g->config);
	(void)prctl(PR_SET_NAME, "podd-log");
	g->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (g->epoll < 0 || epoll_ctl(g->epoll, EPOLL_CTL_ADD, g->config.socket, &event) < 0)
		_exit(1);
	if (confine(g->config.logs) < 0)
		reply(g, LOG_UNCONFINED, 0, NULL);
	(void)cap_set(0);
	run(g);
	for (size_t i = 0; i < ARRAY_SIZE(g->streams); i++)
		if (g->streams[i].used)
			end_stream(g, i);
	_exit(0);
}
