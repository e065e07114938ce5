#include "daemon/config.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include "base/fd.h"
#include "base/sha256.h"
#include "base/str.h"
#include "manifest/conf.h"

static const char usage[] = "Usage: podd [OPTION]...\n"
			    "Runs the pods whose manifests are in a directory.\n"
			    "\n"
			    "  --root DIR            prefix of podd's own paths (default /)\n"
			    "  --config FILE         configuration (default ROOT/etc/podd/podd.yaml)\n"
			    "  --manifests DIR       manifest directory; may be repeated (default ROOT/etc/pods)\n"
			    "  --pod-cidr V4         addresses of the pods (default 10.88.0.0/16)\n"
			    "  --cgroup-root NAME    cgroup of all pods (default podd)\n"
			    "  --drain               stop all pods, in order and within their grace, and exit\n"
			    "  --node-name NAME      default: the host's name\n"
			    "  --node-label K=V      label of this node; may be repeated\n"
			    "  --log-level LEVEL     error, warning, info (default) or debug\n"
			    "  --log-format FORMAT   kv (default) or json\n"
			    "  --help, --version\n";

enum { EXIT_USAGE = 2, CONFIG_SIZE_MAX = MANIFEST_SIZE_MAX };

static int64_t duration(const char *text)
{
	int64_t ns = 0;

	(void)str_duration(text, &ns); /* checked by the reader */
	return ns;
}

static void apply_file(struct config *c, const struct conf *f)
{
	struct utsname host;

	(void)uname(&host);
	(void)conf_parse_cidr(f->pod_cidr, &c->network.s_addr, &c->prefix);
	c->cgroup_root = f->cgroup_root;
	c->node_name = *f->node_name ? f->node_name : arena_strdup(c->arena, host.nodename);
	c->log_level = f->log_level;
	c->log_json = f->log_format == CONF_LOG_JSON;
	c->any_owner = f->manifest_owner == CONF_OWNER_ANY;
	c->allow_unenforced = f->allow_unenforced_limits;
	c->unsafe_sysctls = f->unsafe_sysctls;
	c->log_size = quantity_value(&f->log_max_size);
	c->log_files = f->log_max_files;
	c->pids_max = f->pids_limit;
	c->runtimes = f->runtimes;
	c->disk_period = duration(f->disk_period);
	c->backoff = (struct backoff_config){ duration(f->backoff.initial), duration(f->backoff.max), duration(f->backoff.reset) };
	if (!c->manifest_count)
		for (size_t i = 0; i < f->manifests.count; i++)
			c->manifests[c->manifest_count++] = f->manifests.items[i];
	if (!c->node_labels.count)
		c->node_labels = f->node_labels;
}

static void print_findings(const struct config *c, const struct manifest *findings)
{
	for (size_t i = 0; i < findings->diag_count; i++) {
		_cleanup_buf_ struct buf line = BUF_NULL;
		diag_print(&findings->diags[i], c->config_file, &line);
		(void)fprintf(stderr, "%s\n", buf_str(&line));
	}
}

/* Defaults come from the file's own table: without a file they are those of an empty one. */
static int read_file(struct config *c, bool required)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	_cleanup_(manifest_deinit) struct manifest findings = { 0 };
	struct conf f;
	int r = file_read(AT_FDCWD, c->config_file, CONFIG_SIZE_MAX, &text);

	if (r < 0 && (r != -ENOENT || required)) {
		(void)fprintf(stderr, "podd: reading %s: %s\n", c->config_file, strerror(-r));
		return r;
	}
	r = conf_read(c->arena, c->config_file, buf_str(&text), text.len, &findings, &f);
	print_findings(c, &findings);
	if (r == 0)
		apply_file(c, &f);
	return r;
}

static int parse_cidr(struct config *c, const char *text)
{
	return conf_parse_cidr(text, &c->network.s_addr, &c->prefix) ? 0 : -EINVAL;
}

