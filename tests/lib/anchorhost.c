#include "lib/anchorhost.h"
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "plan/filter.h"
#include "sys/cap.h"
#include "sys/memfd.h"
#include "sys/program.h"
#include "sys/mnt.h"
#include "wire/frame.h"

static const char *program(const char *name)
{
	static char path[512];
	const char *dir = getenv("builddir");

	(void)snprintf(path, sizeof(path), "%s/bin/%s", dir ? dir : ".", name);
	return path;
}

void host_isolate(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		printf("1..0 # SKIP needs root and mount namespaces\n");
		exit(77);
	}
	(void)signal(SIGPIPE, SIG_IGN);
}

static void make_cgroup(struct host *h)
{
	bool hybrid = access("/sys/fs/cgroup/unified/cgroup.procs", F_OK) == 0;

	(void)snprintf(h->cgroup, sizeof(h->cgroup), "/sys/fs/cgroup/%spodd-test-%d", hybrid ? "unified/" : "", getpid());
	if (mkdir(h->cgroup, 0755) < 0)
		assert_int_equal(errno, EEXIST);
}

static void start_anchor(struct host *h, const struct host_options *o)
{
	char path[128];
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)snprintf(path, sizeof(path), "%s/anchor.sock", h->dir);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/anchor.sock", h->dir);
	h->listen = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(h->listen, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(h->listen, 4), 0);

	const char *argv[32] = { "podd-anchor", "--listen", "3",       "--logs",        "4",         "--path",   path,
		                 "--hostname",  "web-0",    "--title", "default/web-0", "--own-net", "--own-uts" };
	size_t n = 13;
	if (o->share_pid)
		argv[n++] = "--share-pid";
	argv[n++] = "--log-size";
	argv[n++] = o->log_size ? o->log_size : "10485760";
	argv[n++] = "--log-files";
	argv[n++] = o->log_files ? o->log_files : "5";

	h->anchor = fork();
	if (h->anchor == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC), listen_fd = fcntl(h->listen, F_DUPFD_CLOEXEC, 10);
		int logs = fcntl(h->logs, F_DUPFD_CLOEXEC, 10);
		if (unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
			_exit(99);
		dup2(listen_fd, 3);
		dup2(logs, 4);
		for (int i = 0; i < 3; i++)
			dup2(null, i);
		execv(program("podd-anchor"), (char *const *)(uintptr_t)argv);
		_exit(98);
	}
	assert_true(h->anchor > 0);
}

static void mount_disk(struct host *h, const char *path)
{
	char command[512];

	(void)snprintf(command, sizeof(command), "truncate -s 32M %s/disk && mkfs.ext4 -q %s/disk && mount -o loop %s/disk %s",
	               h->dir, h->dir, h->dir, path);
	assert_int_equal(system(command), 0);
}

