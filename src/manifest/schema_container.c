/* The container and what is in it, but for probes and hooks. */
#include "manifest/schema_rows.h"

static const struct field resource_list_fields[] = {
	BUILT("cpu", QUANTITY, MUST, resource_list, cpu, RESIZE, "Processor time: 1 is one processor, 500m a half.",
	      .check = check_cpu),
	BUILT("memory", QUANTITY, MUST, resource_list, memory, RESIZE, "Memory in bytes, as 64Mi.", .check = check_memory),
	BUILT("ephemeral-storage", QUANTITY, MUST, resource_list, disk, UPDATE,
	      "Disk space of the writable layer, the logs and emptyDirs; podd measures it, and evicts the pod.",
	      .check = check_storage),
	BUILT("hugepages-2Mi", QUANTITY, MUST, resource_list, huge[HUGE_SIZE_2MI], RECREATE, "Memory in huge pages of 2 MiB.",
	      .check = check_huge_2mi),
	BUILT("hugepages-1Gi", QUANTITY, MUST, resource_list, huge[HUGE_SIZE_1GI], RECREATE, "Memory in huge pages of 1 GiB.",
	      .check = check_huge_1gi),
	BUILT("pid", QUANTITY, SHOULD, resource_list, pid, RESIZE, "Number of processes and threads."),
};
const struct schema schema_resource_list = SCHEMA("ResourceList", resource_list_fields, sizeof(struct resource_list));

static const struct field claim_fields[] = {
	NEVER("name", STRING, "Name of a claim of the pod.", .required = true),
	NEVER("request", STRING, "Name of a request of the claim."),
};
static const struct schema schema_claim = SCHEMA("ResourceClaim", claim_fields, 0);

static const struct field resources_fields[] = {
	BUILT("limits", QUANTITY_MAP, MUST, resources, limits, NONE, "What the container may use at most.",
	      .object = &schema_resource_list),
	BUILT("requests", QUANTITY_MAP, MUST, resources, requests, NONE,
	      "What the container needs: its weight against others and its QoS class; the limits by default.",
	      .object = &schema_resource_list),
	NEVER("claims", OBJECTS, "Devices by dynamic resource allocation.", .object = &schema_claim, .rule = rule_unique_names,
	      .hint = HINT_DEVICE),
};
const struct schema schema_resources = SCHEMA("ResourceRequirements", resources_fields, sizeof(struct resources));

/* --- environment --------------------------------------------------------------------------------------------------------------- */

static const struct field field_selector_fields[] = {
	READ_ELSEWHERE("apiVersion", STRING, MUST, "v1.", .fallback = "v1", .choices = "v1"),
	BUILT("fieldPath", STRING, MUST, field_selector, path, RESTART, "The field, as metadata.name.", .required = true),
};
const struct schema schema_field_selector =
	SCHEMA("ObjectFieldSelector", field_selector_fields, sizeof(struct field_selector), .starts_with_set = true);

static const struct field resource_selector_fields[] = {
	BUILT("containerName", STRING, SHOULD, resource_selector, container, RESTART, "Name of the container; its own by default.",
	      .check = check_label_name),
	BUILT("resource", STRING, SHOULD, resource_selector, resource, RESTART, "The amount, as limits.memory.", .required = true),
	BUILT("divisor", QUANTITY, SHOULD, resource_selector, divisor, RESTART, "The unit it is given in; 1 by default."),
};
const struct schema schema_resource_selector =
	SCHEMA("ResourceFieldSelector", resource_selector_fields, sizeof(struct resource_selector), .starts_with_set = true,
               .rule = rule_resource_selector);

#define OPTIONAL(struct_) BUILT("optional", BOOL, MUST, struct_, optional, RESTART, "Whether it may be missing.")
#define REFERENCE_NAME(struct_, doc_)                                                                             \
	BUILT("name", STRING, SHOULD, struct_, name, RESTART, doc_, OF("LocalObjectReference"), .required = true, \
	      .check = check_subdomain_name)

