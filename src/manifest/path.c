#include "manifest/path.h"
#include <assert.h>

static void push(struct path *p, struct path_step step)
{
	assert(p->depth < PATH_DEPTH_MAX);
	p->steps[p->depth++] = step;
}

void path_key(struct path *p, const char *key)
{
	push(p, (struct path_step){ .key = key });
}

void path_index(struct path *p, size_t index)
{
	push(p, (struct path_step){ .index = index });
}

void path_map_key(struct path *p, const char *key)
{
	push(p, (struct path_step){ .key = key, .quoted = true });
}

void path_pop(struct path *p)
{
	assert(p->depth);
	p->depth--;
}

void path_print(const struct path *p, struct buf *out)
{
	const size_t start = out->len;

	for (unsigned i = 0; i < p->depth; i++) {
		const struct path_step *s = &p->steps[i];
		if (!s->key)
			buf_printf(out, "[%zu]", s->index);
		else if (s->quoted)
			buf_printf(out, "[%s]", s->key);
		else
			buf_printf(out, "%s%s", out->len > start ? "." : "", s->key);
	}
}
