#include "plan/accounts.h"
#include "base/str.h"

enum { FIELDS_MAX = 7 };

/* The next line's fields, copied; NULL at the end. What a line has not is "". */
static const char *next_line(const char *text, struct arena *a, const char *fields[static FIELDS_MAX])
{
	if (!text || !*text)
		return NULL;
	size_t n = strcspn(text, "\n");
	char *line = arena_strndup(a, text, n);

	for (size_t i = 0; i < FIELDS_MAX; i++) {
		fields[i] = line;
		line += strcspn(line, ":");
		if (*line)
			*line++ = '\0';
	}
	return text + n + (text[n] == '\n');
}

static bool is_id(const char *s, int64_t *ret)
{
	return *s != '-' && str_int(s, 0, INT32_MAX, ret) == 0; /* "-0" is nobody */
}

bool account_find(const char *passwd, const char *user, struct arena *a, struct account *ret)
{
	const char *f[FIELDS_MAX];
	int64_t number = -1, uid, gid;
	bool by_number = is_id(user, &number);

	/* A user may be called "1000": but Kubernetes, too, takes for a number what looks like one. */
	while ((passwd = next_line(passwd, a, f)))
		if (is_id(f[2], &uid) && is_id(f[3], &gid) && *f[0] && (by_number ? uid == number : streq(f[0], user))) {
			*ret = (struct account){ .name = f[0], .uid = uid, .gid = gid, .home = *f[5] == '/' ? f[5] : NULL };
			return true;
		}
	if (by_number)
		*ret = (struct account){ .uid = number };
	return by_number;
}

bool account_find_group(const char *group, const char *name, struct arena *a, int64_t *ret)
{
	const char *f[FIELDS_MAX];
	int64_t gid;

	if (is_id(name, ret))
		return true;
	while ((group = next_line(group, a, f)))
		if (streq(f[0], name) && is_id(f[2], &gid)) {
			*ret = gid;
			return true;
		}
	return false;
}

static bool lists(const char *members, const char *user)
{
	size_t n = strlen(user);

	for (const char *p = members; *p; p += strcspn(p, ","), p += *p == ',')
		if (strncmp(p, user, n) == 0 && (p[n] == ',' || p[n] == '\0'))
			return true;
	return false;
}

static bool has(const int64_t *ids, size_t count, int64_t id)
{
	for (size_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

size_t account_groups(const char *group, const char *user, struct arena *a, int64_t *ids, size_t count, size_t max)
{
	const char *f[FIELDS_MAX];
	int64_t gid;

	while (count < max && (group = next_line(group, a, f)))
		if (is_id(f[2], &gid) && lists(f[3], user) && !has(ids, count, gid))
			ids[count++] = gid;
	return count;
}
