#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "base/str.h"
#include "manifest/ulimit.h"
#include "plan/compile.h"
#include "sys/cap.h"

struct flag_name {
	uint64_t flag;
	const char *name;
};

static const struct flag_name attr_names[] = {
	{ PLAN_ATTR_RDONLY, "ro" },
	{ PLAN_ATTR_NOSUID, "nosuid" },
	{ PLAN_ATTR_NODEV, "nodev" },
	{ PLAN_ATTR_NOEXEC, "noexec" },
	{ PLAN_ATTR_STRICTATIME, "strictatime" },
	{ PLAN_ATTR_RECURSIVE, "recursive" },
	{ PLAN_ATTR_OPTIONAL, "optional" },
	{ PLAN_ATTR_SLAVE, "slave" },
	{ PLAN_ATTR_SHARED, "shared" },
	{ PLAN_ATTR_TREES, "trees" },
};

static const struct flag_name namespace_names[] = {
	{ CLONE_NEWNS, "mount" }, { CLONE_NEWCGROUP, "cgroup" }, { CLONE_NEWPID, "pid" },   { CLONE_NEWNET, "net" },
	{ CLONE_NEWIPC, "ipc" },  { CLONE_NEWUTS, "uts" },       { CLONE_NEWUSER, "user" },
};

static void put_flags(struct buf *out, const struct flag_name *names, size_t n, uint64_t flags)
{
	const char *separator = " ";

	for (size_t i = 0; i < n; i++)
		if (flags & names[i].flag) {
			buf_printf(out, "%s%s", separator, names[i].name);
			separator = ",";
		}
}

static void put_attrs(struct buf *out, uint32_t flags)
{
	put_flags(out, attr_names, ARRAY_SIZE(attr_names), flags);
}

static void put_caps(struct buf *out, uint64_t set)
{
	const char *separator = "";

	if (!set)
		buf_puts(out, "none");
	for (unsigned i = 0; i < 64; i++)
		if (set & CAP_BIT(i)) {
			const char *name = cap_name(i);
			if (name)
				buf_printf(out, "%s%s", separator, name);
			else
				buf_printf(out, "%s%u", separator, i);
			separator = ",";
		}
}

static void put_text(struct buf *out, const char *s)
{
	buf_putc(out, ' ');
	str_escape(out, s);
}

static void put_list(struct buf *out, const struct plan_view *v, uint32_t offset, uint64_t count)
{
	const char *s = plan_view_string(v, offset);

	for (uint64_t i = 0; i < count; i++, s = plan_view_next(s)) {
		buf_puts(out, " \"");
		str_escape(out, s);
		buf_putc(out, '"');
	}
}

static void print_mount(struct buf *out, const struct plan_view *v, const struct plan_op *op)
{
	const char *target = plan_view_string(v, op->s3);

	switch (op->kind) {
	case PLAN_OVERLAY:
		buf_printf(out, " of slot %u:", op->slot);
		put_list(out, v, op->s1, op->count);
		buf_printf(out, ", upper slot %lld, work slot %lld", (long long)op->a, (long long)op->b);
		break;
	case PLAN_ROOT:
		if (op->count)
			buf_printf(out, " slot %u", op->slot);
		if (op->s1)
			put_text(out, plan_view_string(v, op->s1));
		break;
	case PLAN_MOUNT:
		put_text(out, plan_view_string(v, op->s1));
		buf_puts(out, " on");
		put_text(out, target);
		if (op->s2)
			put_text(out, plan_view_string(v, op->s2));
		break;
	case PLAN_IMAGE:
		buf_printf(out, " of slot %u:", op->slot);
		put_list(out, v, op->s1, op->count);
		if (op->s2) {
			buf_puts(out, ", its");
			put_text(out, plan_view_string(v, op->s2));
		}
		buf_puts(out, " on");
		put_text(out, target);
		break;
	case PLAN_MOVE:
		buf_printf(out, " slot %u to", op->slot);
		put_text(out, target);
		break;
	case PLAN_MKDIR:
		put_text(out, target);
		buf_printf(out, " %04o", (unsigned)op->a);
		break;
	case PLAN_MKNOD:
		put_text(out, target);
		buf_printf(out, " %c %u:%u %04o", S_ISCHR((mode_t)op->a) ? 'c' : 'b', major((dev_t)op->b), minor((dev_t)op->b),
		           (unsigned)op->a & 07777);
		if (op->c)
			buf_printf(out, " owner %u:%u", (unsigned)(op->c >> 32), (unsigned)op->c);
		break;
	case PLAN_SYMLINK:
		put_text(out, target);
		buf_puts(out, " ->");
		put_text(out, plan_view_string(v, op->s1));
		break;
	default: /* MASK, READONLY: called for those that are about the tree only */
		put_text(out, target);
		break;
	}
	put_attrs(out, op->flags);
}

