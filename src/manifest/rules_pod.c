/* Rules over the pod's spec and what a scheduler reads. */
#include "manifest/check.h"
#include "manifest/rules_node.h"

/* --- DNS, claims, resources ------------------------------------------------------------------------------------------------------- */

void rule_dns_config(struct decoder *d, const struct node *n)
{
	enum { SERVERS_MAX = 3, SEARCHES_MAX = 32, SEARCHES_SIZE_MAX = 2048 };
	const struct node *servers = node_member(n, "nameservers"), *searches = node_member(n, "searches");
	size_t size = 0;

	if (servers && servers->count > SERVERS_MAX)
		rule_find(d, n, "nameservers", NULL, "Invalid value: must not have more than %d nameservers", SERVERS_MAX);
	if (!searches || searches->type != NODE_SEQUENCE)
		return;
	if (searches->count > SEARCHES_MAX)
		rule_find(d, n, "searches", NULL, "Invalid value: must not have more than %d search paths", SEARCHES_MAX);
	for (size_t i = 0; i < searches->count; i++)
		size += (searches->items[i]->type == NODE_SCALAR ? searches->items[i]->count : 0) + (i > 0);
	if (size > SEARCHES_SIZE_MAX)
		rule_find(d, n, "searches", NULL, "Invalid value: must not have more than %d characters (including spaces)",
		          SEARCHES_SIZE_MAX);
}

void rule_dns_policy(struct decoder *d, const struct node *n)
{
	const char *text = node_text(n);

	if (text && str_after(text, "ClusterFirst"))
		decoder_find(d, SEVERITY_NOTICE, n, NULL, "there is no cluster: name servers are the host's, as with Default");
}

void rule_pod_claim(struct decoder *d, const struct node *n)
{
	static const char *const members[] = { "resourceClaimName", "resourceClaimTemplateName", NULL };

	(void)rule_one_of(d, n, members, "take one of the two");
}

static bool quantity_of(const struct node *list, const char *name, struct quantity *ret)
{
	const struct node *value = list ? node_get(list, name) : NULL;

	return value && value->type == NODE_SCALAR && quantity_parse(value->text, ret) == 0;
}

/* requests <= limits */
static void check_requests(struct decoder *d, const struct node *n)
{
	static const char *const names[] = { "cpu", "memory" };
	const struct node *limits = node_member(n, "limits"), *requests = node_member(n, "requests");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct quantity limit, request;
		if (!quantity_of(limits, names[i], &limit) || !quantity_of(requests, names[i], &request) ||
		    request.nano <= limit.nano)
			continue;
		path_key(&d->path, "requests");
		rule_find(d, requests, names[i], NULL, "Invalid value: must be less than or equal to %s limit", names[i]);
		path_pop(&d->path);
	}
}

/* The containers' rules hold for the pod's own limits. */
void rule_pod_resources(struct decoder *d, const struct node *n)
{
	static const char *const lists[] = { "limits", "requests" };

	check_requests(d, n);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct node *list = node_get(n, lists[i]);
		path_key(&d->path, lists[i]);
		if (list && node_present(list, "ephemeral-storage"))
			rule_find(
				d, list, "ephemeral-storage", "give it to the containers",
				"Unsupported value: \"ephemeral-storage\": supported values: \"cpu\", \"hugepages-\", \"memory\"");
		path_pop(&d->path);
	}
	if (node_member(n, "claims"))
		rule_find(d, n, "claims", "leave it out", "Forbidden: claims cannot be set for Resources at pod-level");
}

static __int128 request_of(const struct node *container, const char *name, __int128 most)
{
	const struct node *r = node_get(container, "resources"), *requests = r ? node_get(r, "requests") : NULL;
	struct quantity q;

	return !quantity_of(requests, name, &q) || q.nano < 0 ? 0 : q.nano > most ? most + 1 : q.nano;
}

/* As Kubernetes adds it up: sidecars run beside all that begin after them, an init container beside the sidecars before it. Amounts
 * beyond `most` count as little more, so that no sum overflows. */
