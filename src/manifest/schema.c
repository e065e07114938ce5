#include "manifest/schema.h"
#include <stdio.h>
#include "base/str.h"
#include "manifest/check.h"
#include "manifest/words.h"

/* Where a field is stored and what an edit costs; and rows that are understood but have no place of their own. */
#define STORED(struct_, member, cost) .built = true, .offset = offsetof(struct struct_, member), .edit = (cost)
#define NOWHERE SIZE_MAX
#define READ_ELSEWHERE .built = true, .offset = NOWHERE
#define WITHOUT_EFFECT VERDICT_NO_OP, .built = true
#define SCHEMA(name_, fields_, size_, ...)                                                                       \
	{                                                                                                        \
		.name = (name_), .fields = (fields_), .count = ARRAY_SIZE(fields_), .size = (size_), __VA_ARGS__ \
	}

#define HINT_MOUNT "mount it on the host and use hostPath"
#define HINT_HOST_FILES "put the files into a directory and use hostPath"
#define HINT_LINUX "podd runs Linux containers only"
#define HINT_LATER "leave it out"

static const struct field resource_list_fields[] = {
	{ "cpu", FIELD_QUANTITY, VERDICT_MUST, STORED(resource_list, cpu, EDIT_RESIZE), .check = check_cpu,
	  .doc = "Processor time: 1 is one processor, 500m a half." },
	{ "memory", FIELD_QUANTITY, VERDICT_MUST, STORED(resource_list, memory, EDIT_RESIZE), .check = check_memory,
	  .doc = "Memory in bytes, as 64Mi." },
	{ "ephemeral-storage", FIELD_QUANTITY, WITHOUT_EFFECT, .doc = "Disk space; podd does not measure it." },
	{ "pid", FIELD_QUANTITY, VERDICT_SHOULD, .doc = "Number of processes.", .hint = HINT_LATER },
};
static const struct schema schema_resource_list = SCHEMA("ResourceList", resource_list_fields, sizeof(struct resource_list));

static const struct field resources_fields[] = {
	{ "limits", FIELD_QUANTITY_MAP, VERDICT_MUST, STORED(resources, limits, EDIT_NONE), .object = &schema_resource_list,
	  .doc = "What the container may use at most." },
	{ "requests", FIELD_QUANTITY_MAP, VERDICT_MUST, STORED(resources, requests, EDIT_NONE), .object = &schema_resource_list,
	  .doc = "What the container needs: its weight against others and its QoS class; the limits by default." },
	{ "claims", FIELD_OBJECTS, VERDICT_REJECT, .doc = "Devices by dynamic resource allocation.",
	  .hint = "use a hostPath volume with the device node" },
};
static const struct schema schema_resources = SCHEMA("ResourceRequirements", resources_fields, sizeof(struct resources));

static const struct field env_fields[] = {
	{ "name", FIELD_STRING, VERDICT_MUST, STORED(label, name, EDIT_RESTART), .required = true, .check = check_env_name,
	  .doc = "Name of the variable." },
	{ "value", FIELD_STRING, VERDICT_MUST, STORED(label, value, EDIT_RESTART), .fallback = "",
	  .doc = "Its value; $(NAME) stands for a variable defined before, $$ for a dollar." },
	{ "valueFrom", FIELD_OBJECT, VERDICT_MUST, .doc = "Value from the pod's own fields, a ConfigMap or a Secret.",
	  .hint = "write the value out under value" },
};
static const struct schema schema_env = SCHEMA("EnvVar", env_fields, sizeof(struct label));

static const struct field port_fields[] = {
	{ "name", FIELD_STRING, VERDICT_MUST, STORED(container_port, name, EDIT_UPDATE), .check = check_port_name,
	  .doc = "Name of the port, unique in the pod." },
	{ "hostPort", FIELD_INT32, VERDICT_MUST, STORED(container_port, host_port, EDIT_RECREATE), .check = check_host_port,
	  .doc = "Port of the host at which the container's port answers." },
	{ "containerPort", FIELD_INT32, VERDICT_MUST, STORED(container_port, container_port, EDIT_RECREATE), .required = true,
	  .check = check_port, .doc = "Port the container listens on." },
	{ "protocol", FIELD_ENUM, VERDICT_MUST, STORED(container_port, protocol, EDIT_RECREATE), .values = &protocol_words,
	  .fallback = "TCP", .doc = "TCP, UDP or SCTP." },
	{ "hostIP", FIELD_STRING, VERDICT_MUST, STORED(container_port, host_ip, EDIT_RECREATE), .check = check_host_ip,
	  .doc = "Address of the host that hostPort is bound to; all by default." },
};
static const struct schema schema_port =
	SCHEMA("ContainerPort", port_fields, sizeof(struct container_port), .idle_without = "hostPort");

