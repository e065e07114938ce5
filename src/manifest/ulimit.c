#include "manifest/ulimit.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "base/str.h"

static const struct {
	const char *name;
	int resource;
} ulimit_names[] = {
	{ "as", RLIMIT_AS },           { "core", RLIMIT_CORE },         { "cpu", RLIMIT_CPU },
	{ "data", RLIMIT_DATA },       { "fsize", RLIMIT_FSIZE },       { "locks", RLIMIT_LOCKS },
	{ "memlock", RLIMIT_MEMLOCK }, { "msgqueue", RLIMIT_MSGQUEUE }, { "nice", RLIMIT_NICE },
	{ "nofile", RLIMIT_NOFILE },   { "nproc", RLIMIT_NPROC },       { "rss", RLIMIT_RSS },
	{ "rtprio", RLIMIT_RTPRIO },   { "rttime", RLIMIT_RTTIME },     { "sigpending", RLIMIT_SIGPENDING },
	{ "stack", RLIMIT_STACK },
};

static bool ulimit_value(const char *text, uint64_t *ret)
{
	char *end;

	if (streq(text, "unlimited")) {
		*ret = RLIM_INFINITY;
		return true;
	}
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno;
}

/* "nofile=65536:524288, core=0": soft and hard, or one number for both. */
const char *ulimits_parse(struct arena *a, const char *text, struct ulimit_list *ret)
{
	struct ulimit_list l = { .items = arena_new_array(a, struct ulimit, ARRAY_SIZE(ulimit_names)) };

	while (*(text += strspn(text, " ,"))) {
		size_t n = strcspn(text, ", ");
		char *name = arena_strndup(a, text, n), *soft = strchr(name, '='), *hard;
		struct ulimit u = { .resource = -1 };
		text += n;
		if (!soft)
			return "must be a list of name=soft:hard";
		*soft++ = '\0';
		hard = strchr(soft, ':');
		if (hard)
			*hard++ = '\0';
		for (size_t i = 0; i < ARRAY_SIZE(ulimit_names); i++)
			if (streq(name, ulimit_names[i].name))
				u.resource = ulimit_names[i].resource;
		for (size_t i = 0; i < l.count; i++)
			if (l.items[i].resource == u.resource)
				return "each name at most once";
		if (u.resource < 0)
			return "the names are those of prlimit(1): as, core, cpu, data, fsize, locks, memlock, msgqueue, nice, "
			       "nofile, "
			       "nproc, rss, rtprio, rttime, sigpending, stack";
		if (!ulimit_value(soft, &u.soft) || !ulimit_value(hard ? hard : soft, &u.hard))
			return "limits are numbers or \"unlimited\"";
		if (u.soft > u.hard)
			return "the soft limit must not be greater than the hard one";
		l.items[l.count++] = u;
	}
	*ret = l;
	return NULL;
}

const char *ulimit_name(int resource)
{
	for (size_t i = 0; i < ARRAY_SIZE(ulimit_names); i++)
		if (ulimit_names[i].resource == resource)
			return ulimit_names[i].name;
	return "?";
}