static const struct field config_map_key_fields[] = {
	REFERENCE_NAME(key_selector, "Name of the ConfigMap."),
	BUILT("key", STRING, MUST, key_selector, key, RESTART, "Key of the value.", .required = true, .check = check_config_key),
	OPTIONAL(key_selector),
};
static const struct schema schema_config_map_key =
	SCHEMA("ConfigMapKeySelector", config_map_key_fields, sizeof(struct key_selector), .starts_with_set = true);

static const struct field secret_key_fields[] = {
	REFERENCE_NAME(key_selector, "Name of the Secret."),
	BUILT("key", STRING, MUST, key_selector, key, RESTART, "Key of the value.", .required = true, .check = check_config_key),
	OPTIONAL(key_selector),
};
static const struct schema schema_secret_key =
	SCHEMA("SecretKeySelector", secret_key_fields, sizeof(struct key_selector), .starts_with_set = true);

static const struct field file_key_fields[] = {
	BUILT("volumeName", STRING, SHOULD, file_selector, volume, RESTART, "Volume with the file, an emptyDir.", .required = true,
	      .check = check_label_name),
	BUILT("path", STRING, SHOULD, file_selector, path, RESTART, "Path of the file in the volume.", .required = true,
	      .check = check_relative_path),
	BUILT("key", STRING, SHOULD, file_selector, key, RESTART, "Name of the variable in the file.", .required = true,
	      .check = check_env_name),
	BUILT("optional", BOOL, SHOULD, file_selector, optional, RESTART, "Whether it may be missing."),
};
static const struct schema schema_file_key =
	SCHEMA("FileKeySelector", file_key_fields, sizeof(struct file_selector), .starts_with_set = true);

static const struct field env_source_fields[] = {
	BUILT("fieldRef", OBJECT, MUST, env_source, field, RESTART, "A field of the pod.", .object = &schema_field_selector,
	      .rule = rule_field_env),
	BUILT("resourceFieldRef", OBJECT, SHOULD, env_source, resource, RESTART, "A limit or request of a container.",
	      .object = &schema_resource_selector),
	BUILT("configMapKeyRef", OBJECT, MUST, env_source, config_map, RESTART, "A value of a ConfigMap.",
	      .object = &schema_config_map_key),
	BUILT("secretKeyRef", OBJECT, MUST, env_source, secret, RESTART, "A value of a Secret.", .object = &schema_secret_key),
	BUILT("fileKeyRef", OBJECT, SHOULD, env_source, file, RESTART, "A variable from a file in a volume.",
	      .object = &schema_file_key),
};
static const struct schema schema_env_source =
	SCHEMA("EnvVarSource", env_source_fields, sizeof(struct env_source), .starts_with_set = true, .rule = rule_env_source);

static const struct field env_fields[] = {
	BUILT("name", STRING, MUST, env_var, name, RESTART, "Name of the variable.", .required = true, .check = check_env_name),
	BUILT("value", STRING, MUST, env_var, value, RESTART,
	      "Its value; $(NAME) stands for a variable defined before, $$ for a dollar.", .fallback = ""),
	BUILT("valueFrom", OBJECT, MUST, env_var, from, RESTART, "Value from the pod's own fields, a ConfigMap or a Secret.",
	      .object = &schema_env_source),
};
static const struct schema schema_env =
	SCHEMA("EnvVar", env_fields, sizeof(struct env_var), .rule = rule_env, .most = POD_LIST_MAX);

static const struct field config_map_env_fields[] = { REFERENCE_NAME(object_selector, "Name of the ConfigMap."),
	                                              OPTIONAL(object_selector) };
static const struct schema schema_config_map_env =
	SCHEMA("ConfigMapEnvSource", config_map_env_fields, sizeof(struct object_selector), .starts_with_set = true);

