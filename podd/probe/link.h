/* A connection, with TLS if wanted, each step of it bounded by one deadline. It belongs to one thread.
 *
 * Certificates are not verified, as the kubelet does not: a probe asks whether a server answers, not who it is, and pods' certificates are
 * seldom made for their addresses. */
#pragma once
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "wire/probe.h"

struct link {
	int fd;
	SSL *ssl;         /* NULL: none */
	int64_t deadline; /* boot time, ns */
	char peer[PROBE_HOST_SIZE + 16];
	char error[PROBE_ERROR_SIZE]; /* in the words of Go's net package */
};

#define LINK_NULL ((struct link){ .fd = -1 })

void link_setup(void); /* once, before there are threads */

/* alpn: NULL, or a protocol to ask for. All three: -errno with words in `error`. */
int link_open(struct link *l, const char *host, unsigned port, bool tls, const char *alpn);
int link_write(struct link *l, const void *data, size_t n);
int link_read(struct link *l, void *data, size_t n); /* 0 at the end */
void link_close(struct link *l);
