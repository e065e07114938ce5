/* /run/podd, from which a careless clean-up may take podd's socket and lock. The next podd makes all of it anew and adopts the pods, by paths that
 * are used with each start; so this one ends, and says why. */
#pragma once
#include "daemon/daemon.h"

int rundir_watch(struct daemon *d);
