/* The launch plan: all that happens between clone and exec, as a flat list of operations that podd-launch obeys in order. No policy,
 * no look-up of names, no heap there: whatever needs a decision was decided when the plan was compiled.
 *
 * A plan is one sealed memfd: header, operations, strings. Strings are offsets into the string area, NUL-terminated; offset 0 is
 * the empty string. Lists (argv, envp, groups) are consecutive strings. Descriptors are slots, numbered from 0: the plan says
 * which slot it needs and struct plan_slots (src/plan) says what podd has to put there for each start.
 *
 * Paths named `target` lie in the container's new root and are walked with openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS). */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum {
	PLAN_MAGIC = 0x6e6c7064, /* "dpln" */
	PLAN_VERSION = 1,
	PLAN_OPS_MAX = 1024,
	PLAN_SIZE_MAX = 4 << 20,
	PLAN_SLOTS_MAX = 240,

	/* Descriptors in podd-launch. 0 to 2 are the container's stdio already. */
	PLAN_FD_PLAN = 510,
	PLAN_FD_REPORT = 511, /* where struct plan_failure is written; close-on-exec */
	PLAN_FD_SLOTS = 512,  /* slot i is descriptor PLAN_FD_SLOTS + i */
};

enum plan_kind {
	PLAN_END = 0, /* what was adopted runs: exits */
	PLAN_JOIN,    /* slot, flags: CLONE_NEW*: setns(2) on a namespace fd or pidfd */
	PLAN_WRITE,   /* slot, s1: one write(2) of a string (cgroup v1 `tasks`) */
	PLAN_UNSHARE, /* flags: CLONE_NEW* */
	PLAN_SETSID,  /* */
	PLAN_KEYRING, /* a session keyring of its own; ENOSYS is fine */
	PLAN_PRIVATE, /* all mounts of this namespace become private (slave first, so that nothing leaks out) */
	PLAN_OVERLAY, /* s1: lowers, topmost first, directories below slot, count of them; a: slot of upper or -1; b: slot of work. Makes the
			   * new root, detached; before UNSHARE of the mount namespace, since overlayfs takes lowers of its maker's namespace
			   * only. With PLAN_ATTR_TREES after it, and after PRIVATE: slots are detached trees, attached first; that of a holds
			   * the directories "upper" and "work" */
	PLAN_ROOT, /* count 0: what OVERLAY made, 1: the detached tree of slot, is mounted over / (targets are below it from here on); with
			* s1, the bundle of an OCI runtime, on "rootfs" in there, and targets are below the bundle */
	PLAN_MOUNT,    /* s1: fstype, s2: options "a=b,c", target: s3, flags: PLAN_ATTR_* */
	PLAN_MOVE,     /* slot: detached tree, target: s3, flags: PLAN_ATTR_* */
	PLAN_MKDIR,    /* target: s3, a: mode; an existing directory is fine */
	PLAN_MKNOD,    /* target: s3, a: mode with type, b: dev_t, c: owner's uid << 32 | gid */
	PLAN_SYMLINK,  /* s1: text, target: s3 */
	PLAN_MASK,     /* target: s3: hidden under /dev/null or an empty read-only directory; absent is fine */
	PLAN_READONLY, /* target: s3: bound on itself, read-only, with all below; absent is fine */
	PLAN_PIVOT, /* flags: PLAN_ATTR_* of the root, now that all is in place. The new root becomes /, the old one goes; afterwards
			   * all descriptors but stdio, plan, report are closed, and, with count 1, slot, which goes at CHDIR */
	PLAN_OOM_SCORE, /* a: oom_score_adj; before PIVOT (needs the host's /proc); EACCES is fine when it would be lowered */
	PLAN_APPARMOR, /* s1: the profile of what EXEC runs; flags: PLAN_APPARMOR_*; before JOIN and PIVOT (needs the host's /proc) */
	PLAN_RLIMIT,   /* a: resource, b: soft, c: hard; clamped to the own hard limit, unless flags: PLAN_RLIMIT_EXACT */
	PLAN_UMASK,    /* a */
	PLAN_IDS, /* a: uid, b: gid, s1: supplementary gids as text, count of them; setgroups always; keeps the capabilities for CAPS */
	PLAN_CAPS, /* a: bounding set, b: permitted and effective; inheritable and ambient become empty. Follows IDS */
	PLAN_NO_NEW_PRIVS,
	PLAN_SECCOMP, /* s1: struct sock_filter array (8-aligned in the strings), count of them; s2: the profile's name */
	PLAN_CHDIR,   /* s1: path in the new root; flags: PLAN_CHDIR_CREATE; getcwd(2) must be below the new root */
	PLAN_EXEC,    /* s1: argv, count of them; s2: envp, a: count of them; argv[0] without '/' is searched in envp's PATH */
	PLAN_TTY, /* a terminal (wire/terminal.h) instead of the socket that is standard input; controlling, as stdin, stdout, stderr */
	PLAN_COPY, /* instead of EXEC: sends or receives a tree of files (wire/tree.h). s1: the path, to be sent to stdout; or the path and a
			   * name, count 2, to be made of stdin. s2, flags: as of APPARMOR, since nothing is executed; "": none */
	PLAN_IMAGE, /* slot: detached tree that holds the lowers, s1: their names, topmost first, count of them; s2: the part that is mounted, "":
		     * all; target: s3, flags: PLAN_ATTR_*. After PRIVATE */
	PLAN_RUN, /* instead of EXEC, with ADOPT: s1: argv, count of them: an OCI runtime does a part of the work, and well; s2: its log */
	PLAN_ADOPT, /* s1: the file with the pid that it made: moved by the slots (cgroup.procs) from slot on, count of them, and reported, so
			* that it takes this process's place */
	PLAN_ENTER, /* a sibling, born in the PID namespace that was joined, goes on, as the leader of a session; this process reports it, so that
			* it takes its place, and ends. By clone(2), after SECCOMP and CAPS: there are others who may trace it */
	PLAN_HOST_TTY, /* after SETSID; slot: a terminal of the host, s1: its name: controlling, as stdin, stdout, stderr, unless another session has it */
	PLAN_KIND_MAX,
};