static int add_label(struct config *c, const char *text)
{
	const char *equals = strchr(text, '=');

	if (!equals || equals == text || c->node_labels.count == CONF_LABELS_MAX)
		return -EINVAL;
	if (!c->node_labels.items)
		c->node_labels.items = arena_new_array(c->arena, struct label, CONF_LABELS_MAX);
	c->node_labels.items[c->node_labels.count++] = (struct label){
		.name = arena_strndup(c->arena, text, (size_t)(equals - text)),
		.value = arena_strdup(c->arena, equals + 1),
	};
	return 0;
}

static int parse_root(struct config *c, const char *text)
{
	if (text[0] != '/')
		return -EINVAL;
	char *root = arena_strdup(c->arena, text);
	for (size_t n = strlen(root); n > 1 && root[n - 1] == '/'; n--)
		root[n - 1] = '\0';
	c->root = root;
	return 0;
}

static int add_manifests(struct config *c, const char *dir)
{
	if (c->manifest_count == CONF_DIRS_MAX)
		return -E2BIG;
	c->manifests[c->manifest_count++] = dir;
	return 0;
}

enum option_key {
	OPT_ROOT = 256,
	OPT_CONFIG,
	OPT_MANIFESTS,
	OPT_CIDR,
	OPT_CGROUP,
	OPT_DRAIN,
	OPT_NODE,
	OPT_LABEL,
	OPT_LEVEL,
	OPT_FORMAT,
	OPT_HELP,
	OPT_VERSION
};

static const struct option options[] = {
	{ "root", required_argument, NULL, OPT_ROOT },
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "manifests", required_argument, NULL, OPT_MANIFESTS },
	{ "pod-cidr", required_argument, NULL, OPT_CIDR },
	{ "cgroup-root", required_argument, NULL, OPT_CGROUP },
	{ "node-name", required_argument, NULL, OPT_NODE },
	{ "drain", no_argument, NULL, OPT_DRAIN },
	{ "node-label", required_argument, NULL, OPT_LABEL },
	{ "log-level", required_argument, NULL, OPT_LEVEL },
	{ "log-format", required_argument, NULL, OPT_FORMAT },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ 0 },
};

static int parse_format(struct config *c, const char *text)
{
	if (!streq(text, "kv") && !streq(text, "json"))
		return -EINVAL;
	c->log_json = streq(text, "json");
	return 0;
}

static int parse_cgroup_root(struct config *c, const char *text)
{
	if (!conf_is_cgroup(text))
		return -EINVAL;
	c->cgroup_root = text;
	return 0;
}

/* What the file is found by, and the lists, of which the file's are only taken if there are none. */
static int parse_early(struct config *c, int key, const char *text)
{
	switch (key) {
	case OPT_ROOT:
		return parse_root(c, text);
	case OPT_CONFIG:
		c->config_file = text;
		return 0;
	case OPT_MANIFESTS:
		return add_manifests(c, text);
	case OPT_LABEL:
		return add_label(c, text);
	}
	return 0;
}

/* What stands over the file. */
static int parse_late(struct config *c, int key, const char *text)
{
	switch (key) {
	case OPT_CIDR:
		return parse_cidr(c, text);
	case OPT_CGROUP:
		return parse_cgroup_root(c, text);
	case OPT_DRAIN:
		c->drain = true;
		return 0;
	case OPT_NODE:
		c->node_name = text;
		return 0;
	case OPT_LEVEL:
		return log_level_parse(text, &c->log_level);
	case OPT_FORMAT:
		return parse_format(c, text);
	}
	return 0;
}

/* Two podds with different roots live side by side: what is global on a host (tables, links) carries the root's tag. */
static void set_tag(struct config *c)
{
	char hex[SHA256_HEX_SIZE];

	sha256_hex(c->root, strlen(c->root), hex);
	c->tag = streq(c->root, "/") ? "podd" : arena_printf(c->arena, "podd_%.8s", hex);
}

