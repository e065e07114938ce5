/* Where mounts come from: volumes, and the pod's /dev/shm. Every source is resolved afresh, by descriptor, for each start, and handed over
 * as a detached tree: nothing keeps a mount of the host busy between starts. */
#pragma once
#include "daemon/pod/sandbox.h"

/* Where containers leave their termination messages (termlog.c), below the pod's run directory: no volume can have such a name. Room for two of
 * each container that a pod can have; more than that the pod can't put there. */
#define VOLUMES_MESSAGES "volumes/.messages"

/* Makes the emptyDirs, /dev/shm and the place of the messages. */
int volumes_prepare(struct sandbox *s, const struct pod *p);
void volumes_sandbox_gone(struct sandbox *s);
/* All volumes of a pod of which nothing runs are emptied; a new sandbox makes them anew. */
void volumes_clear(struct daemon *d, const char *uid);
/* No pod runs, nor shall before the next boot (podd --drain): what their volumes have in memory goes, so that no mount is left. */
void volumes_release(struct daemon *d);
/* The pod is gone for good: its emptyDirs go. */
void volumes_forget(struct daemon *d, const char *uid);

/* A detached tree of the volume, or of the part of it at `path` (NULL: all), or -errno; *ret_text then says what could not be opened (on
 * `arena`). The part is found by one walk of descriptors: whatever a container does to the volume meanwhile, it is inside. */
int volumes_open(struct sandbox *s, const struct pod *p, const char *volume, const char *path, struct arena *arena,
                 const char **ret_text);
/* Whether volumes_open() finds a hostPath in the kernel's cache, and so waits for no file system. All others are podd's own. */
bool volumes_at_hand(const struct pod *p, const char *volume, const char *path);
int volumes_open_shm(struct sandbox *s, const struct pod *p);
/* A tmpfs of the pod that only podd writes to, made if need be: its directory, or -errno. Its pages are never swapped out, where the
 * kernel can do that (6.4). */
int volumes_make_private(struct sandbox *s, const char *volume);
int volumes_open_private(struct sandbox *s, const char *volume); /* -ENOENT: not made yet */
/* A claim, made if need be, or an emptyDir that was prepared: its directory, for reading. -ENOENT: it is neither. */
int volumes_open_kept(struct sandbox *s, const struct pod *p, const struct volume *v);
/* A regular file in an emptyDir, for reading; symlinks stay inside. */
int volumes_open_file(struct sandbox *s, const struct pod *p, const char *volume, const char *path);
int volumes_open_path(const char *path); /* of the host, what no manifest names: /dev for privileged containers, files of devices */
/* A detached tree of what an O_PATH descriptor names, with all below. */
int volumes_tree(int fd);
