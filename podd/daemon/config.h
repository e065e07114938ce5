/* What podd was told: defaults, then <root>/etc/podd/podd.yaml, then the command line. */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include "base/arena.h"
#include "base/log.h"
#include "core/core.h"
#include "manifest/conf.h"

struct config {
	struct arena *arena;
	int argc; /* what it was read from, for the next time */
	char **argv;
	const char *root;                     /* "/" by default */
	const char *config_file;              /* as given, else <root>/etc/podd/podd.yaml */
	const char *manifests[CONF_DIRS_MAX]; /* as given, else <root>/etc/pods */
	size_t manifest_count;
	struct in_addr network; /* --pod-cidr */
	unsigned prefix;
	const char *cgroup_root; /* "podd" */
	const char *node_name;   /* the host's name */
	struct label_list node_labels;
	enum log_level log_level;
	bool log_json;
	bool drain;                        /* stop all pods, then end */
	bool any_owner;                    /* manifestOwner: any */
	bool allow_unenforced;             /* run pods whose limits this host can't enforce */
	struct string_list unsafe_sysctls; /* that pods may set: names or "prefix*" */
	int64_t log_size;                  /* bytes of one container log file */
	int64_t log_files;                 /* kept of one start, the one being written included */
	int64_t pids_max;                  /* of a container */
	int64_t disk_period;               /* ns between two measurements */
	struct backoff_config backoff;
	struct conf_runtime_list runtimes;
	const char *tag; /* "podd", or "podd_" + 8 characters of the root's hash */
};

/* Parses the command line and reads the file. -1: go on; else the exit code for main (help and errors were printed). */
int config_load(int argc, char **argv, struct config *ret);
/* Takes over what can change while pods run: the log's level and format, the rule about owners, unenforced limits, the sizes of
 * logs, the limit of processes and the node's labels. *ret_rest_differs: something else was changed, too, and waits for the next start.
 * -EBADMSG: nothing is changed (the errors were printed). */
int config_reload(struct config *c, bool *ret_rest_differs);
void config_deinit(struct config *c);

/* <root> + path, on the configuration's arena. */
const char *config_path(const struct config *c, const char *path);
