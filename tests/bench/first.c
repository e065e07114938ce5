/* bench-first NAME [MEGABYTES]: says when its first instruction was, writes so many lines, and waits for SIGTERM.
 * bench-first probe POD: the same of a probe, by the number in the pod's name. bench-first crash: ends, and says nothing. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"

static void say(int fd, int64_t tag)
{
	struct stamp s = { .boot_ns = bench_now(), .tag = tag };

	if (write(fd, &s, sizeof(s)) != (ssize_t)sizeof(s))
		bench_die("writing a stamp");
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "crash") == 0)
		return 1;
	if (argc < 2) /* the pause of the floor's pods */
		for (;;)
			(void)pause();
	struct stamp born = { .boot_ns = bench_now(), .tag = argv[1][0] };
	sigset_t wanted;
	int signal, fd = bench_check(open("/bench/" BENCH_FIFO, O_WRONLY | O_CLOEXEC), "/bench/" BENCH_FIFO);

	if (argc == 3 && strcmp(argv[1], "probe") == 0) {
		const char *number = strrchr(argv[2], '-');
		born.tag = number ? atoll(number + 1) : 0;
		return write(fd, &born, sizeof(born)) != (ssize_t)sizeof(born);
	}
	if (argc < 3 && write(fd, &born, sizeof(born)) != (ssize_t)sizeof(born))
		bench_die("writing a stamp");
	if (argc > 2) {
		say(fd, STAMP_FLOOD_BEGIN);
		bench_flood(STDOUT_FILENO, atoll(argv[2]));
		say(fd, STAMP_FLOOD_END);
	}
	/* PID 1 of its namespace gets no signal that it does not ask for. */
	(void)sigemptyset(&wanted);
	(void)sigaddset(&wanted, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &wanted, NULL);
	(void)sigwait(&wanted, &signal);
	return 0;
}