static const struct field secret_env_fields[] = { REFERENCE_NAME(object_selector, "Name of the Secret."),
	                                          OPTIONAL(object_selector) };
static const struct schema schema_secret_env =
	SCHEMA("SecretEnvSource", secret_env_fields, sizeof(struct object_selector), .starts_with_set = true);

static const struct field env_from_fields[] = {
	BUILT("prefix", STRING, MUST, env_from, prefix, RESTART, "Put before each key.", .check = check_env_prefix),
	BUILT("configMapRef", OBJECT, MUST, env_from, config_map, RESTART, "All values of a ConfigMap.",
	      .object = &schema_config_map_env),
	BUILT("secretRef", OBJECT, MUST, env_from, secret, RESTART, "All values of a Secret.", .object = &schema_secret_env),
};
static const struct schema schema_env_from =
	SCHEMA("EnvFromSource", env_from_fields, sizeof(struct env_from), .rule = rule_env_from);

/* --- ports, mounts, restarts ----------------------------------------------------------------------------------------------------- */

static const struct field port_fields[] = {
	BUILT("name", STRING, MUST, container_port, name, UPDATE, "Name of the port, unique in the pod.", .check = check_port_name),
	BUILT("hostPort", INT32, MUST, container_port, host_port, RESIZE, "Port of the host at which the container's port answers.",
	      .check = check_host_port),
	BUILT("containerPort", INT32, MUST, container_port, container_port, RESIZE, "Port the container listens on.",
	      .required = true, .check = check_port),
	BUILT("protocol", ENUM, MUST, container_port, protocol, RESIZE, "TCP, UDP or SCTP.", .values = &protocol_words,
	      .fallback = "TCP"),
	BUILT("hostIP", STRING, MUST, container_port, host_ip, RESIZE,
	      "Address of the host that hostPort is bound to; all by default.", .check = check_host_ip),
};
static const struct schema schema_port =
	SCHEMA("ContainerPort", port_fields, sizeof(struct container_port), .idle_without = "hostPort", .most = POD_PORTS_MAX);

static const struct field mount_fields[] = {
	BUILT("name", STRING, MUST, volume_mount, name, RESTART, "Name of a volume of the pod.", .required = true),
	BUILT("readOnly", BOOL, MUST, volume_mount, read_only, RESTART, "Whether the container may only read it."),
	BUILT("recursiveReadOnly", STRING, SHOULD, volume_mount, recursive_read_only, RESTART,
	      "Whether mounts below it are read-only too.", .choices = "Disabled|IfPossible|Enabled"),
	BUILT("mountPath", STRING, MUST, volume_mount, mount_path, RESTART, "Where the container sees it.", .required = true,
	      .check = check_mount_path),
	BUILT("subPath", STRING, MUST, volume_mount, sub_path, RESTART, "A part of the volume instead of all of it.",
	      .check = check_relative_path),
	BUILT("mountPropagation", STRING, SHOULD, volume_mount, propagation, RESTART,
	      "Whether later mounts show on the other side.", .choices = "None|HostToContainer|Bidirectional"),
	BUILT("subPathExpr", STRING, SHOULD, volume_mount, sub_path_expr, RESTART, "subPath with $(VARIABLES).",
	      .check = check_relative_path),
	BUILT("bindMountOptions", STRINGS, SHOULD, volume_mount, bind_options, RESTART, "noexec, nodev, nosuid for the mount.",
	      .choices = "noexec|nodev|nosuid"),
};
static const struct schema schema_mount =
	SCHEMA("VolumeMount", mount_fields, sizeof(struct volume_mount), .rule = rule_mount, .most = POD_MOUNTS_MAX);

static const struct field device_fields[] = {
	PLANNED("name", STRING, LATER, RESTART, "Name of a volume of the pod.", .required = true),
	PLANNED("devicePath", STRING, LATER, RESTART, "Where the container sees it.", .required = true, .check = check_device_path),
};
static const struct schema schema_device = SCHEMA("VolumeDevice", device_fields, 0);

