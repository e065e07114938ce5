/* Hooks that act: commands, run as exec runs them, confined as the member is, their output in the container's log; and requests, of which any
 * answer is success, as with the kubelet. A command that outlives podd is waited for by the next one, not run twice. */
#pragma once
#include "daemon/daemon.h"

void hook_run(struct daemon *d, const struct start_id *id, enum hook_kind kind);
