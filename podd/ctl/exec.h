/* What exec does, for others: a conversation with a command in a container, whose stdin, stdout and stderr are ours. */
#pragma once
#include "ctl/args.h"

/* `path` is the call to podd. The command's exit code, or 125 after a message. Needs SIGPIPE ignored. */
int exec_call(const struct args *a, const char *path);

/* Attaches to the container that a->container names, by -i and -t. `quiet`: somebody else prints
 * what it does, and knows why when it runs no more. Its exit code, or 125 after a message. */
struct pod_ref;
int exec_attach(const struct args *a, const struct pod_ref *p, bool quiet);
