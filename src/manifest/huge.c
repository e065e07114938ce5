#include "manifest/huge.h"
#include "base/str.h"

static const struct {
	const char *name;
	uint64_t bytes;
} sizes[] = {
	[HUGE_SIZE_2MI] = { "2Mi", 2 << 20 },
	[HUGE_SIZE_1GI] = { "1Gi", 1 << 30 },
};
_Static_assert(ARRAY_SIZE(sizes) == HUGE_SIZE_MAX, "a name for each size");

const char *huge_size_name(enum huge_size s)
{
	return sizes[s].name;
}

uint64_t huge_size_bytes(enum huge_size s)
{
	return sizes[s].bytes;
}

bool huge_asked(const struct resource_list *l)
{
	bool asked = false;

	for (enum huge_size s = 0; s < HUGE_SIZE_MAX; s++)
		asked |= l->huge[s].set;
	return asked;
}

static bool asks(const struct pod *p, enum huge_size s)
{
	bool asked = p->spec.resources.limits.huge[s].set;

	for (size_t i = 0; i < pod_container_count(p); i++)
		asked |= pod_container_at(p, i)->resources.limits.huge[s].set;
	return asked;
}

bool pod_asks_huge(const struct pod *p)
{
	bool asked = false;

	for (enum huge_size s = 0; s < HUGE_SIZE_MAX; s++)
		asked |= asks(p, s);
	return asked;
}

static bool fits(enum empty_dir_medium m, enum huge_size s)
{
	return m == EMPTY_DIR_HUGE || (m == EMPTY_DIR_HUGE_2MI && s == HUGE_SIZE_2MI) ||
	       (m == EMPTY_DIR_HUGE_1GI && s == HUGE_SIZE_1GI);
}

enum huge_size pod_huge_medium(const struct pod *p, enum empty_dir_medium medium, bool *ret_many)
{
	enum huge_size found = HUGE_SIZE_MAX;

	*ret_many = false;
	for (enum huge_size s = 0; s < HUGE_SIZE_MAX; s++) {
		if (!fits(medium, s) || !asks(p, s))
			continue;
		*ret_many = found != HUGE_SIZE_MAX;
		found = s;
	}
	return *ret_many ? HUGE_SIZE_MAX : found;
}
