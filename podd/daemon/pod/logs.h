/* A pod's log directory: <root>/var/log/pods/<ns>_<name>_<uid>/<container>/<number>.log. */
#pragma once
#include "daemon/pod/sandbox.h"

/* Its name. Where that is longer than a file name may be (255 bytes), the pod's name in it is cut and followed by 16 characters of its hash. */
enum { LOGS_NAME_SIZE = 256 };
void logs_name(const struct pod *p, const char *uid, char ret[static LOGS_NAME_SIZE]);

/* Where logs go while their disk is read-only, below <run>. */
#define LOGS_IN_MEMORY "log"

/* A descriptor, or -errno. Making it also makes the directory of all logs, when someone has removed that. */
int logs_open(const struct daemon *d, const struct pod *p, const char *uid);
int logs_make(struct daemon *d, const struct pod *p, const char *uid);
/* What the anchor writes to was removed, or is on a disk that has become read-only: it gets a directory anew. */
void logs_repair(struct sandbox *s, const struct pod *p);
/* They are found by the uid when `p` is NULL. */
void logs_remove(const struct daemon *d, const struct pod *p, const char *uid);

/* The first free start number of each container, in order: logs of an earlier boot may be there, and their numbers are taken. */
void logs_first_numbers(const struct daemon *d, const struct pod *p, const char *uid, uint32_t ret[static CONTAINERS_MAX]);
