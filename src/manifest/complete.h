/* What Kubernetes derives once a pod is valid: defaults that depend on other fields, the QoS class, and podd's hash. */
#pragma once
#include "manifest/pod.h"

void pod_complete(struct pod *p);
