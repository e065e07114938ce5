/* Bytes as a sealed memfd: nobody can change them any more, whoever holds the fd. */
#pragma once
#include <stddef.h>

/* An fd or -errno. `name` is for /proc. */
int memfd_sealed(const char *name, const void *data, size_t size);
