/* Rules inside a volume. */
#include "manifest/check.h"
#include "manifest/rules_node.h"

void rule_one_volume_source(struct decoder *d, const struct node *n)
{
	const struct schema *volume = &schema_volume;
	bool any = false;

	for (size_t i = 0; i < n->count; i++) {
		const struct field *f = schema_find(volume, n->pairs[i].key->text);
		if (!f || f->type != FIELD_OBJECT || node_is_null(n->pairs[i].value))
			continue;
		if (any)
			rule_find(d, n, f->name, "make two volumes", "Forbidden: may not specify more than 1 volume type");
		any = true;
	}
}

void rule_downward_file(struct decoder *d, const struct node *n)
{
	static const char *const sources[] = { "fieldRef", "resourceFieldRef", NULL };

	(void)rule_one_of(d, n, sources, "take one source");
}

/* A file may be about any container, so it has to say which. */
void rule_resource_file(struct decoder *d, const struct node *n)
{
	if (n->type == NODE_MAPPING && !node_string(n, "containerName"))
		rule_find(d, n, "containerName", NULL, "Required value");
}

void rule_one_projection(struct decoder *d, const struct node *n)
{
	static const char *const sources[] = {
		"secret", "downwardAPI", "configMap", "serviceAccountToken", "clusterTrustBundle", "podCertificate", NULL
	};

	(void)rule_one_of(d, n, sources, "make an item of each source");
}

/* Files of several sources in one directory must not be in each other's way. */
struct paths {
	const char *seen[RULE_ITEMS_MAX];
	size_t count;
};

static void add_path(struct decoder *d, struct paths *p, const struct node *n, const char *member)
{
	const char *path = node_string(n, member);

	if (!path || p->count == RULE_ITEMS_MAX)
		return;
	for (size_t i = 0; i < p->count; i++)
		if (streq(p->seen[i], path)) {
			rule_find(d, n, member, NULL, "Invalid value: \"%.*s\": conflicting duplicate paths", RULE_SHOWN_MAX, path);
			return;
		}
	p->seen[p->count++] = path;
}

static void add_items(struct decoder *d, struct paths *p, const struct node *source)
{
	const struct node *items = node_member(source, "items");

	path_key(&d->path, "items");
	for (size_t i = 0; items && items->type == NODE_SEQUENCE && i < items->count; i++) {
		path_index(&d->path, i);
		add_path(d, p, items->items[i], "path");
		path_pop(&d->path);
	}
	path_pop(&d->path);
}

void rule_projected_paths(struct decoder *d, const struct node *n)
{
	struct paths p = { .count = 0 };

	for (size_t i = 0; n->type == NODE_SEQUENCE && i < n->count; i++) {
		const struct node *source = n->items[i];
		path_index(&d->path, i);
		for (size_t j = 0; source->type == NODE_MAPPING && j < source->count; j++) {
			path_key(&d->path, source->pairs[j].key->text);
			add_items(d, &p, source->pairs[j].value);
			add_path(d, &p, source->pairs[j].value, "path");
			add_path(d, &p, source->pairs[j].value, "credentialBundlePath");
			add_path(d, &p, source->pairs[j].value, "keyPath");
			add_path(d, &p, source->pairs[j].value, "certificateChainPath");
			path_pop(&d->path);
		}
		path_pop(&d->path);
	}
}

void rule_trust_bundle(struct decoder *d, const struct node *n)
{
	static const char *const sources[] = { "name", "signerName", NULL };

	(void)rule_one_of(d, n, sources, "take one of the two");
	if (node_present(n, "name") && node_present(n, "labelSelector"))
		rule_find(d, n, "labelSelector", "use signerName", "Invalid value: may not be specified together with name");
}

void rule_image_volume(struct decoder *d, const struct node *n)
{
	if (n->type == NODE_MAPPING && !node_string(n, "reference"))
		rule_find(d, n, "reference", NULL, "Required value");
	rule_pull_policy(d, n, "reference", "pullPolicy");
}

void rule_claim_spec(struct decoder *d, const struct node *n)
{
	const struct node *resources = node_get(n, "resources"), *requests = resources ? node_get(resources, "requests") : NULL;

	if (!resources || resources->type != NODE_MAPPING || (requests && node_present(requests, "storage")))
		return;
	path_key(&d->path, "resources");
	rule_find(d, resources, "requests", "as in requests: {storage: 1Gi}", "Required value: must specify storage");
	path_pop(&d->path);
}

void rule_iscsi(struct decoder *d, const struct node *n)
{
	bool authenticates = node_flag(n, "chapAuthDiscovery") || node_flag(n, "chapAuthSession");

	if (authenticates && !node_present(n, "secretRef"))
		rule_find(d, n, "secretRef", NULL, "Required value: must be set when chapAuthDiscovery or chapAuthSession is true");
}

void rule_flocker(struct decoder *d, const struct node *n)
{
	static const char *const members[] = { "datasetName", "datasetUUID", NULL };

	(void)rule_one_of(d, n, members, "take one of the two");
}

void rule_fc(struct decoder *d, const struct node *n)
{
	bool names = node_member(n, "targetWWNs"), ids = node_member(n, "wwids");

	if (names && ids)
		rule_find(d, n, "wwids", "remove one of the two",
		          "Invalid value: targetWWNs and wwids can not be specified simultaneously");
	else if (!names && !ids)
		rule_find(d, n, "targetWWNs", NULL, "Required value: must specify either targetWWNs or wwids");
	if (names && !node_present(n, "lun"))
		rule_find(d, n, "lun", NULL, "Required value: lun is required if targetWWNs is specified");
}
