#include "manifest/manifest.h"
#include <errno.h>
#include <strings.h>
#include "base/alloc.h"
#include "base/str.h"
#include "manifest/check.h"
#include "manifest/complete.h"
#include "manifest/config.h"
#include "manifest/decode.h"
#include "manifest/diags.h"
#include "manifest/jsonread.h"
#include "manifest/portable.h"
#include "manifest/suggest.h"
#include "manifest/validate.h"
#include "manifest/workload.h"
#include "manifest/yaml.h"

enum kind_is {
	KIND_POD,
	KIND_CONFIG,
	KIND_WORKLOAD, /* makes pods */
	KIND_IGNORED,  /* says nothing to one machine */
	KIND_FOREIGN,  /* asks for what podd doesn't do */
};

/* Kinds that people keep in one file with their pods. */
static const struct kind {
	const char *name, *api_version;
	enum kind_is is;
} kinds[] = {
	{ "Pod", "v1", KIND_POD },
	{ "ConfigMap", "v1", KIND_CONFIG },
	{ "Secret", "v1", KIND_CONFIG },
	{ "PriorityClass", "scheduling.k8s.io/v1", KIND_CONFIG },
	{ "PersistentVolumeClaim", "v1", KIND_IGNORED },
	{ "Deployment", "apps/v1", KIND_WORKLOAD },
	{ "DaemonSet", "apps/v1", KIND_WORKLOAD },
	{ "ReplicaSet", "apps/v1", KIND_WORKLOAD },
	{ "StatefulSet", "apps/v1", KIND_WORKLOAD },
	{ "Job", "batch/v1", KIND_WORKLOAD },
	{ "CronJob", "batch/v1", KIND_WORKLOAD },
	{ "Namespace", "v1", KIND_IGNORED },
	{ "ServiceAccount", "v1", KIND_IGNORED },
	{ "RuntimeClass", "node.k8s.io/v1", KIND_CONFIG },
	{ "Service", "v1", KIND_FOREIGN },
	{ "Ingress", "networking.k8s.io/v1", KIND_FOREIGN },
	{ "NetworkPolicy", "networking.k8s.io/v1", KIND_FOREIGN },
	{ "List", "v1", KIND_FOREIGN },
	{ "PodList", "v1", KIND_FOREIGN },
};

static const char *scalar_text(const struct node *n)
{
	return n && n->type == NODE_SCALAR && !node_is_null(n) && n->count ? n->text : NULL;
}

static bool is_name(struct manifest *m, const char *name, const char *ns)
{
	struct finding found;

	return name && check_subdomain_name(&(struct value){ .text = name }, m->arena, &found) &&
	       (!ns || check_label_name(&(struct value){ .text = ns }, m->arena, &found));
}

static const struct kind *kind_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (streq(name, kinds[i].name))
			return &kinds[i];
	return NULL;
}

static struct document *document_add(struct manifest *m, const struct node *root)
{
	struct document *doc = xgrow(m->documents, m->document_count);
	const struct node *metadata = node_get(root, "metadata");
	const char *kind = scalar_text(node_get(root, "kind"));
	const char *name = metadata ? scalar_text(node_get(metadata, "name")) : NULL;
	const char *ns = metadata ? scalar_text(node_get(metadata, "namespace")) : NULL;

	if (!is_name(m, name, ns))
		name = NULL;
	doc->line = root->line;
	doc->unclear = true;
	doc->kind = kind ? arena_strdup(m->arena, kind) : NULL;
	const struct workload_kind *workload = kind ? workload_kind_find(kind) : NULL;
	doc->makes = workload ? workload_name(workload_kind_runs(workload)) : doc->kind;
	doc->name = name ? arena_printf(m->arena, "%s%s", name, kind ? workload_pod_suffix(kind) : "") : NULL;
	doc->namespace = arena_strdup(m->arena, ns ? ns : "default");
	return doc;
}

static void find_kind(struct decoder *d, enum severity severity, const char *hint, const char *text, const char *kind)
{
	path_key(&d->path, "kind");
	decoder_find(d, severity, node_get(d->root, "kind"), hint, "kind %s %s", kind, text);
	path_pop(&d->path);
}

static void unknown_kind(struct decoder *d, const char *kind)
{
	const char *near = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcasecmp(kind, kinds[i].name) == 0 || str_distance(kind, kinds[i].name, 1) <= 1)
			near = kinds[i].name;
	_cleanup_free_ char *hint = near ? xasprintf("did you mean \"%s\"?", near) : xstrdup("podd runs kind: Pod");
	path_key(&d->path, "kind");
	decoder_find(d, near ? SEVERITY_ERROR : SEVERITY_REFUSED, node_get(d->root, "kind"), hint,
	             "kind \"%.80s\" is not known to podd", kind);
	path_pop(&d->path);
}

