#include "plan/oci.h"
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include "base/jsonw.h"
#include "base/str.h"
#include "manifest/ulimit.h"
#include "sys/cap.h"

struct share {
	const struct oci *oci;
	struct build *build;
	struct jsonw json;
};

static const char *string(const struct share *s, uint32_t offset)
{
	return s->build->strings.data + offset;
}

/* The last of its kind, as it is the one that holds; every member has one of each that is looked for. */
static const struct plan_op *find(const struct share *s, enum plan_kind kind)
{
	size_t i = s->build->op_count;

	while (i-- > 0 && s->build->ops[i].kind != kind)
		;
	return &s->build->ops[i];
}

static bool has(const struct share *s, enum plan_kind kind)
{
	for (size_t i = 0; i < s->build->op_count; i++)
		if (s->build->ops[i].kind == kind)
			return true;
	return false;
}

/* --- the process ------------------------------------------------------------------------------------------------------------------ */

static void put_strings(struct share *s, const char *key, uint32_t offset, uint64_t count)
{
	jsonw_key(&s->json, key);
	jsonw_array(&s->json);
	for (const char *p = string(s, offset); count > 0; count--, p = plan_view_next(p))
		jsonw_str(&s->json, p);
	jsonw_end(&s->json);
}

static void put_user(struct share *s)
{
	const struct plan_op *ids = find(s, PLAN_IDS);
	const char *group = string(s, ids->s1);

	jsonw_key(&s->json, "user");
	jsonw_object(&s->json);
	jsonw_member_int(&s->json, "uid", ids->a);
	jsonw_member_int(&s->json, "gid", ids->b);
	jsonw_member_int(&s->json, "umask", find(s, PLAN_UMASK)->a);
	jsonw_key(&s->json, "additionalGids");
	jsonw_array(&s->json);
	for (uint32_t i = 0; i < ids->count; i++, group = plan_view_next(group))
		jsonw_raw(&s->json, group);
	jsonw_end(&s->json);
	jsonw_end(&s->json);
}

static void put_caps(struct share *s, const char *key, uint64_t set)
{
	char name[64];

	jsonw_key(&s->json, key);
	jsonw_array(&s->json);
	for (unsigned i = 0; i < CAP_COUNT; i++)
		if (set & CAP_BIT(i)) {
			(void)snprintf(name, sizeof(name), "CAP_%s", cap_name(i));
			jsonw_str(&s->json, name);
		}
	jsonw_end(&s->json);
}

static void put_capabilities(struct share *s)
{
	const struct plan_op *caps = find(s, PLAN_CAPS);

	jsonw_key(&s->json, "capabilities");
	jsonw_object(&s->json);
	put_caps(s, "bounding", (uint64_t)caps->a);
	put_caps(s, "permitted", (uint64_t)caps->b);
	put_caps(s, "effective", (uint64_t)caps->b);
	put_caps(s, "inheritable", 0);
	put_caps(s, "ambient", 0);
	jsonw_end(&s->json);
}

static void put_rlimits(struct share *s)
{
	char text[32];

	jsonw_key(&s->json, "rlimits");
	jsonw_array(&s->json);
	for (size_t i = 0; i < s->build->op_count; i++) {
		const struct plan_op *op = &s->build->ops[i];
		if (op->kind != PLAN_RLIMIT)
			continue;
		size_t n = (size_t)snprintf(text, sizeof(text), "RLIMIT_%s", ulimit_name((int)op->a));
		for (size_t k = 0; k < n; k++)
			text[k] = (char)toupper((unsigned char)text[k]);
		jsonw_object(&s->json);
		jsonw_member_str(&s->json, "type", text);
		(void)snprintf(text, sizeof(text), "%" PRIu64, (uint64_t)op->b);
		jsonw_key(&s->json, "soft");
		jsonw_raw(&s->json, text);
		(void)snprintf(text, sizeof(text), "%" PRIu64, (uint64_t)op->c);
		jsonw_key(&s->json, "hard");
		jsonw_raw(&s->json, text);
		jsonw_end(&s->json);
	}
	jsonw_end(&s->json);
}

static void put_process(struct share *s)
{
	const struct plan_op *exec = find(s, PLAN_EXEC);

	jsonw_key(&s->json, "process");
	jsonw_object(&s->json);
	jsonw_member_bool(&s->json, "terminal", false);
	put_user(s);
	put_strings(s, "args", exec->s1, exec->count);
	put_strings(s, "env", exec->s2, (uint64_t)exec->a);
	jsonw_member_str(&s->json, "cwd", string(s, find(s, PLAN_CHDIR)->s1));
	put_capabilities(s);
	put_rlimits(s);
	jsonw_member_bool(&s->json, "noNewPrivileges", has(s, PLAN_NO_NEW_PRIVS));
	if (has(s, PLAN_APPARMOR))
		jsonw_member_str(&s->json, "apparmorProfile", string(s, find(s, PLAN_APPARMOR)->s1));
	jsonw_end(&s->json);
}

