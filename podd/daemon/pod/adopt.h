/* What an earlier podd left: anchors that run (adopted), and anchors that died meanwhile (swept, made anew). */
#pragma once
#include "daemon/daemon.h"

/* Finds them by their run directories and by their cgroups; tells the core ANCHOR_FOUND for each, then connects. */
int adopt_all(struct daemon *d);
