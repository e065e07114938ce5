/* podd-anchor: one per pod, as long as the pod. It holds the pod's namespaces, is the parent and reaper of its processes, keeps exit
 * statuses until podd has acknowledged them, and keeps podd's note. podd may come and go.
 *
 * Two processes of one binary: the *reaper* (this header) touches no file system but those of ipc.h once it serves, so that no hung disk
 * can stop it. The *log process* (logger.h) turns the members' output into CRI files; it may die or hang: the reaper keeps the read ends
 * of all pipes, starts it anew, and empties the pipes itself while it hangs.
 *
 * No heap. After anchor_serve() began, nothing ends the reaper but ANCHOR_QUIT and SIGKILL. It keeps its capabilities and has no
 * confinement of its own, since all of that would be inherited by the members' set-up; it is not dumpable. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "anchor/ipc.h"
#include "anchor/table.h"
#include "wire/anchor.h"

enum {
	ERRORS_MAX = 16,            /* refusals that podd was not told yet; beyond, its requests wait */
	HANG_SECONDS = 5,           /* a write that takes longer is a hung disk */
	QUIT_SECONDS = 5,           /* for the log process to drain */
	DIES_OFTEN_NS = 1000000000, /* a helper that lived shorter is not started again at once */
};

struct options {
	int listen, logs;
	int shm; /* the pod's /dev/shm, with an IPC namespace of its own; else -EBADF */
	const char *path, *hostname, *title;
	const char *sysctls[ANCHOR_SYSCTLS_MAX]; /* "net/ipv4/tcp_syncookies=1" */
	unsigned sysctl_count;
	bool own_net, own_uts, share_pid;
	uint64_t log_size;
	unsigned log_files;
};

/* What podd is being told, in this order. */
enum phase {
	PHASE_QUIET,    /* no HELLO yet */
	PHASE_SNAPSHOT, /* the snapshot is due */
	PHASE_RECORDS,  /* its records are */
	PHASE_LIVE,     /* all is said: changes as they come */
	PHASE_DEAF,     /* podd does not read any more; what it had sent is still obeyed */
};

struct anchor {
	struct options options;
	struct table table;
	int signals, null, netns, pidns;
	bool pidns_moved; /* children would be born in another PID namespace than the own one */

	int connection;
	enum phase phase;
	bool blocked; /* the connection took no more: wait until it is writable */
	struct anchor_error errors[ERRORS_MAX];
	size_t error_count;
	unsigned char note[ANCHOR_NOTE_MAX];
	uint32_t note_size;
	uint32_t degraded;

	struct ipc ipc;

	int log;       /* socket to the log process */
	int hang;      /* timer that the log process keeps from firing */
	int retry;     /* own timer: start of a new log process, end of a QUIT */
	pid_t log_pid; /* 0: none */
	int64_t log_born;
	bool log_draining, log_go_due, log_quit_due, log_blocked;
	uint64_t log_dropped;
	uint32_t log_restarts;

	pid_t pause_pid;
	int64_t pause_born;
	int pause_pidfd;
	bool quitting, done;
};

/* main.c: clocks and timers. */
int64_t now_wall(void);
int64_t now_boot(void);
void timer_set(int timer, int64_t seconds); /* 0: off */

/* serve.c: the connection. */
void serve_accept(struct anchor *a);
void serve_input(struct anchor *a);
void serve_flush(struct anchor *a);       /* tells podd what is due, as far as the socket takes it */
void serve_listen_anew(struct anchor *a); /* someone wiped /run: the socket is made again */

/* spawn.c: processes. */
int spawn(struct anchor *a, const struct anchor_spawn *m, const int *fds, size_t fd_count); /* 0, or -errno: nothing was started */
void spawn_report(struct anchor *a, struct record *r);                                      /* its report pipe is readable */
void spawn_reap(struct anchor *a);
void spawn_end_sessions(struct anchor *a);

/* pause.c: PID 1 of a PID namespace that the members share. */
void pause_start(struct anchor *a);

/* link.c: the reaper's side of the log process. */
int link_start(struct anchor *a);
void link_died(struct anchor *a);
int link_move(struct anchor *a, int logs); /* to another directory */
void link_input(struct anchor *a);
void link_flush(struct anchor *a);
int link_attach(struct anchor *a, const struct anchor_key *key, const int *fds, size_t fd_count); /* -EAGAIN: not now */
void link_hangs(struct anchor *a);                                                                /* its timer fired */
void link_drain(struct anchor *a, struct stream *s); /* empties a pipe while the log process hangs */
