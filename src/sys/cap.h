/* Capabilities by the raw system calls: five facts and a table of names do not need a library. Libc only, no heap. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { CAP_COUNT = 41 }; /* of those that have a name here; the kernel may know more */

#define CAP_BIT(n) (UINT64_C(1) << (n))

const char *cap_name(unsigned cap); /* "NET_BIND_SERVICE", as Kubernetes writes it; NULL when unknown */
int cap_by_name(const char *name);  /* with or without "CAP_", any case; -ENOENT */

/* The bounding set of the calling process. */
uint64_t cap_bounding(void);
/* What is not in `keep` leaves the bounding set; needs CAP_SETPCAP if anything has to go. */
int cap_bound(uint64_t keep);

/* Permitted and effective become `set`, inheritable and ambient become empty. */
int cap_set(uint64_t set);
/* Permitted and effective become what is permitted now: after a setuid(2) under PR_SET_KEEPCAPS. */
int cap_raise(void);
