/* The Pod: metadata and spec. */
#include "manifest/schema_rows.h"

static const struct field object_reference_fields[] = {
	PLANNED("name", STRING, SHOULD, RECREATE, "Name of the object.", .required = true, .check = check_subdomain_name,
	        .hint = HINT_LATER),
};
const struct schema schema_object_reference = SCHEMA("LocalObjectReference", object_reference_fields, 0);

static const struct field sysctl_fields[] = {
	BUILT("name", STRING, MUST, sysctl, name, RECREATE, "Name, as net.core.somaxconn.", .required = true,
	      .check = check_sysctl_name),
	BUILT("value", STRING, MUST, sysctl, value, RECREATE, "Its value.", .required = true),
};
static const struct schema schema_sysctl = SCHEMA("Sysctl", sysctl_fields, sizeof(struct sysctl));

static const struct field pod_security_fields[] = {
	READ_ELSEWHERE("seLinuxOptions", OBJECT, LATER, "SELinux label; only an empty one is taken.", .object = &schema_se_linux),
	NEVER("windowsOptions", OBJECT, "For Windows.", .object = &schema_windows, .hint = HINT_LINUX),
	BUILT("runAsUser", ID, MUST, pod_security, run_as_user, RESTART, "User id for containers that name none.",
	      .check = check_id),
	BUILT("runAsGroup", ID, MUST, pod_security, run_as_group, RESTART, "Group id for containers that name none.",
	      .check = check_id),
	BUILT("runAsNonRoot", TRISTATE, MUST, pod_security, run_as_non_root, RESTART,
	      "Refuses to run as user 0, for containers that do not say."),
	BUILT("supplementalGroups", INT64S, MUST, pod_security, supplemental_groups, RESTART, "Further groups of every container.",
	      .check = check_id),
	BUILT("supplementalGroupsPolicy", ENUM, SHOULD, pod_security, groups_policy, RESTART,
	      "Whether the groups that the image gives its user count: Merge or Strict.", .values = &groups_policy_words,
	      .fallback = "", .choices = "Merge|Strict"),
	BUILT("fsGroup", ID, MUST, pod_security, fs_group, RECREATE,
	      "Group that owns the volumes that podd makes, and that every container is in.", .check = check_id),
	BUILT("sysctls", OBJECTS, MUST, pod_security, sysctls, RECREATE, "Kernel parameters of the pod's namespaces.",
	      .object = &schema_sysctl, .rule = rule_unique_names),
	BUILT("fsGroupChangePolicy", ENUM, SHOULD, pod_security, fs_group_policy, UPDATE,
	      "Whether a claim is given to fsGroup for each sandbox, or only when its directory is not the group's.",
	      .values = &fs_group_policy_words, .fallback = "", .choices = "OnRootMismatch|Always"),
	BUILT("seccompProfile", OBJECT, SHOULD, pod_security, seccomp, NONE,
	      "Filter of system calls of containers that name none; RuntimeDefault by default.", .object = &schema_seccomp),
	BUILT("appArmorProfile", OBJECT, SHOULD, pod_security, app_armor, NONE,
	      "AppArmor profile of containers that name none; RuntimeDefault where it is loaded.", .object = &schema_app_armor),
	NO_OP("seLinuxChangePolicy", STRING, "How volumes are relabelled.", .choices = "MountOption|Recursive"),
};
static const struct schema schema_pod_security = SCHEMA("PodSecurityContext", pod_security_fields, sizeof(struct pod_security));

static const struct field os_fields[] = {
	PLANNED("name", STRING, MUST, NONE, "The operating system the pod is for.", .required = true, .neutral = "linux",
	        .choices = "linux|windows", .hint = HINT_LINUX),
};
static const struct schema schema_os = SCHEMA("PodOS", os_fields, 0);

static const struct field host_alias_fields[] = {
	BUILT("ip", STRING, MUST, host_alias, ip, RESTART, "The address.", .required = true, .check = check_ip),
	BUILT("hostnames", STRINGS, MUST, host_alias, hostnames, RESTART, "Names of the address.", .check = check_subdomain_name),
};
static const struct schema schema_host_alias = SCHEMA("HostAlias", host_alias_fields, sizeof(struct host_alias));

