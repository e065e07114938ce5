/* bench-drive: podd's side of the bench. It puts manifests into the directory by rename, reads stamps, kills members.
 *
 *   round BENCH PODS CGROUP TEMPLATE N one pod of N members: prints microseconds of its start and of a restart, and removes it
 *   burst BENCH PODS CGROUP TEMPLATE N M  N pods of M members at once, which stay: prints microseconds until all members run
 *   flood BENCH PODS CGROUP TEMPLATE   a pod that floods its log: prints microseconds from its first line to its last
 *   probes BENCH PODS CGROUP SECONDS   listens to probes, one a second in each pod: prints how many came, and by how many microseconds the
 *                                      median one, that of 99 % and the latest came more than a second after the one before it
 *   clear BENCH PODS CGROUP            removes all manifests, waits until no pod is left: prints microseconds
 *   adopt SOCKET PID PODD ARGUMENT...  kills the podd of that pid (0: there is none) and starts another: prints microseconds until its
 *                                      socket answers, and its pid
 *
 *   peer BENCH N COMMAND...            starts another engine: prints microseconds until N members run, and the command's pid
 *   again BENCH PID                    kills a member of another engine: prints microseconds until its successor runs
 *
 * BENCH is the directory of the FIFO, CGROUP podd's cgroup in the v2 hierarchy. In TEMPLATE @ stands for the pod's name. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench/bench.h"

enum { LIMIT_SECONDS = 60, TEXT_MAX = 8192, PROBED_MAX = 1024, PROBES_MAX = 65536 };

struct drive {
	const char *pods, *cgroup;
	char text[TEXT_MAX];
	int fifo;
};

static void pause_us(long us)
{
	(void)usleep((useconds_t)us);
}

/* "@" becomes the name. Returns the hidden file that a rename will bring to light. */
static void stage(const struct drive *d, const char *name, char hidden[static 512], char visible[static 512])
{
	(void)snprintf(hidden, 512, "%s/.%s", d->pods, name);
	(void)snprintf(visible, 512, "%s/%s.yaml", d->pods, name);
	FILE *f = fopen(hidden, "we");
	if (!f)
		bench_die(hidden);
	for (const char *s = d->text; *s; s++)
		if (*s == '@')
			(void)fputs(name, f);
		else
			(void)fputc(*s, f);
	if (fclose(f) != 0)
		bench_die(hidden);
}

static void read_template(struct drive *d, const char *path)
{
	int fd = bench_check(open(path, O_RDONLY | O_CLOEXEC), path);
	ssize_t n = read(fd, d->text, sizeof(d->text) - 1);

	d->text[bench_check((int)n, path)] = '\0';
	(void)close(fd);
}

static size_t count_pods(const struct drive *d)
{
	char pattern[512];
	glob_t g = { 0 };

	(void)snprintf(pattern, sizeof(pattern), "%s/{,burstable/,besteffort/}pod*", d->cgroup);
	int r = glob(pattern, GLOB_BRACE, NULL, &g);
	size_t n = r == 0 ? g.gl_pathc : 0;
	globfree(&g);
	return n;
}

static pid_t member(const struct drive *d, char name)
{
	char pattern[512], text[32] = "";
	glob_t g = { 0 };

	(void)snprintf(pattern, sizeof(pattern), "%s/{,burstable/,besteffort/}pod*/members/%c.*/cgroup.procs", d->cgroup, name);
	if (glob(pattern, GLOB_BRACE, NULL, &g) == 0 && g.gl_pathc == 1) {
		int fd = open(g.gl_pathv[0], O_RDONLY | O_CLOEXEC);
		(void)!read(fd, text, sizeof(text) - 1);
		(void)close(fd);
	}
	globfree(&g);
	return atoi(text);
}

static void clear(const struct drive *d)
{
	char pattern[512];
	glob_t g = { 0 };

	(void)snprintf(pattern, sizeof(pattern), "%s/*.yaml", d->pods);
	if (glob(pattern, 0, NULL, &g) == 0)
		for (size_t i = 0; i < g.gl_pathc; i++)
			(void)unlink(g.gl_pathv[i]);
	globfree(&g);
	while (count_pods(d) > 0)
		pause_us(2000);
}

static void round_trip(struct drive *d, size_t members)
{
	char hidden[512], visible[512];

	stage(d, "bench", hidden, visible);
	int64_t begin = bench_now();
	(void)bench_check(rename(hidden, visible), visible);
	int64_t start = bench_wait_count(d->fifo, members) - begin;

	pause_us(100000); /* a program that runs, not one that is still being told of */
	pid_t pid = member(d, 'a');
	begin = bench_now();
	(void)bench_check(pid > 0 ? kill(pid, SIGKILL) : -1, "killing a member");
	int64_t restart = bench_wait_count(d->fifo, 1) - begin;

	(void)printf("%lld %lld\n", (long long)start / 1000, (long long)restart / 1000);
	clear(d);
}

static void burst(struct drive *d, int count, int members)
{
	char hidden[512], visible[512], name[32];

	for (int i = 0; i < count; i++) {
		(void)snprintf(name, sizeof(name), "bench-%d", i);
		stage(d, name, hidden, visible);
	}
	int64_t begin = bench_now();
	for (int i = 0; i < count; i++) {
		(void)snprintf(hidden, sizeof(hidden), "%s/.bench-%d", d->pods, i);
		(void)snprintf(visible, sizeof(visible), "%s/bench-%d.yaml", d->pods, i);
		(void)bench_check(rename(hidden, visible), visible);
	}
	(void)printf("%lld\n", (long long)(bench_wait_count(d->fifo, (size_t)members * (size_t)count) - begin) / 1000);
}