static const struct field resize_fields[] = {
	BUILT("resourceName", ENUM, SHOULD, resize_policy, resource, UPDATE, "cpu or memory.", .required = true,
	      .values = &resize_resource_words),
	BUILT("restartPolicy", ENUM, SHOULD, resize_policy, restart, UPDATE, "NotRequired or RestartContainer.", .required = true,
	      .values = &resize_restart_words),
};
static const struct schema schema_resize = SCHEMA("ContainerResizePolicy", resize_fields, sizeof(struct resize_policy));

static const struct field exit_codes_fields[] = {
	BUILT("operator", ENUM, SHOULD, exit_codes, operator, UPDATE, "In or NotIn.", .required = true,
	      .values = &exit_operator_words),
	BUILT("values", INT32S, SHOULD, exit_codes, values, UPDATE, "The codes, 255 at most.", .rule = rule_exit_codes),
};
static const struct schema schema_exit_codes =
	SCHEMA("ContainerRestartRuleOnExitCodes", exit_codes_fields, sizeof(struct exit_codes));

static const struct field restart_rule_fields[] = {
	BUILT("action", ENUM, SHOULD, restart_rule, action, UPDATE,
	      "Restart: the container; RestartAllContainers: all of the pod, init containers too, in the same sandbox.",
	      .required = true, .values = &restart_action_words),
	BUILT("exitCodes", OBJECT, SHOULD, restart_rule, exit_codes, UPDATE, "Exit codes it applies to.", .required = true,
	      .object = &schema_exit_codes),
};
static const struct schema schema_restart_rule = SCHEMA("ContainerRestartRule", restart_rule_fields, sizeof(struct restart_rule));

/* --- security -------------------------------------------------------------------------------------------------------------------- */

#define SE_LINUX .neutral = "", .hint = "leave it out: podd gives nothing an SELinux label"
static const struct field se_linux_fields[] = {
	PLANNED("user", STRING, LATER, RESTART, "User of the label.", SE_LINUX),
	PLANNED("role", STRING, LATER, RESTART, "Role of the label.", SE_LINUX),
	PLANNED("type", STRING, LATER, RESTART, "Type of the label.", SE_LINUX),
	PLANNED("level", STRING, LATER, RESTART, "Level of the label.", SE_LINUX),
};
const struct schema schema_se_linux = SCHEMA("SELinuxOptions", se_linux_fields, 0);

static const struct field windows_fields[] = {
	NEVER("gmsaCredentialSpecName", STRING, "For Windows.", .check = check_subdomain_name),
	NEVER("gmsaCredentialSpec", STRING, "For Windows."),
	NEVER("runAsUserName", STRING, "For Windows."),
	NEVER("hostProcess", BOOL, "For Windows."),
};
const struct schema schema_windows = SCHEMA("WindowsSecurityContextOptions", windows_fields, 0);

static const struct field seccomp_fields[] = {
	BUILT("type", ENUM, SHOULD, security_profile, type, RESTART, "RuntimeDefault, Localhost or Unconfined.", .required = true,
	      .values = &profile_type_words),
	BUILT("localhostProfile", STRING, SHOULD, security_profile, localhost_profile, RESTART,
	      "File with the filter, below /etc/podd/seccomp.", .check = check_relative_path),
};
const struct schema schema_seccomp =
	SCHEMA("SeccompProfile", seccomp_fields, sizeof(struct security_profile), .starts_with_set = true, .rule = rule_seccomp);

