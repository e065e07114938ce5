/* What an earlier podd left: anchors that run (adopted), and anchors that died meanwhile (swept, made anew). */
#pragma once
#include "daemon/daemon.h"

/* Finds them by their run directories and by their cgroups; tells the core ANCHOR_FOUND for each, then connects. */
int adopt_all(struct daemon *d);

/* When all pods are known: removes directories and logs of pods that nobody knows, and of which nothing lives; all were found by adopt_all(). None as
 * long as a damaged file (.bad-*) might be the one that knew them. */
void adopt_sweep(struct daemon *d);
