/* What a start that is over leaves behind: its control group, its writable layer. It goes on the loop's next turn, so that the start that
 * takes its place need not wait for that. A podd that is killed before leaves it to the end of the pod. */
#pragma once
#include "daemon/daemon.h"

void leftover_init(struct daemon *d);
void leftover_add(struct daemon *d, const struct start_id *id);
void leftover_remove_all(struct daemon *d); /* now */
