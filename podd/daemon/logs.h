/* A pod's log directory: <root>/var/log/pods/<ns>_<name>_<uid>/<container>/<number>.log. */
#pragma once
#include "daemon/daemon.h"

/* A descriptor, or -errno. */
int logs_open(struct daemon *d, const struct pod *p, const char *uid, bool make);

/* The first free start number of each container, in order: logs of an earlier boot may be there, and their numbers are taken. */
void logs_first_numbers(struct daemon *d, const struct pod *p, const char *uid, uint32_t ret[static CONTAINERS_MAX]);
