/* Paths in trees that someone hostile may have shaped: every walk stays below a root descriptor, whatever its symlinks say, and never
 * follows a magic link of /proc. Libc only, no heap. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum path_links {
	PATH_FOLLOW,  /* symlinks mean what they mean to a process whose root this is */
	PATH_STRICT,  /* a symlink anywhere is -ELOOP */
	PATH_BENEATH, /* symlinks are followed, one that leads out or is absolute is -EXDEV */
};

/* An fd or -errno. `flags` as for open(2); O_CLOEXEC is added. */
int path_open(int root, const char *path, int flags, enum path_links links);

/* O_PATH, without waiting for any file system: what the kernel has to ask for is -EAGAIN. Below `root`, or anywhere with AT_FDCWD. */
int path_open_cached(int root, const char *path);

/* Opens the directory that holds the last component, which *ret_name then points at. -EINVAL for "/", "." and "..". */
int path_open_parent(int root, const char *path, enum path_links links, const char **ret_name);

/* mkdir -p below root; returns the directory, opened O_PATH. */
int path_make_directory(int root, const char *path, mode_t mode);