static __int128 aggregate_requests(const struct node *spec, const char *name, __int128 most)
{
	const struct node *inits = node_member(spec, "initContainers"), *members = node_member(spec, "containers");
	__int128 sidecars = 0, greatest = 0, sum = 0;

	for (size_t i = 0; inits && inits->type == NODE_SEQUENCE && i < inits->count && i < RULE_ITEMS_MAX; i++) {
		__int128 own = request_of(inits->items[i], name, most);
		if (streq0(node_string(inits->items[i], "restartPolicy"), "Always"))
			sidecars += own;
		else if (sidecars + own > greatest)
			greatest = sidecars + own;
	}
	for (size_t i = 0; members && members->type == NODE_SEQUENCE && i < members->count && i < RULE_ITEMS_MAX; i++)
		sum += request_of(members->items[i], name, most);
	return sidecars + sum > greatest ? sidecars + sum : greatest;
}

/* The pod can't ask for less than its containers do. */
static void check_pod_requests(struct decoder *d, const struct node *spec)
{
	static const char *const names[] = { "cpu", "memory", "hugepages-2Mi", "hugepages-1Gi" };
	const struct node *own = node_member(spec, "resources"), *requests = own ? node_member(own, "requests") : NULL;

	for (size_t i = 0; requests && i < ARRAY_SIZE(names); i++) {
		struct quantity pod;
		if (!quantity_of(requests, names[i], &pod) || aggregate_requests(spec, names[i], pod.nano) <= pod.nano)
			continue;
		path_key(&d->path, "resources");
		path_key(&d->path, "requests");
		rule_find(d, requests, names[i], NULL,
		          "Invalid value: must be greater than or equal to aggregate container requests");
		path_pop(&d->path);
		path_pop(&d->path);
	}
}

/* Nor may a member use more than the pod. */
static void check_pod_limits(struct decoder *d, const struct node *spec, const struct node *container)
{
	static const char *const names[] = { "cpu", "memory" };
	const struct node *own = node_get(spec, "resources"), *pod_limits = own ? node_member(own, "limits") : NULL;
	const struct node *r = node_get(container, "resources"), *limits = r ? node_member(r, "limits") : NULL;
	struct quantity pod, member;

	path_key(&d->path, "resources");
	path_key(&d->path, "limits");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (quantity_of(pod_limits, names[i], &pod) && quantity_of(limits, names[i], &member) && member.nano > pod.nano)
			rule_find(d, limits, names[i], NULL, "Invalid value: must be less than or equal to the pod's limit");
	path_pop(&d->path);
	path_pop(&d->path);
}

/* --- scheduling -------------------------------------------------------------------------------------------------------------------- */

