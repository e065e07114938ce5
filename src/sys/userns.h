/* A user namespace, and namespaces that belong to it: user_namespaces(7). Ids from 0 on inside are those from `first` on outside.
 *
 * They are made by a child that does nothing else and ends at once; the descriptors keep them. Whoever joins one of the others without joining
 * the user namespace keeps its own capabilities, over these too, since the user namespace is a child of its own. */
#pragma once
#include <stdint.h>

struct userns {
	int user, net, ipc, uts; /* descriptors; -EBADF: not asked for */
};

#define USERNS_NULL ((struct userns){ -EBADF, -EBADF, -EBADF, -EBADF })

/* `flags`: CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS. 0 or -errno. */
int userns_make(uint32_t first, uint32_t count, uint64_t flags, struct userns *ret);
void userns_deinit(struct userns *u);

/* The user namespace that a namespace belongs to: a descriptor or -errno. */
int userns_of(int ns);
