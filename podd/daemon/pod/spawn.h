/* Starts an anchor: one clone3 into its cgroup and namespaces, then exec. */
#pragma once
#include <stdbool.h>
#include "daemon/config.h"
#include "sys/cgroup.h"

struct spawn_anchor {
	const struct cgroup_entry *cgroup;
	int program_fd; /* podd-anchor */
	int listen_fd, logs_fd;
	const char *socket_path, *hostname, *title;
	int shm_fd; /* the pod's /dev/shm, with which it has an IPC namespace of its own; -EBADF: the host's */
	bool own_net, own_uts, share_pid;
	const struct userns *users; /* hostUsers: false: namespaces to enter instead of making them; else NULL */
	const char *const *sysctls; /* "net/ipv4/tcp_syncookies=1" */
	size_t sysctl_count;        /* at most ANCHOR_SYSCTLS_MAX */
	int64_t log_size, log_files;
};

/* The new anchor's pidfd. 0 or -errno of the clone; a failing exec shows as the anchor's death. */
int spawn_anchor(const struct spawn_anchor *s, int *ret_pidfd);

/* podd-anchor or podd-launch as sys/program.h copies it. They are beside podd itself (a build tree), else in libexec. */
int spawn_load_helper(const char *name);
