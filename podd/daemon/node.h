/* What is known of this machine that pods can ask for: the labels of the configuration, and those that Kubernetes puts on every node. */
#pragma once
#include "daemon/daemon.h"

/* Also after a change of the configuration: pods that wait for a label begin. */
void node_refresh(struct daemon *d);
const char *node_arch(void); /* as Go names it */
