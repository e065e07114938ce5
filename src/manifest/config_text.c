/* A ConfigMap or Secret as podd keeps it: a row of strings, each as "<length>:<bytes>\n". Kind, namespace, name, type, "immutable" or "";
 * then of each item: key, "binary" or "", data. */
#include "base/str.h"
#include "manifest/config.h"

static void put(struct buf *out, const char *data, size_t size)
{
	buf_printf(out, "%zu:", size);
	buf_append(out, data, size);
	buf_putc(out, '\n');
}

static void put_str(struct buf *out, const char *s)
{
	put(out, s, strlen(s));
}

void config_store(const struct config_object *c, struct buf *out)
{
	put_str(out, config_kind_name(c->kind));
	put_str(out, c->namespace);
	put_str(out, c->name);
	put_str(out, c->type ? c->type : "");
	put_str(out, c->immutable ? "immutable" : "");
	for (size_t i = 0; i < c->count; i++) {
		put_str(out, c->items[i].key);
		put_str(out, c->items[i].binary ? "binary" : "");
		put(out, c->items[i].data, c->items[i].size);
	}
}

struct reader {
	struct arena *arena;
	const char *at, *end;
};

/* The next string, with a NUL behind it; NULL when there is none. */
static char *take(struct reader *r, size_t *ret_size)
{
	size_t n = 0, digits = 0;

	for (; r->at < r->end && *r->at >= '0' && *r->at <= '9' && digits < 9; r->at++, digits++)
		n = n * 10 + (size_t)(*r->at - '0');
	if (!digits || r->at == r->end || *r->at++ != ':' || (size_t)(r->end - r->at) <= n || r->at[n] != '\n')
		return NULL;
	char *s = arena_alloc(r->arena, n + 1);
	memcpy(s, r->at, n);
	r->at += n + 1;
	*ret_size = n;
	return s;
}

static bool take_item(struct reader *r, struct config_item *ret)
{
	struct config_item item;
	size_t size;

	item.key = take(r, &size);
	const char *binary = item.key ? take(r, &size) : NULL;
	item.data = binary ? take(r, &item.size) : NULL;
	if (!item.data)
		return false;
	item.binary = *binary;
	*ret = item;
	return true;
}

static size_t count_lines(const struct reader *r)
{
	size_t n = 0;

	for (const char *p = r->at; p < r->end; p++)
		n += *p == '\n';
	return n;
}

struct config_object *config_restore(const char *text, size_t size)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct config_object *c = arena_alloc(a, sizeof(*c));
	struct reader r = { a, text, text + size };
	const char *head[5];
	size_t n;

	for (size_t i = 0; i < ARRAY_SIZE(head); i++)
		if (!(head[i] = take(&r, &n)))
			return NULL;
	if (!config_kind_find(head[0], &c->kind))
		return NULL;
	c->namespace = head[1];
	c->name = head[2];
	c->type = c->kind == CONFIG_SECRET ? head[3] : NULL;
	c->immutable = *head[4];
	c->items = arena_new_array(a, struct config_item, count_lines(&r) / 3 + 1); /* an item has three lines or more */
	while (r.at < r.end)
		if (!take_item(&r, &c->items[c->count++]))
			return NULL;
	c->arena = TAKE_PTR(a);
	c->refs = 1;
	return c;
}

bool config_equal(const struct config_object *a, const struct config_object *b)
{
	bool same = a->kind == b->kind && streq(a->namespace, b->namespace) && streq(a->name, b->name) &&
	            streq0(a->type, b->type) && a->count == b->count;

	for (size_t i = 0; same && i < a->count; i++) {
		const struct config_item *x = &a->items[i], *y = &b->items[i];
		same = streq(x->key, y->key) && x->binary == y->binary && x->size == y->size &&
		       memcmp(x->data, y->data, x->size) == 0;
	}
	return same;
}
