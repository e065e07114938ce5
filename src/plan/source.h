/* What env and volumes take from elsewhere: ConfigMaps and Secrets, facts about the pod, files of volumes. Pure: what the shell knows
 * comes in as struct sources, what a container gets goes out as a list of variables or of files.
 *
 * What is missing and not optional makes the start wait (CreateContainerConfigError); the reason names the object and the key. No
 * reason ever has a value in it. */
#pragma once
#include "manifest/config.h"
#include "manifest/pod.h"

struct sources {
	const char *uid, *node_name, *host_ip, *pod_ip; /* pod_ip "": none yet */
	int64_t cpu_milli, memory;                      /* of the node: limits that are not set */
	/* NULL: there is none. */
	const struct config_object *(*config)(enum config_kind kind, const char *ns, const char *name, void *arg);
	/* The text of a file in a volume, on `a`. -ENOENT, or -errno. NULL: files can't be read here. */
	int (*file)(const char *volume, const char *path, struct arena *a, const char **ret_text, void *arg);
	void *arg;
	bool lenient; /* what is missing is left out: for a command inside a container that got its values when it started */
};

/* The manifest's variables in Kubernetes' order: envFrom, then env, each with $(VAR) of those before it expanded; a later one of a name
 * takes the place of the earlier. -EINVAL with *ret_reason on `a`. */
int source_env(struct arena *a, const struct pod *p, const struct container *c, const struct sources *s, struct label_list *ret,
               const char **ret_reason);

/* A file of a volume that podd makes; `path` is relative and has no "..". */
struct volume_file {
	const char *path, *data;
	size_t size;
	unsigned mode;
	struct id user;
};

struct volume_files { /* sorted by path, each path once */
	struct volume_file *items;
	size_t count;
};

/* The files of a configMap, secret, downwardAPI or projected volume. -EINVAL with *ret_reason on `a`. */
int source_files(struct arena *a, const struct pod *p, const struct volume *v, const struct sources *s, struct volume_files *ret,
                 const char **ret_reason);

/* A field of the pod as text, on `a`; a label or annotation that isn't there is "". */
const char *source_field(struct arena *a, const struct pod *p, const char *path, const struct sources *s);
/* A limit or request of `own` or of the container that it names, in units of its divisor, rounded up. NULL: no such container. */
const char *source_resource(struct arena *a, const struct pod *p, const struct container *own, const struct resource_selector *r,
                            const struct sources *s);
/* `file`'s variable `key`; NULL and *ret_reason: there is none, or the file is not of that form. */
const char *source_variable(struct arena *a, const char *text, const char *key, const char **ret_reason);

/* Does the object have a say in it? */
bool source_volume_uses(const struct volume *v, enum config_kind kind, const char *name);
bool source_container_uses(const struct pod *p, const struct container *c, enum config_kind kind, const char *name);
/* Its plan holds values that may be others at the next start. */
bool source_env_varies(const struct container *c);
