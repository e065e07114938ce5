/* Connections into a pod: a stream of frames (relay.h) on the client's side, a TCP connection to 127.0.0.1 in the pod's own network
 * namespace on the other. So what listens on a pod's loopback alone is reached, and a pod of the host's network, too. */
#pragma once
#include "daemon/pod/sandbox.h"

void forward_end_all(struct sandbox *s); /* such a connection would keep the namespace alive */
