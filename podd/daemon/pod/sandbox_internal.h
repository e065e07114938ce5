/* What the sandbox's files share: sandbox.c (birth), sandbox_net.c, sandbox_anchor.c (what the anchor says, adoption), teardown.c. */
#pragma once
#include "daemon/pod/sandbox.h"

int sandbox_new(struct daemon *d, const char *uid, struct sandbox **ret);
void sandbox_free(struct sandbox *s);
void sandbox_end(struct sandbox *s); /* kills and sweeps, until nothing is left */
void sandbox_name_cgroup(struct sandbox *s, enum qos q);

/* Creation failed: what was made is unmade, then the core is told. */
void sandbox_fail(struct sandbox *s, const char *reason, const char *fmt, ...) _printf_(3, 4);

/* An anchor that does not answer is reported, and commands (not starts) that wait for it are given up: after 10 seconds, one that was stopped
 * after one. */
void sandbox_expect_answer(struct sandbox *s);

extern const struct anchor_callbacks sandbox_callbacks;

/* Attaches the pod's link, or, for an adopted pod, takes it into the books. */
int sandbox_join_network(struct sandbox *s, const struct pod *p, bool adopt);
/* hostPorts as edited, in place; a failure leaves the former ones and says why. */
int sandbox_set_ports(struct sandbox *s, const struct pod *p, struct buf *error);
/* Says in words why it did not work, and fails. */
void sandbox_network_failed(struct sandbox *s, const struct pod *p, int error);
