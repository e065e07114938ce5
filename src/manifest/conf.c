#include "manifest/conf.h"
#include <arpa/inet.h>
#include <errno.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "manifest/check.h"
#include "manifest/rules.h"
#include "manifest/single.h"

enum {
	LOG_SIZE_MIN = 32768 /* podd-anchor's: one line must fit */,
	LOG_FILES_MIN = 2,
	LOG_FILES_MAX = 100,
	PIDS_MIN = 16,
	PIDS_MAX = 4194304 /* the kernel's PID_MAX_LIMIT */
};

#define STORED(member) VERDICT_MUST, .built = true, .offset = offsetof(struct conf, member)
#define STORED_BACKOFF(member) VERDICT_MUST, .built = true, .offset = offsetof(struct conf_backoff, member)

static const char *const level_names[] = { "error", "warning", "info", "debug" };
static const char *const format_names[] = { "kv", "json" };
static const char *const owner_names[] = { "root", "any" };
_Static_assert(ARRAY_SIZE(level_names) == LOG_LEVEL_MAX, "a name for each level");
_Static_assert(ARRAY_SIZE(format_names) == CONF_LOG_FORMAT_MAX, "a name for each format");
_Static_assert(ARRAY_SIZE(owner_names) == CONF_OWNER_MAX, "a name for each owner");
static const struct enum_words level_words = { level_names, ARRAY_SIZE(level_names) };
static const struct enum_words format_words = { format_names, ARRAY_SIZE(format_names) };
static const struct enum_words owner_words = { owner_names, ARRAY_SIZE(owner_names) };

static bool wrong(struct finding *ret, const char *text, const char *hint)
{
	*ret = (struct finding){ SEVERITY_ERROR, text, hint };
	return false;
}

static bool out_of_range(struct finding *ret, struct arena *a, int64_t value, int64_t min, int64_t max)
{
	return wrong(ret,
	             arena_printf(a, "Invalid value: %lld: must be between %lld and %lld, inclusive", (long long)value,
	                          (long long)min, (long long)max),
	             NULL);
}

static bool check_duration(const struct value *v, struct arena *a, struct finding *ret)
{
	int64_t ns;

	if (str_duration(v->text, &ns) == 0 && ns >= NS_PER_MS && ns <= 24 * 3600 * NS_PER_SEC)
		return true;
	return wrong(ret, arena_printf(a, "Invalid value: \"%.80s\": must be a duration between 1ms and 24h", v->text),
	             "as 100ms or 1m30s");
}

static bool check_path(const struct value *v, struct arena *a, struct finding *ret)
{
	return v->text[0] == '/' ? true
	                         : wrong(ret, arena_printf(a, "Invalid value: \"%.80s\": must be an absolute path", v->text), NULL);
}

bool conf_parse_cidr(const char *text, uint32_t *ret_network, unsigned *ret_prefix)
{
	_cleanup_free_ char *address = xstrdup(text);
	char *slash = strchr(address, '/');
	struct in_addr network;
	int64_t prefix;

	if (!slash)
		return false;
	*slash = '\0';
	if (inet_pton(AF_INET, address, &network) != 1 || str_int(slash + 1, 8, 30, &prefix) < 0)
		return false;
	if (network.s_addr & htonl(0xffffffffU >> prefix))
		return false;
	*ret_network = network.s_addr;
	*ret_prefix = (unsigned)prefix;
	return true;
}

static bool check_cidr(const struct value *v, struct arena *a, struct finding *ret)
{
	uint32_t network;
	unsigned prefix;

	if (conf_parse_cidr(v->text, &network, &prefix))
		return true;
	return wrong(ret,
	             arena_printf(a, "Invalid value: \"%.80s\": must be an IPv4 network with a prefix of 8 to 30 bits", v->text),
	             "as 10.88.0.0/16, with all bits after the prefix 0");
}

bool conf_is_cgroup(const char *name)
{
	return name[strspn(name, "/")] && !strstr(name, "..");
}

static bool check_cgroup(const struct value *v, struct arena *a, struct finding *ret)
{
	if (conf_is_cgroup(v->text))
		return true;
	return wrong(ret, arena_printf(a, "Invalid value: \"%.80s\": must be a path without '..'", v->text), "as podd");
}

static bool check_node_name(const struct value *v, struct arena *a, struct finding *ret)
{
	return *v->text ? check_subdomain_name(v, a, ret) : true;
}

static bool check_log_size(const struct value *v, struct arena *a, struct finding *ret)
{
	int64_t size = quantity_value(v->quantity);

	return size >= LOG_SIZE_MIN ? true : out_of_range(ret, a, size, LOG_SIZE_MIN, INT64_MAX);
}

