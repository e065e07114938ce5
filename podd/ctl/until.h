/* Waiting until a pod or a job is what it should be: wait, stop and delete. podd is asked every 50 ms. */
#pragma once
#include <stdint.h>
#include "ctl/ctl.h"

enum until {
	UNTIL_READY,
	UNTIL_COMPLETED, /* Succeeded, of a job Complete; what has failed will never be, and ends the wait */
	UNTIL_FAILED,    /* the other way round */
	UNTIL_DELETED,   /* gone, or another pod of the same name */
	UNTIL_STOPPED,   /* by hand, and nothing is left of its sandbox */
	UNTIL_MAX,
};

/* --timeout as boot time; 0: none given. -EINVAL after a message. */
int until_deadline(const struct args *a, int64_t *ret);
/* CTL_YES; CTL_NO after a message: not in time, not there, or impossible. deadline 0: without end. */
int until_pod(const struct args *a, const struct pod_ref *p, enum until until, int64_t deadline);