static const struct field app_armor_fields[] = {
	BUILT("type", ENUM, SHOULD, security_profile, type, RESTART,
	      "RuntimeDefault, which is podd-default, Localhost or Unconfined.", .required = true, .values = &profile_type_words),
	BUILT("localhostProfile", STRING, SHOULD, security_profile, localhost_profile, RESTART,
	      "Name of the profile, loaded on the host."),
};
const struct schema schema_app_armor = SCHEMA("AppArmorProfile", app_armor_fields, sizeof(struct security_profile),
                                              .starts_with_set = true, .rule = rule_app_armor);

static const struct field capabilities_fields[] = {
	BUILT("add", STRINGS, MUST, capabilities, add, RESTART,
	      "Capabilities on top of the default ones, without CAP_; ALL for every one.", .check = check_capability),
	BUILT("drop", STRINGS, MUST, capabilities, drop, RESTART, "Capabilities taken away; ALL for every one.",
	      .check = check_capability),
};
static const struct schema schema_capabilities = SCHEMA("Capabilities", capabilities_fields, sizeof(struct capabilities));

static const struct field security_fields[] = {
	BUILT("capabilities", OBJECT, MUST, security_context, capabilities, NONE, "Capabilities the container has.",
	      .object = &schema_capabilities),
	BUILT("privileged", TRISTATE, MUST, security_context, privileged, RESTART,
	      "All capabilities and devices, nothing masked: as root on the host."),
	READ_ELSEWHERE("seLinuxOptions", OBJECT, LATER, "SELinux label; only an empty one is taken.", .object = &schema_se_linux),
	NEVER("windowsOptions", OBJECT, "For Windows.", .object = &schema_windows, .hint = HINT_LINUX),
	BUILT("runAsUser", ID, MUST, security_context, run_as_user, RESTART, "User id of the container's program.",
	      .check = check_id),
	BUILT("runAsGroup", ID, MUST, security_context, run_as_group, RESTART, "Group id of the container's program.",
	      .check = check_id),
	BUILT("runAsNonRoot", TRISTATE, MUST, security_context, run_as_non_root, RESTART, "Refuses to run as user 0."),
	BUILT("readOnlyRootFilesystem", TRISTATE, MUST, security_context, read_only_root, RESTART,
	      "Makes the root file system read-only."),
	BUILT("allowPrivilegeEscalation", TRISTATE, MUST, security_context, allow_privilege_escalation, RESTART,
	      "false: no program gains privileges by exec (no_new_privs)."),
	BUILT("procMount", ENUM, SHOULD, security_context, proc_mount, RESTART,
	      "Unmasked: nothing of /proc and /sys is hidden; only with hostUsers: false.", .values = &proc_mount_words,
	      .fallback = "", .choices = "Default|Unmasked"),
	BUILT("seccompProfile", OBJECT, SHOULD, security_context, seccomp, NONE,
	      "Filter of system calls; the pod's, else RuntimeDefault.", .object = &schema_seccomp),
	BUILT("appArmorProfile", OBJECT, SHOULD, security_context, app_armor, NONE,
	      "AppArmor profile; the pod's, else RuntimeDefault where it is loaded.", .object = &schema_app_armor),
};
static const struct schema schema_security = SCHEMA("SecurityContext", security_fields, sizeof(struct security_context));

/* --- the container ----------------------------------------------------------------------------------------------------------------- */

