/* Rules inside a container. */
#include "manifest/check.h"
#include "manifest/rules_node.h"

/* --- environment --------------------------------------------------------------------------------------------------------------- */

static const char *const env_sources[] = { "fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef", NULL };

void rule_env_source(struct decoder *d, const struct node *n)
{
	(void)rule_one_of(d, n, env_sources, "take one source");
}

void rule_env(struct decoder *d, const struct node *n)
{
	if (node_string(n, "value") && node_present(n, "valueFrom"))
		rule_find(d, n, "valueFrom", "remove one of the two",
		          "Invalid value: \"\": may not be specified when `value` is not empty");
}

void rule_env_from(struct decoder *d, const struct node *n)
{
	static const char *const sources[] = { "configMapRef", "secretRef", NULL };

	(void)rule_one_of(d, n, sources, "take one source; make two items of two");
}

static bool among(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (streq(word, *words))
			return true;
	return false;
}

/* metadata.labels['app']: the key inside, or NULL. */
static const char *subscript(struct decoder *d, const char *path, const char *map)
{
	const char *rest = str_after(path, map), *key = rest ? str_after(rest, "['") : NULL;

	return key && str_ends(key, "']") ? arena_strndup(d->m->arena, key, strlen(key) - 2) : NULL;
}

static void check_field_path(struct decoder *d, const struct node *n, const char *const *supported)
{
	const char *path = node_string(n, "fieldPath");
	struct finding found;

	if (!path || among(path, supported))
		return;
	const char *label = subscript(d, path, "metadata.labels"), *annotation = subscript(d, path, "metadata.annotations");
	const char *key = label ? label : annotation;
	if (key && check_qualified_name(key, d->m->arena, &found))
		return;
	if (key) {
		rule_find(d, n, "fieldPath", found.hint, "%s", found.text);
		return;
	}
	_cleanup_buf_ struct buf names = BUF_NULL;
	for (const char *const *s = supported; *s; s++)
		buf_printf(&names, "\"%s\", ", *s);
	rule_find(d, n, "fieldPath", "or metadata.labels['KEY'], metadata.annotations['KEY']",
	          "Unsupported value: \"%.*s\": supported values: %.*s", RULE_SHOWN_MAX, path, (int)names.len - 2, buf_str(&names));
}

void rule_field_env(struct decoder *d, const struct node *n)
{
	static const char *const supported[] = {
		"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
		"status.hostIP", "status.hostIPs",     "status.podIP", "status.podIPs", NULL
	};

	check_field_path(d, n, supported);
}

void rule_field_file(struct decoder *d, const struct node *n)
{
	static const char *const supported[] = { "metadata.name",        "metadata.namespace", "metadata.labels",
		                                 "metadata.annotations", "metadata.uid",       NULL };

	check_field_path(d, n, supported);
}

/* A divisor is a unit, not any number. */
static void check_divisor(struct decoder *d, const struct node *n, bool cpu)
{
	static const char *const cpu_units[] = { "0", "1m", "1", NULL };
	static const char *const byte_units[] = { "0",   "1",   "1k",  "1M",  "1G",  "1T",  "1P", "1E",
		                                  "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei", NULL };
	const struct node *value = node_get(n, "divisor");

	if (value && value->type == NODE_SCALAR && value->count && !among(value->text, cpu ? cpu_units : byte_units))
		rule_find(d, n, "divisor", NULL, "Unsupported value: \"%.*s\": supported values: %s", RULE_SHOWN_MAX, value->text,
		          cpu ? "\"1m\", \"1\"" : "\"1\", \"1k\", \"1M\", \"1G\", \"1Ki\", \"1Mi\", \"1Gi\" and so on");
}

void rule_resource_selector(struct decoder *d, const struct node *n)
{
	static const char *const supported[] = { "limits.cpu",
		                                 "limits.memory",
		                                 "limits.ephemeral-storage",
		                                 "requests.cpu",
		                                 "requests.memory",
		                                 "requests.ephemeral-storage",
		                                 NULL };
	const char *resource = node_string(n, "resource");

	if (!resource)
		return;
	if (!among(resource, supported) && !str_after(resource, "limits.hugepages-") && !str_after(resource, "requests.hugepages-"))
		rule_find(d, n, "resource", NULL,
		          "Unsupported value: \"%.*s\": supported values: limits.cpu, limits.memory, limits.ephemeral-storage, "
		          "requests.cpu, requests.memory, requests.ephemeral-storage",
		          RULE_SHOWN_MAX, resource);
	else
		check_divisor(d, n, str_ends(resource, ".cpu"));
}

