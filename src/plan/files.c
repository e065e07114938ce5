/* The files of volumes that podd makes itself. */
#include <errno.h>
#include "base/alloc.h"
#include "base/str.h"
#include "manifest/check.h"
#include "plan/source.h"

/* One volume under way; `mode` and `user` are its defaults. */
struct making {
	struct arena *arena;
	const struct pod *pod;
	const struct volume *volume;
	const struct sources *sources;
	struct id mode, user;
	struct volume_files files;
	const char *reason;
};

/* Of two files of a name the later one counts, as in Kubernetes. */
static void add(struct making *m, const char *path, const char *data, size_t size, const struct id *mode, const struct id *user)
{
	const char *clean =
		path_clean(m->arena, arena_printf(m->arena, "/%s", path)); /* "./a//b" is a/b; the manifest saw to ".." */
	struct volume_file f = {
		.path = clean + 1,
		.data = data,
		.size = size,
		.mode = (unsigned)(mode && mode->set ? mode->value
		                   : m->mode.set     ? m->mode.value
		                                     : 0644),
		.user = user && user->set ? *user : m->user,
	};

	for (size_t i = 0; i < m->files.count; i++)
		if (streq(m->files.items[i].path, f.path)) {
			m->files.items[i] = f;
			return;
		}
	*xgrow(m->files.items, m->files.count) = f;
}

static int missing(struct making *m, enum config_kind kind, const char *name, const char *key)
{
	const char *ns = m->pod->metadata.namespace;

	if (key)
		m->reason = arena_printf(m->arena, "volume \"%s\": couldn't find key %s in %s %s/%s", m->volume->name, key,
		                         config_kind_name(kind), ns, name);
	else
		m->reason = arena_printf(m->arena, "volume \"%s\": %s \"%s\" not found in namespace %s", m->volume->name,
		                         kind == CONFIG_SECRET ? "secret" : "configmap", name, ns);
	return -EINVAL;
}

static int add_config(struct making *m, enum config_kind kind, const struct config_files *f)
{
	const struct config_object *c = m->sources->config(kind, m->pod->metadata.namespace, f->name, m->sources->arg);

	if (!c)
		return f->optional ? 0 : missing(m, kind, f->name, NULL);
	for (size_t i = 0; !f->items.count && i < c->count; i++)
		add(m, c->items[i].key, c->items[i].data, c->items[i].size, NULL, NULL);
	for (size_t i = 0; i < f->items.count; i++) {
		const struct key_path *k = &f->items.items[i];
		const struct config_item *item = config_find(c, k->key);
		if (item)
			add(m, k->path, item->data, item->size, &k->mode, &k->user);
		else if (!f->optional)
			return missing(m, kind, f->name, k->key);
	}
	return 0;
}

/* All labels or annotations: name="value" a line, quoted as Go does it, sorted. */
static const char *map_text(struct arena *a, const struct label_list *l)
{
	_cleanup_buf_ struct buf out = BUF_NULL;

	for (size_t i = 0; i < l->count; i++) {
		buf_printf(&out, "%s%s=\"", i ? "\n" : "", l->items[i].name);
		for (const char *p = l->items[i].value; *p; p++) {
			if (*p == '"' || *p == '\\')
				buf_printf(&out, "\\%c", *p);
			else if (*p == '\n' || *p == '\t' || *p == '\r')
				buf_printf(&out, "\\%c", *p == '\n' ? 'n' : *p == '\t' ? 't' : 'r');
			else if ((unsigned char)*p < 0x20 || *p == 0x7f)
				buf_printf(&out, "\\x%02x", (unsigned char)*p);
			else
				buf_putc(&out, *p);
		}
		buf_putc(&out, '"');
	}
	return arena_strdup(a, buf_str(&out));
}

static const char *field_text(struct making *m, const char *path)
{
	if (streq(path, "metadata.labels"))
		return map_text(m->arena, &m->pod->metadata.labels);
	if (streq(path, "metadata.annotations"))
		return map_text(m->arena, &m->pod->metadata.annotations);
	return source_field(m->arena, m->pod, path, m->sources);
}

static int add_downward(struct making *m, const struct downward_files *d)
{
	for (size_t i = 0; i < d->items.count; i++) {
		const struct downward_file *f = &d->items.items[i];
		const char *text = f->field.set ? field_text(m, f->field.path)
		                                : source_resource(m->arena, m->pod, NULL, &f->resource, m->sources);
		if (!text) {
			m->reason = arena_printf(m->arena, "volume \"%s\": no container is called %s", m->volume->name,
			                         f->resource.container ? f->resource.container : "");
			return -EINVAL;
		}
		add(m, f->path, text, strlen(text), &f->mode, &f->user);
	}
	return 0;
}

static int add_projection(struct making *m, const struct projection *p)
{
	int r = p->config_map.set ? add_config(m, CONFIG_MAP, &p->config_map) : 0;

	if (r == 0 && p->secret.set)
		r = add_config(m, CONFIG_SECRET, &p->secret);
	if (r == 0 && p->downward.set)
		r = add_downward(m, &p->downward);
	return r;
}

static int add_volume(struct making *m)
{
	const struct volume *v = m->volume;
	int r = 0;

	m->mode = v->config_map.set ? v->config_map.default_mode
	          : v->secret.set   ? v->secret.default_mode
	          : v->downward.set ? v->downward.default_mode
	                            : v->projected.default_mode;
	m->user = v->config_map.set ? v->config_map.default_user
	          : v->secret.set   ? v->secret.default_user
	          : v->downward.set ? v->downward.default_user
	                            : v->projected.default_user;
	if (v->config_map.set)
		return add_config(m, CONFIG_MAP, &v->config_map);
	if (v->secret.set)
		return add_config(m, CONFIG_SECRET, &v->secret);
	if (v->downward.set)
		return add_downward(m, &v->downward);
	for (size_t i = 0; r == 0 && i < v->projected.sources.count; i++)
		r = add_projection(m, &v->projected.sources.items[i]);
	return r;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct volume_file *)a)->path, ((const struct volume_file *)b)->path);
}

int source_files(struct arena *a, const struct pod *p, const struct volume *v, const struct sources *s, struct volume_files *ret,
                 const char **ret_reason)
{
	struct making m = { .arena = a, .pod = p, .volume = v, .sources = s };
	int r = add_volume(&m);

	for (size_t i = 0; r == 0 && i < m.files.count; i++)
		if (!*m.files.items[i].path) {
			m.reason = arena_printf(a, "volume \"%s\": path \".\" is no name of a file", v->name);
			r = -EINVAL;
		}
	if (r < 0) {
		*ret_reason = m.reason;
	} else {
		ret->count = m.files.count;
		ret->items = arena_new_array(a, struct volume_file, m.files.count);
		for (size_t i = 0; i < m.files.count; i++)
			ret->items[i] = m.files.items[i];
		if (ret->count)
			qsort(ret->items, ret->count, sizeof(*ret->items), by_path);
	}
	free(m.files.items);
	return r;
}