static const struct field mount_fields[] = {
	{ "name", FIELD_STRING, VERDICT_MUST, STORED(volume_mount, name, EDIT_RESTART), .required = true,
	  .doc = "Name of a volume of the pod." },
	{ "readOnly", FIELD_BOOL, VERDICT_MUST, STORED(volume_mount, read_only, EDIT_RESTART),
	  .doc = "Whether the container may only read it." },
	{ "recursiveReadOnly", FIELD_STRING, VERDICT_SHOULD, .neutral = "Disabled",
	  .doc = "Whether mounts below it are read-only too.", .hint = HINT_LATER },
	{ "mountPath", FIELD_STRING, VERDICT_MUST, STORED(volume_mount, mount_path, EDIT_RESTART), .required = true,
	  .check = check_mount_path, .doc = "Where the container sees it." },
	{ "subPath", FIELD_STRING, VERDICT_MUST, .neutral = "", .doc = "A part of the volume instead of all of it.",
	  .hint = "make a volume of the sub-directory" },
	{ "mountPropagation", FIELD_STRING, VERDICT_SHOULD, .neutral = "None",
	  .doc = "Whether later mounts show on the other side.", .hint = HINT_LATER },
	{ "subPathExpr", FIELD_STRING, VERDICT_SHOULD, .neutral = "", .doc = "subPath with $(VARIABLES).",
	  .hint = "make a volume of the sub-directory" },
	{ "bindMountOptions", FIELD_STRINGS, VERDICT_SHOULD, .doc = "noexec, nodev, nosuid for the mount.", .hint = HINT_LATER },
};
static const struct schema schema_mount = SCHEMA("VolumeMount", mount_fields, sizeof(struct volume_mount));

static const struct field capabilities_fields[] = {
	{ "add", FIELD_STRINGS, VERDICT_MUST, STORED(capabilities, add, EDIT_RESTART), .check = check_capability,
	  .doc = "Capabilities on top of the default ones, without CAP_; ALL for every one." },
	{ "drop", FIELD_STRINGS, VERDICT_MUST, STORED(capabilities, drop, EDIT_RESTART), .check = check_capability,
	  .doc = "Capabilities taken away; ALL for every one." },
};
static const struct schema schema_capabilities = SCHEMA("Capabilities", capabilities_fields, sizeof(struct capabilities));

static const struct field security_fields[] = {
	{ "capabilities", FIELD_OBJECT, VERDICT_MUST, STORED(security_context, capabilities, EDIT_NONE),
	  .object = &schema_capabilities, .doc = "Capabilities the container has." },
	{ "privileged", FIELD_TRISTATE, VERDICT_MUST, STORED(security_context, privileged, EDIT_RESTART),
	  .doc = "All capabilities and devices, nothing masked: as root on the host." },
	{ "seLinuxOptions", FIELD_OBJECT, VERDICT_LATER, .doc = "SELinux label.", .hint = HINT_LATER },
	{ "windowsOptions", FIELD_OBJECT, VERDICT_REJECT, .doc = "For Windows.", .hint = HINT_LINUX },
	{ "runAsUser", FIELD_ID, VERDICT_MUST, STORED(security_context, run_as_user, EDIT_RESTART), .check = check_id,
	  .doc = "User id of the container's program." },
	{ "runAsGroup", FIELD_ID, VERDICT_MUST, STORED(security_context, run_as_group, EDIT_RESTART), .check = check_id,
	  .doc = "Group id of the container's program." },
	{ "runAsNonRoot", FIELD_BOOL, VERDICT_MUST, .neutral = "false", .doc = "Refuses to run as user 0.",
	  .hint = "set runAsUser to a user other than 0" },
	{ "readOnlyRootFilesystem", FIELD_TRISTATE, VERDICT_MUST, STORED(security_context, read_only_root, EDIT_RESTART),
	  .doc = "Makes the root file system read-only." },
	{ "allowPrivilegeEscalation", FIELD_TRISTATE, VERDICT_MUST,
	  STORED(security_context, allow_privilege_escalation, EDIT_RESTART),
	  .doc = "false: no program gains privileges by exec (no_new_privs)." },
	{ "procMount", FIELD_STRING, VERDICT_SHOULD, .neutral = "Default", .doc = "Whether parts of /proc are masked.",
	  .hint = HINT_LATER },
	{ "seccompProfile", FIELD_OBJECT, VERDICT_SHOULD, .doc = "Filter of system calls.", .hint = HINT_LATER },
	{ "appArmorProfile", FIELD_OBJECT, VERDICT_SHOULD, .doc = "AppArmor profile.", .hint = HINT_LATER },
};
static const struct schema schema_security = SCHEMA("SecurityContext", security_fields, sizeof(struct security_context));

