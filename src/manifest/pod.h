/* The typed Pod: what a validated manifest means. Everything hangs on one arena and is immutable once decoded; whoever keeps a
 * pod holds a reference. Which fields exist, their defaults and their verdicts is the business of schema.c alone. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/sha256.h"

/* An exact resource.Quantity, in nano units ("1" is 1000000000); rounded up, away from zero, as Kubernetes does. */
struct quantity {
	__int128 nano;
	bool set;
	bool binary;   /* the family of the canonical text: Ki, Mi... */
	bool exponent; /* or e3, e6...; neither: k, M... */
};

struct string_list {
	const char **items;
	size_t count;
};

struct int_list { /* of int32 or int64 */
	int64_t *items;
	size_t count;
};

struct label { /* also an annotation, a resolved environment variable */
	const char *name, *value;
};

struct label_list {
	struct label *items;
	size_t count;
};

/* Where a value comes from when it isn't in the manifest. */
struct key_selector { /* of a ConfigMap or Secret */
	bool set;
	const char *name, *key;
	bool optional;
};

struct field_selector {
	bool set;
	const char *path; /* "metadata.labels['app']" */
};

struct resource_selector {
	bool set;
	const char *container, *resource; /* container NULL: its own */
	struct quantity divisor;          /* 0 or not set: 1 */
};

struct file_selector {
	bool set;
	const char *volume, *path, *key;
	bool optional;
};

struct env_source {
	bool set; /* exactly one of these is, too */
	struct field_selector field;
	struct resource_selector resource;
	struct key_selector config_map, secret;
	struct file_selector file;
};

struct env_var {
	const char *name, *value; /* the value with $(VAR) as written; expanded by plan/ */
	struct env_source from;
};

struct env_list {
	struct env_var *items;
	size_t count;
};

struct object_selector {
	bool set;
	const char *name;
	bool optional;
};

struct env_from {
	const char *prefix; /* or NULL */
	struct object_selector config_map, secret;
};

struct env_from_list {
	struct env_from *items;
	size_t count;
};

enum protocol { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP, PROTOCOL_MAX };

struct container_port {
	const char *name;
	int32_t container_port, host_port; /* 0: not published */
	enum protocol protocol;
	const char *host_ip;
};

struct container_port_list {
	struct container_port *items;
	size_t count;
};

struct resource_list {
	struct quantity cpu, memory, pid;
};

struct resources {
	struct resource_list limits, requests;
};

enum resize_resource { RESIZE_CPU, RESIZE_MEMORY, RESIZE_RESOURCE_MAX };
enum resize_restart { RESIZE_NOT_REQUIRED, RESIZE_RESTART_CONTAINER, RESIZE_RESTART_MAX };

struct resize_policy { /* what a change of the limits and requests of one resource costs */
	enum resize_resource resource;
	enum resize_restart restart;
};

struct resize_policy_list {
	struct resize_policy *items;
	size_t count;
};

struct id { /* a uid or gid: 0 to 2^31-1; also a file's mode */
	int64_t value;
	bool set;
};

struct volume_mount {
	const char *name, *mount_path;
	bool read_only;
	const char *sub_path, *sub_path_expr;          /* NULL or "": all of the volume */
	const char *recursive_read_only, *propagation; /* NULL: Disabled, None */
	struct string_list bind_options;
};

struct volume_mount_list {
	struct volume_mount *items;
	size_t count;
};

/* Three-valued: what the manifest left open is filled in from the pod or the image. */
enum tristate { TRISTATE_UNSET, TRISTATE_FALSE, TRISTATE_TRUE };

struct capabilities {
	struct string_list add, drop;
};

enum seccomp_type { SECCOMP_RUNTIME_DEFAULT, SECCOMP_UNCONFINED, SECCOMP_LOCALHOST, SECCOMP_TYPE_MAX };

struct seccomp_profile {
	bool set; /* not set: the pod's, else RuntimeDefault */
	enum seccomp_type type;
	const char *localhost_profile; /* of Localhost: a file below the node's etc/podd/seccomp */
};

enum proc_mount { PROC_MOUNT_DEFAULT, PROC_MOUNT_MASKED, PROC_MOUNT_UNMASKED, PROC_MOUNT_MAX };