static const struct field dns_option_fields[] = {
	BUILT("name", STRING, MUST, label, name, RESIZE, "Name of the option.", .required = true, .check = check_word),
	BUILT("value", STRING, MUST, label, value, RESIZE, "Its value, if it has one.", .check = check_word),
};
static const struct schema schema_dns_option = SCHEMA("PodDNSConfigOption", dns_option_fields, sizeof(struct label));

static const struct field dns_config_fields[] = {
	BUILT("nameservers", STRINGS, MUST, dns_config, nameservers, RESIZE, "Addresses of name servers, three at most.",
	      .check = check_ip),
	BUILT("searches", STRINGS, MUST, dns_config, searches, RESIZE, "Domains that short names are looked up in.",
	      .check = check_search_domain),
	BUILT("options", OBJECTS, MUST, dns_config, options, RESIZE, "Options of the resolver.", .object = &schema_dns_option),
};
static const struct schema schema_dns_config =
	SCHEMA("PodDNSConfig", dns_config_fields, sizeof(struct dns_config), .rule = rule_dns_config);

static const struct field readiness_gate_fields[] = {
	PLANNED("conditionType", STRING, LATER, UPDATE, "Name of the condition.", .required = true, .check = check_qualified_text),
};
static const struct schema schema_readiness_gate = SCHEMA("PodReadinessGate", readiness_gate_fields, 0);

static const struct field scheduling_gate_fields[] = {
	NEVER("name", STRING, "Name of the gate.", .required = true, .check = check_qualified_text),
};
static const struct schema schema_scheduling_gate = SCHEMA("PodSchedulingGate", scheduling_gate_fields, 0);

static const struct field pod_claim_fields[] = {
	NEVER("name", STRING, "Name of the claim inside the pod.", .required = true, .check = check_label_name),
	NEVER("resourceClaimName", STRING, "Name of the claim.", .check = check_subdomain_name),
	NEVER("resourceClaimTemplateName", STRING, "Name of the template of the claim.", .check = check_subdomain_name),
};
static const struct schema schema_pod_claim = SCHEMA("PodResourceClaim", pod_claim_fields, 0, .rule = rule_pod_claim);

static const struct field scheduling_group_fields[] = {
	NO_OP("podGroupName", STRING, "Name of the group.", .required = true, .check = check_subdomain_name),
};
static const struct schema schema_scheduling_group = SCHEMA("PodSchedulingGroup", scheduling_group_fields, 0);

static const struct field eviction_responder_fields[] = {
	NO_OP("name", STRING, "Name of the responder.", .required = true),
	NO_OP("priority", INT32, "Who is asked first."),
};
const struct schema schema_eviction_responder = SCHEMA("EvictionResponder", eviction_responder_fields, 0);

