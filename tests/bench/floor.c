/* bench-floor: the modes of bench-drive, done by the kernel alone (floor.h).
 *
 *   round BENCH STATE RUN IMAGE CGROUP    one pod: prints microseconds of its start and of a restart
 *   burst BENCH STATE RUN IMAGE CGROUP N  N pods at once
 *   log DIRECTORY MEGABYTES CGROUP        lines from a pipe into files of the kubelet's format: prints microseconds */
#include "bench/floor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench.h"

enum {
	LIMIT_SECONDS = 60,
	IN_SIZE = 256 << 10,
	PIPE_SIZE = 1 << 20,
	LOG_SIZE = 10 << 20, /* of a file, as podd's default */
	STAMP_SIZE = 40,     /* "2006-01-02T15:04:05.000000000Z stdout F " */
};

static _Noreturn void anchor(const struct floor *f, int number)
{
	char rel[64], *argv[] = { (char *)"pause", NULL }, *envp[] = { NULL };

	(void)snprintf(rel, sizeof(rel), "pod%d/anchor", number);
	floor_cgroup_enter(f, rel);
	(void)!sethostname("bench", 5);
	(void)syscall(SYS_execveat, f->program, "", argv, envp, AT_EMPTY_PATH);
	bench_die("execveat");
}

static void start_anchor(struct floor_pod *p)
{
	char rel[64];

	(void)snprintf(rel, sizeof(rel), "pod%d/anchor", p->number);
	int cgroup = floor_cgroup_fd(p->floor, rel);
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_INTO_CGROUP | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC,
		.pidfd = (uint64_t)(uintptr_t)&p->anchor_pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)cgroup,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		anchor(p->floor, p->number);
	p->anchor = (pid_t)bench_check((int)pid, "clone3");
	(void)close(cgroup);
}

static void write_file(int dir, const char *name, const char *text)
{
	int fd = bench_check(openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644), name);

	(void)bench_check((int)write(fd, text, strlen(text)), name);
	(void)close(fd);
}

/* What all containers of the pod see: three small files and /dev/shm. */
static void make_files(const struct floor_pod *p)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/%d", p->floor->run, p->number);
	(void)bench_check(mkdir(path, 0700), path);
	int dir = bench_check(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), path);
	(void)mkdirat(dir, "etc", 0755);
	(void)mkdirat(dir, "root", 0755);
	(void)mkdirat(dir, "shm", 0755);
	write_file(dir, "etc/hosts", "127.0.0.1\tlocalhost\n");
	write_file(dir, "etc/hostname", "bench\n");
	write_file(dir, "etc/resolv.conf", "nameserver 192.0.2.1\n");
	(void)close(dir);
	(void)snprintf(path, sizeof(path), "%s/%d/shm", p->floor->run, p->number);
	(void)bench_check(mount("shm", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=64m"), path);
	(void)snprintf(path, sizeof(path), "%s/%d", p->floor->state, p->number);
	(void)bench_check(mkdir(path, 0700), path);
}

static void pod_start(const struct floor *f, int number, struct floor_pod *p)
{
	static const char *const parts[] = { "", "/members", "/anchor" };
	char rel[64];

	*p = (struct floor_pod){ .floor = f, .number = number };
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		(void)snprintf(rel, sizeof(rel), "pod%d%s", number, parts[i]);
		floor_cgroup_make(f, rel);
	}
	(void)snprintf(rel, sizeof(rel), "pod%d", number);
	floor_cgroup_write(f, "cpu", rel, "cpu.shares", "1024");
	(void)snprintf(rel, sizeof(rel), "pod%d/members", number);
	floor_cgroup_limit(f, rel, 1000, 128L << 20);
	make_files(p);
	start_anchor(p);
	floor_net_make(p);
	for (int i = 0; i < FLOOR_CONTAINERS; i++)
		floor_container_start(p, i);
}

static void pod_remove(struct floor_pod *p)
{
	char path[300], rel[64];

	(void)snprintf(rel, sizeof(rel), "pod%d", p->number);
	floor_cgroup_kill(p->floor, rel);
	(void)waitpid(p->anchor, NULL, 0);
	for (int i = 0; i < FLOOR_CONTAINERS; i++) {
		(void)waitpid(p->members[i], NULL, 0);
		for (int k = 0; k < p->starts[i]; k++) {
			(void)snprintf(rel, sizeof(rel), "pod%d/members/%c.%d", p->number, 'a' + i, k);
			floor_cgroup_remove(p->floor, rel);
		}
	}
	(void)close(p->anchor_pidfd);
	(void)snprintf(rel, sizeof(rel), "pod%d/members", p->number);
	floor_cgroup_remove(p->floor, rel);
	(void)snprintf(rel, sizeof(rel), "pod%d/anchor", p->number);
	floor_cgroup_remove(p->floor, rel);
	(void)snprintf(rel, sizeof(rel), "pod%d", p->number);
	floor_cgroup_remove(p->floor, rel);
	(void)snprintf(path, sizeof(path), "%s/%d/shm", p->floor->run, p->number);
	(void)umount2(path, MNT_DETACH);
	/* The rest is small files in directories of the bench, which removes them when it ends. */
}

