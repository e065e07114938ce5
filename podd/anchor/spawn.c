#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "anchor/anchor.h"
#include "base/cleanup.h"
#include "sys/process.h"
#include "wire/plan.h"
#include "wire/terminal.h"

enum {
	EXIT_LAUNCH = 127,
	FD_CLEAR = 1024, /* above all that podd-launch is given */
};
_Static_assert(FD_CLEAR >= PLAN_FD_SLOTS + PLAN_SLOTS_MAX, "a descriptor moved away is not in the way");

/* What came with a SPAWN, sorted. */
struct parcel {
	int launch, plan, cgroup, kill;
	int stdio[3];
	int slots[PLAN_SLOTS_MAX];
	size_t slot_count;
	int report; /* write end */
};

static int sort_fds(struct anchor *a, const struct anchor_spawn *m, const int *fds, size_t count, struct parcel *p)
{
	size_t need = 2 + !!(m->flags & ANCHOR_SPAWN_CGROUP) + !!(m->flags & ANCHOR_SPAWN_KILL) +
	              (m->class == ANCHOR_CLASS_SESSION ? 3 : 0);
	size_t i = 0;

	if (count < need)
		return -EPROTO;
	p->launch = fds[i++];
	p->plan = fds[i++];
	p->cgroup = m->flags & ANCHOR_SPAWN_CGROUP ? fds[i++] : -EBADF;
	p->kill = m->flags & ANCHOR_SPAWN_KILL ? fds[i++] : -EBADF;
	p->stdio[0] = a->null;
	if (m->class == ANCHOR_CLASS_SESSION)
		for (size_t k = 0; k < 3; k++)
			p->stdio[k] = fds[i++];
	if (m->flags & ANCHOR_SPAWN_PID_JOIN) {
		struct anchor_key key = m->key;
		if (m->header.size >= sizeof(*m) && *m->join)
			memcpy(key.container, m->join, sizeof(key.container));
		key.number = m->join_number;
		key.session = 0;
		const struct record *member = table_find(&a->table, &key);
		if (!member || !record_live(member))
			return -ESRCH;
		p->slots[p->slot_count++] = member->pidfd;
	}
	if (count - i > PLAN_SLOTS_MAX - p->slot_count)
		return -E2BIG;
	while (i < count)
		p->slots[p->slot_count++] = fds[i++];
	return 0;
}

static int check(struct anchor *a, const struct anchor_spawn *m)
{
	uint32_t pid = m->flags & (ANCHOR_SPAWN_PID_NEW | ANCHOR_SPAWN_PID_POD | ANCHOR_SPAWN_PID_JOIN);

	if (m->class != ANCHOR_CLASS_MEMBER && m->class != ANCHOR_CLASS_HOOK && m->class != ANCHOR_CLASS_SESSION)
		return -EPROTO;
	if ((pid & (pid - 1)) != 0) /* at most one of them */
		return -EPROTO;
	if ((pid & ANCHOR_SPAWN_PID_POD) && a->pause_pid == 0)
		return -ESRCH;
	if (table_find(&a->table, &m->key))
		return -EEXIST;
	return a->quitting ? -ESHUTDOWN : 0;
}

/* ---- in the child ---- */

static _Noreturn void give_up(int report, uint32_t step, int error)
{
	struct plan_failure f = { .op = step, .error = error };

	(void)!write(report, &f, sizeof(f));
	_exit(EXIT_LAUNCH);
}

/* Out of the way of the fixed numbers. */
static int clear(int fd, int report)
{
	int r = fd;

	if (fd <= 2 || fd >= PLAN_FD_PLAN)
		r = fcntl(fd, F_DUPFD_CLOEXEC, FD_CLEAR);
	if (r < 0)
		give_up(report, PLAN_STEP_STDIO, errno);
	return r;
}

static _Noreturn void child(struct parcel *p)
{
	static char *const argv[] = { (char *)"podd-launch", NULL }, *const envp[] = { NULL };
	int report = p->report = clear(p->report, p->report);

	p->launch = clear(p->launch, report);
	p->plan = clear(p->plan, report);
	for (size_t i = 0; i < 3; i++)
		p->stdio[i] = clear(p->stdio[i], report);
	for (size_t i = 0; i < p->slot_count; i++)
		p->slots[i] = clear(p->slots[i], report);

	for (int i = 0; i < 3; i++)
		if (dup2(p->stdio[i], i) < 0)
			give_up(report, PLAN_STEP_STDIO, errno);
	if (dup2(p->plan, PLAN_FD_PLAN) < 0 || dup2(report, PLAN_FD_REPORT) < 0)
		give_up(report, PLAN_STEP_STDIO, errno);
	for (size_t i = 0; i < p->slot_count; i++)
		if (dup2(p->slots[i], PLAN_FD_SLOTS + (int)i) < 0)
			give_up(report, PLAN_STEP_STDIO, errno);
	int r = process_exec_fd(p->launch, argv, envp);
	give_up(report, PLAN_STEP_EXEC_LAUNCH, -r);
}