/* key, operator, values: of a label selector and of a node's. */
void rule_requirement(struct decoder *d, const struct node *n)
{
	const char *op = node_string(n, "operator");
	const struct node *values = node_member(n, "values");

	if (!op)
		return;
	bool set = streq(op, "In") || streq(op, "NotIn"), one = streq(op, "Gt") || streq(op, "Lt");
	if (set && !values)
		rule_find(d, n, "values", NULL, "Required value: must be specified when `operator` is 'In' or 'NotIn'");
	if (one && (!values || values->count != 1))
		rule_find(d, n, "values", NULL, "Required value: must be specified single value when `operator` is 'Lt' or 'Gt'");
	if (!set && !one && values)
		rule_find(d, n, "values", "leave it out",
		          "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
}

/* A machine is known by its name alone. */
void rule_match_fields(struct decoder *d, const struct node *n)
{
	for (size_t i = 0; n->type == NODE_SEQUENCE && i < n->count; i++) {
		const char *key = node_string(n->items[i], "key"), *op = node_string(n->items[i], "operator");
		const struct node *values = node_member(n->items[i], "values");
		path_index(&d->path, i);
		if (key && !streq(key, "metadata.name"))
			rule_find(d, n->items[i], "key", "use metadata.name",
			          "Invalid value: \"%.*s\": not a valid field selector key", RULE_SHOWN_MAX, key);
		if (op && !streq(op, "In") && !streq(op, "NotIn"))
			rule_find(d, n->items[i], "operator", NULL, "Invalid value: \"%.*s\": not a valid selector operator",
			          RULE_SHOWN_MAX, op);
		if (values && values->count != 1)
			rule_find(d, n->items[i], "values", NULL,
			          "Required value: must be only one value when `operator` is 'In' or 'NotIn'");
		path_pop(&d->path);
	}
}

void rule_toleration(struct decoder *d, const struct node *n)
{
	const char *op = node_string(n, "operator"), *value = node_string(n, "value"), *effect = node_string(n, "effect");
	struct finding found;

	if (!node_string(n, "key") && !streq0(op, "Exists"))
		rule_find(d, n, "operator", "use operator: Exists", "Invalid value: operator must be Exists when `key` is empty");
	if (streq0(op, "Exists") && value)
		rule_find(d, n, "value", "leave it out", "Invalid value: value must be empty when `operator` is 'Exists'");
	else if (value && !check_label_value(value, d->m->arena, &found))
		rule_find(d, n, "value", found.hint, "%s", found.text);
	if (node_present(n, "tolerationSeconds") && !streq0(effect, "NoExecute"))
		rule_find(d, n, "effect", NULL, "Invalid value: effect must be 'NoExecute' when `tolerationSeconds` is set");
}

void rule_topology_spread(struct decoder *d, const struct node *n)
{
	if (node_present(n, "minDomains") && !streq0(node_string(n, "whenUnsatisfiable"), "DoNotSchedule"))
		rule_find(d, n, "minDomains", NULL, "Invalid value: can only use minDomains if whenUnsatisfiable=DoNotSchedule");
	if (node_member(n, "matchLabelKeys") && !node_present(n, "labelSelector"))
		rule_find(d, n, "matchLabelKeys", NULL, "Forbidden: must not be specified when labelSelector is not set");
}

void rule_topology_spreads(struct decoder *d, const struct node *n)
{
	for (size_t i = 0; n->type == NODE_SEQUENCE && i < n->count && i < RULE_ITEMS_MAX; i++) {
		const char *key = node_string(n->items[i], "topologyKey"), *when = node_string(n->items[i], "whenUnsatisfiable");
		for (size_t j = 0; key && when && j < i; j++)
			if (streq0(node_string(n->items[j], "topologyKey"), key) &&
			    streq0(node_string(n->items[j], "whenUnsatisfiable"), when)) {
				rule_find_item(d, n, i, NULL, "Duplicate value: {%.*s, %.*s}", RULE_SHOWN_MAX, key, RULE_SHOWN_MAX,
				               when);
				break;
			}
	}
}

/* --- containers ---------------------------------------------------------------------------------------------------------------------- */

typedef void check_container(struct decoder *d, const struct node *spec, const struct node *container);

/* At each of one list, as the place of what is found. */
static void each_of(struct decoder *d, const struct node *spec, const char *member, check_container *check)
{
	const struct node *list = node_member(spec, member);

	path_key(&d->path, member);
	for (size_t i = 0; list && list->type == NODE_SEQUENCE && i < list->count; i++) {
		path_index(&d->path, i);
		check(d, spec, list->items[i]);
		path_pop(&d->path);
	}
	path_pop(&d->path);
}

static void each_container(struct decoder *d, const struct node *spec, check_container *check)
{
	each_of(d, spec, "initContainers", check);
	each_of(d, spec, "containers", check);
}

static bool has_own_users(const struct node *spec)
{
	return node_present(spec, "hostUsers") && !node_flag(spec, "hostUsers");
}

/* An unmasked /proc is for pods with users of their own. */
static void check_proc_mount(struct decoder *d, const struct node *spec, const struct node *container)
{
	const struct node *security = node_get(container, "securityContext");

	if (has_own_users(spec) || !security || !streq0(node_string(security, "procMount"), "Unmasked"))
		return;
	path_key(&d->path, "securityContext");
	rule_find(d, security, "procMount", "set hostUsers: false",
	          "Invalid value: \"Unmasked\": `hostUsers` must be false to use `Unmasked`");
	path_pop(&d->path);
}

/* Nothing restarts the containers of a pod with restartPolicy: Never. */
static void check_resize_policy(struct decoder *d, const struct node *spec, const struct node *container)
{
	const struct node *policies = node_member(container, "resizePolicy");

	path_key(&d->path, "resizePolicy");
	for (size_t i = 0; policies && policies->type == NODE_SEQUENCE && i < policies->count; i++)
		if (streq0(node_string(spec, "restartPolicy"), "Never") &&
		    streq0(node_string(policies->items[i], "restartPolicy"), "RestartContainer"))
			rule_find_item(d, policies, i, "use NotRequired",
			               "Invalid value: must be 'NotRequired' when the pod's `restartPolicy` is 'Never'");
	path_pop(&d->path);
}

/* A hook that sleeps longer than the grace period would be killed asleep. */
static void check_sleep(struct decoder *d, const struct node *spec, const struct node *container)
{
	static const char *const steps[] = { "lifecycle", "preStop", "sleep" };
	const struct node *sleep = container;
	int64_t grace = 30, seconds;

	for (size_t i = 0; sleep && i < ARRAY_SIZE(steps); i++)
		sleep = node_get(sleep, steps[i]);
	(void)node_number(spec, "terminationGracePeriodSeconds", &grace);
	if (!sleep || !node_number(sleep, "seconds", &seconds) || seconds <= grace)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		path_key(&d->path, steps[i]);
	rule_find(d, sleep, "seconds", "raise terminationGracePeriodSeconds",
	          "Invalid value: %lld: must be non-negative and less than terminationGracePeriodSeconds (%lld)",
	          (long long)seconds, (long long)grace);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		path_pop(&d->path);
}

#define NOT_WITH_RUNTIME "Forbidden: not with `runtimeClassName`"

/* What podd-launch does for a container, and can't have a runtime do. */
static void check_runtime_container(struct decoder *d, const struct node *spec _unused_, const struct node *container)
{
	const struct node *security = node_get(container, "securityContext"), *mounts = node_member(container, "volumeMounts");

	if (node_flag(container, "tty"))
		rule_find(d, container, "tty", "leave it out; podctl exec -it has a terminal", NOT_WITH_RUNTIME);
	path_key(&d->path, "securityContext");
	if (security && node_flag(security, "privileged"))
		rule_find(d, security, "privileged", "add the capabilities it needs", NOT_WITH_RUNTIME);
	path_pop(&d->path);
	path_key(&d->path, "volumeMounts");
	for (size_t i = 0; mounts && mounts->type == NODE_SEQUENCE && i < mounts->count; i++)
		if (streq0(node_string(mounts->items[i], "mountPropagation"), "Bidirectional"))
			rule_find_item(d, mounts, i, "use HostToContainer",
			               "Forbidden: `mountPropagation` Bidirectional, not with `runtimeClassName`");
	path_pop(&d->path);
}

static void check_runtime(struct decoder *d, const struct node *n)
{
	const struct node *volumes = node_member(n, "volumes");
	const char *class = node_string(n, "runtimeClassName");

	if (!class || !*class)
		return;
	if (node_present(n, "hostUsers") && !node_flag(n, "hostUsers"))
		rule_find(d, n, "hostUsers", "remove one of the two", NOT_WITH_RUNTIME);
	if (node_flag(n, "shareProcessNamespace"))
		rule_find(d, n, "shareProcessNamespace", "remove one of the two", NOT_WITH_RUNTIME);
	each_container(d, n, check_runtime_container);
	path_key(&d->path, "volumes");
	for (size_t i = 0; volumes && volumes->type == NODE_SEQUENCE && i < volumes->count; i++) {
		const struct node *path = node_get(volumes->items[i], "hostPath");
		const char *type = path ? node_string(path, "type") : NULL;
		if (streq0(type, "CharDevice") || streq0(type, "BlockDevice"))
			rule_find_item(d, volumes, i, "let podd itself run the pod",
			               "Forbidden: a device, not with `runtimeClassName`: the runtime closes it");
	}
	path_pop(&d->path);
}

/* --- the spec ------------------------------------------------------------------------------------------------------------------------ */

enum { OWN_ID_MAX = 65535 };

static void check_own_id(struct decoder *d, const struct node *id)
{
	struct scalar s;

	if (!id || id->type != NODE_SCALAR)
		return;
	scalar_resolve(id, &s);
	if ((s.type == SCALAR_INT || (s.type == SCALAR_FLOAT && s.whole)) && s.integer > OWN_ID_MAX)
		decoder_find(d, SEVERITY_REFUSED, id, "take a lower one, or leave hostUsers out",
		             "with `hostUsers: false` ids above %d are not supported by podd", OWN_ID_MAX);
}

/* Nobody can become what the pod's map of ids does not have. */
static void check_own_ids(struct decoder *d, const struct node *spec _unused_, const struct node *holder)
{
	static const char *const members[] = { "runAsUser", "runAsGroup", "fsGroup" };
	const struct node *security = node_get(holder, "securityContext");
	const struct node *groups = security ? node_member(security, "supplementalGroups") : NULL;

	if (!security)
		return;
	path_key(&d->path, "securityContext");
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		path_key(&d->path, members[i]);
		check_own_id(d, node_get(security, members[i]));
		path_pop(&d->path);
	}
	path_key(&d->path, "supplementalGroups");
	for (size_t i = 0; groups && groups->type == NODE_SEQUENCE && i < groups->count; i++) {
		path_index(&d->path, i);
		check_own_id(d, groups->items[i]);
		path_pop(&d->path);
	}
	path_pop(&d->path);
	path_pop(&d->path);
}

