/* Writes a plan's bytes: operations and strings grow side by side and are joined at the end. */
#pragma once
#include "manifest/pod.h"
#include "plan/compile.h"

struct build {
	struct plan *plan; /* slots go there directly */
	struct plan_op *ops;
	size_t op_count;
	struct buf strings;
};

void build_init(struct build *b, struct plan *plan);
void build_deinit(struct build *b);

/* The new operation, zeroed; valid until the next one. */
struct plan_op *build_op(struct build *b, enum plan_kind kind);
uint32_t build_string(struct build *b, const char *s);
uint32_t build_strings(struct build *b, const struct string_list *list);
uint32_t build_blob(struct build *b, const void *data, size_t size); /* 8-aligned */
uint16_t build_slot(struct build *b, enum slot_role role, const char *name, unsigned index);

int build_finish(struct build *b); /* into plan->bytes; -E2BIG */
