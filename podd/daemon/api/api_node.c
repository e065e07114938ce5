/* This machine as the one Node. It never changes as far as watchers are told: what an answer shows is as of that moment. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/api/api.h"
#include "daemon/node.h"

struct node_item {
	struct feed_item feed;
	const struct core_node *node;
};

static const struct core_node *node_of(const void *item)
{
	return container_of(item, const struct node_item, feed)->node;
}

void api_node_item_free(struct feed_item *i)
{
	free(container_of(i, struct node_item, feed));
}

void api_node_add(struct api *a)
{
	struct node_item *n = xnew(struct node_item);

	n->node = &a->d->node;
	feed_add(a->nodes.feed, &n->feed);
}

static const char *label_value(const char *key, const void *item)
{
	const struct label_list *l = &node_of(item)->labels;

	for (size_t i = 0; i < l->count; i++)
		if (streq(l->items[i].name, key))
			return l->items[i].value;
	return NULL;
}

static const char *const fields[] = { "metadata.name" };

static const char *field_value(const char *key, const void *item)
{
	return streq(key, "metadata.name") ? node_of(item)->name : NULL;
}

/* The first line of a small file, or "". */
static void read_line(const char *path, struct buf *out)
{
	buf_clear(out);
	if (file_read(AT_FDCWD, path, 4096, out) < 0)
		buf_clear(out);
	if (out->data)
		out->len = strcspn(out->data, "\n");
	buf_puts(out, "");
	if (out->data)
		out->data[out->len] = '\0';
}

static void os_name(char *out, size_t size)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	const char *at, *name = "Linux";
	int length = 5;

	if (file_read(AT_FDCWD, "/etc/os-release", 16384, &text) >= 0 && (at = strstr(buf_str(&text), "PRETTY_NAME=\""))) {
		name = at + strlen("PRETTY_NAME=\"");
		length = (int)strcspn(name, "\"\n");
	}
	(void)snprintf(out, size, "%.*s", length, name);
}

static void item_metadata(const struct api *a, const struct feed_item *i, struct jsonw *w)
{
	const struct core_node *n = &a->d->node;
	_cleanup_buf_ struct buf machine = BUF_NULL;

	read_line("/etc/machine-id", &machine);
	jsonw_object(w);
	jsonw_member_str(w, "name", n->name);
	jsonw_member_str(w, "uid", machine.len ? machine.data : n->name);
	api_version_member(w, i->version);
	api_time(w, "creationTimestamp", a->d->started_wall);
	jsonw_key(w, "labels");
	jsonw_object(w);
	for (size_t k = 0; k < n->labels.count; k++)
		jsonw_member_str(w, n->labels.items[k].name, n->labels.items[k].value);
	jsonw_end(w);
	jsonw_end(w);
}

/* What a node has; podd keeps nothing of it for itself, so all of it is allocatable. */
static void capacity_json(const struct config *c, const char *key, struct jsonw *w)
{
	struct sysinfo host = { 0 };
	char text[32];

	(void)sysinfo(&host);
	jsonw_key(w, key);
	jsonw_object(w);
	(void)snprintf(text, sizeof(text), "%d", get_nprocs());
	jsonw_member_str(w, "cpu", text);
	(void)snprintf(text, sizeof(text), "%lluKi", (unsigned long long)host.totalram * host.mem_unit / 1024);
	jsonw_member_str(w, "memory", text);
	/* As many as there are addresses, less network, gateway and broadcast. */
	(void)snprintf(text, sizeof(text), "%llu", (1ULL << (32 - c->prefix)) - 3);
	jsonw_member_str(w, "pods", text);
	jsonw_end(w);
}

static void condition_json(const struct api *a, const char *type, bool holds, const char *reason, const char *message,
                           struct jsonw *w)
{
	jsonw_object(w);
	jsonw_member_str(w, "type", type);
	jsonw_member_str(w, "status", holds ? "True" : "False");
	api_time(w, "lastHeartbeatTime", clock_wall());
	api_time(w, "lastTransitionTime", a->d->started_wall);
	jsonw_member_str(w, "reason", reason);
	jsonw_member_str(w, "message", message);
	jsonw_end(w);
}

static void address_json(const char *type, const char *address, struct jsonw *w)
{
	jsonw_object(w);
	jsonw_member_str(w, "type", type);
	jsonw_member_str(w, "address", address);
	jsonw_end(w);
}

