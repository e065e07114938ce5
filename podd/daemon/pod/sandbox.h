/* A pod's sandbox: run directory, cgroups, anchor, namespaces, address. Made and unmade here, nowhere else.
 *
 * Created: directories, cgroups, the anchor (cloned with the namespaces the pod needs), then, when its snapshot brings the namespace's
 * descriptors, the network. Destroyed: the anchor is asked to drain its logs, all that is left in the pod's cgroup is killed, and when
 * nobody is in it any more, link, mounts, cgroups and run directory go. Destruction is repeated until it holds. */
#pragma once
#include "daemon/pod/anchor.h"
#include "daemon/daemon.h"

enum sandbox_state {
	SANDBOX_CREATING, /* the anchor was started, its snapshot is not here */
	SANDBOX_ADOPTING, /* found at start, likewise */
	SANDBOX_UP,
	SANDBOX_LOST, /* the anchor is dead; the core was told */
	SANDBOX_DYING,
};

struct sandbox {
	struct list link;
	struct daemon *daemon;
	char uid[POD_UID_SIZE];
	enum sandbox_state state;
	struct anchor *anchor;
	char cgroup[POD_UID_SIZE + 32];
	int run_fd;   /* <run>/pods/<uid> */
	int state_fd; /* <state>/pods/<uid>, or one in run_fd: sandbox_leave_disk() */
	int netns_fd, rtnl_fd;
	int users_fd;      /* user namespace of a pod with hostUsers: false */
	uint32_t first_id; /* what its id 0 is outside; 0: the host's users */
	struct in_addr address;
	bool networked; /* it has a link of its own */
	struct list launches;
	struct list sessions, session_plans;
	struct list images;   /* startimage.c */
	struct list forwards; /* forward.h */
	uint32_t next_session;
	uv_timer_t timer; /* of the destruction, or of an anchor that does not answer */
	uv_timer_t resize_timer;
	unsigned open_handles;
	char resize_error[200]; /* why the last edit is not wholly in force; "" */
	unsigned attempts;
	unsigned deletions;    /* that an OCI runtime is at: runtime.h */
	struct event *failure; /* what the core is told when a failed creation was unmade */
	uint64_t log_dropped;
};

struct sandbox *sandbox_find(const struct daemon *d, const char *uid); /* NULL */
void sandbox_create(struct daemon *d, const char *uid);
/* An anchor's directory was found: connects. The core was told ANCHOR_FOUND; SANDBOX_LOST follows if nobody answers. */
void sandbox_adopt(struct daemon *d, const char *uid);
void sandbox_destroy(struct daemon *d, const char *uid);
#define SANDBOX_IN_MEMORY "state" /* in its run directory */
/* A pod whose disk was read-only when something was to be written there has its writable layers and emptyDirs in memory, until it or the
 * machine ends; volumes begin empty there. */
int sandbox_leave_disk(struct sandbox *s, const struct pod *p);
/* Limits and hostPorts as the manifest has them now, in place. */
void sandbox_resize(struct daemon *d, const char *uid);
/* podd ends: lets go of all, touches nothing. */
void sandbox_release_all(struct daemon *d);
bool sandbox_is_stopped(const struct sandbox *s); /* its anchor is: nothing is heard of what runs */
bool sandbox_all_adopted(const struct daemon *d);

/* Limits, as the manifest and the node want them. */
struct cgroup_limits sandbox_pod_limits(const struct pod *p);     /* on pod<uid>: weight only */
struct cgroup_limits sandbox_members_limits(const struct pod *p); /* on pod<uid>/members */
struct cgroup_limits sandbox_container_limits(const struct config *cfg, const struct pod *p, const struct container *c);
void sandbox_protect(struct daemon *d); /* memory.low above the pods: what they ask for, together */

/* <cgroup of the pod>/members/<container>.<n>; sessions have branches of it. */
enum { SANDBOX_LEAF_SIZE = 320 };
void sandbox_leaf(const struct sandbox *s, const char *container, uint32_t number, char ret[static SANDBOX_LEAF_SIZE]);