enum plan_attr { /* of a mount */
	         PLAN_ATTR_RDONLY = 1 << 0,
	         PLAN_ATTR_NOSUID = 1 << 1,
	         PLAN_ATTR_NODEV = 1 << 2,
	         PLAN_ATTR_NOEXEC = 1 << 3,
	         PLAN_ATTR_STRICTATIME = 1 << 4,
	         PLAN_ATTR_RECURSIVE = 1 << 5, /* with RDONLY: also what is mounted below */
	         PLAN_ATTR_OPTIONAL =
	                 1 << 6, /* a target that is not there is fine, and ENODEV, ENOSYS, EPERM of the file system (mqueue) */
	         /* Of a moved tree; neither: nothing mounted on one side shows on the other. */
	         PLAN_ATTR_SLAVE = 1 << 7,  /* what the host mounts below its source shows in it */
	         PLAN_ATTR_SHARED = 1 << 8, /* and what the container mounts shows on the host */
	         PLAN_ATTR_TREES = 1 << 9,  /* of OVERLAY */
};

enum plan_apparmor { PLAN_APPARMOR_IF_LOADED = 1 << 0 /* a profile that is not loaded is none */ };
enum plan_rlimit { PLAN_RLIMIT_EXACT = 1 << 0 };
enum plan_chdir { PLAN_CHDIR_CREATE = 1 << 0 };

struct plan_op {
	uint16_t kind, slot;
	uint32_t flags, count;
	uint32_t s1, s2, s3;
	int64_t a, b, c;
};

struct plan_header {
	uint32_t magic, version;
	uint32_t op_count, slot_count;
	uint32_t strings_offset, strings_size; /* bytes from the start of the plan */
};

/* Steps outside the plan's operations, for struct plan_failure.op. */
enum plan_step {
	PLAN_STEP_CLONE = 0x10000, /* in the anchor */
	PLAN_STEP_STDIO,
	PLAN_STEP_EXEC_LAUNCH,
	PLAN_STEP_READ_PLAN, /* in podd-launch, from here on */
	PLAN_STEP_CHECK_PLAN,
	PLAN_STEP_ADOPT, /* no failure: `error` is the pid of the process that takes this one's place; see podd/anchor/spawn.c */
	PLAN_STEP_HANDED_OVER, /* in the anchor: the launch ended without a reason, after that */
};

struct plan_failure {
	uint32_t op;   /* index of the operation, or enum plan_step */
	int32_t error; /* errno */
	char operand[200];
};

/* A plan's bytes, checked: every kind is known, every slot, string and list lies inside, so its readers need no checks of their own. */
struct plan_view {
	const struct plan_header *header;
	const struct plan_op *ops;
	const char *strings;
};

int plan_view_init(struct plan_view *v, const void *bytes, size_t size); /* 0 or -EINVAL */

/* A string by its offset, and the one that follows it in a list. */
static inline const char *plan_view_string(const struct plan_view *v, uint32_t offset)
{
	return v->strings + offset;
}
const char *plan_view_next(const char *s);

const char *plan_kind_name(uint16_t kind); /* "overlay"; NULL when unknown */
const char *plan_step_text(uint32_t step); /* "cloning the process"; NULL when unknown */
