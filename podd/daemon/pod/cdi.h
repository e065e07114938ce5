/* Devices that pods name (podd.dev/devices), looked up for each start in the specifications below /etc/cdi and /var/run/cdi, of which the
 * latter comes first. Only files of root that nobody else can write to count. A name that none of them has makes the start wait; it is
 * tried again when one of the directories changes, once they are watched: from the first pod on that names a device. */
#pragma once
#include "daemon/pod/sandbox.h"
#include "manifest/cdi.h"

struct cdi;

/* What the pod's devices need, with what their nodes are on the host now. 0; -ENOENT, -EBADMSG, -E2BIG or another -errno with *ret_text, all on
 * `a`. */
int cdi_look_up(struct daemon *d, const struct pod *p, struct arena *a, struct cdi_edits *ret, const char **ret_text);

void cdi_close(struct daemon *d);
