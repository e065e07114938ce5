/* What podd and an anchor say to each other, over a SOCK_SEQPACKET socket that podd made at <run>/pods/<uid>/anchor.sock.
 *
 * The anchor outlives podd and its versions: messages are fixed structs in host order, append-only. A receiver takes a message that is
 * longer than it knows (and ignores the rest) and refuses one that is shorter than the first version of its type. A type that it
 * does not know is ignored by podd and answered with ANCHOR_ERROR by the anchor. tests/unit holds the golden bytes.
 *
 * One podd at a time: the anchor handles a connection until its end of file, including all that the old podd had sent, before it
 * accepts the next. So a SPAWN that podd sent before it died is either in the next snapshot or never happens.
 *
 * Large things (plans) travel as sealed memfds in SCM_RIGHTS, never in a message. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ANCHOR_VERSION = 1,
	ANCHOR_NOTE_MAX = 4096,
	ANCHOR_NAME_SIZE = 64,
	ANCHOR_FDS_MAX = 250,       /* the kernel takes 253 in one message (SCM_MAX_FD) */
	ANCHOR_PROCESSES_MAX = 256, /* live and unacknowledged processes of one pod */
	ANCHOR_OPERAND_SIZE = 200,
};

enum anchor_type {
	/* podd to anchor */
	ANCHOR_HELLO = 1, /* struct anchor_hello: answered with a snapshot */
	ANCHOR_NOTE,      /* struct anchor_note: kept, given back in the snapshot */
	ANCHOR_SPAWN,     /* struct anchor_spawn, with fds */
	ANCHOR_SIGNAL,    /* struct anchor_signal: to the first process of a key */
	ANCHOR_ACK,       /* struct anchor_ack: the exit of this key may be forgotten */
	ANCHOR_QUIT,      /* header only: drain the logs and exit; refused while a member lives */
	ANCHOR_ATTACH,    /* struct anchor_attach, with fds: answered with ATTACHED, or refused */
	ANCHOR_LOGS,      /* header only, with the fd of a directory: logs go there from now on */

	/* anchor to podd */
	ANCHOR_SNAPSHOT = 64, /* struct anchor_snapshot; fds: own pidfd, network namespace, a fresh rtnetlink socket in it */
	ANCHOR_PROCESS,       /* struct anchor_process, one for each that is alive or not acknowledged; after the last one... */
	ANCHOR_SNAPSHOT_END,  /* header only */
	ANCHOR_STARTED,       /* struct anchor_process: its program was executed */
	ANCHOR_EXITED,        /* struct anchor_process: also when the launch failed */
	ANCHOR_DROPPED,       /* struct anchor_dropped: log lines were lost (disk full or hung) */
	ANCHOR_ERROR,         /* struct anchor_error: a request was refused */
	ANCHOR_ATTACHED,      /* struct anchor_attached, with an fd if input was asked for */
};

struct anchor_header {
	uint16_t type;
	uint16_t size; /* of the whole message */
	uint32_t reserved;
};

/* Which process. Members have session 0; sessions (exec) are numbered by podd from 1. */
struct anchor_key {
	char container[ANCHOR_NAME_SIZE];
	uint32_t number, session;
};

struct anchor_hello {
	struct anchor_header header;
	uint32_t version, reserved;
};

struct anchor_note {
	struct anchor_header header;
	uint32_t size, reserved;
	unsigned char data[ANCHOR_NOTE_MAX]; /* the message is cut after `size` bytes of it */
};

enum anchor_class {
	ANCHOR_CLASS_MEMBER = 1, /* stdio by the log process; survives podd */
	ANCHOR_CLASS_HOOK,       /* likewise */
	ANCHOR_CLASS_SESSION,    /* stdio is fds from podd; killed when podd's connection ends */
};

enum anchor_spawn_flags {
	ANCHOR_SPAWN_CGROUP = 1 << 0,   /* an fd of the v2 cgroup directory is there: CLONE_INTO_CGROUP */
	ANCHOR_SPAWN_KILL = 1 << 1,     /* an fd of its cgroup.kill is there: written when podd's connection ends (sessions) */
	ANCHOR_SPAWN_PID_NEW = 1 << 2,  /* CLONE_NEWPID */
	ANCHOR_SPAWN_PID_POD = 1 << 3,  /* into the shared PID namespace of the pod, made with the anchor (shareProcessNamespace) */
	ANCHOR_SPAWN_PID_JOIN = 1 << 4, /* into the PID namespace of a member; the anchor puts its pidfd into slot 0 */
	ANCHOR_SPAWN_STDIN = 1 << 5,    /* a member's input is open: a pipe whose other end the anchor keeps */
	ANCHOR_SPAWN_ONCE = 1 << 6,     /* with STDIN: the first to attach gets that end, and with it goes the input */
	ANCHOR_SPAWN_TTY =
		1 << 7, /* the plan makes a terminal (wire/terminal.h): the anchor keeps its master and logs what it prints */
	ANCHOR_SPAWN_PID_LATE = 1 << 8, /* with PID_JOIN: only the slot; the plan enters (PLAN_ENTER) */
};

