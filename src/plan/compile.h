/* Pod to launch plan. Pure: the same pod, image and context give the same bytes, so plans are golden files in the tests.
 *
 * A plan names the descriptors it needs as slots; the shell resolves each afresh for each start, in the order given here. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"
#include "image/image.h"
#include "manifest/cdi.h"
#include "manifest/pod.h"
#include "wire/plan.h"

/* What a container's image gives. All zero is a rootfs: image: a directory, which says nothing of how to run it. */
struct plan_image {
	struct image_config config;
	struct string_list layers;            /* directories below SLOT_LAYERS's, topmost first; none: that directory itself */
	const char *passwd, *group;           /* texts of its /etc/passwd and /etc/group, or NULL */
	const char *passwd_flaw, *group_flaw; /* why they can't be read: "is no regular file" */
	/* The layers of what the container mounts of images, likewise, by index of the mount; NULL: it mounts none. */
	const struct string_list *mounts;
};

/* From an image of the store, which must stay; NULL: a rootfs: image. Its accounts are not read here. */
void plan_image_init(struct plan_image *p, const struct image *i, struct arena *a);
void plan_image_layers(const struct image *i, struct arena *a, struct string_list *ret); /* just that of it */

struct filters;
struct sources; /* plan/source.h */

/* An OCI runtime, and what of it belongs to this start. */
struct plan_runtime {
	const char *program;        /* its path */
	struct string_list options; /* of the program, before all others */
	const char *state;          /* where it keeps what it knows of the pod's containers */
	const char *bundle;         /* a directory of this start, with an empty directory "rootfs" and, from podd, config.json */
	const char *id;             /* of the container; unique in `state` */
	const char *cgroup;         /* of the container, in each hierarchy */
};

/* What the node says. */
struct plan_context {
	const char *const
		*v1_hierarchies; /* names of the cgroup v1 hierarchies to join ("memory", "pids", "cpu"...); may be none */
	size_t v1_count;
	bool unified;            /* pure cgroup v2: /sys/fs/cgroup is mounted in the container */
	uint64_t capabilities;   /* podd's own bounding set: what `privileged` means here */
	int64_t memory_capacity; /* bytes, for oom_score_adj */
	uint64_t nofile_max;     /* own hard limit */
	bool apparmor;           /* in force on this host */
	uint32_t first_id;       /* what id 0 of the pod is outside: not 0 with hostUsers: false */
	struct filters *filters; /* compiled filters of system calls */
	/* Not of the node, but of this start: what env takes from elsewhere. NULL: nothing is known of that. */
	const struct sources *sources;
	const struct cdi_edits *devices;    /* what the devices that the pod names need, as it is now; or NULL */
	const struct plan_runtime *runtime; /* who runs the member; NULL: podd-launch does */
};

enum slot_role {
	SLOT_CGROUP_TASKS, /* `tasks` of this start's directory in hierarchy `name`, opened for writing */
	SLOT_LAYERS,       /* the directory that the image's layers are in */
	SLOT_UPPER,        /* fresh directory of this start; also of a read-only root, whose overlay is mounted read-only */
	SLOT_WORK,
	SLOT_WRITABLE,        /* of a pod with its own users, instead of those two: a detached tree that holds them */
	SLOT_USERS,           /* the pod's user namespace */
	SLOT_ETC,             /* detached tree: the pod's generated file `name` ("hosts", "hostname", "resolv.conf") */
	SLOT_SHM,             /* detached tree: the pod's /dev/shm */
	SLOT_VOLUME,          /* detached tree: volume `name`, as mounted by mount `index` of the container */
	SLOT_IMAGE,           /* detached tree: the directory that the layers of volume `name` are in */
	SLOT_TERMINATION_LOG, /* detached tree: the file of this start in which it says why it ends */
	SLOT_DEVICE_FILE,     /* detached tree: path `name` of the host, which a device needs */
	SLOT_TTY,             /* terminal `name` of the host */
	SLOT_HOST_DEV,        /* detached tree: the host's /dev (privileged) */
	SLOT_CGROUP_PROCS, /* with a runtime, whose launch has a directory of its own: `cgroup.procs` of the container's; index 0 on v2,
			       * then that of each hierarchy */
	SLOT_MEMBER, /* pidfd of the member to join (sessions, and who has a target); put there by the anchor, always slot 0 */
	SLOT_MAX,
};

struct slot {
	enum slot_role role;
	const char *name; /* on the plan's arena; NULL where not said above */
	unsigned index;
	const char *path; /* of a VOLUME: the part of it that is mounted, relative; NULL: all */
};

struct plan {
	struct arena *arena;
	struct buf bytes; /* the memfd's content */
	struct slot *slots;
	size_t slot_count;
	uint32_t spawn_flags; /* ANCHOR_SPAWN_* that come from the manifest */
	struct buf config;    /* with a runtime: its config.json (plan/oci.h) */
};

/* The plan of a member. 0, or -E2BIG (too large), or -EINVAL with *ret_reason (static text or on the pod's arena; CreateContainerConfigError). */
int plan_member(const struct pod *pod, const struct container *c, const struct plan_image *image, const struct plan_context *ctx,
                struct plan *ret, const char **ret_reason);

enum session_kind { SESSION_COMMAND, SESSION_TERMINAL, SESSION_COPY /* argv: as PLAN_COPY has it */ };

/* The plan of a command run inside a running member (exec, probes, hooks): joins it and confines itself exactly as the member did. */
int plan_session(const struct pod *pod, const struct container *c, const struct plan_image *image, const struct plan_context *ctx,
                 const struct string_list *argv, enum session_kind kind, struct plan *ret, const char **ret_reason);

void plan_deinit(struct plan *p);

/* One line an operation, for people (podctl plan) and golden files. 0 or -EINVAL if the bytes are no plan. */
int plan_print(const void *bytes, size_t size, struct buf *out);

/* "mounting proc on /proc: Operation not permitted": a failed step in words. */
void plan_failure_text(const void *bytes, size_t size, const struct plan_failure *f, struct buf *out);

/* $(VAR) expansion of Kubernetes: single pass, undefined stays literal, $$ escapes. */
char *plan_expand(struct arena *a, const char *text, const struct label_list *env);