/* --- what it sees ------------------------------------------------------------------------------------------------------------------ */

static void put_options(struct share *s, const char *first, uint32_t flags, const char *rest)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {
		{ PLAN_ATTR_RDONLY, "ro" },     { PLAN_ATTR_NOSUID, "nosuid" },           { PLAN_ATTR_NODEV, "nodev" },
		{ PLAN_ATTR_NOEXEC, "noexec" }, { PLAN_ATTR_STRICTATIME, "strictatime" }, { PLAN_ATTR_SLAVE, "rslave" },
	};

	jsonw_key(&s->json, "options");
	jsonw_array(&s->json);
	if (*first)
		jsonw_str(&s->json, first);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (flags & names[i].flag)
			jsonw_str(&s->json, names[i].name);
	for (size_t n; *rest; rest += n + (rest[n] == ',')) {
		n = strcspn(rest, ",");
		jsonw_str(&s->json, arena_strndup(s->build->plan->arena, rest, n));
	}
	jsonw_end(&s->json);
}

static void put_mount(struct share *s, const struct plan_op *op, const char *type, const char *source)
{
	bool bind = op->kind != PLAN_MOUNT;

	jsonw_object(&s->json);
	jsonw_member_str(&s->json, "destination", string(s, op->s3));
	jsonw_member_str(&s->json, "type", type);
	jsonw_member_str(&s->json, "source", source);
	put_options(s, bind ? "rbind" : "", op->flags, bind ? "" : string(s, op->s2));
	jsonw_end(&s->json);
}

/* Where podd-launch puts the tree of a slot, in the bundle. */
static char *place(const struct share *s, const struct plan_op *op)
{
	return arena_printf(s->build->plan->arena, "/mounts/%u", op->slot);
}

static void put_mounts(struct share *s)
{
	jsonw_key(&s->json, "mounts");
	jsonw_array(&s->json);
	for (size_t i = 0; i < s->build->op_count; i++) {
		const struct plan_op *op = &s->build->ops[i];
		const char *type = string(s, op->s1);
		if (op->kind == PLAN_MOUNT)
			put_mount(s, op, streq(type, "cgroup2") ? "cgroup" : type,
			          type); /* the specification knows one word for both */
		else if (op->kind == PLAN_MOVE || op->kind == PLAN_IMAGE)
			put_mount(s, op, "bind",
			          arena_printf(s->build->plan->arena, "%s%s", s->oci->runtime->bundle, place(s, op)));
	}
	jsonw_end(&s->json);
}

static void put_paths(struct share *s, const char *key, enum plan_kind kind)
{
	jsonw_key(&s->json, key);
	jsonw_array(&s->json);
	for (size_t i = 0; i < s->build->op_count; i++)
		if (s->build->ops[i].kind == kind)
			jsonw_str(&s->json, string(s, s->build->ops[i].s3));
	jsonw_end(&s->json);
}

static void put_linux(struct share *s)
{
	static const char *const namespaces[] = { "mount", "cgroup", "pid" };
	struct jsonw *w = &s->json;

	jsonw_key(w, "linux");
	jsonw_object(w);
	jsonw_key(w, "namespaces");
	jsonw_array(w);
	for (size_t i = 0; i < ARRAY_SIZE(namespaces) - s->oci->host_pid; i++) {
		jsonw_object(w);
		jsonw_member_str(w, "type", namespaces[i]);
		jsonw_end(w);
	}
	jsonw_end(w);
	/* No resources: limits and the list of devices are in force before. */
	jsonw_member_str(w, "cgroupsPath", s->oci->runtime->cgroup);
	put_paths(s, "maskedPaths", PLAN_MASK);
	put_paths(s, "readonlyPaths", PLAN_READONLY);
	jsonw_member_str(w, "rootfsPropagation", "rslave"); /* or a volume that follows the host's mounts would not */
	if (s->oci->rules) {
		jsonw_key(w, "seccomp");
		oci_seccomp(w, s->oci->rules);
	}
	jsonw_end(w);
}

static void put_config(struct share *s)
{
	struct jsonw *w = &s->json;

	jsonw_init(w, &s->build->plan->config);
	jsonw_object(w);
	jsonw_member_str(w, "ociVersion", "1.0.2");
	put_process(s);
	jsonw_key(w, "root");
	jsonw_object(w);
	jsonw_member_str(w, "path", "rootfs");
	jsonw_member_bool(w, "readonly", find(s, PLAN_PIVOT)->flags & PLAN_ATTR_RDONLY);
	jsonw_end(w);
	put_mounts(s);
	put_linux(s);
	jsonw_end(w);
}

/* --- podd-launch's share ------------------------------------------------------------------------------------------------------------- */

