/* podd's nftables: one table named by the tag, and one more that all podds of a host share.
 *
 * Own table: what pods send out is masqueraded; what they send in another's name is dropped; hostPorts are elements of two maps (one for
 * those on every address, one for those on a certain one) that destination NAT looks up, before routing for what comes from outside and for what
 * the host itself sends. A pod that reaches itself by a hostPort needs its source changed too, or it would see its own address as the sender's:
 * the set `hairpin` says for whom.
 *
 * Shared table (podd_forward): there only if it was a podd that switched ip_forward on. Its one chain drops what is no pod's, so that the box
 * does not become a router by that, and its being there is the note that ip_forward goes off with the last podd.
 *
 * A pod without hostPorts touches none of it: rules match pods' links by their group.
 *
 * Rules are written by nft_run() in one transaction that replaces them and keeps all elements: connections do not notice. */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "net/podnet.h"

enum { NAT_HASH_SIZE = 9 };

struct nat {
	int fd; /* nfnetlink */
	char table[PODNET_TAG_SIZE];
	char hash
		[NAT_HASH_SIZE]; /* of the rules' text; the comment of each rule, so that those of another version are known as such */
	char *rules;             /* the script for the own table */
	unsigned rule_count;
	bool usable;   /* the table was made at least once */
	bool forwards; /* the shared table belongs there */
};

/* A pod's elements. */
struct nat_pod {
	const char *uid;
	struct in_addr address;
	const struct podnet_port *ports;
	size_t port_count;
};

/* Fails only where nfnetlink itself does (-EPROTONOSUPPORT: a kernel without nf_tables). Changes nothing yet. */
int nat_open(struct nat *n, const struct podnet_config *cfg, uint32_t group);
void nat_close(struct nat *n);

/* 1 if the rules of the table (and of the shared one, where it belongs) are all there, else 0. */
int nat_whole(const struct nat *n);
bool nat_shared_exists(const struct nat *n);
/* Writes the rules. What nft has to say against it is in `error`. */
int nat_apply(struct nat *n, struct buf *error);

/* Adds what a new pod needs. */
int nat_add(const struct nat *n, const struct nat_pod *p);
/* Makes the elements of these pods exactly theirs, whatever is there; 1 if something had to be done. A pod without ports: none of its uid. */
int nat_sync(const struct nat *n, const struct nat_pod *pods, size_t count);

/* Removes the own table, and the shared one with the last. 1 if ip_forward is to go off. */
int nat_remove(const struct nat *n);

/* Each element: a text like "tcp/8080", and the uid it belongs to ("" if it does not say). */
int nat_walk(const struct nat *n, int (*fn)(const char *name, const char *uid, void *arg), void *arg);
