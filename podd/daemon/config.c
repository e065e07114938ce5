#include "daemon/config.h"
#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/utsname.h>
#include "base/alloc.h"
#include "base/sha256.h"
#include "base/str.h"

static const char usage[] =
	"Usage: podd [OPTION]...\n"
	"Runs the pods whose manifests are in a directory.\n"
	"\n"
	"  --root DIR            prefix of podd's own paths (default /)\n"
	"  --config FILE         configuration (default ROOT/etc/podd/podd.yaml)\n"
	"  --manifests DIR       manifest directory; may be repeated (default ROOT/etc/pods)\n"
	"  --pod-cidr V4         addresses of the pods (default 10.88.0.0/16)\n"
	"  --cgroup-root NAME    cgroup of all pods (default podd)\n"
	"  --node-name NAME      default: the host's name\n"
	"  --node-label K=V      label of this node; may be repeated\n"
	"  --log-level LEVEL     error, warning, info (default) or debug\n"
	"  --log-format FORMAT   kv (default) or json\n"
	"  --help, --version\n";

enum { EXIT_USAGE = 2 };

static void defaults(struct config *c)
{
	struct utsname host;

	*c = (struct config){
		.arena = arena_new(),
		.root = "/",
		.cgroup_root = "podd",
		.network = { htonl(0x0a580000) }, /* 10.88.0.0 */
		.prefix = 16,
		.log_level = LOG_LEVEL_INFO,
		.log_size = 10 << 20,
		.log_files = 5,
		.pids_max = 4096,
		.backoff = BACKOFF_DEFAULT,
	};
	(void)uname(&host);
	c->node_name = arena_strdup(c->arena, host.nodename);
}

static int parse_cidr(struct config *c, const char *text)
{
	_cleanup_free_ char *address = xstrdup(text);
	char *slash = strchr(address, '/');
	int64_t prefix;

	if (!slash)
		return -EINVAL;
	*slash = '\0';
	if (inet_pton(AF_INET, address, &c->network) != 1 || str_int(slash + 1, 8, 30, &prefix) < 0)
		return -EINVAL;
	c->prefix = (unsigned)prefix;
	return c->network.s_addr & htonl(0xffffffffU >> prefix) ? -EINVAL : 0;
}

static int add_label(struct config *c, const char *text)
{
	const char *equals = strchr(text, '=');

	if (!equals || equals == text || c->node_labels.count == CONFIG_LABELS_MAX)
		return -EINVAL;
	if (!c->node_labels.items)
		c->node_labels.items = arena_new_array(c->arena, struct label, CONFIG_LABELS_MAX);
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
	if (c->manifest_count == CONFIG_DIRS_MAX)
		return -E2BIG;
	c->manifests[c->manifest_count++] = dir;
	return 0;
}

enum option_key { OPT_ROOT = 256, OPT_CONFIG, OPT_MANIFESTS, OPT_CIDR, OPT_CGROUP, OPT_NODE, OPT_LABEL, OPT_LEVEL, OPT_FORMAT, OPT_HELP, OPT_VERSION };

static const struct option options[] = {
	{ "root", required_argument, NULL, OPT_ROOT },         { "config", required_argument, NULL, OPT_CONFIG },
	{ "manifests", required_argument, NULL, OPT_MANIFESTS }, { "pod-cidr", required_argument, NULL, OPT_CIDR },
	{ "cgroup-root", required_argument, NULL, OPT_CGROUP }, { "node-name", required_argument, NULL, OPT_NODE },
	{ "node-label", required_argument, NULL, OPT_LABEL },  { "log-level", required_argument, NULL, OPT_LEVEL },
	{ "log-format", required_argument, NULL, OPT_FORMAT }, { "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },         { 0 },
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
	if (!*text || text[0] == '/' || strstr(text, ".."))
		return -EINVAL;
	c->cgroup_root = text;
	return 0;
}

static int parse_option(struct config *c, int key, const char *text)
{
	switch (key) {
	case OPT_ROOT:
		return parse_root(c, text);
	case OPT_CONFIG:
		c->config_file = text;
		return 0;
	case OPT_MANIFESTS:
		return add_manifests(c, text);
	case OPT_CIDR:
		return parse_cidr(c, text);
	case OPT_CGROUP:
		return parse_cgroup_root(c, text);
	case OPT_NODE:
		c->node_name = text;
		return 0;
	case OPT_LABEL:
		return add_label(c, text);
	case OPT_LEVEL:
		return log_level_parse(text, &c->log_level);
	case OPT_FORMAT:
		return parse_format(c, text);
	}
	return -EINVAL;
}

/* Two podds with different roots live side by side: what is global on a host (tables, links) carries the root's tag. */
static void set_tag(struct config *c)
{
	char hex[SHA256_HEX_SIZE];

	sha256_hex(c->root, strlen(c->root), hex);
	c->tag = streq(c->root, "/") ? "podd" : arena_printf(c->arena, "podd_%.8s", hex);
}

static int parse_command_line(int argc, char **argv, struct config *c)
{
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
		if (parse_option(c, key, optarg) < 0) {
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

int config_load(int argc, char **argv, struct config *ret)
{
	struct config c;

	defaults(&c);
	int code = parse_command_line(argc, argv, &c);
	if (code >= 0) {
		config_deinit(&c);
		*ret = c;
		return code;
	}
	set_tag(&c);
	if (!c.config_file)
		c.config_file = config_path(&c, "/etc/podd/podd.yaml");
	if (c.manifest_count == 0)
		c.manifests[c.manifest_count++] = config_path(&c, "/etc/pods");
	*ret = c;
	return -1;
}

void config_deinit(struct config *c)
{
	c->arena = arena_free(c->arena);
}

const char *config_path(const struct config *c, const char *path)
{
	return streq(c->root, "/") ? path : arena_printf(c->arena, "%s%s", c->root, path);
}
