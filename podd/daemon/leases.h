/* Which address a pod gets, and when the file of leases is written: once, soon after any number of changes. */
#pragma once
#include "daemon/daemon.h"

void leases_init(struct daemon *d);
/* The pod's address. One that runs has the address it has, whatever became of the file. */
int leases_address(struct daemon *d, const char *uid, bool running, struct in_addr *ret);

/* The first of the pod's own user ids: LEASES_IDS of them, on a multiple of that, between 2^30 and 2^31. -ENOSPC: all are taken. */
enum { LEASES_IDS = 65536 };
int leases_ids(struct daemon *d, const char *uid, uint32_t *ret_first);
void leases_claim_ids(struct daemon *d, const char *uid, uint32_t first);

void leases_release(struct daemon *d, const char *uid);
