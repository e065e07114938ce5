/* What the programs of the bench share: clocks, stamps, and an end for whoever waits too long.
 *
 * bench-first is what the containers run, under podd and under the floor alike: its first instruction is what start and restart are
 * measured to. It writes a stamp into a FIFO that is mounted into the container; the measuring side reads it there. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define BENCH_FIFO "fifo" /* in the directory that containers see as /bench */

struct stamp {
	int64_t boot_ns;
	int64_t tag; /* first letter of the container's name, or an enum stamp_tag */
};

enum stamp_tag { STAMP_FLOOD_BEGIN = 1, STAMP_FLOOD_END };

int64_t bench_now(void); /* boot time, ns */
_Noreturn void bench_die(const char *what);
int bench_check(int r, const char *what); /* returns r, or ends the program if it is negative */
void bench_limit(unsigned seconds);       /* ends the program then, whatever it waits for */

int bench_fifo_open(const char *dir); /* emptied of stamps that nobody read */
struct stamp bench_wait(int fifo);
int64_t bench_wait_count(int fifo, size_t count); /* the last one's time */

enum { FLOOD_LINE = 100, FLOOD_BLOCK = 655 * FLOOD_LINE };
void bench_flood(int fd, int64_t megabytes); /* lines of 100 bytes */