static void put_apparmor(struct buf *out, const struct plan_view *v, const struct plan_op *op, uint32_t profile)
{
	put_text(out, plan_view_string(v, profile));
	if (op->flags & PLAN_APPARMOR_IF_LOADED)
		buf_puts(out, " if loaded");
}

static void print_self(struct buf *out, const struct plan_view *v, const struct plan_op *op)
{
	switch (op->kind) {
	case PLAN_OOM_SCORE:
		buf_printf(out, " %lld", (long long)op->a);
		break;
	case PLAN_APPARMOR:
		put_apparmor(out, v, op, op->s1);
		break;
	case PLAN_RLIMIT:
		buf_printf(out, " %s %llu:%llu", ulimit_name((int)op->a), (unsigned long long)op->b, (unsigned long long)op->c);
		break;
	case PLAN_UMASK:
		buf_printf(out, " %04o", (unsigned)op->a);
		break;
	case PLAN_IDS:
		buf_printf(out, " uid %lld gid %lld groups", (long long)op->a, (long long)op->b);
		put_list(out, v, op->s1, op->count);
		break;
	case PLAN_CAPS:
		buf_puts(out, " bounding ");
		put_caps(out, (uint64_t)op->a);
		buf_puts(out, " permitted ");
		put_caps(out, (uint64_t)op->b);
		break;
	default: /* SECCOMP: called for those that are about the process itself only */
		put_text(out, plan_view_string(v, op->s2));
		break;
	}
}

static void print_op(struct buf *out, const struct plan_view *v, const struct plan_op *op)
{
	switch ((enum plan_kind)op->kind) {
	case PLAN_OVERLAY:
	case PLAN_ROOT:
	case PLAN_MOUNT:
	case PLAN_IMAGE:
	case PLAN_MOVE:
	case PLAN_MKDIR:
	case PLAN_MKNOD:
	case PLAN_SYMLINK:
	case PLAN_MASK:
	case PLAN_READONLY:
		print_mount(out, v, op);
		break;
	case PLAN_PIVOT:
		put_attrs(out, op->flags);
		break;
	case PLAN_JOIN:
		buf_printf(out, " slot %u", op->slot);
		put_flags(out, namespace_names, ARRAY_SIZE(namespace_names), op->flags);
		break;
	case PLAN_UNSHARE:
		put_flags(out, namespace_names, ARRAY_SIZE(namespace_names), op->flags);
		break;
	case PLAN_HOST_TTY:
		buf_printf(out, " slot %u:", op->slot);
		put_text(out, plan_view_string(v, op->s1));
		break;
	case PLAN_WRITE:
		buf_printf(out, " slot %u", op->slot);
		put_list(out, v, op->s1, 1);
		break;
	case PLAN_OOM_SCORE:
	case PLAN_APPARMOR:
	case PLAN_RLIMIT:
	case PLAN_UMASK:
	case PLAN_IDS:
	case PLAN_CAPS:
	case PLAN_SECCOMP:
		print_self(out, v, op);
		break;
	case PLAN_CHDIR:
		put_text(out, plan_view_string(v, op->s1));
		if (op->flags & PLAN_CHDIR_CREATE)
			buf_puts(out, " create");
		break;
	case PLAN_EXEC:
		put_list(out, v, op->s1, op->count);
		buf_puts(out, " environment");
		put_list(out, v, op->s2, (uint64_t)op->a);
		break;
	case PLAN_COPY:
		put_list(out, v, op->s1, op->count);
		if (op->s2) {
			buf_puts(out, " apparmor");
			put_apparmor(out, v, op, op->s2);
		}
		break;
	case PLAN_RUN:
		put_list(out, v, op->s1, op->count);
		break;
	case PLAN_ADOPT:
		put_text(out, plan_view_string(v, op->s1));
		buf_printf(out, " slots %u to %u", op->slot, op->slot + op->count - 1);
		break;
	case PLAN_END:
	case PLAN_SETSID:
	case PLAN_KEYRING:
	case PLAN_PRIVATE:
	case PLAN_NO_NEW_PRIVS:
	case PLAN_TTY:
	case PLAN_ENTER:
	case PLAN_KIND_MAX:
		break;
	}
}

