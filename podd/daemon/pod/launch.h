/* One start of a container: the plan, the descriptors for its slots, the spawn; and what the anchor says of it later. */
#pragma once
#include "daemon/pod/sandbox.h"

void launch_start(struct daemon *d, const struct start_id *id);
/* Of a start that waited: whether the core still waits for it. Not so when its sandbox was lost meanwhile. */
bool launch_is_wanted(const struct daemon *d, const struct start_id *id);
/* What still waits, for its image, its volumes or a file system, is given up. */
void launch_abort(struct daemon *d, const struct start_id *id);
void launch_signal(struct daemon *d, const struct start_id *id, int signal);
void launch_kill(struct daemon *d, const struct start_id *id);
/* The anchor may forget the exit; cgroup and writable layer go. */
void launch_ack(struct daemon *d, const struct start_id *id);

void launch_started(struct sandbox *s, const struct anchor_process *p);
void launch_exited(struct sandbox *s, const struct anchor_process *p);
void launch_refused(struct sandbox *s, const struct anchor_error *m);
void launch_forget_all(struct sandbox *s);

struct exit_info launch_exit_info(struct sandbox *s, const struct anchor_process *p);

/* A plan as a sealed memfd, or -errno. */
int launch_plan_fd(const struct plan *p);
/* "reason: text" of a failed step of the plan behind plan_fd, where alone it is kept (-EBADF: none), for people. */
void launch_failure(int plan_fd, const struct anchor_process *p, struct buf *out);
