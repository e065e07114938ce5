/* The manifest directories. Events are hints, the directory is the truth.
 *
 * A file that arrives by rename is whole and is taken at once. One that is written in place is left alone from its first MODIFY until
 * its CLOSE_WRITE, and then for 200 ms of quiet, since half a manifest can be a valid one. A name that vanished is believed gone when it is
 * still gone 200 ms later: editors delete and create anew.
 *
 * A pod is stopped only when its manifest was seen to be gone from a healthy directory. One that is missing, unreadable, or replaced by one
 * without any manifest says nothing; it is looked for again every 10 s. */
#pragma once
#include "daemon/intake/accept_internal.h"

int watch_new(struct daemon *d, struct watcher **ret); /* and scans once, before accept_go_live() */
void watch_free(struct watcher *w);
void watch_rescan(struct watcher *w); /* SIGHUP */
