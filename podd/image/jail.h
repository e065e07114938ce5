/* Where strangers' bytes are read: a process that can reach nothing but what it works on, should these bytes take it over.
 *
 * - Own mount, network, IPC, UTS and PID namespaces. Its / is its directory below the store's tmp (nosuid, nodev, noexec); besides that it
 *   holds a read-only view of the store's layers and of the source. All three are roots of mounts of their own: ".." ends there.
 * - Of the capabilities CHOWN, DAC_OVERRIDE, FOWNER, FSETID, SETFCAP and MKNOD, for the files of layers. No SYS_ADMIN: opaque directories
 *   are marked outside. no_new_privs.
 * - Limits on memory, CPU time, file size and descriptors, and on processes: none but itself.
 * - A seccomp filter lets through what files and memory take; any other system call ends it.
 * - It dies with its parent.
 *
 * A layer's blob can be verified, what a taken-over jail makes of it can't: it may unpack its own layers wrongly. It can't touch those
 * that are in the store, nor anything outside. */
#pragma once
#include "image/work.h"

/* Runs work_run() in it; dir, layers and source are the caller's own descriptors. 0 with the result, or -errno with words (why.h): the
 * jail could not be made, or ended otherwise. */
int jail_run(const struct work *w, struct buf *ret);
