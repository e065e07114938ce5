/* Manifest files: those a command line names, and those of the manifest directory. */
#pragma once
#include "base/buf.h"
#include "ctl/args.h"
#include "manifest/manifest.h"

/* A file that was read. */
struct source {
	const char *name; /* as people know it; "-" is <stdin> */
	struct buf text;
	struct manifest manifest;
};

/* Reads each of `paths` (a directory stands for its *.yaml, *.yml and *.json, by name; "-" is standard input) and calls fn. A file that
 * can't be read is reported here. The worst exit code of all. */
int files_each(const char *const *paths, size_t count, int (*fn)(const struct source *s, void *arg), void *arg);

/* CTL_YES, CTL_NO or CTL_REFUSED by its worst finding; the findings go to stderr. */
int source_judge(const struct source *s);
int files_worse(int a, int b); /* 1 before 3 before 0 */

/* The manifest directory of --manifests, else <root>/etc/pods. Freed by the caller. */
char *files_directory(const struct args *a);

/* Which file of the directory defines the object. 0: none; 1: found, its name (freed by the caller) and whether other documents are in it
 * too; -errno: the directory can't be read. */
int files_find(const char *directory, const char *kind, const char *namespace, const char *name, char **ret_file, bool *ret_shared);