static const struct field container_fields[] = {
	{ "name", FIELD_STRING, VERDICT_MUST, STORED(container, name, EDIT_RESTART), .required = true, .check = check_label_name,
	  .doc = "Name of the container, unique in the pod." },
	{ "image", FIELD_STRING, VERDICT_MUST, STORED(container, image, EDIT_RESTART), .required = true, .check = check_image,
	  .doc = "Where the root file system comes from: rootfs:/path is a directory, rootfs:/ the host's own root." },
	{ "command", FIELD_STRINGS, VERDICT_MUST, STORED(container, command, EDIT_RESTART),
	  .doc = "Program and first arguments; the image's entry point by default. $(NAME) is expanded." },
	{ "args", FIELD_STRINGS, VERDICT_MUST, STORED(container, args, EDIT_RESTART),
	  .doc = "Arguments after command. $(NAME) is expanded." },
	{ "workingDir", FIELD_STRING, VERDICT_MUST, STORED(container, working_dir, EDIT_RESTART), .check = check_working_dir,
	  .doc = "Directory the program starts in; the image's, else /." },
	{ "ports", FIELD_OBJECTS, VERDICT_MUST, STORED(container, ports, EDIT_RECREATE), .object = &schema_port,
	  .doc = "Ports the container listens on; only those with a hostPort are published." },
	{ "envFrom", FIELD_OBJECTS, VERDICT_MUST, .doc = "Environment from whole ConfigMaps and Secrets.",
	  .hint = "write the variables out under env" },
	{ "env", FIELD_OBJECTS, VERDICT_MUST, STORED(container, env, EDIT_RESTART), .object = &schema_env,
	  .doc = "Environment variables." },
	{ "resources", FIELD_OBJECT, VERDICT_MUST, STORED(container, resources, EDIT_NONE), .object = &schema_resources,
	  .doc = "Limits and requests." },
	{ "resizePolicy", FIELD_OBJECTS, VERDICT_SHOULD,
	  .doc = "Whether a change of a limit restarts the container; podd changes limits in place.", .hint = HINT_LATER },
	{ "restartPolicy", FIELD_STRING, VERDICT_MUST, .doc = "The container's own restart rule.",
	  .hint = "use the pod's restartPolicy" },
	{ "restartPolicyRules", FIELD_OBJECTS, VERDICT_SHOULD, .doc = "Restart rules by exit code.",
	  .hint = "use the pod's restartPolicy" },
	{ "volumeMounts", FIELD_OBJECTS, VERDICT_MUST, STORED(container, mounts, EDIT_RESTART), .object = &schema_mount,
	  .doc = "Volumes the container sees." },
	{ "volumeDevices", FIELD_OBJECTS, VERDICT_LATER, .doc = "Raw block devices.",
	  .hint = "use a hostPath volume of type BlockDevice" },
	{ "livenessProbe", FIELD_OBJECT, VERDICT_MUST, .doc = "Check whose failure restarts the container.", .hint = HINT_LATER },
	{ "readinessProbe", FIELD_OBJECT, VERDICT_MUST, .doc = "Check that decides whether the container is ready.",
	  .hint = HINT_LATER },
	{ "startupProbe", FIELD_OBJECT, VERDICT_MUST, .doc = "Check that the other probes wait for.", .hint = HINT_LATER },
	{ "lifecycle", FIELD_OBJECT, VERDICT_MUST, .doc = "Hooks after start and before stop.",
	  .hint = "do it in the container's own command" },
	{ "terminationMessagePath", FIELD_STRING, VERDICT_SHOULD, .neutral = "/dev/termination-log",
	  .doc = "File whose content explains the exit.", .hint = HINT_LATER },
	{ "terminationMessagePolicy", FIELD_STRING, VERDICT_SHOULD, .neutral = "File", .doc = "Where that explanation comes from.",
	  .hint = HINT_LATER },
	{ "imagePullPolicy", FIELD_STRING, VERDICT_MUST, .neutral = "IfNotPresent|Never", .doc = "When the image is pulled.",
	  .hint = "leave it out: a rootfs: image is never pulled" },
	{ "securityContext", FIELD_OBJECT, VERDICT_MUST, STORED(container, security, EDIT_NONE), .object = &schema_security,
	  .doc = "User, capabilities and other privileges." },
	{ "stdin", FIELD_BOOL, VERDICT_SHOULD, .neutral = "false", .doc = "Keeps standard input open.", .hint = HINT_LATER },
	{ "stdinOnce", FIELD_BOOL, VERDICT_SHOULD, .neutral = "false", .doc = "Closes it after the first attach.",
	  .hint = HINT_LATER },
	{ "tty", FIELD_BOOL, VERDICT_SHOULD, .neutral = "false", .doc = "Gives the container a terminal.", .hint = HINT_LATER },
};
const struct schema schema_container = SCHEMA("Container", container_fields, sizeof(struct container));

