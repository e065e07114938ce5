/* An intrusive, circular, doubly linked list. A head and a link are the same thing; a link that is on no list points at itself. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "base/cleanup.h"

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(name)          \
	{                        \
		&(name), &(name) \
	}

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}
static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_append(struct list *head, struct list *l)
{
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}

/* Takes l off its list; harmless on a link that is on none. */
static inline void list_remove(struct list *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	list_init(l);
}

#define list_entry(l, type, member) container_of(l, type, member)

/* Walks with a safe successor: the body may remove (or free) the current entry. */
#define list_foreach(it, head, type, member)                                                                             \
	for (type *it = list_entry((head)->next, type, member), *it##_next_ = list_entry(it->member.next, type, member); \
	     &it->member != (head); it = it##_next_, it##_next_ = list_entry(it->member.next, type, member))
