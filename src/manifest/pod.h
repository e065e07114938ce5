/* The typed Pod: what a validated manifest means. Everything hangs on one arena and is immutable once decoded; whoever keeps a
 * pod holds a reference. Which fields exist, their defaults and their verdicts is the business of schema.c alone. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/sha256.h"
#include "manifest/container.h"
#include "manifest/volume.h"

enum {                          /* what podd takes at most in one pod's lists */
       POD_CONTAINERS_MAX = 64, /* together: the note of the anchor holds so many */
       POD_VOLUMES_MAX = 256,
       POD_MOUNTS_MAX = 128,
       POD_PORTS_MAX = 128,
       POD_LIST_MAX = 10000 /* words of a command, variables */
};

enum restart_policy { RESTART_POLICY_ALWAYS, RESTART_POLICY_ON_FAILURE, RESTART_POLICY_NEVER, RESTART_POLICY_MAX };

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
	struct security_profile seccomp, app_armor;
	struct int_list supplemental_groups;
	enum groups_policy groups_policy; /* whether the groups that the image gives its user count */
	struct sysctl_list sysctls;
	struct id fs_group;
	enum fs_group_policy fs_group_policy; /* of claims; an emptyDir is the group's from the start */
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
	struct container_list ephemeral; /* manifest/ephemeral.h: no manifest has them */
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
	struct string_list devices; /* the annotation podd.dev/devices: all containers get them (manifest/cdi.h) */
	struct after_list after;
	const char *tty;            /* the annotation podd.dev/tty: a terminal of the host, by its path in /dev; NULL: none */
	char hash[SHA256_HEX_SIZE]; /* of the canonical JSON: comments, key order and layout do not count */
};

struct pod *pod_ref(struct pod *p);
struct pod *pod_unref(struct pod *p); /* takes NULL, returns NULL */

const char *qos_name(enum qos q);                       /* "Guaranteed", "Burstable", "BestEffort" */
const char *restart_policy_name(enum restart_policy p); /* "Always", "OnFailure", "Never" */
const char *after_until_name(enum after_until u);       /* "ready", "started", "completed" */
const char *protocol_name(enum protocol p);
const char *node_operator_name(enum node_operator o); /* "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt" */

/* All containers in the order of their start: those of initContainers, then the members, then the ephemeral ones. */
size_t pod_container_count(const struct pod *p);
const struct container *pod_container_at(const struct pod *p, size_t i);
const struct container *pod_container(const struct pod *p, const char *name); /* NULL when there is none */
bool pod_is_init(const struct pod *p, const struct container *c);             /* of initContainers; also a sidecar */
bool pod_is_sidecar(const struct pod *p, const struct container *c);
bool pod_is_ephemeral(const struct pod *p, const struct container *c);
struct quantity pod_disk_limit(const struct pod *p); /* of ephemeral-storage, all containers together; not set: none has one */
/* Whose terminal is the host's: the first with tty: true, else the first of all. NULL: nobody's. */
const struct container *pod_tty_container(const struct pod *p);
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
