/* HTTP to podd over its unix socket, one connection a call. */
#pragma once
#include <jansson.h>
#include "base/buf.h"
#include "ctl/args.h"

enum { CLIENT_REPLY_MAX = 256 << 20 };

#define CLIENT_ACCEPT_TABLE "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"

struct client; /* a call under way */

struct client_request {
	const char *method, *path;
	const char *accept;                                  /* NULL: application/json */
	const char *upgrade;                                 /* NULL: none */
	const char *body;                                    /* JSON; NULL: none */
	void (*sink)(const char *data, size_t n, void *arg); /* gets the body of a 2xx answer as it comes; NULL: it is kept whole */
	void *arg;
};

int client_open(const struct args *a, const struct client_request *q, struct client **ret); /* -errno: podd can't be reached */
int client_fd(const struct client *c);
/* Reads what is there, waiting for at least something. 1: more may come; 0: the answer is complete; -errno. */
int client_pump(struct client *c);
int client_finish(struct client *c);                   /* pumps to the end; 0 or -errno */
int client_code(const struct client *c);               /* of the answer; 0 before its head is read */
const struct buf *client_body(const struct client *c); /* whole, or of an answer that is not 2xx */
/* After a 101: hands out the connection and what was already read of the other protocol. */
int client_take(struct client *c, struct buf *ret_data);
struct client *client_free(struct client *c); /* takes NULL, returns NULL */

static inline void cleanup_client(struct client **c)
{
	*c = client_free(*c);
}
#define _cleanup_client_ _cleanup_(cleanup_client)

/* Messages and exit codes. */
int client_unreachable(const struct args *a, int error); /* prints; gives CTL_UNREACHABLE */
int client_refused(const struct client *c);              /* prints the answer's Status; gives CTL_NO */
/* A whole call whose answer is JSON. CTL_YES, or a code after a message. ret_json may be NULL. */
int client_json(const struct args *a, const char *method, const char *path, bool table, json_t **ret_json);
int client_call(const struct args *a, const struct client_request *q, json_t **ret_json); /* the same */
