#include "daemon/intake/configs.h"
#include <string.h>
#include "base/alloc.h"
#include "base/str.h"
#include "daemon/node.h"
#include "daemon/pod/sources.h"
#include "daemon/intake/store.h"

/* An object that is accepted. */
struct kept {
	struct list link;
	struct config_object *object;
	char *source;
	bool seen, dropped;
	bool changed; /* the pods have not heard of it */
};

static struct kept *find(const struct acceptor *a, enum config_kind kind, const char *ns, const char *name)
{
	list_foreach(k, &a->configs, struct kept, link)
		if (k->object->kind == kind && streq(k->object->name, name) && streq(k->object->namespace, ns))
			return k;
	return NULL;
}

const struct config_object *configs_find(const struct daemon *d, enum config_kind kind, const char *ns, const char *name)
{
	const struct kept *k = find(d->acceptor, kind, ns, name);

	return k ? k->object : NULL;
}

void configs_walk(const struct daemon *d, enum config_kind kind, void (*fn)(const struct config_object *c, void *arg), void *arg)
{
	list_foreach(k, &d->acceptor->configs, const struct kept, link)
		if (k->object->kind == kind)
			fn(k->object, arg);
}

static struct kept *add(struct acceptor *a, struct config_object *c, const char *source)
{
	struct kept *k = xnew(struct kept);

	k->object = c;
	k->source = xstrdup(source);
	list_append(&a->configs, &k->link);
	return k;
}

static void drop(struct kept *k)
{
	list_remove(&k->link);
	(void)config_unref(k->object);
	free(k->source);
	free(k);
}

void configs_restore(struct acceptor *a, struct config_object *c, const char *source, bool untold)
{
	add(a, c, source)->changed = untold;
}

void configs_free(struct acceptor *a)
{
	list_foreach(k, &a->configs, struct kept, link)
		drop(k);
}

/* --- one document ------------------------------------------------------------------------------------------------------------- */

/* Whether the document may not take the place of what is accepted; then it was said why. */
static bool refused(struct acceptor *a, struct accept_file *f, const struct document *doc, const struct kept *k, bool private)
{
	struct arena *arena = f->manifest.arena;
	bool kept = k && !k->dropped && streq(k->source, f->path);
	const struct accept_file *other = k && !k->dropped && !streq(k->source, f->path) ? accept_file_find(a, k->source) : NULL;

	if (doc->config->kind == CONFIG_SECRET && !private) {
		accept_refuse(f, kept, doc->line, "kind",
		              "Forbidden: a file with a Secret must not be readable by others than root",
		              arena_printf(arena, "chmod go= %s", f->path));
		return true;
	}
	if (other && other->present) {
		accept_refuse(f, false, doc->line, "metadata.name",
		              arena_printf(arena, "Duplicate value: %s %s/%s is defined by %s already", doc->kind, doc->namespace,
		                           doc->name, k->source),
		              "give it another name or namespace, or remove one of the two files");
		f->conflict = true;
		return true;
	}
	/* In another file it is another object, made after the first one's end. */
	if (k && !k->dropped && streq(k->source, f->path) && k->object->immutable &&
	    !(config_equal(k->object, doc->config) && doc->config->immutable)) {
		accept_refuse(f, kept, doc->line, "data", "Forbidden: field is immutable when `immutable` is set",
		              "give the new version another name, or remove the file first");
		return true;
	}
	return false;
}

static void accept_object(struct acceptor *a, struct kept *k, struct config_object *c, const char *path)
{
	bool moved = !streq(k->source, path), same = config_equal(k->object, c);

	if (same && !moved && k->object->immutable == c->immutable && !k->changed)
		return;
	(void)config_ref(c);
	(void)config_unref(k->object);
	k->object = c;
	free(k->source);
	k->source = xstrdup(path);
	k->changed = k->changed || !same;
	int r = store_save_config(a, c, path);
	if (r < 0)
		daemon_report(
			a->daemon, "", NULL, false, "NotSaved",
			"writing the accepted version of %s %s/%s: %s; if its file breaks, the version before it comes back at "
			"the next start",
			config_kind_name(c->kind), c->namespace, c->name, strerror(-r));
}

