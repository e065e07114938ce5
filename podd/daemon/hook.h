/* Commands of hooks: run as exec runs them, confined as the member is. Their output is not kept. */
#pragma once
#include "daemon/daemon.h"

void hook_run(struct daemon *d, const struct start_id *id, enum hook_kind kind);
