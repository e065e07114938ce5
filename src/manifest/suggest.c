#include "manifest/suggest.h"
#include <strings.h>
#include "base/alloc.h"
#include "base/str.h"

const struct field *suggest_nearest(const struct schema *s, const char *name)
{
	const struct field *best = NULL;
	unsigned limit = strlen(name) < 5 ? 1 : 2, distance = limit + 1;

	for (size_t i = 0; i < s->count; i++) {
		if (strcasecmp(s->fields[i].name, name) == 0)
			return &s->fields[i];
		unsigned n = str_distance(name, s->fields[i].name, limit);
		if (n < distance) {
			best = &s->fields[i];
			distance = n;
		}
	}
	return best;
}

/* Below s: the name of the object that has the field, two levels deep at most. */
static char *suggest_below(const struct schema *s, const char *name, unsigned levels)
{
	/* First what everybody has to have: containers before initContainers. */
	for (size_t i = 0; i < 2 * s->count; i++) {
		const struct field *f = &s->fields[i % s->count];
		const char *list = f->type == FIELD_OBJECTS ? "[]" : "";
		if (!f->object || !f->built || f->required != (i < s->count))
			continue;
		const struct field *found = schema_find(f->object, name);
		if (found && found->built)
			return xasprintf("%s%s", f->name, list);
		_cleanup_free_ char *deeper = levels > 1 ? suggest_below(f->object, name, levels - 1) : NULL;
		if (deeper)
			return xasprintf("%s%s.%s", f->name, list, deeper);
	}
	return NULL;
}

char *suggest_field(const struct schema *const *levels, unsigned depth, const char *name)
{
	const struct schema *here = levels[depth - 1];
	const struct field *f = suggest_nearest(here, name);

	if (f)
		return xasprintf("did you mean \"%s\"?", f->name);
	_cleanup_free_ char *below = suggest_below(here, name, 2);
	if (below)
		return xasprintf("\"%s\" belongs into %s", name, below);
	for (unsigned i = depth - 1; i-- > 0;) {
		f = schema_find(levels[i], name);
		if (f)
			return xasprintf("\"%s\" belongs to the %s: indent it less", name, levels[i]->name);
	}
	for (unsigned i = depth - 1; i-- > 0;) {
		_cleanup_free_ char *beside = suggest_below(levels[i], name, 2);
		if (beside)
			return xasprintf("\"%s\" belongs into %s of the %s", name, beside, levels[i]->name);
	}
	return NULL;
}
