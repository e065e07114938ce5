/* Mounts by descriptor: the kernel's mount API of fds, as thin wrappers that neither libc has in full. Libc only, no heap: podd-launch
 * uses them between clone and exec. (Not named mount.h: that would hide <sys/mount.h>.)
 *
 * A detached mount is an fd of a tree that hangs nowhere yet; it goes away with the fd unless it is attached. It serves once. */
#pragma once
#include <linux/mount.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A detached mount of a new file system. Options as in fstab, "size=64k,mode=755"; attrs are MOUNT_ATTR_*. An fd or -errno. */
int mnt_new(const char *fstype, const char *options, uint64_t attrs);

/* A detached copy of the mount at path below dirfd; path "" means dirfd itself. An fd or -errno. */
int mnt_clone(int dirfd, const char *path, bool recursive);

/* Hangs a detached tree on what `target` stands for. */
int mnt_attach(int tree, int target);

/* Sets and clears MOUNT_ATTR_* of the mount that fd is the root of. */
int mnt_set_attrs(int fd, uint64_t set, uint64_t clear, bool recursive);

/* Ids of the file system are those of the user namespace in this detached tree: mount_setattr(2), MOUNT_ATTR_IDMAP. -EINVAL: the file
 * system can't. */
int mnt_idmap(int tree, int userns, bool recursive);

/* MS_PRIVATE, MS_SLAVE or MS_SHARED for the tree that fd is the root of, with all below. */
int mnt_set_propagation(int fd, uint64_t propagation);

/* Nothing of this mount namespace goes to others or comes from them any more. */
int mnt_make_private(void);

/* fd, the root of a mount of this namespace, becomes /; the old root and all below it is detached. The working directory is / then. */
int mnt_pivot(int fd);

/* The pieces of mnt_new(), for file systems whose options do not fit one string. */
int mnt_fs_open(const char *fstype);
int mnt_fs_string(int fs, const char *key, const char *value);
int mnt_fs_flag(int fs, const char *key);
int mnt_fs_mount(int fs, uint64_t attrs); /* creates it and returns the detached mount */
int mnt_fs_read_only(int fs);             /* afterwards; -EBUSY: somebody writes */
