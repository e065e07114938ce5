/* Mode, owner, times and extended attributes of a file, as a layer says or as another layer has them. */
#pragma once
#include <sys/stat.h>

struct archive_entry;

/* Refuses what no file can have; *ret has st_mode (permissions only), st_uid, st_gid and st_mtim. */
int attrs_read(struct archive_entry *e, struct stat *ret);

/* To name below parent, which is no symlink's target. fd: the file opened for writing or the directory, else -1 (device, FIFO, symlink:
 * these get no extended attributes). e: where these are, or NULL. */
int attrs_apply(int parent, const char *name, int fd, const struct stat *st, struct archive_entry *e);