static void flood(struct drive *d)
{
	char hidden[512], visible[512];

	stage(d, "flood", hidden, visible);
	(void)bench_check(rename(hidden, visible), visible);
	int64_t begin = bench_wait(d->fifo).boot_ns, end = bench_wait(d->fifo).boot_ns;
	(void)printf("%lld\n", (long long)(end - begin) / 1000);
	clear(d);
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void probes(int fifo, int seconds)
{
	static int64_t before[PROBED_MAX], late[PROBES_MAX];
	const int64_t period = 1000000000, end = bench_now() + seconds * period;
	size_t n = 0;

	for (struct stamp s = { 0 }; s.boot_ns < end && n < PROBES_MAX;) {
		s = bench_wait(fifo);
		int64_t *last = &before[(uint64_t)s.tag % PROBED_MAX];
		if (*last)
			late[n++] = (s.boot_ns - *last - period) / 1000;
		*last = s.boot_ns;
	}
	qsort(late, n, sizeof(*late), compare);
	if (n == 0)
		bench_die("no probe came");
	(void)printf("%zu %lld %lld %lld\n", n, (long long)late[n / 2], (long long)late[n * 99 / 100], (long long)late[n - 1]);
}

static void peer(int fifo, size_t members, char **argv)
{
	int64_t begin = bench_now();
	pid_t pid = bench_check(fork(), "fork");

	if (pid == 0) {
		(void)dup2(STDERR_FILENO, STDOUT_FILENO); /* the caller reads to the end of standard output */
		(void)execvp(argv[0], argv);
		_exit(127);
	}
	(void)printf("%lld %d\n", (long long)(bench_wait_count(fifo, members) - begin) / 1000, pid);
}

static void again(int fifo, pid_t pid)
{
	int64_t begin = bench_now();

	(void)bench_check(pid > 1 ? kill(pid, SIGKILL) : -1, "killing a member");
	(void)printf("%lld\n", (long long)(bench_wait_count(fifo, 1) - begin) / 1000);
}

static int answers(const struct sockaddr_un *sa)
{
	static const char request[] = "GET /version HTTP/1.1\r\nHost: podd\r\nConnection: close\r\n\r\n";
	char answer[64] = "";
	int fd = bench_check(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
	int yes = connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) == 0 && write(fd, request, strlen(request)) > 0 &&
	          read(fd, answer, sizeof(answer) - 1) > 0 && strncmp(answer, "HTTP/1.1 200", 12) == 0;

	(void)close(fd);
	return yes;
}

/* Its lock is free when it is gone. */
static void kill_podd(pid_t pid)
{
	struct pollfd p = { .fd = bench_check((int)syscall(SYS_pidfd_open, pid, 0), "pidfd_open"), .events = POLLIN };

	(void)bench_check(kill(pid, SIGKILL), "killing podd");
	(void)bench_check(poll(&p, 1, -1), "poll");
	(void)close(p.fd);
}

static void adopt(const char *socket_path, pid_t old, char **argv)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	if (old > 0)
		kill_podd(old);
	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", socket_path);
	int64_t begin = bench_now();
	pid_t pid = bench_check(fork(), "fork");
	if (pid == 0) {
		(void)dup2(STDERR_FILENO, STDOUT_FILENO); /* the caller reads to the end of standard output */
		(void)execv(argv[0], argv);
		_exit(127);
	}
	while (!answers(&sa))
		pause_us(500);
	(void)printf("%lld %d\n", (long long)(bench_now() - begin) / 1000, pid);
}

int main(int argc, char **argv)
{
	struct drive d = { .fifo = -1 };

	bench_limit(LIMIT_SECONDS);
	if (argc >= 5 && strcmp(argv[1], "adopt") == 0) {
		adopt(argv[2], atoi(argv[3]), argv + 4);
		return 0;
	}
	if (argc >= 5 && strcmp(argv[1], "peer") == 0) {
		peer(bench_fifo_open(argv[2]), (size_t)atoi(argv[3]), argv + 4);
		return 0;
	}
	if (argc == 4 && strcmp(argv[1], "again") == 0) {
		again(bench_fifo_open(argv[2]), atoi(argv[3]));
		return 0;
	}
	if (argc < 5) {
		errno = EINVAL;
		bench_die("bench-drive");
	}
	d.fifo = bench_fifo_open(argv[2]);
	d.pods = argv[3];
	d.cgroup = argv[4];
	if (argc > 5 && strcmp(argv[1], "probes") != 0)
		read_template(&d, argv[5]);
	if (strcmp(argv[1], "round") == 0 && argc > 6)
		round_trip(&d, (size_t)atoi(argv[6]));
	else if (strcmp(argv[1], "burst") == 0 && argc > 7)
		burst(&d, atoi(argv[6]), atoi(argv[7]));
	else if (strcmp(argv[1], "flood") == 0)
		flood(&d);
	else if (strcmp(argv[1], "clear") == 0)
		clear(&d);
	else if (strcmp(argv[1], "probes") == 0)
		probes(d.fifo, atoi(argv[5]));
	return 0;
}