static bool check_log_files(const struct value *v, struct arena *a, struct finding *ret)
{
	bool fine = v->number >= LOG_FILES_MIN && v->number <= LOG_FILES_MAX;

	return fine ? true : out_of_range(ret, a, v->number, LOG_FILES_MIN, LOG_FILES_MAX);
}

static bool check_pids(const struct value *v, struct arena *a, struct finding *ret)
{
	return v->number >= PIDS_MIN && v->number <= PIDS_MAX ? true : out_of_range(ret, a, v->number, PIDS_MIN, PIDS_MAX);
}

static const struct field backoff_fields[] = {
	{ "initial", FIELD_STRING, STORED_BACKOFF(initial), .fallback = "100ms", .check = check_duration,
	  .doc = "Delay of the second restart; the first is immediate." },
	{ "max", FIELD_STRING, STORED_BACKOFF(max), .fallback = "5m", .check = check_duration,
	  .doc = "The delay doubles until it is this." },
	{ "reset", FIELD_STRING, STORED_BACKOFF(reset), .fallback = "10m", .check = check_duration,
	  .doc = "A container that ran so long begins anew." },
};
static const struct schema schema_backoff = {
	.name = "RestartBackoff", .fields = backoff_fields, .count = ARRAY_SIZE(backoff_fields), .size = sizeof(struct conf_backoff)
};

static const struct field runtime_fields[] = {
	{ "name", FIELD_STRING, VERDICT_MUST, .built = true, .required = true, .offset = offsetof(struct conf_runtime, name),
	  .check = check_subdomain_name, .doc = "What runtimeClassName names." },
	{ "path", FIELD_STRING, VERDICT_MUST, .built = true, .required = true, .offset = offsetof(struct conf_runtime, path),
	  .check = check_path, .doc = "The program." },
	{ "options", FIELD_STRINGS, VERDICT_MUST, .built = true, .offset = offsetof(struct conf_runtime, options),
	  .doc = "Options of the program, before podd's own." },
};
static const struct schema schema_runtime = {
	.name = "Runtime", .fields = runtime_fields, .count = ARRAY_SIZE(runtime_fields), .size = sizeof(struct conf_runtime)
};

static const struct field conf_fields[] = {
	{ "manifests", FIELD_STRINGS, STORED(manifests), .check = check_path,
	  .doc = "Manifest directories; /etc/pods under the root by default." },
	{ "podCIDR", FIELD_STRING, STORED(pod_cidr), .fallback = "10.88.0.0/16", .check = check_cidr,
	  .doc = "Addresses of the pods." },
	{ "cgroupRoot", FIELD_STRING, STORED(cgroup_root), .fallback = "podd", .check = check_cgroup,
	  .doc = "Cgroup of all pods." },
	{ "nodeName", FIELD_STRING, STORED(node_name), .fallback = "", .check = check_node_name,
	  .doc = "Name of this node; the host's by default." },
	{ "nodeLabels", FIELD_MAP, STORED(node_labels), .doc = "Labels of this node." },
	{ "logLevel", FIELD_ENUM, STORED(log_level), .values = &level_words, .fallback = "info",
	  .doc = "error, warning, info or debug." },
	{ "logFormat", FIELD_ENUM, STORED(log_format), .values = &format_words, .fallback = "kv",
	  .doc = "kv (key=value) or json." },
	{ "manifestOwner", FIELD_ENUM, STORED(manifest_owner), .values = &owner_words, .fallback = "root",
	  .doc = "root: manifests must be root's and writable by nobody else; any: whoever can write the directory is trusted." },
	{ "allowUnenforcedLimits", FIELD_BOOL, STORED(allow_unenforced_limits),
	  .doc = "Whether pods run whose limits this host can't enforce." },
	{ "allowedUnsafeSysctls", FIELD_STRINGS, STORED(unsafe_sysctls),
	  .doc = "Sysctls that pods may set beyond the safe ones; prefix* allows all that begin so." },
	{ "containerLogMaxSize", FIELD_QUANTITY, STORED(log_max_size), .fallback = "10Mi", .check = check_log_size,
	  .doc = "Size of a log file at which it is rotated." },
	{ "containerLogMaxFiles", FIELD_INT32, STORED(log_max_files), .fallback = "5", .check = check_log_files,
	  .doc = "Files kept of a container's log." },
	{ "podPidsLimit", FIELD_INT32, STORED(pids_limit), .fallback = "4096", .check = check_pids,
	  .doc = "Processes and threads a container may have." },
	{ "runtimes", FIELD_OBJECTS, STORED(runtimes), .object = &schema_runtime, .rule = rule_unique_names,
	  .doc = "OCI runtimes that pods may choose by runtimeClassName." },
	{ "volumeStatsAggPeriod", FIELD_STRING, STORED(disk_period), .fallback = "10s", .check = check_duration,
	  .doc = "How often podd measures what pods with a limit on the disk hold of it." },
	{ "restartBackoff", FIELD_OBJECT, STORED(backoff), .object = &schema_backoff, .doc = "Delay of restarts." },
};
const struct schema schema_conf = {
	.name = "configuration", .fields = conf_fields, .count = ARRAY_SIZE(conf_fields), .size = sizeof(struct conf)
};