/* --- mounts ---------------------------------------------------------------------------------------------------------------------- */

void rule_mount(struct decoder *d, const struct node *n)
{
	const char *recursive = node_string(n, "recursiveReadOnly"), *propagation = node_string(n, "mountPropagation");

	if (node_string(n, "subPath") && node_string(n, "subPathExpr"))
		rule_find(d, n, "subPathExpr", "remove one of the two",
		          "Invalid value: subPathExpr and subPath are mutually exclusive");
	if (!recursive || streq(recursive, "Disabled"))
		return;
	if (!node_flag(n, "readOnly"))
		rule_find(d, n, "recursiveReadOnly", "set readOnly: true",
		          "Forbidden: may only be specified when readOnly is true");
	if (propagation && !streq(propagation, "None"))
		rule_find(d, n, "recursiveReadOnly", "leave mountPropagation out",
		          "Forbidden: may only be specified when mountPropagation is None or not specified");
}

void rule_devices(struct decoder *d, const struct node *n)
{
	rule_unique(d, n, "name", "Invalid value: must be unique");
	rule_unique(d, n, "devicePath", "Invalid value: must be unique");
}

/* Only a container that has all of the host may show it its mounts. */
static void check_propagation(struct decoder *d, const struct node *n)
{
	const struct node *mounts = node_member(n, "volumeMounts"), *security = node_get(n, "securityContext");

	if (!mounts || mounts->type != NODE_SEQUENCE || (security && node_flag(security, "privileged")))
		return;
	path_key(&d->path, "volumeMounts");
	for (size_t i = 0; i < mounts->count; i++) {
		path_index(&d->path, i);
		if (streq0(node_string(mounts->items[i], "mountPropagation"), "Bidirectional"))
			rule_find(d, mounts->items[i], "mountPropagation", "use HostToContainer",
			          "Forbidden: Bidirectional mount propagation is available only to privileged containers");
		path_pop(&d->path);
	}
	path_pop(&d->path);
}

/* One path may be a mount or a device, not both. */
static void check_device_paths(struct decoder *d, const struct node *n)
{
	const struct node *mounts = node_member(n, "volumeMounts"), *devices = node_member(n, "volumeDevices");

	if (!mounts || !devices || mounts->type != NODE_SEQUENCE || devices->type != NODE_SEQUENCE ||
	    devices->count > RULE_ITEMS_MAX)
		return;
	path_key(&d->path, "volumeDevices");
	for (size_t i = 0; i < devices->count; i++) {
		const char *path = node_string(devices->items[i], "devicePath");
		path_index(&d->path, i);
		for (size_t j = 0; path && j < mounts->count && j < RULE_ITEMS_MAX; j++)
			if (streq0(path, node_string(mounts->items[j], "mountPath"))) {
				rule_find(d, devices->items[i], "devicePath", NULL,
				          "Invalid value: \"%.*s\": must not already exist as a path in volumeMounts",
				          RULE_SHOWN_MAX, path);
				break;
			}
		path_pop(&d->path);
	}
	path_pop(&d->path);
}

/* --- probes and hooks -------------------------------------------------------------------------------------------------------------- */

/* Of a probe, which may be by gRPC, and of a hook, which may sleep. */
void rule_one_handler(struct decoder *d, const struct node *n)
{
	static const char *const probe[] = { "exec", "httpGet", "tcpSocket", "grpc", NULL };
	static const char *const hook[] = { "exec", "httpGet", "tcpSocket", "sleep", NULL };

	(void)rule_one_of(d, n,
	                  d->schemas[d->schema_depth - 1] == schema_lookup("spec.containers.livenessProbe")->object ? probe : hook,
	                  "take one handler");
}

/* Liveness and startup. */
void rule_liveness(struct decoder *d, const struct node *n)
{
	int64_t successes;

	if (node_number(n, "successThreshold", &successes) && successes > 1)
		rule_find(d, n, "successThreshold", "leave it out", "Invalid value: %lld: must be 1", (long long)successes);
}

void rule_readiness(struct decoder *d, const struct node *n)
{
	if (node_present(n, "terminationGracePeriodSeconds"))
		rule_find(d, n, "terminationGracePeriodSeconds", "leave it out: a failed readiness probe stops nothing",
		          "Invalid value: must not be set for readinessProbes");
}

