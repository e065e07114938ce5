/* A container's log. The files of one start are opened at once, so that rotation can't take them away while they are read. To follow
 * is to wait for inotify on the container's log directory; it ends when the container has ended and its log is quiet. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/api/api.h"
#include "daemon/api/criread.h"
#include "daemon/pod/logs.h"

enum {
	FILES_MAX = 64, /* of one start */
	READ_SIZE = 64 << 10,
	TURN_SIZE = 256 << 10,  /* read before others get their turn */
	QUEUE_SIZE = 256 << 10, /* a client that is further behind is waited for */
	QUIET_MS = 100,         /* the log process may be a little behind the exit */
};

struct log_file {
	int fd;
	ino_t inode;
	off_t end; /* where to stop; -1: wherever it ends */
};

struct log_stream {
	struct list link;
	struct http_request *q;
	char uid[POD_UID_SIZE], container[CONTAINER_NAME_SIZE];
	uint32_t number;
	int dirfd;
	struct log_file files[FILES_MAX]; /* oldest first; the first is the one being read */
	size_t count;
	struct criread reader;
	uint64_t left; /* of limitBytes */
	bool follow, ending, gone;
	uv_poll_t poll;
	uv_timer_t quiet;
	int inotify_fd;
	unsigned open_handles;
};

/* --- files --- */

static int open_file(int dirfd, const char *name, struct log_file *ret)
{
	_cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	/* A pod with a hostPath on the log directory could have put anything there. */
	if (!S_ISREG(st.st_mode) || st.st_nlink > 1)
		return -EPERM;
	*ret = (struct log_file){ .fd = TAKE_FD(fd), .inode = st.st_ino, .end = -1 };
	return 0;
}

/* Opens "<number>.log", then ".log.1" and older, until the file `known` is met (0: all). Youngest first, since rotation makes young ones
 * old: a file that moves meanwhile is met twice, not never. Appends them to the stream, oldest first. */
static void collect_files(struct log_stream *s, ino_t known)
{
	struct log_file found[FILES_MAX];
	size_t n = 0;

	for (unsigned i = 0; n < FILES_MAX - s->count; i++) {
		char name[40];
		struct log_file f;
		(void)snprintf(name, sizeof(name), i ? "%u.log.%u" : "%u.log", s->number, i);
		int r = open_file(s->dirfd, name, &f);
		if (r < 0 && i == 0)
			continue; /* between the two steps of a rotation */
		if (r < 0)
			break;
		if (f.inode == known) {
			(void)close(f.fd);
			break;
		}
		if (n && found[n - 1].inode == f.inode)
			(void)close(f.fd);
		else
			found[n++] = f;
	}
	while (n)
		s->files[s->count++] = found[--n];
}

static void drop_first(struct log_stream *s)
{
	(void)fd_close(s->files[0].fd);
	s->count--;
	memmove(&s->files[0], &s->files[1], s->count * sizeof(s->files[0]));
}

static int seek_tail(struct log_stream *s, uint64_t lines)
{
	size_t i = s->count;
	off_t offset = 0;

	while (i) {
		int r = criread_tail(s->files[--i].fd, &lines, &offset);
		if (r < 0)
			return r;
		if (!lines)
			break;
	}
	while (i--)
		drop_first(s);
	return s->count && lseek(s->files[0].fd, offset, SEEK_SET) < 0 ? -errno : 0;
}

/* Files that were last written before are not read at all. */
static void skip_older(struct log_stream *s, int64_t since_wall)
{
	struct stat st;

	while (s->count > 1 && fstat(s->files[0].fd, &st) == 0 && st.st_mtim.tv_sec < since_wall / NS_PER_SEC)
		drop_first(s);
}

/* --- the stream --- */

static void stream_free(struct log_stream *s)
{
	while (s->count)
		drop_first(s);
	(void)fd_close(s->dirfd);
	(void)fd_close(s->inotify_fd);
	criread_deinit(&s->reader);
	free(s);
}

static void on_handle_closed(uv_handle_t *h)
{
	struct log_stream *s = h->data;

	if (--s->open_handles == 0)
		stream_free(s);
}

static void on_gone(void *arg)
{
	struct log_stream *s = arg;

	s->gone = true;
	list_remove(&s->link);
	if (!s->open_handles) {
		stream_free(s);
		return;
	}
	uv_close((uv_handle_t *)&s->poll, on_handle_closed);
	uv_close((uv_handle_t *)&s->quiet, on_handle_closed);
}

/* One read of the first file. 1: there is more; 0: it is at its end; -errno. */
static int read_some(struct log_stream *s, struct buf *out)
{
	static const size_t size = READ_SIZE;
	struct log_file *f = &s->files[0];
	char data[READ_SIZE];
	off_t at = lseek(f->fd, 0, SEEK_CUR);
	size_t want = f->end >= 0 && f->end - at < (off_t)size ? (size_t)MAX(f->end - at, 0) : size;

	ssize_t n = want ? read(f->fd, data, want) : 0;
	if (n < 0)
		return errno == EINTR ? 1 : -errno;
	criread_feed(&s->reader, data, (size_t)n, out);
	return n > 0;
}

