#include "bench/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int64_t bench_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

void bench_die(const char *what)
{
	(void)fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

int bench_check(int r, const char *what)
{
	if (r < 0)
		bench_die(what);
	return r;
}

void bench_limit(unsigned seconds)
{
	(void)alarm(seconds); /* nobody handles it: it ends the process */
}

int bench_fifo_open(const char *dir)
{
	char path[512];
	struct stamp old;

	(void)snprintf(path, sizeof(path), "%s/" BENCH_FIFO, dir);
	/* For writing too: it never ends while containers come and go. */
	int fd = bench_check(open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC), path);
	while (read(fd, &old, sizeof(old)) > 0)
		;
	(void)bench_check(fcntl(fd, F_SETFL, 0), path);
	return fd;
}

struct stamp bench_wait(int fifo)
{
	struct stamp s;

	if (read(fifo, &s, sizeof(s)) != (ssize_t)sizeof(s))
		bench_die("reading a stamp");
	return s;
}

int64_t bench_wait_count(int fifo, size_t count)
{
	int64_t last = 0;

	while (count-- > 0) {
		struct stamp s = bench_wait(fifo);
		if (s.boot_ns > last)
			last = s.boot_ns;
	}
	return last;
}

void bench_flood(int fd, int64_t megabytes)
{
	static char block[FLOOD_BLOCK];

	for (size_t i = 0; i < FLOOD_BLOCK; i++)
		block[i] = i % FLOOD_LINE == FLOOD_LINE - 1 ? '\n' : (char)('a' + i % 26);
	for (int64_t left = megabytes * 1000000; left > 0; left -= FLOOD_BLOCK)
		for (size_t done = 0; done < FLOOD_BLOCK;) {
			ssize_t n = write(fd, block + done, FLOOD_BLOCK - done);
			if (n < 0)
				bench_die("writing lines");
			done += (size_t)n;
		}
}
