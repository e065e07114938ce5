/* The typed container: a part of struct pod (manifest/pod.h). Names are those of Kubernetes' fields; `set` says that an object was there. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

enum huge_size { HUGE_SIZE_2MI, HUGE_SIZE_1GI, HUGE_SIZE_MAX };

struct resource_list {
	struct quantity cpu, memory, pid, disk; /* disk: ephemeral-storage */
	struct quantity huge[HUGE_SIZE_MAX];
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

/* What a container is confined by: seccompProfile and appArmorProfile. */
enum profile_type { PROFILE_RUNTIME_DEFAULT, PROFILE_UNCONFINED, PROFILE_LOCALHOST, PROFILE_TYPE_MAX };

struct security_profile {
	bool set; /* not set: the pod's, else RuntimeDefault */
	enum profile_type type;
	const char *localhost_profile; /* of Localhost: a file below the node's etc/podd/seccomp; a profile that the kernel has */
};

enum proc_mount { PROC_MOUNT_DEFAULT, PROC_MOUNT_MASKED, PROC_MOUNT_UNMASKED, PROC_MOUNT_MAX };

struct security_context {
	struct capabilities capabilities;
	enum tristate privileged, read_only_root, allow_privilege_escalation, run_as_non_root;
	struct id run_as_user, run_as_group;
	struct security_profile seccomp, app_armor;
	enum proc_mount proc_mount;
};

enum message_policy { MESSAGE_FILE, MESSAGE_OR_LOGS, MESSAGE_POLICY_MAX };

enum http_scheme { HTTP_SCHEME_HTTP, HTTP_SCHEME_HTTPS, HTTP_SCHEME_MAX };
enum pull_policy { PULL_IF_NOT_PRESENT, PULL_ALWAYS, PULL_NEVER, PULL_POLICY_MAX };

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
	enum http_scheme scheme;
	const char *path, *host; /* host NULL or "": the pod's address */
	struct int_or_string port;
	struct http_header_list headers;
};

struct tcp_socket {
	bool set;
	const char *host;
	struct int_or_string port;
};

struct grpc_action {
	bool set;
	int32_t port;
	const char *service, *mode; /* NULL: "", plaintext */
};

struct probe { /* exactly one of the first four is set, if it is */
	bool set;
	struct exec_action exec;
	struct http_get http_get;
	struct tcp_socket tcp_socket;
	struct grpc_action grpc;
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
	const char *target; /* of an ephemeral one: the container whose processes it sees; NULL or "": its own alone */
};

struct container_list {
	struct container *items;
	size_t count;
};