/* fds, in this order: the launch program, the plan (memfd), [cgroup directory], [cgroup.kill], [stdin, stdout, stderr of a
 * session], then the plan's slots. The launch program finds slot i at PLAN_FD_SLOTS + i (wire/plan.h). */
struct anchor_spawn {
	struct anchor_header header;
	struct anchor_key key;
	uint32_t class, flags;
	uint32_t join_number, reserved; /* PID_JOIN: the start of the container to join */
	char join[ANCHOR_NAME_SIZE];    /* that container; "", or a message that ends before it: the same */
};

struct anchor_signal {
	struct anchor_header header;
	struct anchor_key key;
	int32_t signal;
	uint32_t reserved;
};

struct anchor_ack {
	struct anchor_header header;
	struct anchor_key key;
	uint32_t flags, reserved; /* not in the first version */
};

enum anchor_ack_flags {
	ANCHOR_ACK_SWEEP = 1 << 0, /* of a member that is to be started again: IPC objects of the dead go; without it they stay */
};

/* fds: pipes that get a copy of what the member prints to stdout and, unless it has a terminal, stderr. What they do not take at once is
 * lost to them; the log has it. The key is the member's, but `session` is podd's number for this attachment. */
struct anchor_attach {
	struct anchor_header header;
	struct anchor_key key;
	uint32_t flags, reserved;
};

enum anchor_attach_flags {
	ANCHOR_ATTACH_INPUT = 1 << 0, /* hand out the input as well: the pipe, or the master of the terminal */
};

struct anchor_attached {
	struct anchor_header header;
	struct anchor_key key; /* as in the request */
};

struct anchor_snapshot {
	struct anchor_header header;
	uint32_t version, process_count;
	int32_t pid;
	uint32_t note_size;
	uint64_t log_dropped; /* lines, since the anchor's start */
	uint32_t degraded;    /* enum anchor_degraded */
	uint32_t log_restarts;
	unsigned char note[ANCHOR_NOTE_MAX];
};

enum anchor_degraded {                                    /* what this kernel or host did not let the anchor do */
	               ANCHOR_DEGRADED_SYSCTL = 1 << 0,   /* /proc/sys is read-only: ports below 1024 and ping need capabilities */
	               ANCHOR_DEGRADED_IPV6 = 1 << 1,     /* IPv6 could not be switched off in the pod */
	               ANCHOR_DEGRADED_LANDLOCK = 1 << 2, /* the log process is not confined to its directory */
};

/* In `degraded`, too: 1 + the index of the first --sysctl that could not be set; 0: all were. */
enum { ANCHOR_DEGRADED_SYSCTL_SHIFT = 16, ANCHOR_SYSCTLS_MAX = 64 };

enum anchor_process_state { ANCHOR_PROCESS_LAUNCHING = 1, ANCHOR_PROCESS_RUNNING, ANCHOR_PROCESS_EXITED };

struct anchor_process {
	struct anchor_header header;
	struct anchor_key key;
	uint32_t class, state;
	int32_t pid;                       /* in podd's PID namespace */
	int32_t status;                    /* EXITED: as wait(2) gives it */
	int64_t started_wall, exited_wall; /* ns */
	uint32_t failed;                   /* EXITED before the program ran: the next three say why */
	int32_t error;                     /* errno */
	uint32_t op;                       /* index of the failed operation of the plan; PLAN_STEP_* when it was outside the plan */
	uint32_t reserved;
	char operand[ANCHOR_OPERAND_SIZE]; /* what it failed on: a path, a name; "" */
};

struct anchor_dropped {
	struct anchor_header header;
	struct anchor_key key;
	uint64_t lines, bytes; /* since the last such message of this key */
	int32_t error;         /* errno of the failed write; ETIMEDOUT: the disk hangs */
	uint32_t reserved;
};

struct anchor_error {
	struct anchor_header header;
	struct anchor_key key;
	uint32_t request; /* enum anchor_type of what was refused */
	int32_t error;    /* errno: EBUSY, ENOENT, EEXIST, EPROTO... */
};

/* What a receiver checks before it looks at a message of n bytes: its sizes, its texts' ends, its names. 0, -EPROTO, or -EOPNOTSUPP for a
 * type that it does not know (ignored by podd, answered with an error by the anchor). */
int anchor_check(const void *message, size_t n);

bool anchor_key_equal(const struct anchor_key *a, const struct anchor_key *b);
const char *anchor_type_name(uint16_t type); /* "spawn"; NULL when unknown */
