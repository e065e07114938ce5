#include "wire/anchor.h"
#include <errno.h>
#include <string.h>

/* Golden sizes: the protocol outlives podd's versions, so a struct may only grow at its end, with a new message type or a check of
 * header.size by its reader. */
_Static_assert(sizeof(struct anchor_header) == 8, "");
_Static_assert(sizeof(struct anchor_key) == 72, "");
_Static_assert(sizeof(struct anchor_hello) == 16, "");
_Static_assert(sizeof(struct anchor_note) == 16 + ANCHOR_NOTE_MAX, "");
_Static_assert(sizeof(struct anchor_spawn) == 160, "");
_Static_assert(sizeof(struct anchor_signal) == 88, "");
_Static_assert(sizeof(struct anchor_ack) == 88, "");
_Static_assert(sizeof(struct anchor_attach) == 88, "");
_Static_assert(sizeof(struct anchor_attached) == 80, "");
_Static_assert(sizeof(struct anchor_snapshot) == 40 + ANCHOR_NOTE_MAX, "");
_Static_assert(sizeof(struct anchor_process) == 328, "");
_Static_assert(sizeof(struct anchor_dropped) == 104, "");
_Static_assert(sizeof(struct anchor_error) == 88, "");

#define NO_KEY SIZE_MAX

static const struct {
	uint16_t type;
	const char *name;
	size_t size; /* the least, without a note's bytes */
	size_t key;  /* offset of a struct anchor_key */
} types[] = {
	{ ANCHOR_HELLO, "hello", sizeof(struct anchor_hello), NO_KEY },
	{ ANCHOR_NOTE, "note", offsetof(struct anchor_note, data), NO_KEY },
	{ ANCHOR_SPAWN, "spawn", offsetof(struct anchor_spawn, join), offsetof(struct anchor_spawn, key) },
	{ ANCHOR_SIGNAL, "signal", sizeof(struct anchor_signal), offsetof(struct anchor_signal, key) },
	{ ANCHOR_ACK, "ack", offsetof(struct anchor_ack, flags), offsetof(struct anchor_ack, key) },
	{ ANCHOR_QUIT, "quit", sizeof(struct anchor_header), NO_KEY },
	{ ANCHOR_ATTACH, "attach", sizeof(struct anchor_attach), offsetof(struct anchor_attach, key) },
	{ ANCHOR_LOGS, "logs", sizeof(struct anchor_header), NO_KEY },
	{ ANCHOR_SNAPSHOT, "snapshot", offsetof(struct anchor_snapshot, note), NO_KEY },
	{ ANCHOR_PROCESS, "process", sizeof(struct anchor_process), offsetof(struct anchor_process, key) },
	{ ANCHOR_SNAPSHOT_END, "snapshot-end", sizeof(struct anchor_header), NO_KEY },
	{ ANCHOR_STARTED, "started", sizeof(struct anchor_process), offsetof(struct anchor_process, key) },
	{ ANCHOR_EXITED, "exited", sizeof(struct anchor_process), offsetof(struct anchor_process, key) },
	{ ANCHOR_DROPPED, "dropped", sizeof(struct anchor_dropped), offsetof(struct anchor_dropped, key) },
	{ ANCHOR_ERROR, "error", sizeof(struct anchor_error), offsetof(struct anchor_error, key) },
	{ ANCHOR_ATTACHED, "attached", sizeof(struct anchor_attached), offsetof(struct anchor_attached, key) },
};

static size_t find(uint16_t type)
{
	size_t i = 0;

	while (i < sizeof(types) / sizeof(types[0]) && types[i].type != type)
		i++;
	return i;
}

const char *anchor_type_name(uint16_t type)
{
	size_t i = find(type);

	return i < sizeof(types) / sizeof(types[0]) ? types[i].name : NULL;
}

bool anchor_key_equal(const struct anchor_key *a, const struct anchor_key *b)
{
	return a->number == b->number && a->session == b->session && strcmp(a->container, b->container) == 0;
}

/* A container's name becomes a directory of the logs: nothing but what Kubernetes allows in a DNS label. */
static int check_key(const struct anchor_key *key)
{
	size_t n = strnlen(key->container, sizeof(key->container));

	if (n == 0 || n == sizeof(key->container))
		return -EPROTO;
	for (size_t i = 0; i < n; i++) {
		char c = key->container[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return -EPROTO;
	}
	return 0;
}

int anchor_check(const void *message, size_t n)
{
	const struct anchor_header *h = message;

	if (n < sizeof(*h) || h->size != n)
		return -EPROTO;
	size_t i = find(h->type);
	if (i == sizeof(types) / sizeof(types[0]))
		return -EOPNOTSUPP;
	if (n < types[i].size)
		return -EPROTO;

	if (h->type == ANCHOR_NOTE) {
		const struct anchor_note *m = message;
		if (m->size > ANCHOR_NOTE_MAX || n < offsetof(struct anchor_note, data) + m->size)
			return -EPROTO;
	} else if (h->type == ANCHOR_SNAPSHOT) {
		const struct anchor_snapshot *m = message;
		if (m->note_size > ANCHOR_NOTE_MAX || n < offsetof(struct anchor_snapshot, note) + m->note_size)
			return -EPROTO;
	} else if (h->type == ANCHOR_SPAWN) {
		const struct anchor_spawn *m = message;
		if (n >= sizeof(*m) && strnlen(m->join, sizeof(m->join)) == sizeof(m->join))
			return -EPROTO;
	} else if (h->type == ANCHOR_PROCESS || h->type == ANCHOR_STARTED || h->type == ANCHOR_EXITED) {
		const struct anchor_process *m = message;
		if (strnlen(m->operand, sizeof(m->operand)) == sizeof(m->operand))
			return -EPROTO;
	}
	/* An error may answer a message without a key. */
	if (types[i].key == NO_KEY || h->type == ANCHOR_ERROR)
		return 0;
	return check_key((const struct anchor_key *)((const char *)message + types[i].key));
}
