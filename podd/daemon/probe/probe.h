/* Probes as they are made: a command in the container (a session, as exec), or a question over the network (check.h). The core says when,
 * and what follows. */
#pragma once
#include "daemon/daemon.h"

/* Makes it once; EVENT_PROBED follows, within the probe's timeout. */
void probe_make(struct daemon *d, const struct start_id *id, enum probe_kind kind);