/* 1: podd-launch's, 0: the runtime's, or what every runtime does unasked; -EINVAL: neither can. */
static int keep(const struct plan_op *op)
{
	switch ((enum plan_kind)op->kind) {
	case PLAN_WRITE:
	case PLAN_OOM_SCORE: /* where lowering it is not allowed, a runtime fails */
	case PLAN_UNSHARE:
	case PLAN_PRIVATE:
	case PLAN_OVERLAY:
	case PLAN_ROOT:
	case PLAN_IMAGE:
		return 1;
	case PLAN_MOVE:
		return op->flags & PLAN_ATTR_SHARED ? -EINVAL : 1;
	case PLAN_SETSID:
	case PLAN_KEYRING:
	case PLAN_MOUNT:
	case PLAN_MKDIR:
	case PLAN_SYMLINK:
	case PLAN_MASK:
	case PLAN_READONLY:
	case PLAN_PIVOT:
	case PLAN_APPARMOR:
	case PLAN_RLIMIT:
	case PLAN_UMASK:
	case PLAN_IDS:
	case PLAN_CAPS:
	case PLAN_NO_NEW_PRIVS:
	case PLAN_CHDIR:
	case PLAN_EXEC:
		return 0;
	case PLAN_MKNOD: /* of the standard devices: memory's, and the terminal */
		return major((dev_t)op->b) == 1 || op->b == (int64_t)makedev(5, 0) ? 0 : -EINVAL;
	case PLAN_END:
	case PLAN_JOIN:
	case PLAN_SECCOMP:
	case PLAN_TTY:
	case PLAN_HOST_TTY:
	case PLAN_COPY:
	case PLAN_RUN:
	case PLAN_ADOPT:
	case PLAN_ENTER:
	case PLAN_KIND_MAX:
		break;
	}
	return -EINVAL;
}

static int keep_own(struct share *s, const char **ret_reason)
{
	struct build *b = s->build;
	size_t n = 0;

	for (size_t i = 0; i < b->op_count; i++) {
		struct plan_op op = b->ops[i];
		int r = keep(&op);
		if (r < 0) {
			*ret_reason = op.kind == PLAN_MKNOD ? "a device can't be given to a pod with runtimeClassName"
			                                    : "a part of it can't be done with runtimeClassName";
			return r;
		}
		if (r == 0)
			continue;
		if (op.kind == PLAN_UNSHARE) /* the runtime has to find the container's cgroup from the top */
			op.flags = CLONE_NEWNS;
		if (op.kind == PLAN_ROOT)
			op.s1 = build_string(b, s->oci->runtime->bundle);
		if (op.kind == PLAN_MOVE || op.kind == PLAN_IMAGE)
			op.s3 = build_string(b, place(s, &op));
		b->ops[n++] = op;
	}
	b->op_count = n;
	return 0;
}

static void add_run(struct share *s, const char *const *words, size_t count)
{
	const struct plan_runtime *rt = s->oci->runtime;
	struct arena *a = s->build->plan->arena;
	const char *log = arena_printf(a, "%s/log", rt->bundle);
	const char *common[] = { "--root", rt->state, "--log", log, "--log-format", "json" };
	struct string_list argv = { .items = arena_new_array(a, const char *, 1 + rt->options.count + ARRAY_SIZE(common) + count) };

	argv.items[argv.count++] = rt->program;
	for (size_t i = 0; i < rt->options.count; i++)
		argv.items[argv.count++] = rt->options.items[i];
	for (size_t i = 0; i < ARRAY_SIZE(common); i++)
		argv.items[argv.count++] = common[i];
	for (size_t i = 0; i < count; i++)
		argv.items[argv.count++] = words[i];
	uint32_t s1 = build_strings(s->build, &argv), s2 = build_string(s->build, log);
	struct plan_op *op = build_op(s->build, PLAN_RUN);
	op->count = (uint32_t)argv.count;
	op->s1 = s1;
	op->s2 = s2;
}

static void add_steps(struct share *s)
{
	const struct plan_runtime *rt = s->oci->runtime;
	const char *pid_file = arena_printf(s->build->plan->arena, "%s/pid", rt->bundle);
	const char *create[] = { "create", "--bundle", rt->bundle, "--pid-file", pid_file, rt->id }, *start[] = { "start", rt->id };
	uint16_t procs = build_slot(s->build, SLOT_CGROUP_PROCS, NULL, 0);

	for (size_t i = 0; i < s->oci->v1_count; i++)
		(void)build_slot(s->build, SLOT_CGROUP_PROCS, NULL, (unsigned)(1 + i));
	add_run(s, create, ARRAY_SIZE(create));
	uint32_t file = build_string(s->build, pid_file);
	struct plan_op *op = build_op(s->build, PLAN_ADOPT);
	op->s1 = file;
	op->slot = procs;
	op->count = (uint32_t)(1 + s->oci->v1_count);
	add_run(s, start, ARRAY_SIZE(start));
	(void)build_op(s->build, PLAN_END);
}

int oci_share(const struct oci *o, struct build *b, const char **ret_reason)
{
	struct share s = { .oci = o, .build = b };

	put_config(&s);
	int r = keep_own(&s, ret_reason);
	if (r == 0)
		add_steps(&s);
	return r;
}