struct security_context {
	struct capabilities capabilities;
	enum tristate privileged, read_only_root, allow_privilege_escalation, run_as_non_root;
	struct id run_as_user, run_as_group;
	struct seccomp_profile seccomp;
	enum proc_mount proc_mount;
};

enum fs_group_policy { FS_GROUP_DEFAULT, FS_GROUP_ALWAYS, FS_GROUP_ON_ROOT_MISMATCH, FS_GROUP_POLICY_MAX };

struct sysctl {
	const char *name, *value;
};

struct sysctl_list {
	struct sysctl *items;
	size_t count;
};

enum groups_policy { GROUPS_DEFAULT, GROUPS_MERGE, GROUPS_STRICT, GROUPS_POLICY_MAX };

struct pod_security { /* what containers take that do not say it themselves, and what concerns them all */
	enum tristate run_as_non_root;
	struct id run_as_user, run_as_group;
	struct seccomp_profile seccomp;
	struct int_list supplemental_groups;
	enum groups_policy groups_policy; /* whether the groups that the image gives its user count */
	struct sysctl_list sysctls;
	struct id fs_group;
	enum fs_group_policy fs_group_policy; /* of claims; an emptyDir is the group's from the start */
};
enum message_policy { MESSAGE_FILE, MESSAGE_OR_LOGS, MESSAGE_POLICY_MAX };

enum pull_policy { PULL_IF_NOT_PRESENT, PULL_ALWAYS, PULL_NEVER, PULL_POLICY_MAX };

enum restart_policy { RESTART_POLICY_ALWAYS, RESTART_POLICY_ON_FAILURE, RESTART_POLICY_NEVER, RESTART_POLICY_MAX };

/* A container's own; of an init container ALWAYS means that it is a sidecar. */
enum container_restart {
	CONTAINER_RESTART_AS_POD,
	CONTAINER_RESTART_ALWAYS,
	CONTAINER_RESTART_ON_FAILURE,
	CONTAINER_RESTART_NEVER,
	CONTAINER_RESTART_MAX,
};

enum restart_action { RESTART_ACTION_CONTAINER, RESTART_ACTION_ALL, RESTART_ACTION_MAX };
enum exit_operator { EXIT_OPERATOR_IN, EXIT_OPERATOR_NOT_IN, EXIT_OPERATOR_MAX };

struct exit_codes {
	enum exit_operator operator;
	struct int_list values;
};

struct restart_rule { /* of a list the first that matches holds */
	enum restart_action action;
	struct exit_codes exit_codes;
};

struct restart_rule_list {
	struct restart_rule *items;
	size_t count;
};

struct exec_action {
	bool set;
	struct string_list command;
};

struct sleep_action {
	bool set;
	int64_t seconds;
};

struct int_or_string {
	int32_t number;
	const char *text; /* NULL: the number */
};

struct http_header {
	const char *name, *value;
};

struct http_header_list {
	struct http_header *items;
	size_t count;
};

struct http_get {
	bool set;
	const char *path, *host; /* host NULL or "": the pod's address */
	struct int_or_string port;
	struct http_header_list headers;
};

struct tcp_socket {
	bool set;
	const char *host;
	struct int_or_string port;
};

struct probe { /* exactly one of the first three is set, if it is */
	bool set;
	struct exec_action exec;
	struct http_get http_get;
	struct tcp_socket tcp_socket;
	int32_t delay, timeout, period; /* seconds */
	int32_t successes, failures;    /* thresholds */
	int64_t grace_seconds;          /* 0: the pod's */
};

struct hook { /* exactly one of the three is set, if it is */
	bool set;
	struct exec_action exec;
	struct http_get http_get;
	struct sleep_action sleep;
};

struct lifecycle {
	struct hook post_start, pre_stop;
	const char *stop_signal; /* "SIGQUIT"; NULL: what the image says, else SIGTERM */
};

struct container {
	const char *name, *image;
	enum pull_policy pull_policy;
	struct string_list command, args;
	const char *working_dir; /* NULL: the image's, else "/" */
	struct env_from_list env_from;
	struct env_list env;
	struct container_port_list ports;
	struct resources resources;
	struct resize_policy_list resize;
	struct volume_mount_list mounts;
	struct security_context security;
	bool stdin_open, stdin_once, tty;
	const char *message_path; /* where it says why it ended */
	enum message_policy message_policy;
	struct lifecycle lifecycle;
	struct probe startup, readiness, liveness;
	enum container_restart restart;
	struct restart_rule_list restart_rules;
};

