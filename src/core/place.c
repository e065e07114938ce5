/* Whether a pod is for this machine: by the rules of Kubernetes' scheduler for nodeSelector and for what a node affinity requires. It is asked
 * before the sandbox is made, and not of what runs. */
#include "base/str.h"
#include "core/pod.h"

static const char *label_of(const struct core_node *n, const char *key)
{
	for (size_t i = 0; i < n->labels.count; i++)
		if (streq(n->labels.items[i].name, key))
			return n->labels.items[i].value;
	return NULL;
}

static bool is_among(const struct string_list *l, const char *value)
{
	for (size_t i = 0; i < l->count; i++)
		if (streq(l->items[i], value))
			return true;
	return false;
}

/* Both must be integers. */
static bool compares(const struct node_requirement *q, const char *value)
{
	int64_t has, wants;

	if (q->values.count != 1 || str_int(value, INT64_MIN, INT64_MAX, &has) < 0 ||
	    str_int(q->values.items[0], INT64_MIN, INT64_MAX, &wants) < 0)
		return false;
	return q->op == NODE_GT ? has > wants : has < wants;
}

static bool holds(const struct node_requirement *q, const char *value)
{
	switch (q->op) {
	case NODE_IN:
		return value && is_among(&q->values, value);
	case NODE_NOT_IN:
		return !value || !is_among(&q->values, value);
	case NODE_EXISTS:
		return value;
	case NODE_DOES_NOT_EXIST:
		return !value;
	case NODE_GT:
	case NODE_LT:
		return value && compares(q, value);
	case NODE_OPERATOR_MAX:
		break;
	}
	return false;
}

static void print_requirement(const struct node_requirement *q, const char *value, struct buf *out)
{
	buf_printf(out, "%s %s", q->key, node_operator_name(q->op));
	for (size_t i = 0; i < q->values.count; i++)
		buf_printf(out, "%s%s", i ? "," : " ", q->values.items[i]);
	if (value)
		buf_printf(out, " (it is %s)", *value ? value : "\"\"");
}

/* The first requirement that does not hold, or NULL. */
static const struct node_requirement *fails(const struct core_node *n, const struct node_term *t, const char **ret_value)
{
	for (size_t i = 0; i < t->labels.count + t->fields.count; i++) {
		bool label = i < t->labels.count;
		const struct node_requirement *q = label ? &t->labels.items[i] : &t->fields.items[i - t->labels.count];
		const char *value = label ? label_of(n, q->key) : n->name;
		if (!holds(q, value)) {
			*ret_value = value;
			return q;
		}
	}
	return NULL;
}

static bool suits_selector(const struct core_node *n, const struct label_list *wanted, struct buf *why)
{
	for (size_t i = 0; i < wanted->count; i++) {
		const struct label *l = &wanted->items[i];
		const char *value = label_of(n, l->name);
		if (value && streq(value, l->value))
			continue;
		buf_printf(why, "%s%s=%s", why->len ? ", " : "", l->name, l->value);
		if (value)
			buf_printf(why, " (it is %s)", *value ? value : "\"\"");
	}
	return !why->len;
}

static bool suits_terms(const struct core_node *n, const struct node_selector *s, struct buf *why)
{
	_cleanup_buf_ struct buf failed = BUF_NULL;

	for (size_t i = 0; i < s->terms.count; i++) {
		const struct node_term *t = &s->terms.items[i];
		const char *value = NULL;
		const struct node_requirement *q = fails(n, t, &value);
		if (!q && t->labels.count + t->fields.count)
			return true;
		buf_puts(&failed, failed.len ? " or " : "");
		if (q)
			print_requirement(q, value, &failed);
		else
			buf_puts(&failed, "an empty term");
	}
	buf_printf(why, "%s%s", why->len ? ", " : "", buf_str(&failed));
	return false;
}

bool place_suits(const struct core *c, const struct core_pod *p, struct buf *ret_why)
{
	const struct core_node *n = c->config.node;
	const struct pod_spec *spec = &p->pod->spec;
	_cleanup_buf_ struct buf why = BUF_NULL;

	if (!n)
		return true;
	bool suits = suits_selector(n, &spec->node_selector, &why);
	if (spec->affinity.node.required.set)
		suits = suits_terms(n, &spec->affinity.node.required, &why) && suits;
	if (!suits)
		buf_printf(ret_why, "node didn't match Pod's node affinity/selector: %s", buf_str(&why));
	return suits;
}