static const struct field host_path_fields[] = {
	{ "path", FIELD_STRING, VERDICT_MUST, STORED(host_path, path, EDIT_RECREATE), .required = true, .check = check_host_path,
	  .doc = "Path on the host." },
	{ "type", FIELD_ENUM, VERDICT_MUST, STORED(host_path, type, EDIT_RECREATE), .values = &host_path_type_words, .fallback = "",
	  .doc = "What it must be: Directory, File, Socket, CharDevice, BlockDevice; or is made: DirectoryOrCreate, "
	         "FileOrCreate." },
};
static const struct schema schema_host_path =
	SCHEMA("HostPathVolumeSource", host_path_fields, sizeof(struct host_path), .starts_with_set = true);

static const struct field empty_dir_fields[] = {
	{ "medium", FIELD_ENUM, VERDICT_MUST, STORED(empty_dir, medium, EDIT_RECREATE), .values = &empty_dir_medium_words,
	  .fallback = "", .check = check_medium, .doc = "\"\": the host's disk; Memory: a tmpfs, shared by the pod's containers." },
	{ "sizeLimit", FIELD_QUANTITY, VERDICT_MUST, STORED(empty_dir, size_limit, EDIT_RECREATE), .check = check_size_limit,
	  .doc = "Size of the tmpfs with medium: Memory." },
	{ "mode", FIELD_INT32, VERDICT_SHOULD, .doc = "Mode of the directory.", .hint = HINT_LATER },
};
static const struct schema schema_empty_dir =
	SCHEMA("EmptyDirVolumeSource", empty_dir_fields, sizeof(struct empty_dir), .starts_with_set = true);

#define REMOTE(name_)                                                                                                        \
	{                                                                                                                    \
		name_, FIELD_OBJECT, VERDICT_REJECT, .doc = "A storage service of a cluster or a cloud.", .hint = HINT_MOUNT \
	}

static const struct field volume_fields[] = {
	{ "name", FIELD_STRING, VERDICT_MUST, STORED(volume, name, EDIT_RECREATE), .required = true, .check = check_label_name,
	  .doc = "Name of the volume, unique in the pod." },
	{ "hostPath", FIELD_OBJECT, VERDICT_MUST, STORED(volume, host_path, EDIT_RECREATE), .object = &schema_host_path,
	  .doc = "A file or directory of the host." },
	{ "emptyDir", FIELD_OBJECT, VERDICT_MUST, STORED(volume, empty_dir, EDIT_RECREATE), .object = &schema_empty_dir,
	  .doc = "An empty directory that lives as long as the pod, shared by its containers." },
	REMOTE("gcePersistentDisk"),
	REMOTE("awsElasticBlockStore"),
	REMOTE("gitRepo"),
	{ "secret", FIELD_OBJECT, VERDICT_MUST, .doc = "Files from a Secret.", .hint = HINT_HOST_FILES },
	{ "nfs", FIELD_OBJECT, VERDICT_LATER, .doc = "An NFS export.", .hint = HINT_MOUNT },
	REMOTE("iscsi"),
	REMOTE("glusterfs"),
	{ "persistentVolumeClaim", FIELD_OBJECT, VERDICT_SHOULD, .doc = "A named directory that outlives the pod.",
	  .hint = "use hostPath with type DirectoryOrCreate" },
	REMOTE("rbd"),
	REMOTE("flexVolume"),
	REMOTE("cinder"),
	REMOTE("cephfs"),
	REMOTE("flocker"),
	{ "downwardAPI", FIELD_OBJECT, VERDICT_SHOULD, .doc = "Facts about the pod as files.", .hint = HINT_LATER },
	REMOTE("fc"),
	REMOTE("azureFile"),
	{ "configMap", FIELD_OBJECT, VERDICT_MUST, .doc = "Files from a ConfigMap.", .hint = HINT_HOST_FILES },
	REMOTE("vsphereVolume"),
	REMOTE("quobyte"),
	REMOTE("azureDisk"),
	REMOTE("photonPersistentDisk"),
	{ "projected", FIELD_OBJECT, VERDICT_SHOULD, .doc = "Files from several sources in one directory.",
	  .hint = HINT_HOST_FILES },
	REMOTE("portworxVolume"),
	REMOTE("scaleIO"),
	REMOTE("storageos"),
	REMOTE("csi"),
	{ "ephemeral", FIELD_OBJECT, VERDICT_REJECT, .doc = "A claim made for this pod.", .hint = "use emptyDir" },
	{ "image", FIELD_OBJECT, VERDICT_SHOULD, .doc = "Files of an image.", .hint = HINT_HOST_FILES },
};
const struct schema schema_volume = SCHEMA("Volume", volume_fields, sizeof(struct volume));

