/* Finding the cgroup trees: /proc/self/mountinfo says where each is mounted, /proc/self/cgroup where podd is in it. */
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include "base/alloc.h"
#include "base/str.h"
#include "sys/cgroup_internal.h"

/* mountinfo writes blank, tab, newline and backslash as \ooo. */
static void unescape(char *s)
{
	char *out = s;

	for (; *s; s++, out++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' && s[3] <= '7') {
			*out = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*out = *s;
		}
	}
	*out = '\0';
}

static unsigned controllers_of(char *options)
{
	unsigned set = 0;
	char *save = NULL;

	for (char *o = strtok_r(options, ",", &save); o; o = strtok_r(NULL, ",", &save))
		for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLER_MAX; c++)
			if (streq(o, cgroup_controller_name(c)))
				set |= CGROUP_BIT(c);
	return set;
}

static void mount_add(struct cgroup_mounts *m, const char *type, const char *root, const char *point, char *options)
{
	unsigned set;

	if (streq(type, "cgroup2") && !m->v2) {
		m->v2 = xstrdup(point);
		m->v2_root = xstrdup(root);
		return;
	}
	if (!streq(type, "cgroup") || m->v1_count == CGROUP_V1_MAX)
		return;
	set = controllers_of(options);
	for (size_t i = 0; i < m->v1_count; i++)
		set &= ~m->v1[i].controllers;
	if (!set) {
		if (m->other_count < CGROUP_OTHERS_MAX)
			m->others[m->other_count++] = xstrdup(point);
		return;
	}
	m->v1[m->v1_count].point = xstrdup(point);
	m->v1[m->v1_count++].controllers = set;
}

/* "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:5 - tmpfs tmpfs rw,mode=755" */
static void mount_line(struct cgroup_mounts *m, char *line)
{
	char *tail = strstr(line, " - "), *save = NULL, *field[5];

	if (!tail)
		return;
	*tail = '\0';
	tail += strlen(" - ");
	for (size_t i = 0; i < ARRAY_SIZE(field); i++) {
		field[i] = strtok_r(i ? NULL : line, " ", &save);
		if (!field[i])
			return;
	}
	char *type = strtok_r(tail, " ", &save);
	char *source = type ? strtok_r(NULL, " ", &save) : NULL;
	char *options = source ? strtok_r(NULL, " ", &save) : NULL;
	if (!options)
		return;
	unescape(field[3]);
	unescape(field[4]);
	mount_add(m, type, field[3], field[4], options);
}

void cgroup_mounts_parse(char *text, struct cgroup_mounts *ret)
{
	char *save = NULL;

	*ret = (struct cgroup_mounts){ 0 };
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		mount_line(ret, line);
}

void cgroup_mounts_deinit(struct cgroup_mounts *m)
{
	for (size_t i = 0; i < m->v1_count; i++)
		free(m->v1[i].point);
	for (size_t i = 0; i < m->other_count; i++)
		free(m->others[i]);
	free(m->v2);
	free(m->v2_root);
	*m = (struct cgroup_mounts){ 0 };
}

/* systemd marks a cgroup that it gave away with an extended attribute: "trusted." for services of the system, "user." since version 251. */
static bool delegated(const char *path)
{
	static const char *const names[] = { "trusted.delegate", "user.delegate" };
	char value[4];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (getxattr(path, names[i], value, sizeof(value)) == 1 && value[0] == '1')
			return true;
	return false;
}

static const char *below(const char *path, const char *root)
{
	const char *rest = streq(root, "/") ? path : str_after(path, root);

	return rest && (*rest == '/' || !*rest) ? rest : NULL;
}

char *cgroup_mounts_given(const struct cgroup_mounts *m, const char *membership)
{
	const char *own = str_after(membership, "0::");

	if (!own) {
		own = strstr(membership, "\n0::");
		own = own ? own + strlen("\n0::") : "/";
	}
	_cleanup_free_ char *line = xstrndup(own, strcspn(own, "\n"));
	const char *rest = below(line, m->v2_root);
	if (!rest)
		return xstrdup(m->v2);
	char *path = xasprintf("%s%s", m->v2, rest);
	while (strlen(path) > strlen(m->v2)) {
		if (delegated(path))
			return path;
		*strrchr(path, '/') = '\0';
	}
	free(path);
	return xstrdup(m->v2);
}
