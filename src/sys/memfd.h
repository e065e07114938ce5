/* Bytes as a sealed memfd: nobody can change them any more, whoever holds the fd. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* An fd or -errno. `name` is for /proc; executable: a program (podd-launch). */
int memfd_sealed(const char *name, const void *data, size_t size, bool executable);

/* The same, with the content of a file, from its start on. */
int memfd_sealed_file(const char *name, int fd, bool executable);
