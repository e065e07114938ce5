#include "daemon/node.h"
#include <string.h>
#include <sys/utsname.h>
#include "base/str.h"
#include "daemon/api/api.h"
#include "daemon/intake/configs.h"

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

struct classes {
	struct arena *arena;
	struct core_priority_class *items;
	size_t count, defaults;
	int32_t default_value;
};

/* Of several defaults Kubernetes takes the lowest. */
static void add_class(const struct config_object *c, void *arg)
{
	struct classes *l = arg;
	const struct config_item *item = config_find(c, "value");
	int64_t value;

	if (!item || str_int(item->data, INT32_MIN, INT32_MAX, &value) < 0)
		return;
	if (config_find(c, "globalDefault") && (!l->defaults++ || value < l->default_value))
		l->default_value = (int32_t)value;
	struct core_priority_class *grown = arena_new_array(l->arena, struct core_priority_class, l->count + 1);
	if (l->count)
		memcpy(grown, l->items, l->count * sizeof(*grown));
	grown[l->count++] = (struct core_priority_class){ arena_strdup(l->arena, c->name), (int32_t)value };
	l->items = grown;
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
	struct classes classes = { .arena = d->node_arena };
	configs_walk(d, CONFIG_PRIORITY_CLASS, add_class, &classes);
	n.classes = classes.items;
	n.class_count = classes.count;
	n.default_priority = classes.default_value;
	d->node = n;
	(void)arena_free(former);
	if (d->ready) {
		struct event e = daemon_event(EVENT_NODE, NULL, NULL, 0);
		daemon_step(d, &e);
	}
}