static void round_trip(const struct floor *f, int fifo)
{
	struct floor_pod p;
	int64_t begin = bench_now();

	pod_start(f, getpid(), &p);
	int64_t start = bench_wait_count(fifo, FLOOR_CONTAINERS) - begin;

	(void)usleep(100000);
	begin = bench_now();
	(void)kill(p.members[0], SIGKILL);
	(void)waitpid(p.members[0], NULL, 0);
	floor_container_start(&p, 0);
	int64_t restart = bench_wait_count(fifo, 1) - begin;
	(void)printf("%lld %lld\n", (long long)start / 1000, (long long)restart / 1000);
	pod_remove(&p);
}

static void burst(const struct floor *f, int fifo, int count)
{
	struct floor_pod *pods = calloc((size_t)count, sizeof(*pods));
	int64_t begin = bench_now();

	for (int i = 0; pods && i < count; i++)
		pod_start(f, getpid() * 1000 + i, &pods[i]);
	(void)printf("%lld\n", (long long)(bench_wait_count(fifo, FLOOR_CONTAINERS * (size_t)count) - begin) / 1000);
	for (int i = 0; pods && i < count; i++)
		pod_remove(&pods[i]);
	free(pods);
}

/* --- log ------------------------------------------------------------------------------------------------------------------------ */

static void make_stamp(char ret[static 64])
{
	struct timespec ts;
	struct tm tm;
	char text[24];

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", gmtime_r(&ts.tv_sec, &tm));
	(void)snprintf(ret, 64, "%s.%09ldZ stdout F ", text, ts.tv_nsec);
}

static size_t frame(const char *in, size_t n, const char *stamp, char *out, size_t *ret_len)
{
	size_t done = 0, len = 0;

	for (const char *end; (end = memchr(in + done, '\n', n - done)) != NULL;) {
		size_t line = (size_t)(end + 1 - (in + done));
		memcpy(out + len, stamp, STAMP_SIZE);
		memcpy(out + len + STAMP_SIZE, in + done, line);
		len += STAMP_SIZE + line;
		done += line;
	}
	*ret_len = len;
	return done;
}

/* A pod's processes share one weight; without, the floor's two would each have the weight of a pod. */
static void enter_own_cgroup(const char *name)
{
	struct floor f = { .program = -1 };
	char rel[32];

	floor_cgroup_open(&f, name);
	(void)snprintf(rel, sizeof(rel), "log%d", getpid());
	floor_cgroup_make(&f, rel);
	floor_cgroup_enter(&f, rel);
}

static void log_pump(const char *dir, long megabytes)
{
	static char in[IN_SIZE], out[4 * IN_SIZE], stamp[64];
	char path[256], old[260];
	int ends[2], fd = -1;
	size_t have = 0, len, size = LOG_SIZE;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "%s/floor.log", dir);
	(void)snprintf(old, sizeof(old), "%s.1", path);
	(void)bench_check(pipe2(ends, O_CLOEXEC), "pipe");
	(void)fcntl(ends[0], F_SETPIPE_SZ, PIPE_SIZE);
	int64_t begin = bench_now();
	if (bench_check(fork(), "fork") == 0) {
		(void)close(ends[0]);
		bench_flood(ends[1], megabytes);
		_exit(0);
	}
	(void)close(ends[1]);
	while ((n = read(ends[0], in + have, IN_SIZE - have)) > 0) {
		make_stamp(stamp);
		size_t all = have + (size_t)n, done = frame(in, all, stamp, out, &len);
		memmove(in, in + done, have = all - done);
		if (size + len > LOG_SIZE) {
			(void)close(fd);
			(void)rename(path, old);
			fd = bench_check(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640), path);
			size = 0;
		}
		size += (size_t)bench_check((int)write(fd, out, len), path);
	}
	(void)printf("%lld\n", (long long)(bench_now() - begin) / 1000);
	(void)unlink(path);
	(void)unlink(old);
}

int main(int argc, char **argv)
{
	struct floor f = { .program = -1 };
	char path[300];

	bench_limit(LIMIT_SECONDS);
	if (argc == 5 && strcmp(argv[1], "log") == 0) {
		enter_own_cgroup(argv[4]);
		log_pump(argv[2], atol(argv[3]));
		return 0;
	}
	errno = EINVAL;
	if (argc < 7)
		bench_die("bench-floor");
	f.bench = argv[2];
	f.state = argv[3];
	f.run = argv[4];
	f.image = argv[5];
	floor_cgroup_open(&f, argv[6]);
	(void)snprintf(path, sizeof(path), "%s/bench-first", f.image);
	f.program = bench_check(open(path, O_RDONLY | O_CLOEXEC), path);
	f.host_netns = bench_check(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), "netns");
	f.host_rtnl = bench_check(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "netlink");
	for (f.cap_last = 63; f.cap_last > 0 && prctl(PR_CAPBSET_READ, f.cap_last, 0, 0, 0) < 0; f.cap_last--)
		;
	int fifo = bench_fifo_open(f.bench);
	if (strcmp(argv[1], "round") == 0)
		round_trip(&f, fifo);
	else if (strcmp(argv[1], "burst") == 0 && argc > 7)
		burst(&f, fifo, atoi(argv[7]));
	return 0;
}