/* The first file is at its end: whether there is more to read. A file that was rotated away is read to its end once more, for what
 * was written to it between our last look and the rotation. */
static bool next_file(struct log_stream *s)
{
	if (s->count > 1) {
		drop_first(s);
		return true;
	}
	if (s->follow)
		collect_files(s, s->files[0].inode);
	return s->count > 1;
}

/* Sends what there is, a turn's worth; goes on when that is written. */
static void pump(struct log_stream *s)
{
	_cleanup_buf_ struct buf out = BUF_NULL;
	bool end = false;

	if (s->gone || http_queued(s->q) > QUEUE_SIZE)
		return; /* `drained` comes back here */
	if (!s->count)
		collect_files(s, 0); /* it had printed nothing yet */
	while (!end && out.len < TURN_SIZE) {
		int r = s->count ? read_some(s, &out) : 0;
		end = r < 0 || (r == 0 && (!s->count || !next_file(s)));
	}
	bool finish = end && (!s->follow || (s->ending && !uv_is_active((uv_handle_t *)&s->quiet)));
	if (finish)
		criread_flush(&s->reader, &out);
	finish |= out.len >= s->left;
	out.len = MIN(out.len, s->left);
	s->left -= out.len;
	http_send(s->q, out.data, out.len);
	if (finish)
		http_finish(s->q);
}

static void on_drained(void *arg)
{
	pump(arg);
}

static void on_quiet(uv_timer_t *t)
{
	pump(t->data);
}

static void on_inotify(uv_poll_t *p, int status, int events)
{
	struct log_stream *s = p->data;
	char data[4096];

	(void)status;
	(void)events;
	while (read(s->inotify_fd, data, sizeof(data)) > 0)
		; /* only that something happened counts */
	if (s->ending)
		(void)uv_timer_start(&s->quiet, on_quiet, QUIET_MS, 0);
	pump(s);
}

static bool start_goes_on(const struct daemon *d, const struct log_stream *s)
{
	const struct core_pod *p = core_pod_by_uid(d->core, s->uid);
	const struct core_container *c = p ? core_container(p, s->container) : NULL;

	return c && c->number == s->number &&
	       (c->state == CONTAINER_STATE_STARTING || c->state == CONTAINER_STATE_RUNNING ||
	        c->state == CONTAINER_STATE_STOPPING);
}

static void end_when_quiet(struct log_stream *s)
{
	s->ending = true;
	(void)uv_timer_start(&s->quiet, on_quiet, QUIET_MS, 0);
}

void api_log_changed(struct api *a, const char *uid)
{
	list_foreach(s, &a->logs, struct log_stream, link)
		if (!s->ending && streq(s->uid, uid) && !start_goes_on(a->d, s))
			end_when_quiet(s);
}