void host_up(struct host *h, const struct host_options *o)
{
	char path[128];

	memset(h, 0, sizeof(*h));
	h->connection = h->netns = h->netlink = h->pidfd = -EBADF;
	(void)snprintf(h->dir, sizeof(h->dir), "/tmp/podd-test-%d", getpid());
	if (mkdir(h->dir, 0700) < 0)
		assert_int_equal(errno, EEXIST);
	assert_int_equal(mount("tmpfs", h->dir, "tmpfs", 0, "size=256m"), 0);
	(void)snprintf(path, sizeof(path), "%s/logs", h->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	if (o->log_disk)
		mount_disk(h, path);
	else
		assert_int_equal(mount("tmpfs", path, "tmpfs", 0, o->log_options), 0);
	h->logs = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make_cgroup(h);

	_cleanup_close_ int file = open(program("podd-launch"), O_RDONLY | O_CLOEXEC);
	assert_true(file >= 0);
	h->launch = program_copy("podd-launch", file);
	assert_true(h->launch >= 0);

	struct arena *a = arena_new();
	h->pod = arena_alloc(a, sizeof(*h->pod));
	h->pod->arena = a;
	h->pod->refs = 1;
	h->pod->metadata.name = "web-0";
	h->pod->metadata.namespace = "default";
	h->pod->spec.share_process_namespace = o->share_pid;
	h->pod->spec.containers.items = arena_new_array(a, struct container, 16);
	h->pod->qos = QOS_BEST_EFFORT;
	start_anchor(h, o);
}

static void kill_cgroup(const char *path)
{
	char file[256];

	(void)snprintf(file, sizeof(file), "%s/cgroup.kill", path);
	(void)file_write(AT_FDCWD, file, "1");
}

void host_down(struct host *h)
{
	char command[512];

	host_disconnect(h);
	if (h->anchor > 0) {
		(void)kill(h->anchor, SIGKILL);
		(void)waitpid(h->anchor, NULL, 0);
	}
	kill_cgroup(h->cgroup);
	for (int i = 0; i < HOST_WAIT_MS / 20; i++) {
		(void)snprintf(command, sizeof(command), "rmdir %s/* %s 2>/dev/null", h->cgroup, h->cgroup);
		(void)!system(command);
		if (access(h->cgroup, F_OK) < 0)
			break;
		(void)poll(NULL, 0, 20);
	}
	assert_int_not_equal(access(h->cgroup, F_OK), 0);
	(void)close(h->listen);
	(void)close(h->logs);
	(void)close(h->launch);
	(void)snprintf(command, sizeof(command), "%s/logs", h->dir);
	(void)umount2(command, MNT_DETACH);
	(void)umount2(h->dir, MNT_DETACH);
	(void)rmdir(h->dir);
	(void)arena_free(h->pod->arena);
}

/* ---- protocol ---- */

static void send_message(struct host *h, const void *m, size_t n, const int *fds, size_t fd_count)
{
	assert_int_equal(frame_send(h->connection, m, n, fds, fd_count), 0);
}

/* One message into the events (or the snapshot). False when none came in time. */
static bool receive(struct host *h, int timeout)
{
	_Alignas(8) char message[FRAME_SIZE_MAX];
	struct pollfd p = { .fd = h->connection, .events = POLLIN };
	int fds[FRAME_FDS_MAX];
	size_t fd_count = 0;

	if (poll(&p, 1, timeout) <= 0)
		return false;
	ssize_t n = frame_recv(h->connection, message, sizeof(message), fds, &fd_count);
	assert_true(n > 0);
	assert_int_equal(anchor_check(message, (size_t)n), 0);
	const struct anchor_header *header = (const void *)message;
	if (header->type == ANCHOR_SNAPSHOT) {
		assert_int_equal(fd_count, 3);
		memcpy(&h->snapshot, message, (size_t)n);
		h->pidfd = fds[0];
		h->netns = fds[1];
		h->netlink = fds[2];
		return true;
	}
	assert_int_equal(fd_count, 0);
	assert_true(h->event_count < HOST_EVENTS_MAX);
	struct host_event *e = &h->events[h->event_count++];
	memset(e, 0, sizeof(*e));
	assert_true((size_t)n <= sizeof(struct anchor_process));
	memcpy(&e->header, message, (size_t)n);
	return true;
}

static const struct anchor_key *event_key(const struct host_event *e)
{
	switch (e->header.type) {
	case ANCHOR_PROCESS:
	case ANCHOR_STARTED:
	case ANCHOR_EXITED:
		return &e->process.key;
	case ANCHOR_DROPPED:
		return &e->dropped.key;
	case ANCHOR_ERROR:
		return &e->error.key;
	default:
		return NULL;
	}
}

static struct host_event *find_event(struct host *h, uint16_t type, struct anchor_key key)
{
	for (size_t i = 0; i < h->event_count; i++) {
		struct host_event *e = &h->events[i];
		const struct anchor_key *k = event_key(e);
		if (!e->seen && e->header.type == type && (!k || anchor_key_equal(k, &key)))
			return e;
	}
	return NULL;
}

bool host_has(struct host *h, uint16_t type, struct anchor_key key)
{
	while (receive(h, 0))
		;
	return find_event(h, type, key) != NULL;
}

struct host_event *host_wait(struct host *h, uint16_t type, struct anchor_key key)
{
	struct host_event *e;

	while (!(e = find_event(h, type, key)))
		if (!receive(h, HOST_WAIT_MS))
			fail_msg("no %s of %s.%u.%u", anchor_type_name(type), key.container, key.number, key.session);
	e->seen = true;
	return e;
}

void host_connect(struct host *h)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct anchor_hello hello = { .header = { ANCHOR_HELLO, sizeof(hello), 0 }, .version = ANCHOR_VERSION };
	int r = -1;

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/anchor.sock", h->dir);
	h->connection = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	for (int i = 0; i < HOST_WAIT_MS / 10; i++) { /* refused: bound, not yet listening */
		r = connect(h->connection, (struct sockaddr *)&address, sizeof(address));
		if (r == 0 || errno != ECONNREFUSED)
			break;
		(void)poll(NULL, 0, 10);
	}
	assert_int_equal(r, 0);
	h->event_count = 0;
	send_message(h, &hello, sizeof(hello), NULL, 0);
	(void)host_wait(h, ANCHOR_SNAPSHOT_END, host_key("", 0, 0));
}

void host_disconnect(struct host *h)
{
	h->connection = fd_close(h->connection);
	h->netns = fd_close(h->netns);
	h->netlink = fd_close(h->netlink);
	h->pidfd = fd_close(h->pidfd);
}

struct anchor_key host_key(const char *container, uint32_t number, uint32_t session)
{
	struct anchor_key key = { .number = number, .session = session };