int plan_print(const void *bytes, size_t size, struct buf *out)
{
	struct plan_view v;
	int r = plan_view_init(&v, bytes, size);

	if (r < 0)
		return r;
	for (uint32_t i = 0; i < v.header->op_count; i++) {
		buf_printf(out, "%3u %s", i, plan_kind_name(v.ops[i].kind));
		print_op(out, &v, &v.ops[i]);
		buf_putc(out, '\n');
	}
	return 0;
}

/* ---- failures ---- */

/* "mounting proc on /proc": what was being done. The operand is what it was done to. */
static void describe(const struct plan_view *v, const struct plan_op *op, const char *operand, struct buf *out)
{
	static const char *const texts[PLAN_KIND_MAX] = {
		[PLAN_END] = "ending the plan",
		[PLAN_JOIN] = "joining the container's namespaces",
		[PLAN_WRITE] = "joining the cgroup",
		[PLAN_UNSHARE] = "making the namespaces",
		[PLAN_SETSID] = "making the session",
		[PLAN_HOST_TTY] = "taking the host's terminal",
		[PLAN_KEYRING] = "making the session keyring",
		[PLAN_PRIVATE] = "making the mounts private",
		[PLAN_OVERLAY] = "creating the root file system",
		[PLAN_ROOT] = "mounting the root file system",
		[PLAN_MOUNT] = "mounting",
		[PLAN_MOVE] = "mounting on",
		[PLAN_MKDIR] = "making the directory",
		[PLAN_MKNOD] = "making the device",
		[PLAN_SYMLINK] = "making the symbolic link",
		[PLAN_MASK] = "masking",
		[PLAN_READONLY] = "making read-only",
		[PLAN_PIVOT] = "entering the root file system",
		[PLAN_OOM_SCORE] = "setting oom_score_adj to",
		[PLAN_APPARMOR] = "setting the AppArmor profile",
		[PLAN_RLIMIT] = "setting the limit",
		[PLAN_UMASK] = "setting the umask",
		[PLAN_IDS] = "becoming user",
		[PLAN_CAPS] = "setting the capabilities",
		[PLAN_NO_NEW_PRIVS] = "setting no_new_privs",
		[PLAN_SECCOMP] = "loading the seccomp filter",
		[PLAN_CHDIR] = "entering the working directory",
		[PLAN_EXEC] = "running",
		[PLAN_TTY] = "making the terminal",
		[PLAN_COPY] = "copying",
		[PLAN_IMAGE] = "mounting an image",
		[PLAN_RUN] = "running the OCI runtime",
		[PLAN_ADOPT] = "taking over the process of",
		[PLAN_ENTER] = "entering the PID namespace",
	};

	buf_puts(out, texts[op->kind]);
	switch (op->kind) {
	case PLAN_OVERLAY:
		buf_puts(out, " (overlay)");
		break;
	case PLAN_MOUNT:
		put_text(out, plan_view_string(v, op->s1));
		buf_puts(out, " on");
		put_text(out, operand);
		break;
	case PLAN_IMAGE:
		if (op->s2) {
			buf_puts(out, "'s");
			put_text(out, plan_view_string(v, op->s2));
		}
		buf_puts(out, " on");
		put_text(out, operand);
		break;
	case PLAN_RLIMIT:
		buf_printf(out, " %s", ulimit_name((int)op->a));
		break;
	case PLAN_RUN: /* the runtime's words are a sentence of theirs */
		buf_printf(out, ": %s", operand);
		break;
	case PLAN_IDS:
		buf_printf(out, " %lld, group %lld", (long long)op->a, (long long)op->b);
		break;
	case PLAN_EXEC:
		buf_puts(out, " \"");
		str_escape(out, operand);
		buf_putc(out, '"');
		break;
	default: /* the others are named by their operand, or by nothing */
		if (*operand)
			put_text(out, operand);
		break;
	}
}

