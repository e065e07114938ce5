#include "manifest/single.h"
#include <errno.h>
#include "manifest/jsonread.h"

int single_read(struct manifest *m, struct arena *nodes, const char *file, const char *text, size_t size, struct yaml_document *ret)
{
	static struct node empty = { .type = NODE_MAPPING, .line = 1, .column = 1 };
	struct yaml_file yaml = { 0 };

	*m = (struct manifest){ .arena = arena_new() };
	m->file = arena_strdup(m->arena, file);
	if (size > MANIFEST_SIZE_MAX)
		diags_add(m, SEVERITY_ERROR, NULL, NULL, NULL, "Too long: %zu bytes: it may have %d bytes", size,
		          MANIFEST_SIZE_MAX);
	else
		m->parsed = json_read(nodes, text, size, &yaml) || yaml_read(m, nodes, text, size, &yaml) == 0;
	if (yaml.count > 1 && m->parsed) {
		diags_add(m, SEVERITY_ERROR, yaml.documents[1].root, NULL, "remove the line ---", "this file is one document");
		m->parsed = false;
	}
	if (!m->parsed)
		return -EBADMSG;
	*ret = (struct yaml_document){ .root = &empty };
	if (yaml.count)
		ret->bad = yaml.documents[0].bad;
	if (yaml.count && yaml.documents[0].root && !node_is_null(yaml.documents[0].root))
		ret->root = yaml.documents[0].root;
	return 0;
}