static const struct field pod_security_fields[] = {
	{ "seLinuxOptions", FIELD_OBJECT, VERDICT_LATER, .doc = "SELinux label.", .hint = HINT_LATER },
	{ "windowsOptions", FIELD_OBJECT, VERDICT_REJECT, .doc = "For Windows.", .hint = HINT_LINUX },
	{ "runAsUser", FIELD_ID, VERDICT_MUST, STORED(security_context, run_as_user, EDIT_RECREATE), .check = check_id,
	  .doc = "User id for containers that name none." },
	{ "runAsGroup", FIELD_ID, VERDICT_MUST, STORED(security_context, run_as_group, EDIT_RECREATE), .check = check_id,
	  .doc = "Group id for containers that name none." },
	{ "runAsNonRoot", FIELD_BOOL, VERDICT_MUST, .neutral = "false", .doc = "Refuses to run as user 0.",
	  .hint = "set runAsUser to a user other than 0" },
	{ "supplementalGroups", FIELD_INT64S, VERDICT_MUST, .doc = "Further groups of every container.", .hint = HINT_LATER },
	{ "supplementalGroupsPolicy", FIELD_STRING, VERDICT_SHOULD, .neutral = "Merge", .doc = "Whether groups of the image count.",
	  .hint = HINT_LATER },
	{ "fsGroup", FIELD_INT64, VERDICT_MUST, .doc = "Group that owns the volumes.",
	  .hint = "prepare the directory's group on the host and use hostPath" },
	{ "sysctls", FIELD_OBJECTS, VERDICT_MUST, .doc = "Kernel parameters of the pod's namespaces.", .hint = HINT_LATER },
	{ "fsGroupChangePolicy", FIELD_STRING, VERDICT_SHOULD, .doc = "When fsGroup is applied.", .hint = HINT_LATER },
	{ "seccompProfile", FIELD_OBJECT, VERDICT_SHOULD, .doc = "Filter of system calls.", .hint = HINT_LATER },
	{ "appArmorProfile", FIELD_OBJECT, VERDICT_SHOULD, .doc = "AppArmor profile.", .hint = HINT_LATER },
	{ "seLinuxChangePolicy", FIELD_STRING, WITHOUT_EFFECT, .doc = "How volumes are relabelled." },
};
static const struct schema schema_pod_security = SCHEMA("PodSecurityContext", pod_security_fields, sizeof(struct security_context));

static const struct field os_fields[] = {
	{ "name", FIELD_STRING, VERDICT_MUST, .neutral = "linux", .doc = "The operating system the pod is for.",
	  .hint = HINT_LINUX },
};
static const struct schema schema_os = SCHEMA("PodOS", os_fields, 0);