static const struct field spec_fields[] = {
	BUILT("volumes", OBJECTS, MUST, pod_spec, volumes, RECREATE, "Directories and files that containers can mount.",
	      .object = &schema_volume),
	BUILT("initContainers", OBJECTS, MUST, pod_spec, init_containers, RECREATE,
	      "Containers that run one by one before the others; sidecars.", .object = &schema_container,
	      .rule = rule_init_containers),
	BUILT("containers", OBJECTS, MUST, pod_spec, containers, RESTART, "The members of the pod.", .required = true,
	      .object = &schema_container),
	NEVER("ephemeralContainers", OBJECTS, "Containers added to debug a running pod.", .object = &schema_ephemeral_container,
	      .rule = rule_unique_names, .hint = "use podctl debug"),
	BUILT("restartPolicy", ENUM, MUST, pod_spec, restart_policy, UPDATE,
	      "When a container that ended is started again: Always, OnFailure or Never.", .values = &restart_policy_words,
	      .fallback = "Always"),
	BUILT("terminationGracePeriodSeconds", INT64, MUST, pod_spec, grace_seconds, UPDATE,
	      "Time between the stop signal and the kill.", .fallback = "30", .check = check_grace),
	BUILT("activeDeadlineSeconds", INT64, SHOULD, pod_spec, active_deadline_seconds, UPDATE, "Ends the pod after this time.",
	      .check = check_positive_int32),
	BUILT("dnsPolicy", STRING, MUST, pod_spec, dns_policy, RESIZE,
	      "Where name servers come from: from the host, since there is no cluster, or with None from dnsConfig alone.",
	      .choices = "ClusterFirstWithHostNet|ClusterFirst|Default|None", .rule = rule_dns_policy),
	BUILT("nodeSelector", MAP, SHOULD, pod_spec, node_selector, UPDATE,
	      "Labels of the machines the pod is for; asked before it begins.", .rule = rule_labels),
	NO_OP("serviceAccountName", STRING, "Identity at the API; no token is mounted.", .check = check_subdomain_name),
	NO_OP("serviceAccount", STRING, "Identity at the API; no token is mounted.", .check = check_subdomain_name),
	NO_OP("automountServiceAccountToken", BOOL, "Whether a token is mounted; none is."),
	NO_OP("nodeName", STRING, "The machine; always this one.", .check = check_subdomain_name),
	BUILT("hostNetwork", BOOL, MUST, pod_spec, host_network, RECREATE, "Uses the host's network."),
	BUILT("hostPID", BOOL, MUST, pod_spec, host_pid, RECREATE, "Sees the host's processes."),
	BUILT("hostIPC", BOOL, MUST, pod_spec, host_ipc, RECREATE, "Uses the host's System V IPC and POSIX queues."),
	BUILT("shareProcessNamespace", BOOL, MUST, pod_spec, share_process_namespace, RECREATE,
	      "Containers of the pod see each other's processes."),
	BUILT("securityContext", OBJECT, MUST, pod_spec, security, NONE, "Defaults for all containers.",
	      .object = &schema_pod_security),
	PLANNED("imagePullSecrets", OBJECTS, SHOULD, UPDATE, "Credentials of registries.", .object = &schema_object_reference,
	        .hint = "leave it out: a rootfs: image is never pulled"),
	BUILT("hostname", STRING, MUST, pod_spec, hostname, RECREATE, "Host name inside the pod; the pod's name by default.",
	      .check = check_host_label),
	BUILT("subdomain", STRING, SHOULD, pod_spec, subdomain, RECREATE,
	      "Second part of the full name, host.subdomain.namespace.svc.cluster.local.", .check = check_host_label),
	BUILT("affinity", OBJECT, SHOULD, pod_spec, affinity, NONE, "Choice of the machine.", .object = &schema_affinity),
	NO_OP("schedulerName", STRING, "Who chooses the machine.", .check = check_subdomain_name),
	NO_OP("tolerations", OBJECTS, "Taints of machines to put up with.", .object = &schema_toleration),
	BUILT("hostAliases", OBJECTS, MUST, pod_spec, host_aliases, RESTART, "Further lines of /etc/hosts.",
	      .object = &schema_host_alias),
	BUILT("priorityClassName", STRING, SHOULD, pod_spec, priority_class, UPDATE,
	      "Priority by name: system-node-critical, system-cluster-critical, or a PriorityClass.",
	      .check = check_subdomain_name),
	BUILT("priority", INT32, SHOULD, pod_spec, priority, UPDATE,
	      "Which pods begin first and are stopped last when many do at the same time: those with the higher number."),
	BUILT("dnsConfig", OBJECT, MUST, pod_spec, dns_config, NONE, "Further name servers, search domains and options.",
	      .object = &schema_dns_config),
	PLANNED("readinessGates", OBJECTS, LATER, UPDATE, "Further conditions for being ready.", .object = &schema_readiness_gate,
	        .hint = HINT_LATER),
	BUILT("runtimeClassName", STRING, SHOULD, pod_spec, runtime_class, RECREATE,
	      "Which OCI runtime of the node's configuration runs the pod; none: podd itself.", .check = check_subdomain_name),
	NO_OP("enableServiceLinks", BOOL, "Variables that describe Services; there are none."),
	NO_OP("preemptionPolicy", STRING, "Whether lower priorities make room.", .choices = "PreemptLowerPriority|Never"),
	NO_OP("overhead", QUANTITY_MAP, "Resources of the sandbox itself.", .object = &schema_resource_list),
	NO_OP("topologySpreadConstraints", OBJECTS, "Spread over machines.", .object = &schema_topology_spread,
	      .rule = rule_topology_spreads),
	BUILT("setHostnameAsFQDN", BOOL, SHOULD, pod_spec, hostname_is_full, RECREATE, "Uses the full name as the host name."),
	READ_ELSEWHERE("os", OBJECT, MUST, "The operating system the pod is for.", .object = &schema_os),
	BUILT("hostUsers", TRISTATE, SHOULD, pod_spec, host_users, RECREATE,
	      "false: user ids of its own; root inside is nobody outside."),
	NEVER("schedulingGates", OBJECTS, "Keeps the pod from being started.", .object = &schema_scheduling_gate,
	      .rule = rule_unique_names, .hint = "keep the manifest outside of the directory"),
	NEVER("resourceClaims", OBJECTS, "Devices by dynamic resource allocation.", .object = &schema_pod_claim,
	      .rule = rule_unique_names, .hint = HINT_DEVICE),
	BUILT("resources", OBJECT, MUST, pod_spec, resources, NONE, "Limits of all containers together.",
	      .object = &schema_resources, .rule = rule_pod_resources),
	BUILT("hostnameOverride", STRING, SHOULD, pod_spec, hostname_override, RECREATE,
	      "A host name of any form, instead of hostname and subdomain.", .check = check_hostname_override),
	NO_OP("schedulingGroup", OBJECT, "Pods that are placed together.", .object = &schema_scheduling_group),
	NO_OP("evictionResponders", OBJECTS, "Who answers evictions.", .object = &schema_eviction_responder),
};
const struct schema schema_spec = SCHEMA("PodSpec", spec_fields, sizeof(struct pod_spec), .rule = rule_spec);

