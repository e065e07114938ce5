/* What accept.c, configs.c, store.c and watch.c share. */
#pragma once
#include "daemon/intake/accept.h"
#include "daemon/keep.h"
#include "manifest/manifest.h"

/* A document that was accepted: a pod that is wanted, or (gone) on its way out; or a Job or CronJob by its template (pod_runs()). */
struct wanted {
	struct list link;
	char uid[POD_UID_SIZE];
	struct pod *pod;
	char *source; /* the file that defines it */
	bool gone, seen;
	bool dropped; /* its file defines it no more; it is gone unless another file turns out to define it now */
};

struct accept_file {
	struct list link;
	char *path;
	struct manifest manifest; /* kept for its diags */
	enum file_state state;
	bool present;
	bool keeps, lacks; /* a document was refused of which an earlier version stays; of which there is none */
	bool judged;       /* its content was read, or could not be; before that nothing is said of it */
	bool conflict;     /* refused because of another file: to be read again when that one lets go */
	char *said;        /* the finding that was reported last */
};

struct acceptor {
	struct daemon *daemon;
	struct list wanted, files;
	struct list configs; /* ConfigMaps, Secrets, PriorityClasses, RuntimeClasses: configs.c */
	struct keep keep;    /* <state>/accepted */
	bool live;           /* what is accepted is told to the core at once */
};

/* Loads the accepted versions; nothing is told to the core before accept_go_live(). */
int accept_new(struct daemon *d, struct acceptor **ret);
void accept_free(struct acceptor *a);
void accept_go_live(struct acceptor *a);

/* What the directories say. */
void accept_present(struct acceptor *a, const char *path); /* it is there; its content comes later or is known */
/* `private`: only root can read it. */
void accept_text(struct acceptor *a, const char *path, const char *text, size_t size, bool private);
void accept_unreadable(struct acceptor *a, const char *path, const char *text, const char *hint);
void accept_absent(struct acceptor *a, const char *path);
bool accept_moved(const struct acceptor *a); /* a file let go of a pod, and others are in conflict: they have to be read again */
bool accept_decided(const struct daemon *d); /* no pod is on its way from one file to another */
void accept_sweep(struct acceptor *a);       /* all files are read: pods that none defines are gone */

void accept_sources(const struct acceptor *a, void (*fn)(const char *path, void *arg), void *arg);
/* A document is refused; `kept`: an earlier version of it stays. */
void accept_without(struct accept_file *f, bool kept);
/* The same, with a finding in this line. The texts live as long as the file's manifest. */
void accept_refuse(struct accept_file *f, bool kept, unsigned line, const char *field, const char *text, const char *hint);
struct accept_file *accept_file_find(const struct acceptor *a, const char *path);
