#include "plan/filter.h"
#include <errno.h>
#include <string.h>
#include "base/alloc.h"
#include "base/list.h"
#include "base/sha256.h"
#include "base/str.h"

enum { ENTRIES_MAX = 64 }; /* beyond that the oldest goes: some 9 KB each */

struct filter_entry {
	struct list link;
	uint64_t capabilities;
	char profile[SHA256_HEX_SIZE]; /* "": RuntimeDefault */
	struct buf bytes;
};

struct filters {
	char *profiles;
	struct list entries; /* oldest first */
	size_t count;
};

struct filters *filters_new(const char *profiles)
{
	struct filters *f = xnew(struct filters);

	f->profiles = xstrdup(profiles);
	list_init(&f->entries);
	return f;
}

static void drop(struct filters *f, struct filter_entry *e)
{
	list_remove(&e->link);
	f->count--;
	buf_deinit(&e->bytes);
	free(e);
}

struct filters *filters_free(struct filters *f)
{
	if (!f)
		return NULL;
	list_foreach(e, &f->entries, struct filter_entry, link)
		drop(f, e);
	free(f->profiles);
	free(f);
	return NULL;
}

static struct filter_entry *find(struct filters *f, uint64_t capabilities, const char *profile)
{
	list_foreach(e, &f->entries, struct filter_entry, link)
		if (e->capabilities == capabilities && streq(e->profile, profile))
			return e;
	return NULL;
}

static int add(struct filters *f, uint64_t capabilities, const char *profile, const struct filter_rules *rules,
               const struct buf **ret)
{
	struct filter_entry *e = xnew(struct filter_entry);

	e->capabilities = capabilities;
	(void)strcpy(e->profile, profile);
	int r = seccomp_compile(rules->fallback, rules->items, rules->count, rules->flags, &e->bytes);
	if (r < 0) {
		buf_deinit(&e->bytes);
		free(e);
		return r;
	}
	list_append(&f->entries, &e->link);
	if (++f->count > ENTRIES_MAX)
		drop(f, list_entry(f->entries.next, struct filter_entry, link));
	*ret = &e->bytes;
	return 0;
}

static int get_default(struct filters *f, uint64_t capabilities, struct arena *a, const struct buf **ret, const char **ret_reason)
{
	struct filter_entry *e = find(f, capabilities, "");
	struct filter_rules rules;

	if (e) {
		*ret = &e->bytes;
		return 0;
	}
	filter_default(capabilities, a, &rules);
	int r = add(f, capabilities, "", &rules, ret);
	if (r < 0)
		*ret_reason = arena_printf(a, "the seccomp profile RuntimeDefault can't be compiled: %s", strerror(-r));
	return r < 0 ? -EINVAL : 0;
}

/* A profile of the node's, in `text`. */
static int read_local(const struct filters *f, const char *name, struct arena *a, struct buf *text, const char **ret_reason)
{
	int r = seccomp_read_profile(f->profiles, name, text);

	if (r < 0)
		*ret_reason = arena_printf(a, "cannot read the seccomp profile \"%s\": %s", name, strerror(-r));
	return r < 0 ? -EINVAL : 0;
}

static int unusable(const char *name, const char *why, int error, struct arena *a, const char **ret_reason)
{
	*ret_reason = arena_printf(a, "the seccomp profile \"%s\" can't be used: %s", name, why ? why : strerror(-error));
	return -EINVAL;
}

static int get_local(struct filters *f, const char *name, uint64_t capabilities, struct arena *a, const struct buf **ret,
                     const char **ret_reason)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	char hash[SHA256_HEX_SIZE];
	struct filter_rules rules;
	const char *why = NULL;

	int r = read_local(f, name, a, &text, ret_reason);
	if (r < 0)
		return r;
	sha256_hex(text.data, text.len, hash);
	struct filter_entry *e = find(f, capabilities, hash);
	if (e) {
		*ret = &e->bytes;
		return 0;
	}
	r = filter_profile(buf_str(&text), text.len, capabilities, a, &rules, &why);
	if (r == 0)
		r = add(f, capabilities, hash, &rules, ret);
	return r < 0 ? unusable(name, why, r, a, ret_reason) : 0;
}

int filters_rules(const struct filters *f, const struct security_profile *profile, uint64_t capabilities, struct arena *a,
                  struct filter_rules *ret, const char **ret_reason)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	const char *why = NULL;

	switch (profile->type) {
	case PROFILE_RUNTIME_DEFAULT:
		filter_default(capabilities, a, ret);
		return 0;
	case PROFILE_LOCALHOST: {
		int r = read_local(f, profile->localhost_profile, a, &text, ret_reason);
		if (r < 0)
			return r;
		r = filter_profile(buf_str(&text), text.len, capabilities, a, ret, &why);
		return r < 0 ? unusable(profile->localhost_profile, why, r, a, ret_reason) : 0;
	}
	case PROFILE_UNCONFINED:
	case PROFILE_TYPE_MAX:
		break;
	}
	*ret = (struct filter_rules){ 0 };
	return 0;
}

int filters_get(struct filters *f, const struct security_profile *profile, uint64_t capabilities, struct arena *a,
                const struct buf **ret, const char **ret_reason)
{
	static const struct buf unconfined;

	switch (profile->type) {
	case PROFILE_RUNTIME_DEFAULT:
		return get_default(f, capabilities, a, ret, ret_reason);
	case PROFILE_LOCALHOST:
		return get_local(f, profile->localhost_profile, capabilities, a, ret, ret_reason);
	case PROFILE_UNCONFINED:
	case PROFILE_TYPE_MAX:
		break;
	}
	*ret = &unconfined;
	return 0;
}
