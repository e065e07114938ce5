/* A podd for tests of the real podd-anchor and podd-launch: makes the anchor's socket, its log directory and cgroups in a mount namespace
 * of its own, compiles plans, speaks the protocol. Every helper fails the running cmocka test when something unexpected happens. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "manifest/pod.h"
#include "plan/compile.h"
#include "wire/anchor.h"

enum { HOST_EVENTS_MAX = 512, HOST_WAIT_MS = 20000 };

struct host_event {
	bool seen; /* by host_wait() */
	union {
		struct anchor_header header;
		struct anchor_process process;
		struct anchor_dropped dropped;
		struct anchor_error error;
	};
};

struct host {
	char dir[64], cgroup[128];
	pid_t anchor;
	int listen, connection, logs, launch, netns, netlink, pidfd;
	struct anchor_snapshot snapshot;
	struct host_event events[HOST_EVENTS_MAX];
	size_t event_count;
	struct pod *pod;
	unsigned starts;   /* directories are never used twice */
	const char *layer; /* the image: "/" unless a test says otherwise */
};

struct host_options {
	bool share_pid;
	const char *log_size, *log_files;
	const char *log_options; /* of the tmpfs of the logs, "size=64k" */
	bool log_disk;           /* instead: an ext4 on a loop device, which can be frozen */
};

/* Once per test program: a mount namespace of its own. */
void host_isolate(void);

void host_up(struct host *h, const struct host_options *o);
/* Kills whatever is left and checks that nothing stays. */
void host_down(struct host *h);

void host_connect(struct host *h);
void host_disconnect(struct host *h);

/* A container of h->pod that runs `sh -c SCRIPT` on rootfs:/. */
struct container *host_container(struct host *h, const char *name, const char *script);

struct anchor_key host_key(const char *container, uint32_t number, uint32_t session);
void host_spawn(struct host *h, const struct container *c, uint32_t number);
/* Runs `sh -c SCRIPT` in a running member; returns the reading end of its output. */
int host_session(struct host *h, const struct container *c, uint32_t number, uint32_t session, const char *script);
void host_signal(struct host *h, struct anchor_key key, int signal);
void host_ack(struct host *h, struct anchor_key key);
void host_quit(struct host *h);
void host_note(struct host *h, const void *data, size_t n);

/* The next unseen message of this type about this key. */
struct host_event *host_wait(struct host *h, uint16_t type, struct anchor_key key);
bool host_has(struct host *h, uint16_t type, struct anchor_key key); /* among those that have come */
/* Waits for EXITED, acknowledges, returns the wait status. */
int host_finish(struct host *h, const char *container, uint32_t number);

/* The whole file <logs>/<path>, NUL-terminated, static; "" if it is not there. */
const char *host_log(struct host *h, const char *path);
/* Waits until the log contains text. */
void host_wait_log(struct host *h, const char *path, const char *text);
/* The text of all lines of a log, without the CRI prefixes; checks each prefix. */
const char *host_log_text(struct host *h, const char *path);

/* Small things that the tests share. */
void host_contains(const char *text, const char *part); /* or the test fails */
unsigned long host_lines(const char *text);
/* The container's only volume: a path of the host. */
void host_mount(struct host *h, struct container *c, const char *source, const char *target);
