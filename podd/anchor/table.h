/* What the reaper knows: the processes of the pod, and the pipes of their output. Fixed tables, no heap; a record may move when another
 * one is removed, so nothing keeps a pointer to one across a removal. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "wire/anchor.h"

enum {
	TABLE_RECORDS_MAX = ANCHOR_PROCESSES_MAX,
	TABLE_STREAMS_MAX = 2 * ANCHOR_PROCESSES_MAX,
};

enum { LAUNCHER_GONE = -1 };

/* One process: alive, or exited and not acknowledged. */
struct record {
	struct anchor_process info; /* as podd is told */
	int pidfd, kill, report;    /* -EBADF when done with */
	int tty;                    /* socket over which the launch sends its terminal, until it runs; else -EBADF */
	int input;                  /* where its input is written: a pipe, or the terminal's master; -EBADF: nowhere */
	bool input_once;            /* who attaches first gets it for good */
	uint32_t attach;            /* podd's number of an attachment that has to be answered; 0: none */
	bool attach_input;
	bool started_due, exited_due; /* podd has to be told */
	pid_t launcher;               /* who made the process instead of becoming it; LAUNCHER_GONE; 0: nobody */
	bool snapshot_due;            /* belongs to the snapshot that is being sent */
	bool forgotten;               /* a session of a podd that is gone: removed once it is reaped */
};

/* One pipe of a process's output. The read end stays here too, so that a new log process can go on where the old one died. */
struct stream {
	struct anchor_key key;
	int fd;           /* read end; -EBADF: this place is free */
	int which;        /* 1 stdout, 2 stderr */
	bool sent;        /* the log process has it */
	bool closed;      /* the log process saw its end: free it when podd knows what was lost */
	bool drained_end; /* its end was seen while draining it here */
	bool midline;     /* draining it here ended inside a line */
	bool drained_due; /* the log process has to be told of the next */
	uint64_t drained_lines, drained_bytes;
	uint64_t lost_lines, lost_bytes; /* podd has to be told */
	int lost_error;
};

struct table {
	size_t record_count, stream_count; /* streams: places in use or once used */
	struct record records[TABLE_RECORDS_MAX];
	struct stream streams[TABLE_STREAMS_MAX];
};

struct record *table_add(struct table *t, const struct anchor_key *key); /* NULL when full */
void table_remove(struct table *t, struct record *r);
struct record *table_find(struct table *t, const struct anchor_key *key); /* without forgotten ones */
struct record *table_find_pid(struct table *t, pid_t pid);
struct record *table_find_launcher(struct table *t, pid_t pid);
bool table_alive(const struct table *t); /* a process that was not forgotten lives */

struct stream *table_add_stream(struct table *t, const struct anchor_key *key, int which, int fd); /* NULL when full */
void table_release_stream(struct stream *s); /* frees it when nothing is due any more */

void record_close(struct record *r); /* all its descriptors */

static inline bool record_live(const struct record *r)
{
	return r->info.state != ANCHOR_PROCESS_EXITED;
}
