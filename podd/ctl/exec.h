/* What exec does, for others: a conversation with a command in a container, whose stdin, stdout and stderr are ours. */
#pragma once
#include "ctl/args.h"

/* `path` is the call to podd. The command's exit code, or 125 after a message. Needs SIGPIPE ignored. */
int exec_call(const struct args *a, const char *path);