void configs_begin(struct acceptor *a)
{
	list_foreach(k, &a->configs, struct kept, link)
		k->seen = false;
}

void configs_take(struct acceptor *a, struct accept_file *f, const struct document *doc, bool private)
{
	enum config_kind kind;
	struct kept *k = doc->name && config_kind_find(doc->kind, &kind) ? find(a, kind, doc->namespace, doc->name) : NULL;

	if (!doc->config && doc->name)
		accept_without(f, k && !k->dropped && streq(k->source, f->path));
	if (!doc->config || refused(a, f, doc, k, private)) {
		if (k && streq(k->source, f->path))
			k->seen = true; /* its last good version stays */
		return;
	}
	if (!k) {
		k = add(a, config_ref(doc->config), f->path);
		k->changed = true;
	}
	k->dropped = false;
	accept_object(a, k, doc->config, f->path);
	k->seen = true;
}

bool configs_keep(struct acceptor *a, const struct accept_file *f, const struct document *doc)
{
	bool any = false;

	for (enum config_kind kind = 0; kind < CONFIG_KIND_MAX; kind++) {
		struct kept *k = find(a, kind, doc->namespace, doc->name);
		if (k && streq(k->source, f->path)) {
			k->seen = true;
			any = any || !k->dropped;
		}
	}
	return any;
}

void configs_end(struct acceptor *a, const struct accept_file *f, bool whole)
{
	list_foreach(k, &a->configs, struct kept, link)
		if (whole && streq(k->source, f->path) && !k->seen)
			k->dropped = true;
}

/* --- all of them ---------------------------------------------------------------------------------------------------------------- */

void configs_absent(struct acceptor *a, const char *path)
{
	list_foreach(k, &a->configs, struct kept, link)
		if (streq(k->source, path))
			k->dropped = true;
}

bool configs_defined_by(const struct acceptor *a, const char *path, bool unseen)
{
	list_foreach(k, &a->configs, struct kept, link)
		if (streq(k->source, path) && !k->dropped && !(unseen && k->seen))
			return true;
	return false;
}

bool configs_dropped(const struct acceptor *a)
{
	list_foreach(k, &a->configs, struct kept, link)
		if (k->dropped)
			return true;
	return false;
}

void configs_sources(const struct acceptor *a, void (*fn)(const char *path, void *arg), void *arg)
{
	list_foreach(k, &a->configs, struct kept, link)
		fn(k->source, arg);
}

/* Volumes keep their files and running containers their variables; the next start will wait. */
void configs_sweep(struct acceptor *a)
{
	bool ranks = false;

	list_foreach(k, &a->configs, struct kept, link)
		if (k->dropped) {
			ranks = ranks || k->object->kind == CONFIG_PRIORITY_CLASS;
			store_remove_config(a, k->object);
			drop(k);
		}
	if (ranks && a->daemon->ready)
		node_refresh(a->daemon);
}

static void tell(struct daemon *d, const struct config_object *c)
{
	switch (c->kind) {
	case CONFIG_MAP:
	case CONFIG_SECRET:
		sources_changed(d, c);
		return;
	case CONFIG_PRIORITY_CLASS:
		node_refresh(d);
		return;
	case CONFIG_RUNTIME_CLASS: /* each start looks it up */
	case CONFIG_KIND_MAX:
		return;
	}
}

void configs_tell(struct acceptor *a)
{
	if (!a->daemon->ready)
		return;
	list_foreach(k, &a->configs, struct kept, link)
		if (k->changed) {
			k->changed = false;
			tell(a->daemon, k->object);
			store_told_config(a, k->object);
		}
}
