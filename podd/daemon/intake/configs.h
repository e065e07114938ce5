/* The ConfigMaps, Secrets, PriorityClasses and RuntimeClasses that are accepted. By the same rules as pods: the last good version of each
 * is kept when its file breaks, of two files that define the same one the first stays, and it is gone only when a healthy directory no
 * longer has it. */
#pragma once
#include "daemon/intake/accept_internal.h"
#include "manifest/config.h"

void configs_free(struct acceptor *a);
const struct config_object *configs_find(const struct daemon *d, enum config_kind kind, const char *ns, const char *name);

void configs_walk(const struct daemon *d, enum config_kind kind, void (*fn)(const struct config_object *c, void *arg), void *arg);

/* An object as it was kept; takes the reference. `untold`: the pods have not heard of it. */
void configs_restore(struct acceptor *a, struct config_object *c, const char *source, bool untold);

/* Reading one file: begin, each document of the kinds, end. `private`: only root can read the file. `whole`: what was not seen is no
 * longer defined there. */
void configs_begin(struct acceptor *a);
void configs_take(struct acceptor *a, struct accept_file *f, const struct document *doc, bool private);
/* The document is none of the kinds, but may have been: what this file defined by its name stays. Whether there is such an object. */
bool configs_keep(struct acceptor *a, const struct accept_file *f, const struct document *doc);
void configs_end(struct acceptor *a, const struct accept_file *f, bool whole);

void configs_absent(struct acceptor *a, const char *path);                        /* the file is gone */
bool configs_defined_by(const struct acceptor *a, const char *path, bool unseen); /* unseen: that no document of it names */
bool configs_dropped(const struct acceptor *a);                                   /* one of them is defined by no file, for now */
void configs_sources(const struct acceptor *a, void (*fn)(const char *path, void *arg), void *arg);
void configs_sweep(struct acceptor *a);
/* The pods hear of what has changed; not before podd is ready. */
void configs_tell(struct acceptor *a);
