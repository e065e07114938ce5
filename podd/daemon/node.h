/* What is known of this machine that pods can ask for: the labels of the configuration, and those that Kubernetes puts on every node; the
 * PriorityClasses of the manifest directories. */
#pragma once
#include "daemon/daemon.h"

/* Anew, at the start and whenever one of them has changed: pods that wait for it begin. */
void node_refresh(struct daemon *d);
const char *node_arch(void); /* as Go names it */
