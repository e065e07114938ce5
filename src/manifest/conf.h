/* podd's configuration file. It goes through the manifest's own engine: YAML or JSON with places, a table of keys, "did you mean".
 * The table also holds the defaults, so a missing file is read as an empty one. Durations and the CIDR are checked here and kept
 * as they were written. */
#pragma once
#include "base/log.h"
#include "manifest/manifest.h"
#include "manifest/schema.h"

enum { CONF_DIRS_MAX = 16, CONF_LABELS_MAX = 64, CONF_RUNTIMES_MAX = 16, CONF_OPTIONS_MAX = 16 };
enum conf_log_format { CONF_LOG_KV, CONF_LOG_JSON, CONF_LOG_FORMAT_MAX };
enum conf_owner { CONF_OWNER_ROOT, CONF_OWNER_ANY, CONF_OWNER_MAX };

struct conf_backoff {
	const char *initial, *max, *reset;
};

struct conf_runtime {
	const char *name, *path;
	struct string_list options;
};

struct conf_runtime_list {
	struct conf_runtime *items;
	size_t count;
};

struct conf {
	struct string_list manifests;                   /* none: the caller's default */
	const char *pod_cidr, *cgroup_root, *node_name; /* node_name "": the host's */
	struct label_list node_labels;
	enum log_level log_level;
	enum conf_log_format log_format;
	enum conf_owner manifest_owner;
	bool allow_unenforced_limits;
	struct string_list unsafe_sysctls;
	struct quantity log_max_size;
	int32_t log_max_files;
	int32_t pids_limit;
	const char *disk_period;
	struct conf_backoff backoff;
	struct conf_runtime_list runtimes;
};

extern const struct schema schema_conf;

/* Fills *ret on `arena`. 0, or -EBADMSG: *ret_findings say why; they are the caller's to deinit either way. */
int conf_read(struct arena *arena, const char *file, const char *text, size_t size, struct manifest *ret_findings,
              struct conf *ret);

/* "10.88.0.0/16": the address is the network's first, the prefix 8 to 30 bits. */
bool conf_parse_cidr(const char *text, uint32_t *ret_network, unsigned *ret_prefix); /* the network in network byte order */
bool conf_is_cgroup(const char *name);                                               /* a path without ".." */
