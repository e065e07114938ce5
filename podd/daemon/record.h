/* The last events that people read (`podctl events`, describe): a ring of 1000, equal ones counted instead of repeated. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/list.h"
#include "core/core.h"

enum { RECORD_MAX = 1000 };

struct record_entry {
	uint64_t id; /* grows by one with each entry or count: a cursor for followers; 0: unused */
	char uid[POD_UID_SIZE];
	char namespace[64], pod[254], container[CONTAINER_NAME_SIZE]; /* pod "" for the node itself */
	bool normal;
	char reason[REASON_SIZE], message[MESSAGE_SIZE];
	int64_t first_wall, last_wall;
	uint32_t count;
};

struct record;

struct record *record_new(void);
struct record *record_free(struct record *r);
void record_add(struct record *r, const struct record_entry *e); /* id, count, times are set here (first/last_wall: now) */
/* Entries newer than `after`, oldest first, in order of id: calls fn for each; stops on non-zero. */
int record_walk(const struct record *r, uint64_t after, int (*fn)(const struct record_entry *e, void *arg), void *arg);
uint64_t record_last(const struct record *r);

/* Who wants to know of each new entry or count; embedded in the watcher. `added` may unwatch itself, but no other. */
struct record_watch {
	struct list link;
	void (*added)(struct record_watch *w);
};
void record_watch(struct record *r, struct record_watch *w);
void record_unwatch(struct record_watch *w);
