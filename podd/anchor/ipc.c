#include "anchor/ipc.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "sys/mnt.h"

enum mode { LEAVE, SWEEP_DEAD, SWEEP_ALL };

_Static_assert(sizeof(((struct dirent *)0)->d_ino) == 8 && sizeof(((struct dirent *)0)->d_off) == 8, "as getdents64 has them");

static bool was_left(const struct ipc *ipc, enum ipc_kind kind, uint64_t id)
{
	for (size_t i = 0; i < ipc->left_count; i++)
		if (ipc->left[i].kind == kind && ipc->left[i].id == id)
			return true;
	return false;
}

/* Whether this object has to go. */
static bool visit(struct ipc *ipc, enum mode mode, enum ipc_kind kind, uint64_t id, bool dead)
{
	if (mode != LEAVE)
		return (dead || mode == SWEEP_ALL) && !was_left(ipc, kind, id);
	if (ipc->left_count < IPC_LEFT_MAX)
		ipc->left[ipc->left_count] = (struct ipc_object){ kind, id };
	ipc->left_count++;
	return false;
}

/* The kernel tells the number that a process had in the anchor's PID namespace also when it is dead. If another has it now, the object stays
 * till the next time. */
static bool is_dead(pid_t pid)
{
	return pid <= 0 || (kill(pid, 0) < 0 && errno == ESRCH);
}

static void walk_shared(struct ipc *ipc, enum mode mode)
{
	struct shm_info info;
	struct shmid_ds ds;
	int last = shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&info);

	for (int i = 0; i <= last; i++) {
		int id = shmctl(i, SHM_STAT, &ds);
		if (id < 0)
			continue;
		bool dead = ds.shm_nattch == 0 && is_dead(ds.shm_cpid) && is_dead(ds.shm_lpid);
		if (visit(ipc, mode, IPC_SHARED, (uint64_t)id, dead))
			(void)shmctl(id, IPC_RMID, NULL);
	}
}

static void walk_semaphores(struct ipc *ipc, enum mode mode)
{
	union { /* semctl(2): the caller has to define it */
		struct semid_ds *ds;
		struct seminfo *info;
	} arg;
	struct seminfo info;
	struct semid_ds ds;

	arg.info = &info;
	int last = semctl(0, 0, SEM_INFO, arg);
	arg.ds = &ds;
	for (int i = 0; i <= last; i++) {
		int id = semctl(i, 0, SEM_STAT, arg);
		if (id >= 0 && visit(ipc, mode, IPC_SEMAPHORES, (uint64_t)id, false))
			(void)semctl(id, 0, IPC_RMID);
	}
}

static void walk_messages(struct ipc *ipc, enum mode mode)
{
	struct msginfo info;
	struct msqid_ds ds;
	int last = msgctl(0, MSG_INFO, (struct msqid_ds *)(void *)&info);

	for (int i = 0; i <= last; i++) {
		int id = msgctl(i, MSG_STAT, &ds);
		if (id >= 0 && visit(ipc, mode, IPC_MESSAGES, (uint64_t)id, false))
			(void)msgctl(id, IPC_RMID, NULL);
	}
}

/* shm_open, sem_open and mq_open make files, right in these; a directory is somebody's own idea. */
static void walk_files(struct ipc *ipc, enum mode mode, enum ipc_kind kind, int dir)
{
	_Alignas(struct dirent) char entries[4096];
	long n;

	if (dir < 0 || lseek(dir, 0, SEEK_SET) < 0)
		return;
	while ((n = syscall(SYS_getdents64, dir, entries, sizeof(entries))) > 0)
		for (char *at = entries; at < entries + n; at += ((struct dirent *)(void *)at)->d_reclen) {
			const struct dirent *e = (struct dirent *)(void *)at;
			if (e->d_type == DT_REG && visit(ipc, mode, kind, e->d_ino, false))
				(void)unlinkat(dir, e->d_name, 0);
		}
}

static void walk(struct ipc *ipc, enum mode mode)
{
	walk_shared(ipc, mode);
	if (mode == SWEEP_DEAD)
		return;
	walk_semaphores(ipc, mode);
	walk_messages(ipc, mode);
	walk_files(ipc, mode, IPC_QUEUE, ipc->queues);
	walk_files(ipc, mode, IPC_FILE, ipc->shm);
}

void ipc_init(struct ipc *ipc, int shm)
{
	ipc->shm = shm;
	ipc->queues = -EBADF;
	if (shm < 0)
		return;
	_cleanup_close_ int mount = mnt_new("mqueue", "", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (mount >= 0)
		ipc->queues = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void ipc_leave(struct ipc *ipc)
{
	if (ipc->shm < 0)
		return;
	ipc->left_count = 0; /* what was left earlier is there, or nobody wants it any more */
	walk(ipc, LEAVE);
}

void ipc_sweep(struct ipc *ipc, bool alone)
{
	if (ipc->shm >= 0 && ipc->left_count <= IPC_LEFT_MAX)
		walk(ipc, alone ? SWEEP_ALL : SWEEP_DEAD);
}
