/* The log process: takes the read ends of the members' pipes from the reaper and writes CRI files (crifile.h). It is confined to the
 * pod's log directory by Landlock and has no capabilities.
 *
 * While it works it keeps a timer from firing that the reaper watches too: if one write takes longer than HANG_SECONDS the disk hangs,
 * and the reaper empties the pipes. Once it can work again it says SLOW and reads no pipe before it is told what was dropped, and
 * to GO. While it idles the timer is off: nobody wakes up. */
#pragma once
#include <stdint.h>
#include "wire/anchor.h"

enum log_order_type {
	LOG_OPEN = 1, /* stream, key, which; one fd */
	LOG_DRAINED,  /* stream, lines, midline: the reaper had to drop these */
	LOG_GO,       /* answers SLOW: nobody else reads the pipes any more */
	LOG_QUIT,     /* write what is in the pipes and exit */
	LOG_TAP,      /* stream; one fd, a pipe that gets a copy from now on, without what it does not take at once */
};

struct log_order {
	uint32_t type, stream;
	struct anchor_key key;
	uint32_t which, midline;
	uint64_t lines;
};

enum log_reply_type {
	LOG_END = 1, /* stream: all its writers are gone, all is written */
	LOG_LOST,    /* stream, lines, bytes, error */
	LOG_SLOW,
	LOG_UNCONFINED, /* no Landlock here */
};

struct log_reply {
	uint32_t type, stream;
	int32_t error;
	uint32_t reserved;
	uint64_t lines, bytes;
};

struct logger_config {
	int socket, logs, hang;
	uint64_t limit;
	unsigned files;
};

_Noreturn void logger_main(const struct logger_config *config);