static void info_json(struct jsonw *w)
{
	_cleanup_buf_ struct buf line = BUF_NULL;
	struct utsname host;
	char os[128];

	(void)uname(&host);
	os_name(os, sizeof(os));
	jsonw_key(w, "nodeInfo");
	jsonw_object(w);
	read_line("/etc/machine-id", &line);
	jsonw_member_str(w, "machineID", buf_str(&line));
	jsonw_member_str(w, "systemUUID", buf_str(&line));
	read_line("/proc/sys/kernel/random/boot_id", &line);
	jsonw_member_str(w, "bootID", buf_str(&line));
	jsonw_member_str(w, "kernelVersion", host.release);
	jsonw_member_str(w, "osImage", os);
	jsonw_member_str(w, "containerRuntimeVersion", "podd://" PODD_VERSION);
	jsonw_member_str(w, "kubeletVersion", API_GIT_VERSION);
	jsonw_member_str(w, "kubeProxyVersion", API_GIT_VERSION);
	jsonw_member_str(w, "operatingSystem", "linux");
	jsonw_member_str(w, "architecture", node_arch());
	jsonw_end(w);
}

static void item_object(const struct api *a, const struct feed_item *i, struct jsonw *w)
{
	const struct daemon *d = a->d;
	char host[INET_ADDRSTRLEN];

	api_host_address(d, host);
	jsonw_object(w);
	jsonw_member_str(w, "kind", "Node");
	jsonw_member_str(w, "apiVersion", "v1");
	jsonw_key(w, "metadata");
	item_metadata(a, i, w);
	jsonw_key(w, "spec");
	jsonw_object(w);
	jsonw_end(w);
	jsonw_key(w, "status");
	jsonw_object(w);
	capacity_json(d->config, "capacity", w);
	capacity_json(d->config, "allocatable", w);
	jsonw_key(w, "conditions");
	jsonw_array(w);
	condition_json(a, "Ready", true, "PoddReady", "podd answers", w);
	jsonw_end(w);
	jsonw_key(w, "addresses");
	jsonw_array(w);
	address_json("InternalIP", host, w);
	address_json("Hostname", d->config->node_name, w);
	jsonw_end(w);
	info_json(w);
	jsonw_end(w);
	jsonw_end(w);
}

static const struct api_column columns[] = {
	{ "Name", "name", "Name of the node.", 0 },
	{ "Status", "", "Ready: it has answered.", 0 },
	{ "Roles", "", "None: there are no others to play one for.", 0 },
	{ "Age", "", "Time since podd was started.", 0 },
	{ "Version", "", "The version of Kubernetes whose API this resembles.", 0 },
	{ "Internal-IP", "", "The host as its pods see it.", 1 },
	{ "External-IP", "", "None: podd knows of none.", 1 },
	{ "OS-Image", "", "The host's system.", 1 },
	{ "Kernel-Version", "", "The host's kernel.", 1 },
	{ "Container-Runtime", "", "podd.", 1 },
};

static void item_cells(const struct api *a, const struct feed_item *i, struct jsonw *w)
{
	char age[CLOCK_AGE_SIZE], address[INET_ADDRSTRLEN], os[128];
	struct utsname host;

	(void)i;
	(void)uname(&host);
	os_name(os, sizeof(os));
	api_host_address(a->d, address);
	clock_age(clock_wall() - a->d->started_wall, age);
	const char *cells[] = {
		a->d->config->node_name, "Ready", "<none>", age, API_GIT_VERSION, address, "<none>", os, host.release,
		"podd://" PODD_VERSION
	};
	_Static_assert(ARRAY_SIZE(cells) == ARRAY_SIZE(columns), "a cell for each column");

	jsonw_array(w);
	for (size_t n = 0; n < ARRAY_SIZE(cells); n++)
		jsonw_str(w, cells[n]);
	jsonw_end(w);
}

const struct api_kind api_node_kind = {
	.kind = "Node",
	.list_kind = "NodeList",
	.resource = "nodes",
	.columns = columns,
	.column_count = ARRAY_SIZE(columns),
	.fields = fields,
	.field_count = ARRAY_SIZE(fields),
	.by_name = true,
	.field = field_value,
	.label = label_value,
	.object = item_object,
	.metadata = item_metadata,
	.cells = item_cells,
};

void api_node_list(struct http_request *q, void *arg)
{
	api_list(q, &((struct api *)arg)->nodes, NULL);
}

void api_node_get(struct http_request *q, void *arg)
{
	api_get(q, &((struct api *)arg)->nodes, NULL, http_arg(q, 0));
}
