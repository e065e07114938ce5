#include "daemon/node.h"
#include <sys/utsname.h>
#include "base/str.h"
#include "daemon/api.h"

const char *node_arch(void)
{
	static struct utsname host;

	(void)uname(&host);
	return api_arch(host.machine);
}

static void add_label(struct core_node *n, const char *name, const char *value)
{
	for (size_t i = 0; i < n->labels.count; i++)
		if (streq(n->labels.items[i].name, name))
			return; /* the configuration's wins */
	n->labels.items[n->labels.count++] = (struct label){ name, value };
}

void node_refresh(struct daemon *d)
{
	struct arena *former = d->node_arena;
	const struct label_list *given = &d->config->node_labels;
	struct core_node n = { .name = d->config->node_name };

	d->node_arena = arena_new();
	n.labels.items = arena_new_array(d->node_arena, struct label, given->count + 3);
	for (size_t i = 0; i < given->count; i++)
		add_label(&n, given->items[i].name, given->items[i].value);
	add_label(&n, "kubernetes.io/arch", node_arch());
	add_label(&n, "kubernetes.io/hostname", d->config->node_name);
	add_label(&n, "kubernetes.io/os", "linux");
	d->node = n;
	(void)arena_free(former);
	if (d->core) {
		struct event e = daemon_event(EVENT_NODE, NULL, NULL, 0);
		daemon_step(d, &e);
	}
}