static bool expect_words(struct decoder *d, const char *member, const char *want, const char **ret)
{
	const struct node *n = node_get(d->root, member);
	const char *text = scalar_text(n);
	_cleanup_free_ char *hint = want ? xasprintf("write apiVersion: %s", want) : xstrdup("for a pod: kind: Pod");

	*ret = text;
	if (text && (!want || streq(text, want)))
		return true;
	path_key(&d->path, member);
	if (!text)
		decoder_find(d, SEVERITY_ERROR, n ? n : d->root, hint, "Required value");
	else
		decoder_find(d, SEVERITY_ERROR, n, hint, "Unsupported value: \"%.80s\": supported values: \"%s\"", text, want);
	path_pop(&d->path);
	return false;
}

/* What the document is, if that can be told. */
static const struct kind *expect_kind(struct decoder *d, struct document *doc)
{
	const char *name, *version;

	if (!expect_words(d, "kind", NULL, &name))
		return NULL;
	const struct kind *kind = kind_find(name);
	const char *group = scalar_text(node_get(d->root, "apiVersion"));
	/* Groups of custom kinds have a dot; a list that got here can't be read. */
	doc->unclear = kind ? str_ends(kind->name, "List") : !group || !strchr(group, '.');
	if (!kind)
		unknown_kind(d, name);
	else if (kind->is == KIND_FOREIGN)
		find_kind(d, SEVERITY_REFUSED, "podd runs kind: Pod", "is not yet supported by this podd", name);
	else if (expect_words(d, "apiVersion", kind->api_version, &version))
		return kind;
	return NULL;
}

static struct pod *read_pod(struct decoder *d)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct pod *p = arena_alloc(a, sizeof(*p));

	d->arena = a;
	bool decoded = decode_pod(d, p);
	/* Further rules also over a pod with an error elsewhere, so that one run names all that is wrong. */
	validate_metadata(d, p);
	validate_spec(d, p);
	if (!decoded || d->failed)
		return NULL;
	p->arena = TAKE_PTR(a);
	p->refs = 1;
	pod_complete(p);
	return p;
}

static struct config_object *read_config(struct decoder *d, enum config_kind kind)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct config_object *c = arena_alloc(a, sizeof(*c));

	d->arena = a;
	if (!config_decode(d, kind, c))
		return NULL;
	c->arena = TAKE_PTR(a);
	c->refs = 1;
	return c;
}

static void find_replicas(struct decoder *d, const struct workload *w)
{
	const struct node *spec = node_get(d->root, "spec");

	path_key(&d->path, "spec");
	path_key(&d->path, "replicas");
	decoder_find(d, SEVERITY_NOTICE, node_get(spec, "replicas"), NULL, "%d replicas: podd runs %s", w->replicas,
	             w->replicas ? "one pod" : "no pod");
	path_pop(&d->path);
	path_pop(&d->path);
}

static struct pod *read_workload(struct decoder *d, const char *kind, struct document *doc)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct workload *w = arena_alloc(a, sizeof(*w));

	d->arena = a;
	if (!workload_decode(d, workload_kind_find(kind), w))
		return NULL;
	if (d->failed)
		return NULL;
	if (w->runs != WORKLOAD_POD) {
		w->template.arena = TAKE_PTR(a);
		w->template.refs = 1;
		workload_complete(w);
		return &w->template;
	}
	if (w->replicas != 1)
		find_replicas(d, w);
	doc->none = w->replicas == 0;
	if (doc->none)
		return NULL;
	struct pod *p = &w->template;
	p->metadata.name = arena_strdup(a, doc->name);
	p->metadata.namespace = w->metadata.namespace;
	p->arena = TAKE_PTR(a);
	p->refs = 1;
	pod_complete(p);
	return p;
}

static void refuse_second(struct decoder *d, const struct document *doc, const struct document *first)
{
	const struct node *name = node_get(node_get(d->root, "metadata"), "name");
	const char *what = streq(doc->makes, "Pod") ? "pod" : doc->kind;

	path_key(&d->path, "metadata");
	path_key(&d->path, "name");
	decoder_find(d, SEVERITY_ERROR, name, "rename one of the two",
	             "Duplicate value: \"%.80s\": the document in line %u is this %s already", doc->name, first->line, what);
	path_pop(&d->path);
	path_pop(&d->path);
}

static const struct document *find_document(const struct manifest *m, size_t before, const struct document *doc)
{
	for (size_t i = 0; i < before; i++) {
		const struct document *other = &m->documents[i];
		if (streq0(other->makes, doc->makes) && doc->name && streq0(other->name, doc->name) &&
		    streq(other->namespace, doc->namespace))
			return other;
	}
	return NULL;
}

static void read_document(struct manifest *m, const struct node *root, bool bad, const struct path *path);