static int parse_command_line(int argc, char **argv, int (*parse)(struct config *, int, const char *), struct config *c)
{
	optind = 0; /* glibc: from the start */
	for (int key; (key = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (key == OPT_HELP) {
			(void)fputs(usage, stdout);
			return EXIT_SUCCESS;
		}
		if (key == OPT_VERSION) {
			(void)puts("podd " PODD_VERSION);
			return EXIT_SUCCESS;
		}
		if (key == '?')
			return EXIT_USAGE;
		if (parse(c, key, optarg) < 0) {
			(void)fprintf(stderr, "podd: invalid value '%s'; see podd --help\n", optarg);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		(void)fprintf(stderr, "podd: unexpected argument '%s'; see podd --help\n", argv[optind]);
		return EXIT_USAGE;
	}
	return -1;
}

static int load(int argc, char **argv, struct config *c)
{
	int code = parse_command_line(argc, argv, parse_early, c);

	if (code >= 0)
		return code;
	set_tag(c);
	bool given = c->config_file;
	if (!given)
		c->config_file = config_path(c, "/etc/podd/podd.yaml");
	if (read_file(c, given) < 0)
		return EXIT_FAILURE;
	code = parse_command_line(argc, argv, parse_late, c);
	if (code < 0 && c->manifest_count == 0)
		c->manifests[c->manifest_count++] = config_path(c, "/etc/pods");
	return code;
}

int config_load(int argc, char **argv, struct config *ret)
{
	struct config c = { .arena = arena_new(), .argc = argc, .argv = argv, .root = "/" };
	int code = load(argc, argv, &c);

	if (code >= 0)
		config_deinit(&c);
	else
		*ret = c;
	return code;
}

static bool same_strings(const struct string_list *a, const struct string_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!streq(a->items[i], b->items[i]))
			return false;
	return true;
}

static bool same_runtimes(const struct conf_runtime_list *a, const struct conf_runtime_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!streq(a->items[i].name, b->items[i].name) || !streq(a->items[i].path, b->items[i].path) ||
		    !same_strings(&a->items[i].options, &b->items[i].options))
			return false;
	return true;
}

static bool same_lists(const struct config *a, const struct config *b)
{
	if (a->manifest_count != b->manifest_count)
		return false;
	for (size_t i = 0; i < a->manifest_count; i++)
		if (!streq(a->manifests[i], b->manifests[i]))
			return false;
	return same_strings(&a->unsafe_sysctls, &b->unsafe_sysctls) && same_runtimes(&a->runtimes, &b->runtimes);
}

static void take_labels(struct config *c, const struct label_list *from)
{
	struct label_list to = { arena_new_array(c->arena, struct label, from->count), from->count };

	for (size_t i = 0; i < from->count; i++)
		to.items[i] =
			(struct label){ arena_strdup(c->arena, from->items[i].name), arena_strdup(c->arena, from->items[i].value) };
	c->node_labels = to;
}

int config_reload(struct config *c, bool *ret_rest_differs)
{
	struct config new;

	if (config_load(c->argc, c->argv, &new) >= 0)
		return -EBADMSG;
	*ret_rest_differs = new.network.s_addr != c->network.s_addr || new.prefix != c->prefix ||
	                    !streq0(new.cgroup_root, c->cgroup_root) || !streq0(new.node_name, c->node_name) ||
	                    new.backoff.initial != c->backoff.initial || new.backoff.max != c->backoff.max ||
	                    new.backoff.reset != c->backoff.reset || !same_lists(&new, c);
	c->log_level = new.log_level;
	c->log_json = new.log_json;
	c->any_owner = new.any_owner;
	c->allow_unenforced = new.allow_unenforced;
	c->log_size = new.log_size;
	c->log_files = new.log_files;
	c->pids_max = new.pids_max;
	c->disk_period = new.disk_period;
	take_labels(c, &new.node_labels);
	config_deinit(&new);
	return 0;
}

void config_deinit(struct config *c)
{
	c->arena = arena_free(c->arena);
}

const char *config_path(const struct config *c, const char *path)
{
	return streq(c->root, "/") ? path : arena_printf(c->arena, "%s%s", c->root, path);
}
