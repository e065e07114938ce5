/* Which documents are wanted: what the manifest directories hold, with the last good version of each document kept when its file breaks. */
#pragma once
#include "base/jsonw.h"
#include "daemon/daemon.h"

/* One file of the directories, for `podctl status`. */
enum file_state {
	FILE_OK,
	FILE_REFUSED,
	FILE_LAST_GOOD,   /* refused, but an earlier version runs on */
	FILE_PARTLY_GOOD, /* of some refused documents it does, of others there is none */
	FILE_STATE_MAX
};

struct file_status {
	const char *path;
	enum file_state state;
	const struct diag *diags;
	size_t diag_count, diags_dropped;
};

/* Calls fn for each known file, by path. */
void accept_walk(const struct acceptor *a, void (*fn)(const struct file_status *f, void *arg), void *arg);
const char *accept_source(const struct acceptor *a, const char *uid); /* the file that defines it, or NULL */
size_t accept_refused(const struct acceptor *a);                      /* files not OK */

/* The pod is gone for good: its accepted version, its logs and its state directory go. */
void accept_forget(struct daemon *d, const char *uid);
/* podctl stop and start: holds across podd's restarts, not across a reboot. */
int accept_hold(struct daemon *d, const char *uid, bool held);
