#include "plan/source.h"
#include <errno.h>
#include "base/alloc.h"
#include "base/str.h"
#include "plan/compile.h"

/* One resolution under way. */
struct resolve {
	struct arena *arena;
	const struct pod *pod;
	const struct container *container;
	const struct sources *sources;
	const char *reason;
};

const char *source_field(struct arena *a, const struct pod *p, const char *path, const struct sources *s)
{
	const struct {
		const char *path, *value;
	} facts[] = {
		{ "metadata.name", p->metadata.name },
		{ "metadata.namespace", p->metadata.namespace },
		{ "metadata.uid", s->uid },
		{ "spec.nodeName", s->node_name },
		{ "spec.serviceAccountName", "default" },
		{ "status.hostIP", s->host_ip },
		{ "status.hostIPs", s->host_ip },
		{ "status.podIP", s->pod_ip },
		{ "status.podIPs", s->pod_ip },
	};

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		if (streq(path, facts[i].path))
			return facts[i].value;
	const char *key = str_after(path, "metadata.labels['");
	const struct label_list *l = key ? &p->metadata.labels : &p->metadata.annotations;
	if (!key)
		key = str_after(path, "metadata.annotations['");
	if (key)
		key = arena_strndup(a, key, strlen(key) - strlen("']")); /* the manifest's rule saw to the end */
	for (size_t i = 0; key && i < l->count; i++)
		if (streq(l->items[i].name, key))
			return l->items[i].value;
	return "";
}

static const struct quantity *pick(const struct resource_list *l, const char *name)
{
	return streq(name, "cpu")                 ? &l->cpu
	       : streq(name, "memory")            ? &l->memory
	       : streq(name, "hugepages-2Mi")     ? &l->huge[HUGE_SIZE_2MI]
	       : streq(name, "hugepages-1Gi")     ? &l->huge[HUGE_SIZE_1GI]
	       : streq(name, "ephemeral-storage") ? &l->disk
	                                          : NULL;
}

const char *source_resource(struct arena *a, const struct pod *p, const struct container *own, const struct resource_selector *r,
                            const struct sources *s)
{
	const __int128 nano = 1000000000;
	const struct container *c = r->container && *r->container ? pod_container(p, r->container) : own;
	const char *limit = str_after(r->resource, "limits."), *request = str_after(r->resource, "requests.");
	const struct quantity *q;
	__int128 amount = 0, unit = r->divisor.set && r->divisor.nano > 0 ? r->divisor.nano : nano;

	if (!c)
		return NULL;
	q = limit ? pick(&c->resources.limits, limit) : request ? pick(&c->resources.requests, request) : NULL;
	if (q && q->set && q->nano > 0)
		amount = q->nano;
	else if (limit && streq(limit, "cpu"))
		amount = (__int128)s->cpu_milli * (nano / 1000);
	else if (limit && streq(limit, "memory"))
		amount = (__int128)s->memory * nano;
	return arena_printf(a, "%lld", (long long)((amount + unit - 1) / unit));
}

/* --- ConfigMaps and Secrets --------------------------------------------------------------------------------------------------- */

static const char *word(enum config_kind kind)
{
	return kind == CONFIG_SECRET ? "secret" : "configmap";
}

/* A text without NULs: what an environment can hold. */
static int key_value(struct resolve *r, enum config_kind kind, const struct key_selector *k, const char *variable, const char **ret)
{
	const char *ns = r->pod->metadata.namespace;
	const struct config_object *c = r->sources->config(kind, ns, k->name, r->sources->arg);
	const struct config_item *item = c ? config_find(c, k->key) : NULL;

	if (item && !item->binary && strlen(item->data) == item->size) {
		*ret = item->data;
		return 0;
	}
	if (item && !item->binary)
		r->reason = arena_printf(r->arena, "key %s of %s %s/%s has a NUL byte: it can't be the variable %s", k->key,
		                         config_kind_name(kind), ns, k->name, variable);
	else if (k->optional)
		return 0;
	else if (!c)
		r->reason = arena_printf(r->arena, "%s \"%s\" not found in namespace %s: the variable %s is its key %s", word(kind),
		                         k->name, ns, variable, k->key);
	else
		r->reason = arena_printf(r->arena, "couldn't find key %s in %s %s/%s for the variable %s", k->key,
		                         config_kind_name(kind), ns, k->name, variable);
	return -EINVAL;
}

