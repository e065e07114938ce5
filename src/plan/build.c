#include "plan/build.h"
#include <string.h>
#include "base/alloc.h"

void build_init(struct build *b, struct plan *plan)
{
	*b = (struct build){ .plan = plan };
	buf_putc(&b->strings, '\0'); /* offset 0 is the empty string */
}

void build_deinit(struct build *b)
{
	free(b->ops);
	buf_deinit(&b->strings);
}

struct plan_op *build_op(struct build *b, enum plan_kind kind)
{
	struct plan_op *op = xgrow(b->ops, b->op_count);

	op->kind = (uint16_t)kind;
	return op;
}

uint32_t build_string(struct build *b, const char *s)
{
	size_t at = b->strings.len;

	if (!*s)
		return 0;
	buf_append(&b->strings, s, strlen(s) + 1);
	return (uint32_t)at;
}

uint32_t build_strings(struct build *b, const struct string_list *list)
{
	size_t at = b->strings.len;

	/* Consecutive, so an empty one needs a byte of its own too. */
	for (size_t i = 0; i < list->count; i++)
		buf_append(&b->strings, list->items[i], strlen(list->items[i]) + 1);
	return list->count ? (uint32_t)at : 0;
}

uint32_t build_blob(struct build *b, const void *data, size_t size)
{
	while (b->strings.len % 8)
		buf_putc(&b->strings, '\0');
	size_t at = b->strings.len;
	buf_append(&b->strings, data, size);
	buf_putc(&b->strings, '\0'); /* the string area ends in a NUL, whatever comes last */
	return (uint32_t)at;
}

uint16_t build_slot(struct build *b, enum slot_role role, const char *name, unsigned index)
{
	struct slot *s = xgrow(b->plan->slots, b->plan->slot_count);

	*s = (struct slot){ .role = role, .name = name ? arena_strdup(b->plan->arena, name) : NULL, .index = index };
	return (uint16_t)(b->plan->slot_count - 1);
}

int build_finish(struct build *b)
{
	struct plan_header h = {
		.magic = PLAN_MAGIC,
		.version = PLAN_VERSION,
		.op_count = (uint32_t)b->op_count,
		.slot_count = (uint32_t)b->plan->slot_count,
		.strings_offset = (uint32_t)(sizeof(h) + b->op_count * sizeof(struct plan_op)),
		.strings_size = (uint32_t)b->strings.len,
	};

	if (b->op_count > PLAN_OPS_MAX || b->plan->slot_count > PLAN_SLOTS_MAX || b->strings.len > PLAN_SIZE_MAX ||
	    h.strings_offset + b->strings.len > PLAN_SIZE_MAX)
		return -E2BIG;
	buf_append(&b->plan->bytes, &h, sizeof(h));
	buf_append(&b->plan->bytes, b->ops, b->op_count * sizeof(struct plan_op));
	buf_append(&b->plan->bytes, b->strings.data, b->strings.len);
	return 0;
}