/* A user namespace of the pod's own can't reach into namespaces of the host. */
static void check_host_users(struct decoder *d, const struct node *n)
{
	static const char *const namespaces[] = { "hostNetwork", "hostPID", "hostIPC" };

	if (!has_own_users(n))
		return;
	check_own_ids(d, n, n);
	each_container(d, n, check_own_ids);
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
		if (node_flag(n, namespaces[i]))
			rule_find(d, n, namespaces[i], "remove one of the two", "Forbidden: when `hostUsers` is false");
}

/* In the host's namespaces they would be the host's. */
static void check_sysctls(struct decoder *d, const struct node *n)
{
	static const char *const ipc[] = { "kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue." };
	const struct node *security = node_get(n, "securityContext"), *sysctls = security ? node_member(security, "sysctls") : NULL;

	path_key(&d->path, "securityContext");
	path_key(&d->path, "sysctls");
	for (size_t i = 0; sysctls && sysctls->type == NODE_SEQUENCE && i < sysctls->count; i++) {
		const char *name = node_string(sysctls->items[i], "name");
		bool of_ipc = false;
		for (size_t j = 0; name && j < ARRAY_SIZE(ipc); j++)
			of_ipc |= str_after(name, ipc[j]) != NULL;
		path_index(&d->path, i);
		if (name && node_flag(n, "hostNetwork") && (str_after(name, "net.") || str_after(name, "net/")))
			rule_find(d, sysctls->items[i], "name", NULL,
			          "Invalid value: \"%.*s\": may not be specified when 'hostNetwork' is true", RULE_SHOWN_MAX, name);
		if (of_ipc && node_flag(n, "hostIPC"))
			rule_find(d, sysctls->items[i], "name", NULL,
			          "Invalid value: \"%.*s\": may not be specified when 'hostIPC' is true", RULE_SHOWN_MAX, name);
		path_pop(&d->path);
	}
	path_pop(&d->path);
	path_pop(&d->path);
}

