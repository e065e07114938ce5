/* Files by descriptor: whole reads and writes, durable replacement, removal of trees. All return 0 or a count, or -errno. */
#pragma once
#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "base/buf.h"

/* Appends all of fd to out, at most `max` bytes; -EFBIG when there is more. */
int fd_read_all(int fd, size_t max, struct buf *out);
int fd_write_all(int fd, const void *data, size_t n);

/* A whole small file below dirfd (AT_FDCWD for a path). -EFBIG beyond max. */
int file_read(int dirfd, const char *path, size_t max, struct buf *out);

/* One write(2) to an existing file, as cgroup, proc and sysfs want it. */
int file_write(int dirfd, const char *path, const char *text);

/* Replaces a file of the directory durably: a temporary beside it (".tmp-" + name), fsync, rename, fsync of the directory. */
int file_replace(int dirfd, const char *name, const void *data, size_t n, mode_t mode);

/* The same without waiting for the disk: whole for whoever opens it next, also after the writer's death, but not after a power cut. */
int file_replace_unsynced(int dirfd, const char *path, const void *data, size_t n, mode_t mode);

/* mkdir -p; an existing directory is fine. The mode is that of the directories made. */
int dir_make(int dirfd, const char *path, mode_t mode);

/* A directory's entries but "." and "..". Opened without following a symlink; NULL and errno. */
DIR *dir_open(int dirfd, const char *path);
struct dirent *dir_next(DIR *d);

static inline void cleanup_dir(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}
#define _cleanup_dir_ _cleanup_(cleanup_dir)

/* Removes name below dirfd and all that is in it, however deep and whatever its flags (chattr +i); follows no symlink, and detaches what is
 * mounted there. What can't be removed stays, with the directories above it, and is the error. Absence is success. */
int tree_remove(int dirfd, const char *name);

/* Whether the directory lies on a file system that is read-only, for everybody. */
bool fd_is_read_only(int dirfd);

/* Closes all descriptors from 3 on but those in keep[], which is sorted here. For a forked child that must not hold its parent's locks. */
void fd_close_others(int *keep, size_t count);