/* ---- in the anchor ---- */

static void set_pidns(struct anchor *a, int fd, bool moved)
{
	if (setns(fd, CLONE_NEWPID) == 0)
		a->pidns_moved = moved;
}

static pid_t clone_into(struct anchor *a, const struct anchor_spawn *m, struct parcel *p, int *ret_pidfd)
{
	int pidns = -EBADF;

	if (m->flags & ANCHOR_SPAWN_PID_POD)
		pidns = a->pause_pidfd;
	else if (m->flags & ANCHOR_SPAWN_PID_JOIN)
		pidns = p->slots[0];
	if (pidns >= 0 && !(m->flags & ANCHOR_SPAWN_PID_LATE)) {
		if (setns(pidns, CLONE_NEWPID) < 0)
			return -errno;
		a->pidns_moved = true;
	}
	pid_t pid = process_clone(m->flags & ANCHOR_SPAWN_PID_NEW ? CLONE_NEWPID : 0, p->cgroup, ret_pidfd);
	if (pid == 0)
		child(p);
	if (a->pidns_moved)
		set_pidns(a, a->pidns, false);
	return pid;
}

static void mark_exited(struct record *r, int status)
{
	r->info.state = ANCHOR_PROCESS_EXITED;
	r->info.status = status;
	r->info.exited_wall = now_wall();
	r->exited_due = true;
	record_close(r);
}

/* Pipes for stdout and stderr: read ends into the table, write ends to the child. */
static int make_streams(struct anchor *a, const struct anchor_key *key, struct parcel *p, int write_ends[static 2])
{
	for (int i = 0; i < 2; i++) {
		int ends[2];
		if (pipe2(ends, O_CLOEXEC) < 0)
			return -errno;
		write_ends[i] = p->stdio[i + 1] = ends[1];
		struct stream *s = NULL;
		/* Non-blocking at the reading end only: two processes read it in turn. */
		if (fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0)
			s = table_add_stream(&a->table, key, i + 1, ends[0]);
		if (!s) {
			(void)close(ends[0]);
			return -ENFILE;
		}
	}
	return 0;
}

static void fail_record(struct record *r, uint32_t step, int error)
{
	r->info.failed = 1;
	r->info.op = step;
	r->info.error = error;
}

/* A member's three: theirs[] are the ends for the child, closed by the caller; ours are in the record and the table. */
static int make_stdio(struct anchor *a, const struct anchor_spawn *m, struct parcel *p, struct record *r, int theirs[static 3])
{
	int ends[2] = { -EBADF, -EBADF };

	if (!(m->flags & ANCHOR_SPAWN_TTY) || m->class != ANCHOR_CLASS_MEMBER) {
		int e = make_streams(a, &m->key, p, theirs + 1);
		if (e < 0 || !(m->flags & ANCHOR_SPAWN_STDIN))
			return e; /* a half-made pair has no writer: the log process sees its end and it is freed */
		if (pipe2(ends, O_CLOEXEC) < 0)
			return -errno;
		r->input = ends[1];
		r->input_once = m->flags & ANCHOR_SPAWN_ONCE;
	} else {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
			return -errno;
		r->tty = ends[1];
		(void)fcntl(r->tty, F_SETFL, O_NONBLOCK);
		p->stdio[1] = p->stdio[2] = a->null;
	}
	theirs[0] = p->stdio[0] = ends[0];
	return 0;
}

static int start(struct anchor *a, const struct anchor_spawn *m, struct parcel *p)
{
	_cleanup_close_ int in = -EBADF, out = -EBADF, err = -EBADF, read_end = -EBADF, write_end = -EBADF;
	int ends[2], theirs[3] = { -EBADF, -EBADF, -EBADF };

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	read_end = ends[0];
	write_end = p->report = ends[1];
	if (a->table.record_count == TABLE_RECORDS_MAX)
		return -EUSERS;
	struct record *r = table_add(&a->table, &m->key);
	int e = m->class == ANCHOR_CLASS_SESSION ? 0 : make_stdio(a, m, p, r, theirs);
	in = theirs[0];
	out = theirs[1];
	err = theirs[2];
	if (e < 0) {
		table_remove(&a->table, r);
		return e;
	}
	r->info.class = m->class;
	r->info.state = ANCHOR_PROCESS_LAUNCHING;
	pid_t pid = clone_into(a, m, p, &r->pidfd);
	if (pid < 0) {
		fail_record(r, PLAN_STEP_CLONE, -pid);
		mark_exited(r, EXIT_LAUNCH << 8);
		return 0;
	}
	r->info.pid = pid;
	r->info.started_wall = now_wall();
	r->report = TAKE_FD(read_end);
	if (p->kill >= 0)
		r->kill = fcntl(p->kill, F_DUPFD_CLOEXEC, 3);
	return 0;
}

int spawn(struct anchor *a, const struct anchor_spawn *m, const int *fds, size_t fd_count)
{
	struct parcel p = { .report = -EBADF };
	int r = check(a, m);

	if (r < 0)
		return r;
	r = sort_fds(a, m, fds, fd_count, &p);
	return r < 0 ? r : start(a, m, &p);
}