static const struct field container_fields[] = {
	BUILT("name", STRING, MUST, container, name, RESTART, "Name of the container, unique in the pod.", .required = true,
	      .check = check_label_name),
	BUILT("image", STRING, MUST, container, image, RESTART,
	      "Where the root file system comes from: an image of the store by its name, oci:/path[:tag], oci-archive:/path[:tag], "
	      "docker-archive:/path[:name], or rootfs:/path, a directory (rootfs:/ is the host's own root).",
	      .required = true, .check = check_image),
	BUILT("command", STRINGS, MUST, container, command, RESTART,
	      "Program and first arguments; the image's entry point by default. $(NAME) is expanded."),
	BUILT("args", STRINGS, MUST, container, args, RESTART, "Arguments after command. $(NAME) is expanded."),
	BUILT("workingDir", STRING, MUST, container, working_dir, RESTART, "Directory the program starts in; the image's, else /.",
	      .check = check_working_dir),
	BUILT("ports", OBJECTS, MUST, container, ports, RESIZE,
	      "Ports the container listens on; only those with a hostPort are published.", .object = &schema_port),
	BUILT("envFrom", OBJECTS, MUST, container, env_from, RESTART, "Environment from whole ConfigMaps and Secrets.",
	      .object = &schema_env_from),
	BUILT("env", OBJECTS, MUST, container, env, RESTART, "Environment variables.", .object = &schema_env),
	BUILT("resources", OBJECT, MUST, container, resources, NONE, "Limits and requests.", .object = &schema_resources),
	BUILT("resizePolicy", OBJECTS, SHOULD, container, resize, UPDATE,
	      "Whether a change of cpu or memory restarts the container; it is made in place otherwise.", .object = &schema_resize,
	      .rule = rule_resize_policy),
	BUILT("restartPolicy", ENUM, MUST, container, restart, UPDATE,
	      "The container's own restart rule; Always makes an init container a sidecar.", .values = &container_restart_words),
	BUILT("restartPolicyRules", OBJECTS, SHOULD, container, restart_rules, UPDATE,
	      "Restart rules by exit code, before restartPolicy; the first that matches holds.", .object = &schema_restart_rule,
	      .rule = rule_restart_rules),
	BUILT("volumeMounts", OBJECTS, MUST, container, mounts, RESTART, "Volumes the container sees.", .object = &schema_mount),
	PLANNED("volumeDevices", OBJECTS, LATER, RESTART, "Raw block devices.", .object = &schema_device, .rule = rule_devices,
	        .hint = "use a hostPath volume of type BlockDevice"),
	BUILT("livenessProbe", OBJECT, MUST, container, liveness, UPDATE, "Check whose failure restarts the container.",
	      .object = &schema_probe, .rule = rule_liveness),
	BUILT("readinessProbe", OBJECT, MUST, container, readiness, UPDATE, "Check that decides whether the container is ready.",
	      .object = &schema_probe, .rule = rule_readiness),
	BUILT("startupProbe", OBJECT, MUST, container, startup, UPDATE, "Check that the other probes wait for.",
	      .object = &schema_probe, .rule = rule_liveness),
	BUILT("lifecycle", OBJECT, MUST, container, lifecycle, UPDATE, "Hooks after start and before stop.",
	      .object = &schema_lifecycle),
	BUILT("terminationMessagePath", STRING, SHOULD, container, message_path, RESTART,
	      "File in which the container says why it ends; at most 4 KiB of it are kept.", .fallback = "/dev/termination-log",
	      .check = check_message_path),
	BUILT("terminationMessagePolicy", ENUM, SHOULD, container, message_policy, UPDATE,
	      "FallbackToLogsOnError: if that file is empty and the container failed, the end of its log.",
	      .values = &message_policy_words, .fallback = "File"),
	BUILT("imagePullPolicy", ENUM, MUST, container, pull_policy, UPDATE,
	      "When an archive is imported: if it is not in the store or has changed, at each start, or never.",
	      .values = &pull_policy_words, .fallback = "IfNotPresent"),
	BUILT("securityContext", OBJECT, MUST, container, security, NONE, "User, capabilities and other privileges.",
	      .object = &schema_security),
	BUILT("stdin", BOOL, SHOULD, container, stdin_open, RESTART, "Keeps standard input open."),
	BUILT("stdinOnce", BOOL, SHOULD, container, stdin_once, RESTART, "Closes it after the first attach."),
	BUILT("tty", BOOL, SHOULD, container, tty, RESTART, "Gives the container a terminal."),
};
const struct schema schema_container =
	SCHEMA("Container", container_fields, sizeof(struct container), .rule = rule_container, .most = POD_CONTAINERS_MAX);

