#include "manifest/cdi.h"
#include <errno.h>
#include "base/str.h"
#include "manifest/schema_rows.h"
#include "manifest/single.h"

/* --- names ------------------------------------------------------------------------------------------------------------------------ */

static bool is_word(const char *s, size_t n, const char *marks)
{
	if (!n || n > 63 || strchr(marks, s[0]) || strchr(marks, s[n - 1]))
		return false;
	for (size_t i = 0; i < n; i++) {
		bool letter = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= '0' && s[i] <= '9');
		if (!letter && !strchr(marks, s[i]))
			return false;
	}
	return true;
}

static bool is_kind(const char *s)
{
	const char *slash = strchr(s, '/');

	return slash && is_word(s, (size_t)(slash - s), "-_.") && is_word(slash + 1, strlen(slash + 1), "-_.");
}

static bool is_device_name(const char *s)
{
	return is_word(s, strlen(s), "-_.:");
}

static bool is_full_name(struct arena *a, const char *s)
{
	const char *equals = strchr(s, '=');

	return equals && is_kind(arena_strndup(a, s, (size_t)(equals - s))) && is_device_name(equals + 1);
}

const char *cdi_names_parse(struct arena *a, const char *text, struct string_list *ret)
{
	struct string_list list = { .items = arena_new_array(a, const char *, CDI_NAMES_MAX) };
	char *save = NULL;

	for (char *s = strtok_r(arena_strdup(a, text), ", ", &save); s; s = strtok_r(NULL, ", ", &save)) {
		if (list.count == CDI_NAMES_MAX)
			return arena_printf(a, "may name at most %d devices", CDI_NAMES_MAX);
		if (!is_full_name(a, s))
			return "must be a list of names of devices";
		for (size_t i = 0; i < list.count; i++)
			if (streq(list.items[i], s))
				return "each device at most once";
		list.items[list.count++] = s;
	}
	*ret = list;
	return NULL;
}

/* --- the file ---------------------------------------------------------------------------------------------------------------------- */

static bool check_kind(const struct value *v, struct arena *a, struct finding *ret)
{
	return is_kind(v->text) ? true : check_invalid(ret, a, v->text, "must be a vendor and a class", "as vendor.com/class");
}

static bool check_name(const struct value *v, struct arena *a, struct finding *ret)
{
	return is_device_name(v->text) ? true
	                               : check_invalid(ret, a, v->text, "must be letters, digits, '-', '_', '.' and ':'", NULL);
}

static bool check_env(const struct value *v, struct arena *a, struct finding *ret)
{
	return strchr(v->text, '=') > v->text ? true : check_invalid(ret, a, v->text, "must be a variable", "as NAME=value");
}

static bool check_permissions(const struct value *v, struct arena *a, struct finding *ret)
{
	return !v->text[strspn(v->text, "rwm")] ? true : check_invalid(ret, a, v->text, "must be of the letters r, w and m", NULL);
}

/* A node elsewhere could not be opened: root file systems are mounted nodev. */
static bool check_node_path(const struct value *v, struct arena *a, struct finding *ret)
{
	const char *rest = str_after(v->text, "/dev/");

	if (rest && check_relative_path(&(struct value){ .text = rest }, a, ret))
		return true;
	return check_invalid(ret, a, v->text, "must be a path below /dev", NULL);
}

static const struct field node_fields[] = {
	BUILT("path", STRING, MUST, cdi_node, path, NONE, "In the container.", .required = true, .check = check_node_path),
	BUILT("hostPath", STRING, MUST, cdi_node, host_path, NONE, "On the host.", .check = check_absolute_path),
	BUILT("type", STRING, MUST, cdi_node, type, NONE, "b, c or u.", .choices = "b|c|u"),
	BUILT("major", MODE, MUST, cdi_node, major, NONE, "Its number.", .check = check_not_negative_number),
	BUILT("minor", MODE, MUST, cdi_node, minor, NONE, "Its number.", .check = check_not_negative_number),
	BUILT("fileMode", MODE, MUST, cdi_node, file_mode, NONE, "Its mode.", .check = check_file_mode),
	BUILT("permissions", STRING, MUST, cdi_node, permissions, NONE, "Of r, w and m.", .fallback = "rwm",
	      .check = check_permissions),
	BUILT("uid", ID, MUST, cdi_node, uid, NONE, "Its owner.", .check = check_id),
	BUILT("gid", ID, MUST, cdi_node, gid, NONE, "Its group.", .check = check_id),
};
static const struct schema schema_node = SCHEMA("DeviceNode", node_fields, sizeof(struct cdi_node));

