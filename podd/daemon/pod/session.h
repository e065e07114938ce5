/* A command inside a running member (exec), or a hand on the member itself (attach). The session lives while the caller holds it; freeing
 * it kills the command. */
#pragma once
#include "daemon/daemon.h"

struct session;

struct session_callbacks {
	void (*started)(struct session *s, void *arg);             /* of a command */
	void (*attached)(struct session *s, int input, void *arg); /* input is the callee's; -EBADF: none */
	/* The end: status as wait(2) gives it; `error` is text if the command could not be run (status then is 126 << 8 or 127 << 8), else NULL. */
	void (*ended)(struct session *s, int status, const char *error, void *arg);
};

/* Starts argv in the container, or copies by it. The three fds are given to the command and closed here, also on failure; with a terminal
 * the first is a socket over which its terminal comes before it is told `started` (wire/terminal.h). 0; -ENOENT: no such container;
 * -ESRCH: it is not running; other -errno. */
int session_start(struct daemon *d, const char *uid, const char *container, const struct string_list *argv, enum session_kind kind,
                  const int stdio[static 3], const struct session_callbacks *cb, void *arg, struct session **ret);
/* The same for a command of the manifest that is run again and again: its plan is kept as long as its start and version of the pod are. */
int session_start_probe(struct daemon *d, const struct start_id *id, const struct string_list *argv, const int stdio[static 3],
                        const struct session_callbacks *cb, void *arg, struct session **ret);
/* The same for a hook of the manifest: its stdio is the container's log, it survives podd, and one that an earlier podd began is not begun
 * again, but waited for. `ended` may be called before this returns, and with SESSION_LEFT: the sandbox, or podd, was over first. */
enum { SESSION_LEFT = -1 };
int session_start_hook(struct daemon *d, const struct start_id *id, const struct string_list *argv, enum hook_kind h,
                       const struct session_callbacks *cb, void *arg);
/* Attaches to a container that runs: outputs are pipes for copies of its stdout and stderr (-EBADF: none, a terminal has one), closed here.
 * `ended` says how the container did. */
int session_attach(struct daemon *d, const char *uid, const char *container, bool input, const int outputs[static 2],
                   const struct session_callbacks *cb, void *arg, struct session **ret);
struct session *session_free(struct session *s); /* kills what still runs of a command; takes NULL, returns NULL */

/* Within the daemon: what the anchor says of sessions, and the sandbox's end. */
struct anchor_process;
struct anchor_error;
struct anchor_attached;
void session_started(struct sandbox *s, const struct anchor_process *p);
void session_exited(struct sandbox *s, const struct anchor_process *p);
void session_attached(struct sandbox *s, const struct anchor_attached *m, int input);
void session_member_exited(struct sandbox *s, const struct anchor_process *p);
void session_unanswered(struct sandbox *s, const char *error); /* of those that wait for the anchor's first word */
void session_refused(struct sandbox *s, const struct anchor_error *m);
/* The anchor remembers hooks as long as their start: one that it still knows has run. */
void session_adopt_hook(struct sandbox *s, const struct anchor_process *p);
void session_ack_hooks(struct sandbox *s, const struct start_id *id);
void session_end_all(struct sandbox *s);
