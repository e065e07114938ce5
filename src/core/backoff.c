/* When is it started again? At once the first time, so that a lone crash costs milliseconds; then from `initial`, doubling to `max`, so
 * that a crash loop costs little; and at once again after a good run of `reset`. */
#include "base/clock.h"
#include "core/container.h"

bool backoff_restarts(enum restart_policy policy, const struct exit_info *exit)
{
	switch (policy) {
	case RESTART_POLICY_ALWAYS:
		return true;
	case RESTART_POLICY_ON_FAILURE:
		return exit->code != 0;
	case RESTART_POLICY_NEVER:
	case RESTART_POLICY_MAX:
		break;
	}
	return false;
}

int64_t backoff_next(const struct backoff_config *b, int64_t ran, int64_t *backoff)
{
	if (ran >= b->reset)
		*backoff = 0;
	int64_t delay = MIN(*backoff, b->max);
	*backoff = delay == 0 ? b->initial : delay > b->max / 2 ? b->max : delay * 2;
	return delay;
}

/* The node's, where the pod's annotation podd.dev/restart-backoff does not say otherwise. */
struct backoff_config backoff_of_pod(const struct core *c, const struct core_pod *p)
{
	struct backoff_config b = c->config.backoff;

	if (p->pod && p->pod->backoff.initial)
		b.initial = p->pod->backoff.initial;
	if (p->pod && p->pod->backoff.max)
		b.max = p->pod->backoff.max;
	if (p->pod && p->pod->backoff.reset)
		b.reset = p->pod->backoff.reset;
	return b;
}

/* Making a sandbox is dearer than starting a program, and what makes it fail is the host's state, which changes slowly. */
struct backoff_config backoff_of_sandbox(const struct core *c)
{
	struct backoff_config b = c->config.backoff;

	b.initial = NS_PER_SEC;
	b.max = MAX(b.max, b.initial);
	return b;
}