static const struct field spec_fields[] = {
	{ "volumes", FIELD_OBJECTS, VERDICT_MUST, STORED(pod_spec, volumes, EDIT_RECREATE), .object = &schema_volume,
	  .doc = "Directories and files that containers can mount." },
	{ "initContainers", FIELD_OBJECTS, VERDICT_MUST, .doc = "Containers that run one by one before the others; sidecars.",
	  .hint = "run the preparation in the container's own command" },
	{ "containers", FIELD_OBJECTS, VERDICT_MUST, STORED(pod_spec, containers, EDIT_RESTART), .required = true,
	  .object = &schema_container, .doc = "The members of the pod." },
	{ "ephemeralContainers", FIELD_OBJECTS, VERDICT_REJECT, .doc = "Containers added to debug a running pod.",
	  .hint = "use podctl exec" },
	{ "restartPolicy", FIELD_ENUM, VERDICT_MUST, STORED(pod_spec, restart_policy, EDIT_UPDATE), .values = &restart_policy_words,
	  .fallback = "Always", .doc = "When a container that ended is started again: Always, OnFailure or Never." },
	{ "terminationGracePeriodSeconds", FIELD_INT64, VERDICT_MUST, STORED(pod_spec, grace_seconds, EDIT_UPDATE),
	  .fallback = "30", .check = check_grace, .doc = "Time between the stop signal and the kill." },
	{ "activeDeadlineSeconds", FIELD_INT64, VERDICT_SHOULD, .doc = "Ends the pod after this time.", .hint = HINT_LATER },
	{ "dnsPolicy", FIELD_STRING, VERDICT_MUST, .neutral = "Default|ClusterFirst|ClusterFirstWithHostNet",
	  .doc = "Where name servers come from; the host's, since there is no cluster.", .hint = HINT_LATER },
	{ "nodeSelector", FIELD_MAP, VERDICT_SHOULD, .doc = "Labels of the machines the pod is for.", .hint = HINT_LATER },
	{ "serviceAccountName", FIELD_STRING, WITHOUT_EFFECT, .doc = "Identity at the API; no token is mounted." },
	{ "serviceAccount", FIELD_STRING, WITHOUT_EFFECT, .doc = "Identity at the API; no token is mounted." },
	{ "automountServiceAccountToken", FIELD_BOOL, WITHOUT_EFFECT, .doc = "Whether a token is mounted; none is." },
	{ "nodeName", FIELD_STRING, WITHOUT_EFFECT, .doc = "The machine; always this one." },
	{ "hostNetwork", FIELD_BOOL, VERDICT_MUST, STORED(pod_spec, host_network, EDIT_RECREATE),
	  .doc = "Uses the host's network." },
	{ "hostPID", FIELD_BOOL, VERDICT_MUST, STORED(pod_spec, host_pid, EDIT_RECREATE), .doc = "Sees the host's processes." },
	{ "hostIPC", FIELD_BOOL, VERDICT_MUST, STORED(pod_spec, host_ipc, EDIT_RECREATE),
	  .doc = "Uses the host's System V IPC and POSIX queues." },
	{ "shareProcessNamespace", FIELD_BOOL, VERDICT_MUST, STORED(pod_spec, share_process_namespace, EDIT_RECREATE),
	  .doc = "Containers of the pod see each other's processes." },
	{ "securityContext", FIELD_OBJECT, VERDICT_MUST, STORED(pod_spec, security, EDIT_NONE), .object = &schema_pod_security,
	  .doc = "Defaults for all containers." },
	{ "imagePullSecrets", FIELD_OBJECTS, VERDICT_SHOULD, .doc = "Credentials of registries.",
	  .hint = "leave it out: a rootfs: image is never pulled" },
	{ "hostname", FIELD_STRING, VERDICT_MUST, STORED(pod_spec, hostname, EDIT_RECREATE), .check = check_label_name,
	  .doc = "Host name inside the pod; the pod's name by default." },
	{ "subdomain", FIELD_STRING, VERDICT_SHOULD, .neutral = "", .doc = "Second part of the full host name.",
	  .hint = HINT_LATER },
	{ "affinity", FIELD_OBJECT, WITHOUT_EFFECT, .doc = "Choice of the machine." },
	{ "schedulerName", FIELD_STRING, WITHOUT_EFFECT, .doc = "Who chooses the machine." },
	{ "tolerations", FIELD_OBJECTS, WITHOUT_EFFECT, .doc = "Taints of machines to put up with." },
	{ "hostAliases", FIELD_OBJECTS, VERDICT_MUST, .doc = "Further lines of /etc/hosts.", .hint = HINT_LATER },
	{ "priorityClassName", FIELD_STRING, VERDICT_SHOULD, .neutral = "", .doc = "Rank by name.", .hint = HINT_LATER },
	{ "priority", FIELD_INT32, VERDICT_SHOULD, .neutral = "0", .doc = "Rank among pods.", .hint = HINT_LATER },
	{ "dnsConfig", FIELD_OBJECT, VERDICT_MUST, .doc = "Name servers and search list.",
	  .hint = "the pod gets the host's resolv.conf" },
	{ "readinessGates", FIELD_OBJECTS, VERDICT_LATER, .doc = "Further conditions for being ready.", .hint = HINT_LATER },
	{ "runtimeClassName", FIELD_STRING, VERDICT_SHOULD, .neutral = "", .doc = "Which runtime runs the pod.",
	  .hint = "leave it out: podd runs containers itself" },
	{ "enableServiceLinks", FIELD_BOOL, WITHOUT_EFFECT, .doc = "Variables that describe Services; there are none." },
	{ "preemptionPolicy", FIELD_STRING, WITHOUT_EFFECT, .doc = "Whether lower priorities make room." },
	{ "overhead", FIELD_QUANTITY_MAP, WITHOUT_EFFECT, .doc = "Resources of the sandbox itself." },
	{ "topologySpreadConstraints", FIELD_OBJECTS, WITHOUT_EFFECT, .doc = "Spread over machines." },
	{ "setHostnameAsFQDN", FIELD_BOOL, VERDICT_SHOULD, .neutral = "false", .doc = "Uses the full name as the host name.",
	  .hint = HINT_LATER },
	{ "os", FIELD_OBJECT, VERDICT_MUST, READ_ELSEWHERE, .object = &schema_os, .doc = "The operating system the pod is for." },
	{ "hostUsers", FIELD_BOOL, VERDICT_SHOULD, .neutral = "true", .doc = "false: user ids of its own.", .hint = HINT_LATER },
	{ "schedulingGates", FIELD_OBJECTS, VERDICT_REJECT, .doc = "Keeps the pod from being started.",
	  .hint = "keep the manifest outside of the directory" },
	{ "resourceClaims", FIELD_OBJECTS, VERDICT_REJECT, .doc = "Devices by dynamic resource allocation.",
	  .hint = "use a hostPath volume with the device node" },
	{ "resources", FIELD_OBJECT, VERDICT_MUST, .doc = "Limits of the pod as a whole.", .hint = "limit the containers" },
	{ "hostnameOverride", FIELD_STRING, VERDICT_SHOULD, .doc = "A host name of any form.", .hint = "use hostname" },
	{ "schedulingGroup", FIELD_OBJECT, WITHOUT_EFFECT, .doc = "Pods that are placed together." },
	{ "evictionResponders", FIELD_OBJECTS, WITHOUT_EFFECT, .doc = "Who answers evictions." },
};
const struct schema schema_spec = SCHEMA("PodSpec", spec_fields, sizeof(struct pod_spec));

