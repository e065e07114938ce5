#include "manifest/ephemeral.h"
#include <string.h>
#include "base/alloc.h"
#include "base/str.h"
#include "manifest/decode.h"
#include "manifest/jsonread.h"
#include "manifest/schema_rows.h"
#include "manifest/validate.h"
#include "manifest/yaml.h"

static void list_json(const struct container_list *l, struct jsonw *w)
{
	const struct pod_spec spec = { .ephemeral = *l };

	schema_json(&schema_ephemeral_spec, &spec, w);
}

void ephemeral_json(const struct pod *pod, struct jsonw *w)
{
	list_json(&pod->spec.ephemeral, w);
}

struct pod *ephemeral_base(const struct pod *pod)
{
	while (pod->spec.ephemeral.count)
		pod = pod->base;
	return pod_ref((struct pod *)pod);
}

static bool same(const struct container *a, const struct container *b)
{
	_cleanup_buf_ struct buf x = BUF_NULL, y = BUF_NULL;
	struct jsonw w;

	jsonw_init(&w, &x);
	jsonw_object(&w);
	schema_json(&schema_ephemeral_container, a, &w);
	jsonw_init(&w, &y);
	jsonw_object(&w);
	schema_json(&schema_ephemeral_container, b, &w);
	return streq(buf_str(&x), buf_str(&y));
}

static const struct container *find(const struct container_list *l, const char *name)
{
	for (size_t i = 0; i < l->count; i++)
		if (streq0(l->items[i].name, name))
			return &l->items[i];
	return NULL;
}

/* Those that are there, then the new ones of what the text has. It may name the former again, as clients do that send the whole list. */
static void join(struct decoder *d, const struct container_list *there, struct container_list *l)
{
	struct container *all = arena_new_array(d->arena, struct container, there->count + l->count);
	size_t count = there->count;

	if (count)
		memcpy(all, there->items, count * sizeof(*all));
	for (size_t i = 0; i < l->count; i++) {
		const struct container *old = find(there, l->items[i].name);
		if (!old)
			all[count++] = l->items[i];
		else if (!same(old, &l->items[i]))
			decoder_find(d, SEVERITY_ERROR, d->root, NULL,
			             "Forbidden: existing ephemeral containers \"%.80s\" may not be changed", old->name);
	}
	*l = (struct container_list){ all, count };
}

/* The same of the same containers, in whatever steps they were added. */
static void compute_hash(struct pod *p)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	struct pod *base = ephemeral_base(p);
	struct jsonw w;

	buf_puts(&text, base->hash);
	pod_unref(base);
	jsonw_init(&w, &text);
	jsonw_object(&w);
	ephemeral_json(p, &w);
	jsonw_end(&w);
	sha256_hex(text.data, text.len, p->hash);
}

static struct pod *read_list(struct manifest *m, const struct pod *pod, const struct node *list)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct node key = { .type = NODE_SCALAR, .style = NODE_STRING, .text = "ephemeralContainers" };
	struct node_pair pair = { &key, (struct node *)list };
	struct node root = { .type = NODE_MAPPING, .count = 1, .pairs = &pair };
	_cleanup_(decoder_deinit) struct decoder d = { .m = m, .arena = a, .root = &root };
	struct pod *p = arena_alloc(a, sizeof(*p));

	*p = *pod;
	path_key(&d.path, "spec");
	p->spec.ephemeral = (struct container_list){ 0 };
	(void)decode_root(&d, &schema_ephemeral_spec, &p->spec);
	if (d.failed)
		return NULL;
	join(&d, &pod->spec.ephemeral, &p->spec.ephemeral);
	validate_ephemeral(&d, p);
	if (d.failed)
		return NULL;
	p->arena = TAKE_PTR(a);
	p->refs = 1;
	p->base = pod_ref((struct pod *)pod); /* also for those of its containers that are here again */
	if (p->spec.ephemeral.count)
		compute_hash(p);
	return p;
}

static void explain(const struct manifest *m, struct buf *out)
{
	for (size_t i = 0; i < m->diag_count; i++) {
		const struct diag *d = &m->diags[i];
		if (d->severity != SEVERITY_NOTICE)
			buf_printf(out, "%s%s: %s%s%s", out->len ? "; " : "", d->field, d->text, d->hint ? "; " : "",
			           d->hint ? d->hint : "");
	}
}

int ephemeral_add(const struct pod *pod, const char *text, size_t size, struct pod **ret, char **ret_why)
{
	_cleanup_arena_ struct arena *nodes = arena_new();
	_cleanup_buf_ struct buf why = BUF_NULL;
	struct manifest m = { .arena = arena_new() };
	struct yaml_file file = { 0 };
	struct pod *p = NULL;

	const struct node *root = json_read(nodes, text, size, &file) && file.count == 1 ? file.documents[0].root : NULL;
	const struct node *spec = root ? node_get(root, "spec") : NULL;
	const struct node *list = root ? node_get(spec ? spec : root, "ephemeralContainers") : NULL;
	if (list)
		p = read_list(&m, pod, list);
	else
		buf_puts(&why, "spec.ephemeralContainers: Required value");
	explain(&m, &why);
	manifest_deinit(&m);
	if (!p) {
		*ret_why = xstrdup(buf_str(&why));
		return -EBADMSG;
	}
	*ret = p;
	return 0;
}
