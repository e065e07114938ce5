/* Objects that change, in the order of their last change, for those who watch them.
 *
 * A version is a number that grows with every change of any object of the feed. What a watcher needs is then one number: the version up
 * to which it has been told. feed_next() gives what changed after it, each object once and in its present state, however often it
 * changed meanwhile; so a slow watcher costs no memory, loses no final state, and history needs no log of changes. Only what is gone
 * has to be kept, with its last text, until those who are behind were told.
 *
 * Texts are bounded: beyond FEED_TEXT_MAX bytes, or FEED_GONE_MAX objects that are gone, the oldest are dropped. The text of an object
 * that is there can be made anew; one that is gone is forgotten, and the floor rises to its version: who was told up to less than the
 * floor has missed an end, and must ask for everything again (410 in Kubernetes' API).
 *
 * Versions begin at the time of the start in microseconds, so that they also grow from one podd to the next, and a version of the last
 * one is below the floor of this one. Items are embedded in the owner's objects; the feed frees them by its owner's function. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/list.h"

enum { FEED_TEXT_MAX = 1 << 18, FEED_GONE_MAX = 1024 };

struct feed_item {
	struct list link;          /* of feed.items */
	uint64_t version;          /* of the last change */
	uint64_t created, altered; /* when it came, and when what selectors look at last changed */
	uint32_t slot;             /* a small number that no other item has: an index for a watcher's notes */
	bool gone;
	void *text; /* of the present version, malloc'ed; NULL: to be made when it is needed */
	size_t text_size;
};

struct feed {
	struct list items; /* oldest version first */
	uint64_t version, floor;
	size_t text_size, gone_count;
	struct feed_item **slots; /* NULL: free */
	size_t slot_count;
	void (*free_item)(struct feed_item *i);
};

void feed_init(struct feed *f, uint64_t version, void (*free_item)(struct feed_item *i));
void feed_deinit(struct feed *f);

void feed_add(struct feed *f, struct feed_item *i);
void feed_change(struct feed *f, struct feed_item *i, bool altered);
/* It is gone; the text (taken over) is its last, made after the version was raised by feed_change(). May free it. */
void feed_end(struct feed *f, struct feed_item *i, void *text, size_t size);
/* It leaves without a word to those who are told of all by now. */
void feed_drop(struct feed *f, struct feed_item *i);
/* Keeps a text for the next who asks; taken over. May free items that are gone. */
void feed_keep(struct feed *f, struct feed_item *i, void *text, size_t size);

/* The first that changed after `version`, or NULL. */
struct feed_item *feed_next(const struct feed *f, uint64_t version);