struct container_list {
	struct container *items;
	size_t count;
};

enum host_path_type {
	HOST_PATH_ANY,
	HOST_PATH_DIRECTORY_OR_CREATE,
	HOST_PATH_DIRECTORY,
	HOST_PATH_FILE_OR_CREATE,
	HOST_PATH_FILE,
	HOST_PATH_SOCKET,
	HOST_PATH_CHAR_DEVICE,
	HOST_PATH_BLOCK_DEVICE,
	HOST_PATH_MAX,
};

struct host_path {
	bool set;
	const char *path;
	enum host_path_type type;
};

enum empty_dir_medium { EMPTY_DIR_DISK, EMPTY_DIR_MEMORY, EMPTY_DIR_MEDIUM_MAX };

struct empty_dir {
	bool set;
	enum empty_dir_medium medium;
	struct quantity size_limit;
	struct id mode;
};

struct key_path { /* a key that becomes a file */
	const char *key, *path;
	struct id mode, user;
};

struct key_path_list {
	struct key_path *items;
	size_t count;
};

struct config_files { /* of a ConfigMap or a Secret */
	bool set;
	const char *name;
	struct key_path_list items; /* none: every key, under its own name */
	bool optional;
	struct id default_mode, default_user; /* not of a projection */
};

struct downward_file {
	const char *path;
	struct field_selector field;
	struct resource_selector resource;
	struct id mode, user;
};

struct downward_file_list {
	struct downward_file *items;
	size_t count;
};

struct downward_files {
	bool set;
	struct downward_file_list items;
	struct id default_mode, default_user; /* not of a projection */
};

struct projection {
	struct config_files config_map, secret;
	struct downward_files downward;
};

struct projection_list {
	struct projection *items;
	size_t count;
};

struct projected {
	bool set;
	struct projection_list sources;
	struct id default_mode, default_user;
};

struct claim {
	bool set;
	const char *name;
	bool read_only;
};

struct image_volume {
	bool set;
	const char *reference;
	enum pull_policy pull_policy;
};

struct volume { /* exactly one source is set; none means emptyDir */
	const char *name;
	struct host_path host_path;
	struct empty_dir empty_dir;
	struct config_files config_map, secret;
	struct downward_files downward;
	struct projected projected;
	struct claim claim;
	struct image_volume image;
};

struct volume_list {
	struct volume *items;
	size_t count;
};

struct host_alias { /* a line of /etc/hosts */
	const char *ip;
	struct string_list hostnames;
};

struct host_alias_list {
	struct host_alias *items;
	size_t count;
};

struct dns_config {
	struct string_list nameservers, searches;
	struct label_list options; /* the value NULL or "": it has none */
};

struct pod_metadata {
	const char *name, *namespace, *uid; /* uid NULL: podd chooses one */
	struct label_list labels, annotations;
};

/* What a machine must be like: one of the terms holds, of a term all requirements, and a term of none holds nowhere. */
enum node_operator { NODE_IN, NODE_NOT_IN, NODE_EXISTS, NODE_DOES_NOT_EXIST, NODE_GT, NODE_LT, NODE_OPERATOR_MAX };

struct node_requirement {
	const char *key;
	enum node_operator op;
	struct string_list values;
};

struct node_requirement_list {
	struct node_requirement *items;
	size_t count;
};

struct node_term {
	struct node_requirement_list labels, fields; /* of fields there is metadata.name */
};

struct node_term_list {
	struct node_term *items;
	size_t count;
};

struct node_selector {
	bool set;
	struct node_term_list terms;
};

struct node_affinity {
	struct node_selector required;
};

struct affinity {
	struct node_affinity node;
};

struct pod_spec {
	struct container_list init_containers, containers;
	struct volume_list volumes;
	enum restart_policy restart_policy;
	int64_t grace_seconds;
	int64_t active_deadline_seconds; /* 0: none */
	const char *hostname;            /* NULL or "": the pod's name */
	const char *subdomain;           /* NULL or "": no full name */
	const char *hostname_override;   /* NULL, or instead of all that */
	bool hostname_is_full;
	const char *dns_policy; /* NULL: ClusterFirst, which is Default where there is no cluster */
	struct dns_config dns_config;
	struct host_alias_list host_aliases;
	bool host_network, host_pid, host_ipc, share_process_namespace;
	const char *runtime_class; /* NULL or "": podd itself */
	enum tristate host_users;  /* false: a user namespace of its own */
	struct pod_security security;
	struct resources resources; /* of all containers together */
	struct label_list node_selector;
	struct affinity affinity;
	const char *priority_class; /* NULL or "": the default one, if there is any */
	int32_t priority;           /* 0: by the class */
};

