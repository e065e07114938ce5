/* A copy of a program that nobody can write to, nor keep from being executed, whoever gets hold of it.
 *
 * podd-launch is, for the blink between its exec and the container's, a process of the container, so whoever may trace that finds its file by
 * /proc/<pid>/exe. A file of the host could be overwritten by that way. A sealed memfd could not, but it can be opened for writing, and as
 * long as somebody has it so no exec of it succeeds (ETXTBSY): no pod would start any more. Here the file system itself is read-only. */
#pragma once

/* `file`, from its start on. An fd to be executed, or -errno. */
int program_copy(const char *name, int file);
