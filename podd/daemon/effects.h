/* The effects of the core, carried out. */
#pragma once
#include "daemon/daemon.h"

void effect_run(struct daemon *d, const struct effect *e);