enum qos { QOS_GUARANTEED, QOS_BURSTABLE, QOS_BEST_EFFORT, QOS_MAX };

/* The annotation podd.dev/restart-backoff, in ns; 0: not given, the node's configuration holds. */
struct pod_backoff {
	int64_t initial, max, reset;
};

/* The annotation podd.dev/on-config-change: what happens to containers when a ConfigMap or Secret that they use is edited. */
struct pod_config_change {
	bool restart;
	int signal; /* 0: none */
};

/* The annotation podd.dev/swap. */
enum swap {
	SWAP_NONE,
	SWAP_LIMITED, /* each container its share of the host's swap, as it has of the memory by its request */
	SWAP_MAX,
};

/* The annotation podd.dev/ulimits. */
struct ulimit {
	int resource;        /* RLIMIT_* */
	uint64_t soft, hard; /* RLIM_INFINITY: unlimited */
};

struct ulimit_list {
	struct ulimit *items;
	size_t count;
};

/* The annotation podd.dev/after: pods that come before this one. */
enum { AFTER_PODS_MAX = 16 };
enum after_until { AFTER_UNTIL_READY, AFTER_UNTIL_STARTED, AFTER_UNTIL_COMPLETED, AFTER_UNTIL_MAX };

struct after {
	const char *namespace, *name; /* namespace NULL: the pod's own */
	enum after_until until;       /* how far it must have come */
};

struct after_list {
	struct after *items;
	size_t count;
};

struct owner { /* kind NULL: none */
	const char *kind, *name, *uid;
};

struct workload;

struct pod {
	struct arena *arena;
	unsigned refs;
	struct pod *base;                /* that it shares parts with: a reference; NULL: none */
	const struct workload *workload; /* it is the template of this Job or CronJob; NULL: a pod */
	struct owner owner;              /* of a pod of a Job, or a Job of a CronJob */
	struct pod_metadata metadata;
	struct pod_spec spec;
	enum qos qos;
	struct pod_backoff backoff;
	int64_t probe_period; /* the annotation podd.dev/probe-period, ns; 0: each probe's own */
	struct pod_config_change config_change;
	enum swap swap;
	struct ulimit_list ulimits;
	struct after_list after;
	char hash[SHA256_HEX_SIZE]; /* of the canonical JSON: comments, key order and layout do not count */
};

struct pod *pod_ref(struct pod *p);
struct pod *pod_unref(struct pod *p); /* takes NULL, returns NULL */

const char *qos_name(enum qos q);                       /* "Guaranteed", "Burstable", "BestEffort" */
const char *restart_policy_name(enum restart_policy p); /* "Always", "OnFailure", "Never" */
const char *after_until_name(enum after_until u);       /* "ready", "started", "completed" */
const char *protocol_name(enum protocol p);
const char *node_operator_name(enum node_operator o); /* "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt" */

/* All containers in the order of their start: those of initContainers, then the members. */
size_t pod_container_count(const struct pod *p);
const struct container *pod_container_at(const struct pod *p, size_t i);
const struct container *pod_container(const struct pod *p, const char *name); /* NULL when there is none */
bool pod_is_init(const struct pod *p, const struct container *c);             /* of initContainers; also a sidecar */
bool pod_is_sidecar(const struct pod *p, const struct container *c);
bool pod_is_node_critical(const struct pod *p);
int signal_number(const char *name); /* of a legal stopSignal */
const struct volume *pod_volume(const struct pod *p, const char *name);
bool volume_is_files(const struct volume *v); /* podd makes its files: configMap, secret, downwardAPI, projected */

/* The pod's names: "host.subdomain.namespace.svc.cluster.local", or the host name where there is no subdomain; and what the kernel is
 * told, which takes 64 bytes. */
enum { POD_HOSTNAME_SIZE = 65 };
void pod_host_name(const struct pod *p, struct buf *out);
void pod_full_name(const struct pod *p, struct buf *out);
void pod_hostname(const struct pod *p, char ret[static POD_HOSTNAME_SIZE]);