/* Its master is the input and, as a stream, what is logged. Without a place in the table the member sees a hang-up. */
static void take_terminal(struct anchor *a, struct record *r)
{
	int master;

	if (terminal_take(r->tty, &master) == 0) {
		if (table_add_stream(&a->table, &r->info.key, 1, master))
			r->input = fcntl(master, F_DUPFD_CLOEXEC, 3);
		else
			(void)close(master);
	}
	r->tty = fd_close(r->tty);
}

/* The launch made a process that takes its place in the record: by PLAN_ENTER, a sibling that executes the program; or by an OCI runtime,
 * which is gone, so that the anchor is its parent now as the subreaper, and it waits until the launch has it started. One that was killed
 * and reaped before is nobody's child any more: the launch has failed. */
static void adopt(struct record *r, pid_t pid)
{
	_cleanup_close_ int pidfd = process_pidfd(pid);
	siginfo_t info;

	if (pidfd < 0 || waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | WNOWAIT) < 0) {
		fail_record(r, PLAN_STEP_HANDED_OVER, ESRCH);
		return;
	}
	r->launcher = r->info.pid;
	r->info.pid = pid;
	(void)fd_close(r->pidfd);
	r->pidfd = TAKE_FD(pidfd);
}

static void running(struct anchor *a, struct record *r)
{
	if (r->tty >= 0)
		take_terminal(a, r);
	r->info.state = ANCHOR_PROCESS_RUNNING;
	r->started_due = true;
}

void spawn_report(struct anchor *a, struct record *r)
{
	struct plan_failure f;
	ssize_t n = read(r->report, &f, sizeof(f));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == (ssize_t)sizeof(f) && f.op == PLAN_STEP_ADOPT && !r->launcher && f.error > 0) {
		adopt(r, f.error);
		return;
	}
	r->report = fd_close(r->report);
	if (n == (ssize_t)sizeof(f)) {
		fail_record(r, f.op, f.error);
		memcpy(r->info.operand, f.operand, sizeof(r->info.operand) - 1);
		return; /* its exit is told when it is reaped */
	}
	/* The end without a report: the program was executed (or the process was killed on its way there). */
	if (r->launcher <= 0 && !r->info.failed)
		running(a, r); /* otherwise the launch's exit status tells */
}

static void launch_ended(struct anchor *a, struct record *r, int status)
{
	if (r->report >= 0)
		spawn_report(a, r); /* why it failed */
	r->launcher = LAUNCHER_GONE;
	if (status != 0) { /* nobody would start it any more */
		if (!r->info.failed)
			fail_record(r, PLAN_STEP_HANDED_OVER, ECHILD);
		(void)process_signal(r->pidfd, SIGKILL);
	} else if (r->report < 0 && !r->info.failed) {
		running(a, r);
	}
}

static void reaped(struct anchor *a, struct record *r, int status)
{
	if (r->report >= 0)
		spawn_report(a, r);
	if (r->launcher > 0 && !r->info.failed) /* it ran, and shortly */
		running(a, r);
	mark_exited(r, status);
	if (r->forgotten)
		table_remove(&a->table, r);
}

/* Whose process it was may stand in a report that was not read yet. */
static void read_reports(struct anchor *a)
{
	for (size_t i = 0; i < a->table.record_count; i++)
		if (a->table.records[i].report >= 0 && !a->table.records[i].launcher)
			spawn_report(a, &a->table.records[i]);
}

void spawn_reap(struct anchor *a)
{
	int status;
	pid_t pid;

	/* As the subreaper it inherits what the pod's processes leave behind: all of it is taken. */
	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED | __WALL)) > 0) {
		bool stopped = WIFSTOPPED(status);

		read_reports(a);
		struct record *launch = table_find_launcher(&a->table, pid), *r = table_find_pid(&a->table, pid);
		if (stopped && (pid == a->log_pid || pid == a->pause_pid)) /* pipes would fill up; who traces PID 1 can stop it */
			(void)kill(pid, SIGCONT);
		else if (pid == a->log_pid)
			link_died(a);
		else if (pid == a->pause_pid && !stopped)
			pause_start(a);
		else if (launch && !stopped)
			launch_ended(a, launch, status);
		else if (r && !stopped)
			reaped(a, r, status);
	}
}

void spawn_end_sessions(struct anchor *a)
{
	for (size_t i = a->table.record_count; i-- > 0;) {
		struct record *r = &a->table.records[i];
		if (r->info.class != ANCHOR_CLASS_SESSION)
			continue;
		if (!record_live(r)) {
			table_remove(&a->table, r);
			continue;
		}
		/* The whole leaf, with all that the session started; without a leaf at least its first process. */
		if (r->kill < 0 || write(r->kill, "1", 1) < 0)
			(void)process_signal(r->pidfd, SIGKILL);
		r->forgotten = true;
	}
}