static const struct field metadata_fields[] = {
	BUILT("name", STRING, MUST, pod_metadata, name, RECREATE, "Name of the pod, unique in its namespace.", .required = true,
	      .check = check_subdomain_name),
	BUILT("namespace", STRING, MUST, pod_metadata, namespace, RECREATE, "Group the pod belongs to.", .fallback = "default",
	      .check = check_label_name),
	BUILT("uid", STRING, MUST, pod_metadata, uid, NONE, "Identity of the pod; podd chooses and keeps one.",
	      .check = check_pod_uid),
	BUILT("labels", MAP, MUST, pod_metadata, labels, UPDATE, "Words to select pods by."),
	BUILT("annotations", MAP, MUST, pod_metadata, annotations, UPDATE,
	      "Notes; those that begin with podd.dev/ are podd's own."),
	NO_OP("generateName", STRING, "Prefix of a name the API server would make."),
	NO_OP("creationTimestamp", STRING, "Written by an API server."),
	NO_OP("deletionTimestamp", STRING, "Written by an API server."),
	NO_OP("deletionGracePeriodSeconds", INT64, "Written by an API server."),
	NO_OP("resourceVersion", STRING, "Written by an API server."),
	NO_OP("generation", INT64, "Written by an API server."),
	NO_OP("selfLink", STRING, "Written by an API server."),
	NO_OP("ownerReferences", OBJECTS, "Objects the pod belongs to."),
	NO_OP("finalizers", STRINGS, "Who has a say in the deletion."),
	NO_OP("managedFields", OBJECTS, "Written by an API server."),
};
const struct schema schema_metadata = SCHEMA("ObjectMeta", metadata_fields, sizeof(struct pod_metadata));

static const struct field pod_fields[] = {
	READ_ELSEWHERE("apiVersion", STRING, MUST, "v1.", .required = true),
	READ_ELSEWHERE("kind", STRING, MUST, "Pod.", .required = true),
	BUILT("metadata", OBJECT, MUST, pod, metadata, NONE, "Name and labels.", .required = true, .object = &schema_metadata),
	BUILT("spec", OBJECT, MUST, pod, spec, NONE, "What is to run.", .required = true, .object = &schema_spec),
	NO_OP("status", OBJECT, "Written by podd; in a manifest a leftover."),
};
const struct schema schema_pod = SCHEMA("Pod", pod_fields, sizeof(struct pod));