/* An init container may not be called as a member is. */
static void check_init_names(struct decoder *d, const struct node *n)
{
	const struct node *init = node_member(n, "initContainers"), *containers = node_member(n, "containers");

	if (!init || !containers || init->type != NODE_SEQUENCE || containers->type != NODE_SEQUENCE)
		return;
	path_key(&d->path, "initContainers");
	for (size_t i = 0; i < init->count && i < RULE_ITEMS_MAX; i++) {
		const char *name = node_string(init->items[i], "name");
		path_index(&d->path, i);
		for (size_t j = 0; name && j < containers->count && j < RULE_ITEMS_MAX; j++)
			if (streq0(node_string(containers->items[j], "name"), name)) {
				rule_find(d, init->items[i], "name", NULL, "Duplicate value: \"%.*s\"", RULE_SHOWN_MAX, name);
				break;
			}
		path_pop(&d->path);
	}
	path_pop(&d->path);
}

static void check_dns(struct decoder *d, const struct node *n)
{
	const struct node *config = node_get(n, "dnsConfig");

	if (!streq0(node_string(n, "dnsPolicy"), "None") || (config && node_member(config, "nameservers")))
		return;
	path_key(&d->path, "dnsConfig");
	rule_find(d, config ? config : n, "nameservers", "name a server, or use dnsPolicy: Default",
	          "Required value: must provide at least one DNS nameserver when `dnsPolicy` is None");
	path_pop(&d->path);
}

void rule_spec(struct decoder *d, const struct node *n)
{
	each_container(d, n, check_proc_mount);
	each_container(d, n, check_resize_policy);
	each_container(d, n, check_sleep);
	each_of(d, n, "containers", check_pod_limits);
	check_host_users(d, n);
	check_runtime(d, n);
	check_sysctls(d, n);
	check_init_names(d, n);
	check_dns(d, n);
	check_pod_requests(d, n);
	if (node_string(n, "hostnameOverride") && node_flag(n, "setHostnameAsFQDN"))
		rule_find(d, n, "setHostnameAsFQDN", "remove one of the two",
		          "Forbidden: may not be specified when `hostnameOverride` is set");
	if (node_string(n, "hostnameOverride") && node_flag(n, "hostNetwork"))
		rule_find(d, n, "hostnameOverride", "remove one of the two",
		          "Forbidden: may not be specified when `hostNetwork` is true");
}
