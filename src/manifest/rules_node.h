/* What rules are written with: members of a mapping as plain values, and findings about them. */
#pragma once
#include "base/str.h"
#include "manifest/decode.h"
#include "manifest/node.h"
#include "manifest/rules.h"

enum { RULE_SHOWN_MAX = 80, RULE_ITEMS_MAX = 256 };

/* NULL unless it is there, a mapping or a list, and not empty. */
const struct node *node_member(const struct node *n, const char *key);
/* NULL unless it is a string and not empty. */
const char *node_string(const struct node *n, const char *key);
const char *node_text(const struct node *n); /* of a scalar that is a string; "" for null; else NULL */
bool node_flag(const struct node *n, const char *key);
bool node_number(const struct node *n, const char *key, int64_t *ret);
bool node_present(const struct node *n, const char *key); /* there, and not null */

/* An error about `member` of the object at the decoder's path; member NULL: about the object itself. */
void rule_find(struct decoder *d, const struct node *n, const char *member, const char *hint, const char *fmt, ...) _printf_(5, 6);
void rule_find_item(struct decoder *d, const struct node *list, size_t index, const char *hint, const char *fmt, ...)
	_printf_(5, 6);

/* Exactly one of `members` (NULL-terminated). */
bool rule_one_of(struct decoder *d, const struct node *n, const char *const *members, const char *hint);
void rule_unique(struct decoder *d, const struct node *list, const char *member, const char *rule);
void rule_pull_policy(struct decoder *d, const struct node *n, const char *image_member, const char *policy_member);