/* --- a file of variables ------------------------------------------------------------------------------------------------------- */

/* NAME='value' on a line, the value in single quotes over any number of lines; empty lines and # comments between. */
const char *source_variable(struct arena *a, const char *text, const char *key, const char **ret_reason)
{
	const char *found = NULL;

	while (*(text += strspn(text, " \t\r\n"))) {
		if (*text == '#') {
			text += strcspn(text, "\n");
			continue;
		}
		size_t n = strcspn(text, "=\n");
		const char *value = str_after(text + n, "='"), *end = value ? strchr(value, '\'') : NULL;
		const char *rest = end ? end + 1 + strspn(end + 1, " \t\r") : NULL;
		if (!n || !rest || (*rest && *rest != '\n')) {
			*ret_reason = "is not made of lines NAME='value'";
			return NULL;
		}
		if (strlen(key) == n && memcmp(text, key, n) == 0)
			found = arena_strndup(a, value, (size_t)(end - value));
		text = rest;
	}
	if (!found)
		*ret_reason = "has no such variable";
	return found;
}

static int file_value(struct resolve *r, const struct file_selector *f, const char **ret)
{
	const struct sources *s = r->sources;
	const char *text = "", *why = NULL;
	int e = s->file ? s->file(f->volume, f->path, r->arena, &text, s->arg) : -ENOENT;

	*ret = e < 0 ? NULL : source_variable(r->arena, text, f->key, &why);
	if (*ret || (f->optional && (e == -ENOENT || (e == 0 && streq(why, "has no such variable")))))
		return 0;
	r->reason = arena_printf(r->arena, "file %s of volume \"%s\", for its variable %s: %s", f->path, f->volume, f->key,
	                         e < 0 ? strerror(-e) : why);
	return -EINVAL;
}

/* --- environment --------------------------------------------------------------------------------------------------------------- */

static void set(struct label_list *env, const char *name, const char *value)
{
	for (size_t i = 0; i < env->count; i++)
		if (streq(env->items[i].name, name)) {
			env->items[i].value = value;
			return;
		}
	env->items[env->count++] = (struct label){ name, value };
}

static int add_object(struct resolve *r, const struct env_from *from, enum config_kind kind, struct label_list *env)
{
	const struct object_selector *o = kind == CONFIG_SECRET ? &from->secret : &from->config_map;
	const char *ns = r->pod->metadata.namespace;
	const struct config_object *c = o->set ? r->sources->config(kind, ns, o->name, r->sources->arg) : NULL;

	if (!c) {
		if (!o->set || o->optional || r->sources->lenient)
			return 0;
		r->reason = arena_printf(r->arena, "%s \"%s\" not found in namespace %s: envFrom takes its keys", word(kind),
		                         o->name, ns);
		return -EINVAL;
	}
	for (size_t i = 0; i < c->count; i++) {
		const struct config_item *item = &c->items[i];
		/* Since Kubernetes 1.34 every key is a legal name; what has a NUL can be no value. */
		if (!item->binary && strlen(item->data) == item->size)
			set(env, arena_printf(r->arena, "%s%s", from->prefix ? from->prefix : "", item->key), item->data);
	}
	return 0;
}

static int add_variable(struct resolve *r, const struct env_var *v, struct label_list *env)
{
	const struct env_source *from = &v->from;
	const char *value = NULL;
	int e = 0;

	if (!from->set)
		value = plan_expand(r->arena, v->value ? v->value : "", env);
	else if (from->field.set)
		value = source_field(r->arena, r->pod, from->field.path, r->sources);
	else if (from->resource.set)
		value = source_resource(r->arena, r->pod, r->container, &from->resource, r->sources);
	else if (from->file.set)
		e = file_value(r, &from->file, &value);
	else if (from->secret.set)
		e = key_value(r, CONFIG_SECRET, &from->secret, v->name, &value);
	else
		e = key_value(r, CONFIG_MAP, &from->config_map, v->name, &value);
	if (from->resource.set && !value) {
		r->reason = arena_printf(r->arena, "the variable %s is of the container \"%s\", which the pod does not have",
		                         v->name, from->resource.container);
		e = -EINVAL;
	}
	if (value)
		set(env, v->name, value);
	return r->sources->lenient ? 0 : e;
}