static void find_at(struct decoder *d, const char *key, const void *field, const char *hint, const char *text)
{
	path_key(&d->path, key);
	decoder_find(d, SEVERITY_ERROR, decoder_place(d, field), hint, "%s", text);
	path_pop(&d->path);
}

static void validate_labels(struct decoder *d, const struct label_list *labels)
{
	struct finding found;

	if (labels->count > CONF_LABELS_MAX)
		find_at(d, "nodeLabels", labels, NULL,
		        arena_printf(d->arena, "Too many: a node may have %d labels", CONF_LABELS_MAX));
	for (size_t i = 0; i < labels->count; i++) {
		const struct label *l = &labels->items[i];
		path_key(&d->path, "nodeLabels");
		path_map_key(&d->path, l->name);
		if (!check_qualified_name(l->name, d->m->arena, &found))
			decoder_find(d, found.severity, decoder_place(d, &l->name), found.hint, "%s", found.text);
		if (!check_label_value(l->value, d->m->arena, &found))
			decoder_find(d, found.severity, decoder_place(d, &l->value), found.hint, "%s", found.text);
		path_pop(&d->path);
		path_pop(&d->path);
	}
}

static void validate(struct decoder *d, const struct conf *c)
{
	int64_t initial, max;

	validate_labels(d, &c->node_labels);
	if (c->runtimes.count > CONF_RUNTIMES_MAX)
		find_at(d, "runtimes", &c->runtimes, NULL,
		        arena_printf(d->arena, "Too many: there may be %d runtimes", CONF_RUNTIMES_MAX));
	for (size_t i = 0; i < c->runtimes.count; i++)
		if (c->runtimes.items[i].options.count > CONF_OPTIONS_MAX)
			find_at(d, "runtimes", &c->runtimes.items[i].options, NULL,
			        arena_printf(d->arena, "Too many: a runtime may have %d options", CONF_OPTIONS_MAX));
	if (c->manifests.count > CONF_DIRS_MAX)
		find_at(d, "manifests", &c->manifests, NULL,
		        arena_printf(d->arena, "Too many: there may be %d directories", CONF_DIRS_MAX));
	if (c->backoff.initial && c->backoff.max && str_duration(c->backoff.initial, &initial) == 0 &&
	    str_duration(c->backoff.max, &max) == 0 && initial > max) {
		path_key(&d->path, "restartBackoff");
		find_at(d, "initial", &c->backoff.initial, NULL,
		        arena_printf(d->arena, "Invalid value: \"%s\": must be at most max, %s", c->backoff.initial,
		                     c->backoff.max));
		path_pop(&d->path);
	}
}

/* `restartBackoff` that is not there has defaults inside all the same. */
static void fill_backoff(struct conf_backoff *b)
{
	const char **at[] = { &b->initial, &b->max, &b->reset };

	for (size_t i = 0; i < ARRAY_SIZE(at); i++)
		if (!*at[i])
			*at[i] = backoff_fields[i].fallback;
}

static bool read_root(struct manifest *m, struct arena *arena, const struct node *root, bool bad, struct conf *ret)
{
	_cleanup_(decoder_deinit) struct decoder d = { .m = m, .arena = arena, .root = root, .failed = bad };

	(void)decode_root(&d, &schema_conf, ret);
	validate(&d, ret);
	fill_backoff(&ret->backoff);
	return !d.failed;
}

int conf_read(struct arena *arena, const char *file, const char *text, size_t size, struct manifest *ret_findings, struct conf *ret)
{
	_cleanup_arena_ struct arena *nodes = arena_new();
	struct yaml_document doc;
	struct conf c = { 0 };
	bool fine = single_read(ret_findings, nodes, file, text, size, &doc) == 0 &&
	            read_root(ret_findings, arena, doc.root, doc.bad, &c);

	diags_sort(ret_findings);
	if (!fine)
		return -EBADMSG;
	*ret = c;
	return 0;
}