static const struct field metadata_fields[] = {
	{ "name", FIELD_STRING, VERDICT_MUST, STORED(pod_metadata, name, EDIT_RECREATE), .required = true,
	  .check = check_subdomain_name, .doc = "Name of the pod, unique in its namespace." },
	{ "namespace", FIELD_STRING, VERDICT_MUST, STORED(pod_metadata, namespace, EDIT_RECREATE), .fallback = "default",
	  .check = check_label_name, .doc = "Group the pod belongs to." },
	{ "uid", FIELD_STRING, VERDICT_MUST, STORED(pod_metadata, uid, EDIT_NONE), .check = check_pod_uid,
	  .doc = "Identity of the pod; podd chooses and keeps one." },
	{ "labels", FIELD_MAP, VERDICT_MUST, STORED(pod_metadata, labels, EDIT_UPDATE), .doc = "Words to select pods by." },
	{ "annotations", FIELD_MAP, VERDICT_MUST, STORED(pod_metadata, annotations, EDIT_UPDATE),
	  .doc = "Notes; those that begin with podd.dev/ are podd's own." },
	{ "generateName", FIELD_STRING, WITHOUT_EFFECT, .doc = "Prefix of a name the API server would make." },
	{ "creationTimestamp", FIELD_STRING, WITHOUT_EFFECT, .doc = "Written by an API server." },
	{ "deletionTimestamp", FIELD_STRING, WITHOUT_EFFECT, .doc = "Written by an API server." },
	{ "deletionGracePeriodSeconds", FIELD_INT64, WITHOUT_EFFECT, .doc = "Written by an API server." },
	{ "resourceVersion", FIELD_STRING, WITHOUT_EFFECT, .doc = "Written by an API server." },
	{ "generation", FIELD_INT64, WITHOUT_EFFECT, .doc = "Written by an API server." },
	{ "selfLink", FIELD_STRING, WITHOUT_EFFECT, .doc = "Written by an API server." },
	{ "ownerReferences", FIELD_OBJECTS, WITHOUT_EFFECT, .doc = "Objects the pod belongs to." },
	{ "finalizers", FIELD_STRINGS, WITHOUT_EFFECT, .doc = "Who has a say in the deletion." },
	{ "managedFields", FIELD_OBJECTS, WITHOUT_EFFECT, .doc = "Written by an API server." },
};
const struct schema schema_metadata = SCHEMA("ObjectMeta", metadata_fields, sizeof(struct pod_metadata));