static size_t count_variables(const struct resolve *r)
{
	const struct container *c = r->container;
	size_t n = c->env.count;

	for (size_t i = 0; i < c->env_from.count; i++) {
		const struct env_from *from = &c->env_from.items[i];
		enum config_kind kind = from->secret.set ? CONFIG_SECRET : CONFIG_MAP;
		const char *name = from->secret.set ? from->secret.name : from->config_map.name;
		const struct config_object *o = r->sources->config(kind, r->pod->metadata.namespace, name, r->sources->arg);
		n += o ? o->count : 0;
	}
	return n;
}

static const struct config_object *no_config(enum config_kind kind _unused_, const char *ns _unused_, const char *name _unused_,
                                             void *arg _unused_)
{
	return NULL;
}

static const struct sources no_sources = { "", "", "", "", 0, 0, no_config, NULL, NULL, false };

int source_env(struct arena *a, const struct pod *p, const struct container *c, const struct sources *s, struct label_list *ret,
               const char **ret_reason)
{
	struct resolve r = { .arena = a, .pod = p, .container = c, .sources = s ? s : &no_sources };
	struct label_list env = { .items = arena_new_array(a, struct label, count_variables(&r) + 1) };
	int e = 0;

	for (size_t i = 0; e == 0 && i < c->env_from.count; i++) {
		e = add_object(&r, &c->env_from.items[i], CONFIG_MAP, &env);
		if (e == 0)
			e = add_object(&r, &c->env_from.items[i], CONFIG_SECRET, &env);
	}
	for (size_t i = 0; e == 0 && i < c->env.count; i++)
		e = add_variable(&r, &c->env.items[i], &env);
	if (e < 0)
		*ret_reason = r.reason;
	else
		*ret = env;
	return e;
}

/* --- who uses what --------------------------------------------------------------------------------------------------------------- */

static bool files_use(const struct config_files *f, const char *name)
{
	return f->set && streq(f->name, name);
}

bool source_volume_uses(const struct volume *v, enum config_kind kind, const char *name)
{
	bool uses = files_use(kind == CONFIG_SECRET ? &v->secret : &v->config_map, name);

	for (size_t i = 0; i < v->projected.sources.count; i++) {
		const struct projection *p = &v->projected.sources.items[i];
		uses = uses || files_use(kind == CONFIG_SECRET ? &p->secret : &p->config_map, name);
	}
	return uses;
}

static bool env_uses(const struct container *c, enum config_kind kind, const char *name)
{
	for (size_t i = 0; i < c->env_from.count; i++) {
		const struct env_from *from = &c->env_from.items[i];
		const struct object_selector *o = kind == CONFIG_SECRET ? &from->secret : &from->config_map;
		if (o->set && streq(o->name, name))
			return true;
	}
	for (size_t i = 0; i < c->env.count; i++) {
		const struct env_source *from = &c->env.items[i].from;
		const struct key_selector *k = kind == CONFIG_SECRET ? &from->secret : &from->config_map;
		if (k->set && streq(k->name, name))
			return true;
	}
	return false;
}

bool source_container_uses(const struct pod *p, const struct container *c, enum config_kind kind, const char *name)
{
	if (env_uses(c, kind, name))
		return true;
	for (size_t i = 0; i < c->mounts.count; i++) {
		const struct volume *v = pod_volume(p, c->mounts.items[i].name);
		if (v && source_volume_uses(v, kind, name))
			return true;
	}
	return false;
}

bool source_env_varies(const struct container *c)
{
	for (size_t i = 0; i < c->env.count; i++)
		if (c->env.items[i].from.set)
			return true;
	return c->env_from.count > 0;
}
