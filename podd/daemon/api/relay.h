/* Frames of wire/stream.h on a client's connection, descriptors on the other side: what exec, attach and portforward have in common. Each
 * side is as slow as the other: a client that does not read stops the reading of the outputs, an input that is not read stops the reading
 * of the connection. Until an input is given, what the client sends waits.
 *
 * The relay is the connection's: it ends with it, after the callback `gone`. */
#pragma once
#include "daemon/api/http.h"

struct relay;

struct relay_callbacks {
	void (*ended)(int error, void *arg); /* all outputs are at their end, the last one by this -errno or 0; may be NULL */
	void (*gone)(void *arg);             /* the client left, or all was sent after relay_finish(): the last word */
};

/* Upgrades the connection. -EINVAL after an error was answered: the client did not ask for this protocol. */
int relay_new(struct http_request *q, uv_loop_t *loop, const struct relay_callbacks *cb, void *arg, struct relay **ret);
/* Where standard input goes, and resizes if it is a terminal, its end if it is a socket; taken over, -EBADF: nowhere. `keep`: the client's
 * end of file does not close it. */
void relay_input(struct relay *x, int fd, bool keep);
void relay_output(struct relay *x, unsigned which, int fd); /* 0: stdout, 1: stderr; taken over */
/* Sends what is still in the outputs and the status, as wait(2) gives it; `error`: why the command never ran, or NULL. Then `gone`. */
void relay_finish(struct relay *x, int status, const char *error);