/* --- restarts ---------------------------------------------------------------------------------------------------------------------- */

void rule_resize_policy(struct decoder *d, const struct node *n)
{
	rule_unique(d, n, "resourceName", "Duplicate value");
}

void rule_restart_rules(struct decoder *d, const struct node *n)
{
	enum { RULES_MAX = 20 };

	if (n->type == NODE_SEQUENCE && n->count > RULES_MAX)
		rule_find(d, n, NULL, NULL, "Too long: must have at most %d items", RULES_MAX);
}

void rule_exit_codes(struct decoder *d, const struct node *n)
{
	enum { CODES_MAX = 255 };

	if (n->type == NODE_SEQUENCE && n->count > CODES_MAX)
		rule_find(d, n, NULL, NULL, "Too long: must have at most %d items", CODES_MAX);
}

/* --- security ------------------------------------------------------------------------------------------------------------------------ */

static bool check_localhost_profile(struct decoder *d, const struct node *n)
{
	const char *type = node_string(n, "type"), *profile = node_string(n, "localhostProfile");

	if (!type)
		return false;
	if (streq(type, "Localhost") && !profile)
		rule_find(d, n, "localhostProfile", NULL, "Required value: must be set when type is Localhost");
	if (!streq(type, "Localhost") && node_present(n, "localhostProfile"))
		rule_find(d, n, "localhostProfile", "leave it out", "Invalid value: can only be set when type is Localhost");
	return streq(type, "Localhost") && profile;
}

void rule_seccomp(struct decoder *d, const struct node *n)
{
	(void)check_localhost_profile(d, n);
}

void rule_app_armor(struct decoder *d, const struct node *n)
{
	const char *profile = node_string(n, "localhostProfile");

	if (!check_localhost_profile(d, n))
		return;
	if (profile[0] == ' ' || str_ends(profile, " "))
		rule_find(d, n, "localhostProfile", NULL, "Invalid value: must not be padded with whitespace");
	if (strlen(profile) > PATH_TEXT_MAX)
		rule_find(d, n, "localhostProfile", NULL, "Too long: may not be more than %d bytes", PATH_TEXT_MAX);
}

/* --- the container --------------------------------------------------------------------------------------------------------------- */

/* What Always asks of a registry, whether the tag has moved, nobody could answer. */
void rule_pull_policy(struct decoder *d, const struct node *n, const char *image_member, const char *policy_member)
{
	const char *image = node_string(n, image_member), *policy = node_string(n, policy_member);

	if (!image || !policy || !streq(policy, "Always") || strstr(image, ":/"))
		return;
	path_key(&d->path, policy_member);
	decoder_find(d, SEVERITY_REFUSED, node_get(n, policy_member), "take IfNotPresent; podctl import brings a newer image",
	             "pulling from registries is not yet supported by this podd");
	path_pop(&d->path);
}

void rule_container(struct decoder *d, const struct node *n)
{
	rule_pull_policy(d, n, "image", "imagePullPolicy");
	check_propagation(d, n);
	check_device_paths(d, n);
	if (node_member(n, "restartPolicyRules") && !node_string(n, "restartPolicy"))
		rule_find(d, n, "restartPolicy", "set restartPolicy beside the rules",
		          "Required value: must specify restartPolicy when restart rules are used");
}

/* Those that run to their end before the others start can't be probed, nor have hooks. */
void rule_init_containers(struct decoder *d, const struct node *n)
{
	static const char *const members[] = { "livenessProbe", "readinessProbe", "startupProbe", "lifecycle" };

	for (size_t i = 0; n->type == NODE_SEQUENCE && i < n->count; i++) {
		const struct node *c = n->items[i];
		if (streq0(node_string(c, "restartPolicy"), "Always"))
			continue;
		path_index(&d->path, i);
		for (size_t j = 0; j < ARRAY_SIZE(members); j++)
			if (node_present(c, members[j]))
				rule_find(d, c, members[j], "with restartPolicy: Always it is a sidecar, and may have it",
				          "Forbidden: may not be set for init containers without restartPolicy=Always");
		if (node_member(c, "resizePolicy"))
			rule_find(d, c, "resizePolicy", "with restartPolicy: Always it is a sidecar, and may have it",
			          "Invalid value: must not be set for init containers");
		path_pop(&d->path);
	}
}