	(void)snprintf(key.container, sizeof(key.container), "%s", container);
	return key;
}

/* ---- starts ---- */

static struct string_list strings(struct arena *a, const char *const *items, size_t n)
{
	struct string_list l = { .items = arena_new_array(a, const char *, n), .count = n };

	for (size_t i = 0; i < n; i++)
		l.items[i] = arena_strdup(a, items[i]);
	return l;
}

struct container *host_container(struct host *h, const char *name, const char *script)
{
	struct container *c = &h->pod->spec.containers.items[h->pod->spec.containers.count++];
	const char *argv[] = { "sh", "-c", script };

	c->name = arena_strdup(h->pod->arena, name);
	c->image = "rootfs:/";
	c->command = strings(h->pod->arena, argv, 3);
	return c;
}

static struct plan_context context(void)
{
	static struct filters *filters;

	if (!filters)
		filters = filters_new("/nonexistent");
	return (struct plan_context){
		.filters = filters,
		.capabilities = cap_bounding(),
		.memory_capacity = INT64_C(1) << 32,
		.nofile_max = 20000,
	};
}

static int fresh_directory(struct host *h, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s.%u", h->dir, name, h->starts);
	assert_int_equal(mkdir(path, 0755), 0);
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static int tree_of(const char *path)
{
	int fd = mnt_clone(AT_FDCWD, path, true);

	assert_true(fd >= 0);
	return fd;
}

static void put_file(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static int open_slot(struct host *h, const struct slot *s)
{
	char path[128];

	switch (s->role) {
	case SLOT_LAYERS:
		return open(h->layer ? h->layer : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	case SLOT_UPPER:
		return fresh_directory(h, "upper");
	case SLOT_WORK:
		return fresh_directory(h, "work");
	case SLOT_ETC:
		(void)snprintf(path, sizeof(path), "%s/%s", h->dir, s->name);
		put_file(path, s->name);
		return tree_of(path);
	case SLOT_TERMINATION_LOG:
		(void)snprintf(path, sizeof(path), "%s/termination-log", h->dir);
		put_file(path, "");
		return tree_of(path);
	case SLOT_SHM:
		(void)snprintf(path, sizeof(path), "%s/shm", h->dir);
		(void)mkdir(path, 01777);
		return tree_of(path);
	case SLOT_HOST_DEV:
		return tree_of("/dev");
	case SLOT_VOLUME:
		return tree_of(pod_volume(h->pod, s->name)->host_path.path);
	default:
		fail_msg("slot role %d", s->role);
	}
	return -1;
}

static int enter_cgroup(struct host *h, int *ret_kill)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%u", h->cgroup, h->starts);
	assert_int_equal(mkdir(path, 0755), 0);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	*ret_kill = openat(fd, "cgroup.kill", O_WRONLY | O_CLOEXEC);
	assert_true(*ret_kill >= 0);
	return fd;
}

static void send_plan(struct host *h, struct anchor_spawn *m, const struct plan *plan, const int *stdio)
{
	int fds[FRAME_FDS_MAX];
	size_t n = 0;

	h->starts++;
	fds[n++] = fcntl(h->launch, F_DUPFD_CLOEXEC, 3);
	fds[n++] = memfd_sealed("plan", plan->bytes.data, plan->bytes.len);
	int kill_fd;
	fds[n++] = enter_cgroup(h, &kill_fd);
	fds[n++] = kill_fd;
	for (size_t i = 0; stdio && i < 3; i++)
		fds[n++] = stdio[i];
	for (size_t i = 0; i < plan->slot_count; i++)
		if (plan->slots[i].role != SLOT_MEMBER)
			fds[n++] = open_slot(h, &plan->slots[i]);
	m->flags = ANCHOR_SPAWN_CGROUP | ANCHOR_SPAWN_KILL | plan->spawn_flags;
	send_message(h, m, sizeof(*m), fds, n);
	frame_close(fds, n);
}

void host_spawn(struct host *h, const struct container *c, uint32_t number)
{
	struct anchor_spawn m = { .header = { ANCHOR_SPAWN, sizeof(m), 0 },
		                  .key = host_key(c->name, number, 0),
		                  .class = ANCHOR_CLASS_MEMBER };
	static const struct plan_image image;
	const struct plan_context ctx = context();
	const char *reason = NULL;
	struct plan plan;

	int r = plan_member(h->pod, c, &image, &ctx, &plan, &reason);
	if (r < 0)
		fail_msg("plan_member: %s", reason);
	send_plan(h, &m, &plan, NULL);
	plan_deinit(&plan);
}

int host_session(struct host *h, const struct container *c, uint32_t number, uint32_t session, const char *script)
{
	struct anchor_spawn m = {
		.header = { ANCHOR_SPAWN, sizeof(m), 0 },
		.key = host_key(c->name, number, session),
		.class = ANCHOR_CLASS_SESSION,
		.join_number = number,
	};
	static const struct plan_image image;
	const struct plan_context ctx = context();
	const char *reason = NULL, *argv[] = { "sh", "-c", script };
	struct string_list list = { .items = argv, .count = 3 };
	struct plan plan;
	int out[2];

	assert_int_equal(plan_session(h->pod, c, &image, &ctx, &list, SESSION_COMMAND, &plan, &reason), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	int stdio[] = { open("/dev/null", O_RDONLY | O_CLOEXEC), out[1], fcntl(out[1], F_DUPFD_CLOEXEC, 3) };
	send_plan(h, &m, &plan, stdio);
	plan_deinit(&plan);
	return out[0];
}

void host_signal(struct host *h, struct anchor_key key, int signal_number)
{
	struct anchor_signal m = { .header = { ANCHOR_SIGNAL, sizeof(m), 0 }, .key = key, .signal = signal_number };

	send_message(h, &m, sizeof(m), NULL, 0);
}

void host_ack(struct host *h, struct anchor_key key)
{
	struct anchor_ack m = { .header = { ANCHOR_ACK, sizeof(m), 0 }, .key = key };

	send_message(h, &m, sizeof(m), NULL, 0);
}

void host_quit(struct host *h)
{
	struct anchor_header m = { ANCHOR_QUIT, sizeof(m), 0 };

	send_message(h, &m, sizeof(m), NULL, 0);
}

void host_note(struct host *h, const void *data, size_t n)
{
	struct anchor_note m = { .header = { ANCHOR_NOTE, (uint16_t)(offsetof(struct anchor_note, data) + n), 0 },
		                 .size = (uint32_t)n };

	memcpy(m.data, data, n);
	send_message(h, &m, m.header.size, NULL, 0);
}

int host_finish(struct host *h, const char *container, uint32_t number)
{
	struct host_event *e = host_wait(h, ANCHOR_EXITED, host_key(container, number, 0));

	host_ack(h, e->process.key);
	return e->process.status;
}

/* ---- logs ---- */

const char *host_log(struct host *h, const char *path)
{
	static struct buf text;

	buf_clear(&text);
	if (file_read(h->logs, path, 64 << 20, &text) < 0)
		buf_clear(&text);
	return buf_str(&text);
}

void host_wait_log(struct host *h, const char *path, const char *text)
{
	for (int i = 0; i < HOST_WAIT_MS / 10; i++) {
		if (strstr(host_log(h, path), text))
			return;
		(void)poll(NULL, 0, 10);
	}
	const char *log = host_log(h, path);
	fail_msg("%s never said \"%s\": ...%s", path, text, log + (strlen(log) > 900 ? strlen(log) - 900 : 0));
}

static bool is_prefix(const char *s)
{
	static const char pattern[] = "0000-00-00T00:00:00.000000000Z std";

	for (size_t i = 0; pattern[i]; i++)
		if (pattern[i] == '0' ? (s[i] < '0' || s[i] > '9') : s[i] != pattern[i])
			return false;
	s += sizeof(pattern) - 1;
	return (strncmp(s, "out F ", 6) == 0 || strncmp(s, "err F ", 6) == 0 || strncmp(s, "out P ", 6) == 0 ||
	        strncmp(s, "err P ", 6) == 0);
}

const char *host_log_text(struct host *h, const char *path)
{
	static struct buf text;
	const char *p = host_log(h, path);

	/* A line under way is seen in part, and so is one that a full disk is about to take back. */
	for (int i = 0; i < HOST_WAIT_MS / 10 && *p && p[strlen(p) - 1] != '\n'; i++) {
		(void)poll(NULL, 0, 10);
		p = host_log(h, path);
	}
	buf_clear(&text);
	while (*p) {
		const char *end = strchr(p, '\n');
		if (!end || !is_prefix(p))
			fail_msg("%s: not a CRI line: %.100s", path, p);
		buf_append(&text, p + 40, (size_t)(end - p) - 40 + 1);
		p = end + 1;
	}
	return buf_str(&text);
}

void host_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in: %s", part, text);
}

unsigned long host_lines(const char *text)
{
	unsigned long n = 0;

	while ((text = strchr(text, '\n'))) {
		n++;
		text++;
	}
	return n;
}

void host_mount(struct host *h, struct container *c, const char *source, const char *target)
{
	struct volume *v = arena_alloc(h->pod->arena, sizeof(*v));
	struct volume_mount *m = arena_alloc(h->pod->arena, sizeof(*m));

	*v = (struct volume){ .name = "v", .host_path = { .set = true, .path = source } };
	*m = (struct volume_mount){ .name = "v", .mount_path = target };
	h->pod->spec.volumes = (struct volume_list){ v, 1 };
	c->mounts = (struct volume_mount_list){ m, 1 };
}