/* The same fields, of which Kubernetes takes fewer. podctl debug fills them in, never a manifest (ephemeral.h). */
#define COMMON(name_, type_, member_, doc_, ...) \
	BUILT(name_, type_, MUST, container, member_, NONE, doc_, OF("EphemeralContainerCommon"), ##__VA_ARGS__)
#define FORBIDDEN(name_, type_, ...)                                                                                            \
	READ_ELSEWHERE(name_, type_, MUST, "Not for debug containers.", OF("EphemeralContainerCommon"), .rule = rule_forbidden, \
	               ##__VA_ARGS__)

static const struct field ephemeral_container_fields[] = {
	COMMON("name", STRING, name, "Name of the container, unique in the pod.", .required = true, .check = check_label_name),
	COMMON("image", STRING, image, "Where the root file system comes from.", .required = true, .check = check_image),
	COMMON("command", STRINGS, command, "Program and first arguments."),
	COMMON("args", STRINGS, args, "Arguments after command."),
	COMMON("workingDir", STRING, working_dir, "Directory the program starts in.", .check = check_working_dir),
	FORBIDDEN("ports", OBJECTS, .object = &schema_port),
	COMMON("envFrom", OBJECTS, env_from, "Environment from whole ConfigMaps and Secrets.", .object = &schema_env_from),
	COMMON("env", OBJECTS, env, "Environment variables.", .object = &schema_env),
	FORBIDDEN("resources", OBJECT, .object = &schema_resources),
	FORBIDDEN("resizePolicy", OBJECTS, .object = &schema_resize),
	FORBIDDEN("restartPolicy", STRING),
	FORBIDDEN("restartPolicyRules", OBJECTS, .object = &schema_restart_rule),
	COMMON("volumeMounts", OBJECTS, mounts, "Volumes the container sees.", .object = &schema_mount),
	PLANNED("volumeDevices", OBJECTS, MUST, NONE, "Raw block devices.", OF("EphemeralContainerCommon"),
	        .object = &schema_device, .rule = rule_devices),
	FORBIDDEN("livenessProbe", OBJECT, .object = &schema_probe),
	FORBIDDEN("readinessProbe", OBJECT, .object = &schema_probe),
	FORBIDDEN("startupProbe", OBJECT, .object = &schema_probe),
	FORBIDDEN("lifecycle", OBJECT, .object = &schema_lifecycle),
	COMMON("terminationMessagePath", STRING, message_path, "File whose content explains the exit.",
	       .fallback = "/dev/termination-log", .check = check_message_path),
	COMMON("terminationMessagePolicy", ENUM, message_policy, "Where that explanation comes from.",
	       .values = &message_policy_words, .fallback = "File"),
	COMMON("imagePullPolicy", ENUM, pull_policy, "When the image is pulled.", .values = &pull_policy_words,
	       .fallback = "IfNotPresent"),
	COMMON("securityContext", OBJECT, security, "User, capabilities and other privileges.", .object = &schema_security),
	COMMON("stdin", BOOL, stdin_open, "Keeps standard input open."),
	COMMON("stdinOnce", BOOL, stdin_once, "Closes it after the first attach."),
	COMMON("tty", BOOL, tty, "Gives the container a terminal."),
	BUILT("targetContainerName", STRING, SHOULD, container, target, NONE, "Container whose processes it sees."),
};
const struct schema schema_ephemeral_container = SCHEMA("EphemeralContainer", ephemeral_container_fields, sizeof(struct container));

static const struct field ephemeral_fields[] = {
	BUILT("ephemeralContainers", OBJECTS, MUST, pod_spec, ephemeral, NONE, "Containers to debug the pod with.",
	      .object = &schema_ephemeral_container),
};
const struct schema schema_ephemeral_spec = SCHEMA("PodSpec", ephemeral_fields, sizeof(struct pod_spec));
