/* The last events that people read (`podctl events`, describe): the last 1000, equal ones counted instead of repeated. An entry is kept
 * with its strings one after the other, so that a thousand of them are kilobytes and not a megabyte, and equality is one comparison. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "core/core.h"
#include "daemon/api/feed.h"

enum { RECORD_MAX = 1000 };

struct record_entry {
	char kind[16]; /* of the object; "" for the node itself */
	char uid[POD_UID_SIZE];
	char namespace[64], pod[254], container[CONTAINER_NAME_SIZE]; /* pod "" for the node itself */
	bool normal;
	char reason[REASON_SIZE], message[MESSAGE_SIZE];
};

enum record_text {
	RECORD_KIND,
	RECORD_UID,
	RECORD_NAMESPACE,
	RECORD_POD,
	RECORD_CONTAINER,
	RECORD_REASON,
	RECORD_MESSAGE,
	RECORD_TEXT_MAX,
};

struct record_item {
	struct feed_item feed;
	int64_t first_wall, last_wall;
	uint32_t count;
	bool normal;
	size_t size;
	char text[]; /* see record_text() */
};

struct record {
	struct feed feed; /* of struct record_item.feed: a count is a change */
	size_t count;
};

struct record *record_new(uint64_t version); /* see feed.h */
struct record *record_free(struct record *r);
void record_add(struct record *r, const struct record_entry *e);
const char *record_text(const struct record_item *i, enum record_text which);