/* Errors by which the kernel says that a limit is reached, and none of their names does. NULL: it was no such error. */
static const char *limit_reached(const struct plan_op *op, uint32_t step, int error)
{
	if (step == PLAN_STEP_CLONE && error == EAGAIN)
		return "the pod's limit of processes, kernel.pid_max or kernel.threads-max is reached";
	if (!op)
		return NULL;
	bool mounts = op->kind == PLAN_UNSHARE || op->kind == PLAN_MOUNT || op->kind == PLAN_MOVE || op->kind == PLAN_ROOT ||
	              op->kind == PLAN_READONLY;
	if (mounts && error == ENOSPC)
		return "fs.mount-max or one of user.max_*_namespaces is reached";
	if (op->kind == PLAN_KEYRING && error == EDQUOT)
		return "kernel.keys.root_maxkeys or root_maxbytes is reached";
	return NULL;
}

/* What the error means there, and the way out; NULL: its name says it. */
static const char *known_cause(enum plan_kind kind, int error)
{
	static const char on_file[] =
		"a directory can't be mounted on a file, nor below one; give it a mountPath of its own, or choose one "
		"of its files by subPath";
	static const char on_directory[] = "a file can't be mounted on a directory; append the file's name to mountPath";
	static const struct {
		enum plan_kind kind;
		int error;
		const char *text;
	} causes[] = {
		{ PLAN_HOST_TTY, EPERM, "another session has it, as a getty or another pod" },
		{ PLAN_APPARMOR, ENOENT, "it is not loaded; apparmor_parser(8) loads the files of /etc/apparmor.d" },
		{ PLAN_MOUNT, ELOOP, "it is a symbolic link in the image" },
		{ PLAN_MOVE, ENOTDIR, on_file },
		{ PLAN_MOVE, EISDIR, on_directory },
		{ PLAN_IMAGE, ENOTDIR, on_file },
		{ PLAN_IMAGE, EISDIR, on_directory },
		{ PLAN_IMAGE, EXDEV, "leads out of the image" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(causes); i++)
		if (causes[i].kind == kind && causes[i].error == error)
			return causes[i].text;
	return NULL;
}

void plan_failure_text(const void *bytes, size_t size, const struct plan_failure *f, struct buf *out)
{
	char operand[sizeof(f->operand) + 1] = "";
	const char *step = plan_step_text(f->op);
	const struct plan_op *op = NULL;
	struct plan_view v;

	memcpy(operand, f->operand, strnlen(f->operand, sizeof(f->operand)));
	if (step) {
		buf_puts(out, step);
	} else if (!bytes || plan_view_init(&v, bytes, size) < 0 || f->op >= v.header->op_count) {
		buf_printf(out, "step %u of the launch plan", f->op);
		if (*operand)
			put_text(out, operand);
	} else {
		op = &v.ops[f->op];
		describe(&v, op, operand, out);
		if (op->kind == PLAN_RUN && f->error == ECANCELED) /* the operand is the runtime's own words */
			return;
		if (op->kind == PLAN_EXEC && f->error == ENOENT && !strchr(operand, '/')) {
			buf_puts(out, ": not found in PATH");
			return;
		}
		if ((op->kind == PLAN_OVERLAY || op->kind == PLAN_IMAGE) && f->error == E2BIG) {
			buf_printf(out, ": an image of %u layers needs Linux 6.5, before which 63 are the most", op->count);
			return;
		}
		const char *cause = known_cause(op->kind, f->error);
		if (cause) {
			buf_printf(out, ": %s", cause);
			return;
		}
	}
	const char *limit = limit_reached(op, f->op, f->error);
	buf_printf(out, ": %s%s%s", strerror(f->error), limit ? "; " : "", limit ? limit : "");
}
