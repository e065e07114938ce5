#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "core/internal.h"

static struct effect *push(struct core *c, const struct core_pod *p, enum effect_type type)
{
	if (c->effect_count == c->effect_capacity) {
		c->effect_capacity = c->effect_capacity ? c->effect_capacity * 2 : 16;
		c->effects = xrealloc(c->effects, c->effect_capacity, sizeof(*c->effects));
	}
	struct effect *f = &c->effects[c->effect_count++];
	f->type = type;
	memcpy(f->id.uid, p->uid, sizeof(f->id.uid));
	f->id.container[0] = '\0';
	f->id.number = 0;
	f->signal = 0;
	f->hook = HOOK_MAX;
	f->probe = PROBE_MAX;
	f->normal = false;
	f->reason[0] = f->message[0] = '\0';
	return f;
}

void effect_note(struct core *c, struct core_pod *p)
{
	if (p->noted_step == c->step)
		return;
	p->noted_step = c->step;
	(void)push(c, p, EFFECT_NOTE);
}

void effect_pod(struct core *c, struct core_pod *p, enum effect_type type)
{
	(void)push(c, p, type);
}

void effect_container(struct core *c, struct core_pod *p, enum effect_type type, const char *container, uint32_t number)
{
	struct effect *f = push(c, p, type);

	(void)snprintf(f->id.container, sizeof(f->id.container), "%s", container);
	f->id.number = number;
}

void effect_signal(struct core *c, struct core_pod *p, const struct core_container *k, int signal)
{
	effect_container(c, p, EFFECT_SIGNAL, k->name, k->number);
	c->effects[c->effect_count - 1].signal = signal;
}

void effect_hook(struct core *c, struct core_pod *p, const struct core_container *k, enum hook_kind h)
{
	effect_container(c, p, EFFECT_HOOK, k->name, k->number);
	c->effects[c->effect_count - 1].hook = h;
}

void effect_probe(struct core *c, struct core_pod *p, const struct core_container *k, enum probe_kind kind)
{
	effect_container(c, p, EFFECT_PROBE, k->name, k->number);
	c->effects[c->effect_count - 1].probe = kind;
}

void effect_report(struct core *c, struct core_pod *p, const struct core_container *k, bool normal, const char *reason,
                   const char *fmt, ...)
{
	struct effect *f = push(c, p, EFFECT_REPORT);
	va_list ap;

	if (k) {
		memcpy(f->id.container, k->name, sizeof(f->id.container));
		f->id.number = k->number;
	}
	f->normal = normal;
	(void)snprintf(f->reason, sizeof(f->reason), "%s", reason);
	va_start(ap, fmt);
	(void)vsnprintf(f->message, sizeof(f->message), fmt, ap);
	va_end(ap);
}
