#include "plan/devices.h"
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "base/str.h"

static const struct {
	const char *path;
	unsigned major, minor;
} devices[] = {
	{ "/dev/null", 1, 3 },   { "/dev/zero", 1, 5 },    { "/dev/full", 1, 7 },
	{ "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },
};

static const struct {
	const char *path, *text;
} device_links[] = {
	{ "/dev/fd", "/proc/self/fd" },       { "/dev/stdin", "/proc/self/fd/0" }, { "/dev/stdout", "/proc/self/fd/1" },
	{ "/dev/stderr", "/proc/self/fd/2" }, { "/dev/ptmx", "pts/ptmx" },
};

void devices_standard(struct build *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		struct plan_op *op = build_op(b, PLAN_MKNOD);
		op->a = S_IFCHR | 0666;
		op->b = (int64_t)makedev(devices[i].major, devices[i].minor);
		op->s3 = build_string(b, devices[i].path);
	}
	for (size_t i = 0; i < ARRAY_SIZE(device_links); i++) {
		struct plan_op *op = build_op(b, PLAN_SYMLINK);
		op->s1 = build_string(b, device_links[i].text);
		op->s3 = build_string(b, device_links[i].path);
	}
}

void devices_nodes(struct build *b, const struct cdi_edits *edits, const struct identity *id, uint32_t first_id)
{
	for (size_t i = 0; edits && i < edits->nodes.count; i++) {
		const struct cdi_node *n = &edits->nodes.items[i];
		int64_t uid = n->uid.set ? n->uid.value : id->uid, gid = n->gid.set ? n->gid.value : id->gid;
		const char *parent = arena_strndup(b->plan->arena, n->path, (size_t)(strrchr(n->path, '/') - n->path));
		struct plan_op *op;
		if (!streq(parent, "/dev")) {
			op = build_op(b, PLAN_MKDIR);
			op->a = 0755;
			op->s3 = build_string(b, parent);
		}
		op = build_op(b, PLAN_MKNOD);
		op->a = (n->mode & S_IFMT) | (n->file_mode.set ? (mode_t)n->file_mode.value : n->mode & 0777);
		op->b = (int64_t)n->number;
		op->c = (uid + first_id) << 32 | (gid + first_id);
		op->s3 = build_string(b, n->path);
	}
}

static uint32_t mount_flags(const struct string_list *options)
{
	static const struct {
		const char *name;
		uint32_t flag;
	} known[] = {
		{ "ro", PLAN_ATTR_RDONLY },
		{ "nosuid", PLAN_ATTR_NOSUID },
		{ "nodev", PLAN_ATTR_NODEV },
		{ "noexec", PLAN_ATTR_NOEXEC },
	};
	uint32_t flags = 0;

	for (size_t i = 0; i < options->count; i++)
		for (size_t j = 0; j < ARRAY_SIZE(known); j++)
			if (streq(options->items[i], known[j].name))
				flags |= known[j].flag;
	return flags;
}

void devices_files(struct build *b, const struct cdi_edits *edits)
{
	for (size_t i = 0; edits && i < edits->mounts.count; i++) {
		const struct cdi_mount *m = &edits->mounts.items[i];
		uint16_t slot = build_slot(b, SLOT_DEVICE_FILE, m->host_path, 0);
		struct plan_op *op = build_op(b, PLAN_MOVE);
		op->slot = slot;
		op->flags = mount_flags(&m->options);
		op->s3 = build_string(b, m->container_path);
	}
}

void devices_env(struct arena *a, const struct cdi_edits *edits, struct label_list *env)
{
	size_t count = edits ? edits->env.count : 0;
	struct label_list all = { .items = arena_new_array(a, struct label, env->count + count) };

	if (!count)
		return;
	for (size_t i = 0; i < env->count; i++)
		all.items[all.count++] = env->items[i];
	for (size_t i = 0; i < count; i++) {
		const char *text = edits->env.items[i], *equals = strchr(text, '=');
		all.items[all.count++] = (struct label){ arena_strndup(a, text, (size_t)(equals - text)), equals + 1 };
	}
	*env = all;
}
