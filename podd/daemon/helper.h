/* What may block for long, in a child of podd: a plain function, called once, whose result comes back. It has a copy of podd's memory and the
 * descriptors it is given, no loop and no log; what it has to tell beyond its result it writes into memory that is shared. */
#pragma once
#include <stddef.h>
#include <uv.h>

struct helper;

typedef int helper_work(void *arg);              /* in the child: 0 or -errno */
typedef void helper_done(void *arg, int result); /* in podd, when that has ended; -EINTR: it was killed */

/* `keep`: the descriptors it needs. NULL: there is no process to be had. */
struct helper *helper_start(uv_loop_t *loop, const int *keep, size_t keep_count, helper_work *work, helper_done *done, void *arg);
void helper_cancel(struct helper *h); /* ends it; `done` is not called. Takes NULL */
void helper_leave(struct helper *h);  /* podd ends: lets it go on. Takes NULL */
