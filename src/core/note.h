/* The note: what podd must not forget while the anchor lives, kept by the anchor. Little-endian, fixed width, one record for each
 * container of the manifest, named by a hash of its name, so that 64 of them fit.
 *
 * Header and records say their own size, and later versions only append to both: an older podd reads what it knows. What people want to
 * know, and no decision needs, follows the records as far as there is room: messages, and the end before the last. A note that
 * is missing, cut short or damaged (a checksum tells) reads as none.
 *
 * Boot time may be stored as it is: an anchor does not outlive the boot. */
#pragma once
#include "core/core.h"

struct note_container {
	uint64_t name_hash, applied_hash;
	uint32_t next_number, restart_count, backoff_ms;
	unsigned resize_restarts;
	enum container_state state;
	enum container_role role;
	bool launched, launch_void, restart_wanted, resize_due, passed, hooked, started, ready, condemned;
	int64_t deadline, launch_boot; /* ms in the note: early never, hence rounded up */
	struct termination last, before;
	char message[MESSAGE_SIZE]; /* why it is in BACKOFF */
	const char *reason;         /* constant: why it is in BACKOFF; "": not known */
};

struct note {
	bool comparable; /* hashes of this podd's EDIT_HASH_VERSION */
	bool recreate, restart_all;
	enum pod_failure failure;
	uint16_t failure_item;
	struct edit_marks applied;
	uint64_t generation;
	int64_t created_wall, sandbox_wall, sandbox_boot, backoff, active_boot;
	uint32_t number_floor, grace_seconds;
	struct note_container containers[CONTAINERS_MAX];
	size_t container_count;
};

/* False: no note, or none that can be trusted. */
bool note_read(const void *data, size_t size, struct note *ret);
const struct note_container *note_find(const struct note *n, const char *name);