static const struct field pod_fields[] = {
	{ "apiVersion", FIELD_STRING, VERDICT_MUST, READ_ELSEWHERE, .required = true, .doc = "v1." },
	{ "kind", FIELD_STRING, VERDICT_MUST, READ_ELSEWHERE, .required = true, .doc = "Pod." },
	{ "metadata", FIELD_OBJECT, VERDICT_MUST, STORED(pod, metadata, EDIT_NONE), .required = true, .object = &schema_metadata,
	  .doc = "Name and labels." },
	{ "spec", FIELD_OBJECT, VERDICT_MUST, STORED(pod, spec, EDIT_NONE), .required = true, .object = &schema_spec,
	  .doc = "What is to run." },
	{ "status", FIELD_OBJECT, WITHOUT_EFFECT, .doc = "Written by podd; in a manifest a leftover." },
};
const struct schema schema_pod = SCHEMA("Pod", pod_fields, sizeof(struct pod));

const struct field *schema_find(const struct schema *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (streq(s->fields[i].name, name))
			return &s->fields[i];
	return NULL;
}

const struct field *schema_lookup(const char *path)
{
	const struct schema *s = &schema_pod;
	const struct field *f = NULL;
	const char *rest = str_after(path, "pod.");

	for (path = rest ? rest : path; *path;) {
		char name[64];
		size_t n = strcspn(path, ".[");
		if (!s || n >= sizeof(name))
			return NULL;
		memcpy(name, path, n);
		name[n] = '\0';
		f = schema_find(s, name);
		if (!f)
			return NULL;
		s = f->object;
		path += n;
		if (*path == '[') /* [] or an index says nothing here */
			path += strcspn(path, ".");
		path += *path == '.';
	}
	return f;
}

bool schema_item_idle(const struct schema *s, const void *item)
{
	const struct field *f = s->idle_without ? schema_find(s, s->idle_without) : NULL;

	return f && *(const int32_t *)((const char *)item + f->offset) == 0;
}

bool field_stored(const struct field *f)
{
	return f->built && f->verdict != VERDICT_NO_OP && f->offset != NOWHERE;
}

bool field_is_neutral(const struct field *f, const char *text)
{
	size_t n = strlen(text);

	for (const char *word = f->neutral; word; word = strchr(word, '|') ? strchr(word, '|') + 1 : NULL)
		if (strcspn(word, "|") == n && memcmp(word, text, n) == 0)
			return true;
	return false;
}

const char *field_type_name(enum field_type t)
{
	static const char *const names[] = {
		[FIELD_STRING] = "string",
		[FIELD_ENUM] = "string",
		[FIELD_BOOL] = "bool",
		[FIELD_TRISTATE] = "bool",
		[FIELD_INT32] = "int32",
		[FIELD_INT64] = "int64",
		[FIELD_ID] = "int64",
		[FIELD_QUANTITY] = "quantity",
		[FIELD_INT_OR_STRING] = "int-or-string",
		[FIELD_OBJECT] = "object",
		[FIELD_OBJECTS] = "list of object",
		[FIELD_STRINGS] = "list of string",
		[FIELD_INT32S] = "list of int32",
		[FIELD_INT64S] = "list of int64",
		[FIELD_MAP] = "map",
		[FIELD_QUANTITY_MAP] = "map of quantity",
		[FIELD_LABEL_SELECTOR] = "labelSelector",
	};
	_Static_assert(ARRAY_SIZE(names) == FIELD_TYPE_MAX, "a name for each type");
	return names[t];
}

const char *verdict_name(enum verdict v)
{
	static const char *const names[] = {
		[VERDICT_MUST] = "must",     [VERDICT_SHOULD] = "should", [VERDICT_LATER] = "later",
		[VERDICT_REJECT] = "reject", [VERDICT_NO_OP] = "no-op",
	};
	_Static_assert(ARRAY_SIZE(names) == VERDICT_MAX, "a name for each verdict");
	return names[v];
}

static void walk(const struct schema *s, const char *prefix, void (*visit)(const char *path, const struct field *f, void *user),
                 void *user)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct field *f = &s->fields[i];
		char path[256];
		(void)snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "." : "", f->name);
		visit(path, f, user);
		if (!f->object)
			continue;
		if (f->type == FIELD_OBJECTS)
			(void)snprintf(path, sizeof(path), "%s%s%s[]", prefix, *prefix ? "." : "", f->name);
		walk(f->object, path, visit, user);
	}
}

void schema_walk(void (*visit)(const char *path, const struct field *f, void *user), void *user)
{
	walk(&schema_pod, "", visit, user);
}
