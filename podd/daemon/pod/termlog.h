/* Termination messages: what a container wrote to its terminationMessagePath before it ended.
 *
 * Each start has a file of its own on a small tmpfs of the pod (volumes.h), bound over the path: whatever the container does with it, it
 * can't fill the host's disk, and podd reads the file that it made itself, never the container's path. The file is kept as long as
 * the end of its start is told; nothing else remembers the message, so a restart of podd loses none.
 *
 * The limits are the kubelet's: the last 4096 bytes of the file; with FallbackToLogsOnError, if it is empty and the container has failed, the
 * last 80 lines of its log, at most 2048 bytes; and 12 KiB for all containers of a pod, in equal shares. */
#pragma once
#include "daemon/pod/sandbox.h"

/* Makes the file of this start: a detached tree, or -errno. Files that nobody will ask for any more go. */
int termlog_open(struct sandbox *s, const char *container, uint32_t number);

/* Appends the message of the container's last end, without control characters; nothing if there is none. */
void termlog_read(const struct daemon *d, const struct core_pod *p, const struct core_container *c, struct buf *out);