static const struct field mount_fields[] = {
	BUILT("hostPath", STRING, MUST, cdi_mount, host_path, NONE, "On the host.", .required = true, .check = check_absolute_path),
	BUILT("containerPath", STRING, MUST, cdi_mount, container_path, NONE, "In the container.", .required = true,
	      .check = check_mount_path),
	BUILT("type", STRING, MUST, cdi_mount, type, NONE, "bind or nothing.", .choices = "bind|none"),
	BUILT("options", STRINGS, MUST, cdi_mount, options, NONE, "Of the mount.",
	      .choices = "ro|rw|nosuid|nodev|noexec|bind|rbind|private|rprivate"),
};
static const struct schema schema_mount = SCHEMA("Mount", mount_fields, sizeof(struct cdi_mount));

static const struct field edits_fields[] = {
	BUILT("env", STRINGS, MUST, cdi_edits, env, NONE, "Variables.", .check = check_env),
	BUILT("deviceNodes", OBJECTS, MUST, cdi_edits, nodes, NONE, "Device nodes.", .object = &schema_node),
	BUILT("mounts", OBJECTS, MUST, cdi_edits, mounts, NONE, "Files and directories of the host.", .object = &schema_mount),
	BUILT("additionalGids", INT64S, MUST, cdi_edits, gids, NONE, "Groups of the container's processes.", .check = check_id),
	NEVER("hooks", OBJECTS, "Programs run on the host.", .hint = "have the vendor's tool generate the file without hooks"),
	NEVER("netDevices", OBJECTS, "Interfaces of the host.", .hint = HINT_LATER),
	NEVER("intelRdt", OBJECT, "Shares of caches.", .hint = HINT_LATER),
};
static const struct schema schema_edits = SCHEMA("ContainerEdits", edits_fields, sizeof(struct cdi_edits));

static const struct field device_fields[] = {
	BUILT("name", STRING, MUST, cdi_device, name, NONE, "Name of the device.", .required = true, .check = check_name),
	BUILT("containerEdits", OBJECT, MUST, cdi_device, edits, NONE, "What a container needs for it.", .object = &schema_edits),
	NO_OP("annotations", MAP, "For people."),
};
static const struct schema schema_device = SCHEMA("Device", device_fields, sizeof(struct cdi_device));

static const struct field spec_fields[] = {
	BUILT("cdiVersion", STRING, MUST, cdi_spec, version, NONE, "Version of the format.", .required = true,
	      .choices = "0.3.0|0.4.0|0.5.0|0.6.0|0.7.0|0.8.0|1.0.0|1.1.0"),
	BUILT("kind", STRING, MUST, cdi_spec, kind, NONE, "Vendor and class.", .required = true, .check = check_kind),
	BUILT("devices", OBJECTS, MUST, cdi_spec, devices, NONE, "The devices.", .required = true, .object = &schema_device),
	BUILT("containerEdits", OBJECT, MUST, cdi_spec, edits, NONE, "What a container needs for any of them.",
	      .object = &schema_edits),
	NO_OP("annotations", MAP, "For people."),
};
static const struct schema schema_spec_file = SCHEMA("Spec", spec_fields, sizeof(struct cdi_spec));

int cdi_read(struct arena *arena, const char *file, const char *text, size_t size, struct manifest *ret_findings,
             struct cdi_spec *ret)
{
	_cleanup_arena_ struct arena *nodes = arena_new();
	struct yaml_document doc;
	struct cdi_spec s = { 0 };
	bool fine = single_read(ret_findings, nodes, file, text, size, &doc) == 0;

	if (fine) {
		_cleanup_(decoder_deinit) struct decoder d = {
			.m = ret_findings, .arena = arena, .root = doc.root, .failed = doc.bad
		};
		fine = decode_root(&d, &schema_spec_file, &s);
	}
	diags_sort(ret_findings);
	if (!fine)
		return -EBADMSG;
	*ret = s;
	return 0;
}

const struct cdi_device *cdi_device(const struct cdi_spec *s, const char *name)
{
	const char *rest = str_after(name, s->kind);

	for (size_t i = 0; rest && *rest == '=' && i < s->devices.count; i++)
		if (streq(s->devices.items[i].name, rest + 1))
			return &s->devices.items[i];
	return NULL;
}

/* --- all together ------------------------------------------------------------------------------------------------------------------ */

#define APPEND(arena_, all_, more_)                                                                    \
	({                                                                                             \
		bool room = (all_)->count + (more_)->count <= CDI_EDITS_MAX;                           \
		if (room && !(all_)->items)                                                            \
			(all_)->items = arena_alloc((arena_), CDI_EDITS_MAX * sizeof(*(all_)->items)); \
		for (size_t i_ = 0; room && i_ < (more_)->count; i_++)                                 \
			(all_)->items[(all_)->count++] = (more_)->items[i_];                           \
		room;                                                                                  \
	})

bool cdi_append(struct arena *a, struct cdi_edits *all, const struct cdi_edits *more)
{
	return APPEND(a, &all->env, &more->env) && APPEND(a, &all->nodes, &more->nodes) && APPEND(a, &all->mounts, &more->mounts) &&
	       APPEND(a, &all->gids, &more->gids);
}
