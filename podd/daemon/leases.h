/* Which address a pod gets, and when the file of leases is written: once, soon after any number of changes. */
#pragma once
#include "daemon/daemon.h"

void leases_init(struct daemon *d);
/* The pod's address. One that runs has the address it has, whatever became of the file. */
int leases_address(struct daemon *d, const char *uid, bool running, struct in_addr *ret);
void leases_release(struct daemon *d, const char *uid);