/* `kubectl get -o yaml` of several objects: each item is a document. */
static void read_list(struct manifest *m, const struct node *root, bool bad)
{
	const struct node *items = node_get(root, "items");
	struct path path = { 0 };

	if (items && items->type == NODE_SEQUENCE && items->count > YAML_DOCUMENTS_MAX) {
		diags_add(m, SEVERITY_ERROR, items, NULL, "split it into several files", "Too many: a list may hold %d items",
		          YAML_DOCUMENTS_MAX);
		(void)document_add(m, root);
		return;
	}
	if (!items || items->type != NODE_SEQUENCE) {
		path_key(&path, "items");
		diags_add(m, SEVERITY_ERROR, items ? items : root, &path, NULL, "Required value: must be a list");
		(void)document_add(m, root);
		return;
	}
	path_key(&path, "items");
	for (size_t i = 0; i < items->count; i++) {
		path_index(&path, i);
		read_document(m, items->items[i], bad, &path);
		path_pop(&path);
	}
}

static void read_document(struct manifest *m, const struct node *root, bool bad, const struct path *path)
{
	const char *kind = scalar_text(node_get(root, "kind"));

	if (!path && kind && streq(kind, "List")) {
		read_list(m, root, bad);
		return;
	}
	_cleanup_(decoder_deinit) struct decoder d = { .m = m, .root = root, .failed = bad };
	struct document *doc = document_add(m, root);
	size_t index = m->document_count - 1;

	if (path)
		d.path = *path;
	if (root->type != NODE_MAPPING) {
		decoder_find(&d, SEVERITY_ERROR, root,
		             "a manifest begins with apiVersion: and kind:", "Invalid value: must be a mapping, and this is %s",
		             node_type_name(root));
		return;
	}
	const struct kind *is = expect_kind(&d, doc);
	if (!is)
		return;
	if (m->portable)
		portable_document(&d, is->name, index);
	const struct document *first = find_document(m, index, doc);
	if (first && is->is != KIND_IGNORED)
		refuse_second(&d, doc, first);
	enum config_kind config;
	switch (is->is) {
	case KIND_CONFIG:
		if (config_kind_find(is->name, &config))
			doc->config = read_config(&d, config);
		return;
	case KIND_WORKLOAD:
		doc->pod = read_workload(&d, is->name, doc);
		return;
	case KIND_IGNORED:
		find_kind(&d, SEVERITY_NOTICE, NULL,
		          streq(is->name, "PersistentVolumeClaim")
		                  ? "is accepted, without effect: a claim is a directory, made when a pod first uses it"
		                  : "is accepted, without effect on one machine",
		          is->name);
		m->document_count--;
		return;
	case KIND_FOREIGN:
		return;
	case KIND_POD:
		doc->pod = read_pod(&d);
		return;
	}
}

/* The documents live in the arena like all else that is handed out. */
static void settle(struct manifest *m)
{
	struct document *documents = arena_new_array(m->arena, struct document, m->document_count);

	if (m->document_count)
		memcpy(documents, m->documents, m->document_count * sizeof(*documents));
	free(m->documents);
	m->documents = documents;
	diags_sort(m);
}

static void read_text(const char *file, const char *text, size_t size, bool portable, struct manifest *ret)
{
	_cleanup_arena_ struct arena *nodes = arena_new();
	struct yaml_file yaml = { 0 };
	struct manifest m = { .arena = arena_new(), .portable = portable };

	m.file = arena_strdup(m.arena, file);
	if (size > MANIFEST_SIZE_MAX)
		diags_add(&m, SEVERITY_ERROR, NULL, NULL, "split it into several files",
		          "Too long: %zu bytes: a manifest file may have %d bytes", size, MANIFEST_SIZE_MAX);
	else
		m.parsed = json_read(nodes, text, size, &yaml) || yaml_read(&m, nodes, text, size, &yaml) == 0;
	for (size_t i = 0; m.parsed && i < yaml.count; i++)
		if (yaml.documents[i].root && !node_is_null(yaml.documents[i].root))
			read_document(&m, yaml.documents[i].root, yaml.documents[i].bad, NULL);
	settle(&m);
	*ret = m;
}

void manifest_read(const char *file, const char *text, size_t size, struct manifest *ret)
{
	read_text(file, text, size, /* portable= */ false, ret);
}

void manifest_read_portable(const char *file, const char *text, size_t size, struct manifest *ret)
{
	read_text(file, text, size, /* portable= */ true, ret);
}

void manifest_deinit(struct manifest *m)
{
	for (size_t i = 0; i < m->document_count; i++) {
		m->documents[i].pod = pod_unref(m->documents[i].pod);
		m->documents[i].config = config_unref(m->documents[i].config);
	}
	arena_free(m->arena);
	*m = (struct manifest){ 0 };
}