static int follow_begin(struct api *a, struct log_stream *s)
{
	char path[40];

	s->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (s->inotify_fd < 0)
		return -errno;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", s->dirfd);
	if (inotify_add_watch(s->inotify_fd, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
		return -errno;
	int r = uv_poll_init(&a->d->loop, &s->poll, s->inotify_fd);
	if (r < 0)
		return r;
	(void)uv_timer_init(&a->d->loop, &s->quiet);
	s->poll.data = s->quiet.data = s;
	s->open_handles = 2;
	list_append(&a->logs, &s->link);
	return uv_poll_start(&s->poll, UV_READABLE, on_inotify);
}

/* --- the request --- */

struct log_query {
	bool follow, previous, timestamps, tail;
	uint64_t tail_lines, limit; /* limit in bytes */
	int64_t since_wall;
};

static bool parse_since(struct http_request *q, int64_t *ret_wall)
{
	const char *seconds = url_param(http_url(q), "sinceSeconds"), *time = url_param(http_url(q), "sinceTime");
	int64_t n = 0;

	if (seconds && time)
		api_error(q, 400, NULL, NULL, "one of sinceSeconds and sinceTime, not both");
	else if (seconds && str_int(seconds, 1, 1000000000, &n) < 0)
		api_error(q, 400, NULL, NULL, "sinceSeconds has to be a number from 1 to 1000000000");
	else if (time && clock_parse(time, ret_wall) < 0)
		api_error(q, 400, NULL, NULL, "sinceTime has to be a time as 2006-01-02T15:04:05Z");
	else {
		if (seconds)
			*ret_wall = clock_wall() - n * NS_PER_SEC;
		return true;
	}
	return false;
}

static bool parse_query(struct http_request *q, struct log_query *ret)
{
	const struct url *u = http_url(q);
	const char *tail = url_param(u, "tailLines"), *limit = url_param(u, "limitBytes"), *stream = url_param(u, "stream");
	int64_t lines = 0, bytes = INT64_MAX, since = 0;

	if (tail && str_int(tail, 0, INT64_MAX, &lines) < 0) {
		api_error(q, 400, NULL, NULL, "tailLines has to be a number of at least 0");
		return false;
	}
	if (limit && str_int(limit, 1, INT64_MAX, &bytes) < 0) {
		api_error(q, 400, NULL, NULL, "limitBytes has to be a number of at least 1");
		return false;
	}
	if (stream && !streq(stream, "All")) {
		api_error(q, 400, NULL, NULL, "podd gives all streams of a log at once: stream=All");
		return false;
	}
	if (!parse_since(q, &since))
		return false;
	*ret = (struct log_query){
		.follow = url_bool(u, "follow"),
		.previous = url_bool(u, "previous"),
		.timestamps = url_bool(u, "timestamps"),
		.tail = tail,
		.tail_lines = (uint64_t)lines,
		.limit = (uint64_t)bytes,
		.since_wall = since,
	};
	return true;
}

/* Which start is meant. False after an error. */
static bool choose_start(struct http_request *q, const struct core_pod *p, const struct core_container *c, bool previous,
                         uint32_t *ret)
{
	bool current =
		c->state == CONTAINER_STATE_RUNNING || c->state == CONTAINER_STATE_STOPPING || c->state == CONTAINER_STATE_STARTING;
	const char *pod = p->pod->metadata.name;

	if (previous && c->last.set && (current || c->state == CONTAINER_STATE_BACKOFF)) {
		*ret = c->last.number;
		return true;
	}
	if (previous && c->last.set && c->last.number > 0) { /* done: the start before its last one, if that was in this sandbox */
		*ret = c->last.number - 1;
		if (c->restart_count)
			return true;
	}
	if (previous && !c->last.set && current &&
	    c->number > 0) { /* it went down with the host: nobody saw its end, but its log is there */
		*ret = c->number - 1;
		return true;
	}
	if (previous) {
		api_error(q, 400, pod, "pods", "previous terminated container \"%s\" in pod \"%s\" not found", c->name, pod);
		return false;
	}
	if (!current && !c->last.set) {
		api_error(q, 400, pod, "pods", "container \"%s\" in pod \"%s\" is waiting to start: %s", c->name, pod,
		          core_container_reason(p, c));
		return false;
	}
	*ret = current ? c->number : c->last.number;
	return true;
}

static int open_directory(const struct daemon *d, const struct core_pod *p, const char *container)
{
	_cleanup_close_ int pod = logs_open(d, p->pod, p->uid);

	if (pod < 0)
		return pod;
	int fd = openat(pod, container, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static void stream_begin(struct api *a, struct log_stream *s, const struct log_query *v)
{
	static const struct http_callbacks callbacks = { .gone = on_gone, .drained = on_drained };
	struct stat st;

	if (s->follow && follow_begin(a, s) < 0)
		s->follow = false; /* out of inotify instances: better what is there than nothing */
	collect_files(s, 0);
	if (v->since_wall)
		skip_older(s, v->since_wall);
	if (v->tail)
		(void)seek_tail(s, v->tail_lines); /* unreadable: read_some() will say so */
	for (size_t i = 0; i < s->count && !s->follow; i++)
		s->files[i].end = fstat(s->files[i].fd, &st) == 0 ? st.st_size : -1; /* else a fast writer keeps us for ever */
	http_stream(s->q, 200, "text/plain", &callbacks, s);
	if (s->follow && !start_goes_on(a->d, s))
		end_when_quiet(s);
	pump(s);
}

void api_log_get(struct http_request *q, void *arg)
{
	struct api *a = arg;
	const struct core_pod *p = api_find_pod(a, q);
	const struct core_container *c = p ? api_find_container(q, p) : NULL;
	struct log_query v;
	uint32_t number;

	if (!c || !parse_query(q, &v) || !choose_start(q, p, c, v.previous, &number))
		return;
	int dirfd = open_directory(a->d, p, c->name);
	if (dirfd == -ENOENT) {
		http_reply(q, 200, "text/plain", "", 0);
		return;
	}
	if (dirfd < 0) {
		api_error(q, 500, p->pod->metadata.name, "pods", "the log can't be read: %s", strerror(-dirfd));
		return;
	}
	struct log_stream *s = xnew(struct log_stream);
	s->q = q;
	s->dirfd = dirfd;
	s->inotify_fd = -EBADF;
	s->number = number;
	s->follow = v.follow;
	s->left = v.limit;
	list_init(&s->link);
	(void)snprintf(s->uid, sizeof(s->uid), "%s", p->uid);
	(void)snprintf(s->container, sizeof(s->container), "%s", c->name);
	criread_init(&s->reader, v.timestamps, v.since_wall);
	stream_begin(a, s, &v);
}
