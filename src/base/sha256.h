/* SHA-256 (FIPS 180-4) of small things: manifests, names. Images are hashed by podd-image's library instead. */
#pragma once
#include <stddef.h>

enum { SHA256_SIZE = 32, SHA256_HEX_SIZE = 65 };

void sha256(const void *data, size_t n, unsigned char ret[static SHA256_SIZE]);
void sha256_hex(const void *data, size_t n, char ret[static SHA256_HEX_SIZE]);
