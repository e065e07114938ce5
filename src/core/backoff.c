/* When is it started again? At once the first time, so that a lone crash costs milliseconds; then from `initial`, doubling to `max`, so
 * that a crash loop costs little; and at once again after a good run of `reset`. */
#include "base/clock.h"
#include "core/container.h"

static bool rule_matches(const struct restart_rule *rule, int code)
{
	const struct int_list *l = &rule->exit_codes.values;
	bool among = false;

	for (size_t i = 0; i < l->count; i++)
		among = among || l->items[i] == code;
	return among == (rule->exit_codes.operator== EXIT_OPERATOR_IN);
}

static enum again by_pod(enum restart_policy policy, bool failed)
{
	switch (policy) {
	case RESTART_POLICY_ALWAYS:
		return AGAIN_YES;
	case RESTART_POLICY_ON_FAILURE:
		return failed ? AGAIN_YES : AGAIN_NO;
	case RESTART_POLICY_NEVER:
	case RESTART_POLICY_MAX:
		break;
	}
	return AGAIN_NO;
}

/* The container's rules, else its own policy, else the pod's. An init container that has succeeded is not asked about,
 * nor one of podctl debug. */
enum again backoff_again(const struct core_pod *p, const struct core_container *k, const struct exit_info *exit)
{
	bool failed = exit->code != 0 || k->condemned;

	if (p->failure || k->role == CONTAINER_ROLE_DEBUG || (k->role == CONTAINER_ROLE_INIT && k->passed))
		return AGAIN_NO;
	for (size_t i = 0; i < k->spec->restart_rules.count; i++) {
		const struct restart_rule *rule = &k->spec->restart_rules.items[i];
		if (rule_matches(rule, exit->code))
			return rule->action == RESTART_ACTION_ALL ? AGAIN_ALL : AGAIN_YES;
	}
	switch (k->spec->restart) {
	case CONTAINER_RESTART_ALWAYS:
		return AGAIN_YES;
	case CONTAINER_RESTART_ON_FAILURE:
		return failed ? AGAIN_YES : AGAIN_NO;
	case CONTAINER_RESTART_NEVER:
		return AGAIN_NO;
	case CONTAINER_RESTART_AS_POD:
	case CONTAINER_RESTART_MAX:
		break;
	}
	return by_pod(p->pod->spec.restart_policy, failed);
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
