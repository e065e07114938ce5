/* The local terminal while the keys go to a remote one. Raw from terminal_raw() to terminal_restore(), which every way out passes: exit(3),
 * a signal that ends or stops podctl (terminal_signal()), and the ends of verbs. */
#pragma once
#include <stdbool.h>
#include "base/buf.h"

/* Makes standard input's terminal raw, and gives a descriptor that tells signals (signalfd). -ENOTTY: it is none. */
int terminal_raw(int *ret_signals);
void terminal_restore(void);
/* Takes one signal. True: the size may be another one. A signal that ends podctl restores the terminal first, and does not return. */
bool terminal_signal(int signals);
/* {"Width":80,"Height":24} of the terminal that is there, grown by `more`; false: there is none. */
bool terminal_size(unsigned more, struct buf *out);
