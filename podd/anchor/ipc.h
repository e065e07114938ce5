/* IPC objects of the dead. System V's live as long as the pod's IPC namespace, POSIX queues, semaphores and shared memory as long as their two
 * directories: a container that crashes and starts again would find its old ones, add new ones, and be out of memory one day.
 *
 * What is there when a container ends for good is left to those after it: it stays (init containers do so on purpose). When a container
 * is to be started again, what was not left so goes:
 * - all of it, if nothing of the pod lives;
 * - else System V shared memory that nobody has attached, and whose maker and last user are dead. The kernel does not tell who counts on
 *   semaphores, queues and files.
 *
 * The two directories are of file systems in memory: no disk can make the reaper wait. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IPC_LEFT_MAX = 1024 };

enum ipc_kind { IPC_SHARED, IPC_SEMAPHORES, IPC_MESSAGES, IPC_QUEUE, IPC_FILE };

struct ipc_object {
	enum ipc_kind kind;
	uint64_t id; /* of System V, or the inode */
};

struct ipc {
	int shm;    /* the pod's /dev/shm; -EBADF: its namespace is the host's, where nothing is touched */
	int queues; /* its mqueue file system; -EBADF: none */
	struct ipc_object left[IPC_LEFT_MAX];
	size_t left_count; /* beyond the limit: more than can be told apart, so nothing goes any more */
};

void ipc_init(struct ipc *ipc, int shm);
void ipc_leave(struct ipc *ipc);             /* a container ended for good */
void ipc_sweep(struct ipc *ipc, bool alone); /* one is to be started again; `alone`: nothing else of the pod lives */
