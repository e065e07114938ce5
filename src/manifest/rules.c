#include <stdarg.h>
#include <stdio.h>
#include "manifest/check.h"
#include "manifest/rules_node.h"

bool node_present(const struct node *n, const char *key)
{
	const struct node *value = node_get(n, key);

	return value && !node_is_null(value);
}

const struct node *node_member(const struct node *n, const char *key)
{
	const struct node *value = node_get(n, key);

	return value && value->type != NODE_SCALAR && value->count ? value : NULL;
}

const char *node_text(const struct node *n)
{
	struct scalar s;

	if (!n || n->type != NODE_SCALAR)
		return NULL;
	scalar_resolve(n, &s);
	return s.type == SCALAR_STRING ? n->text : s.type == SCALAR_NULL ? "" : NULL;
}

const char *node_string(const struct node *n, const char *key)
{
	const char *text = node_text(node_get(n, key));

	return text && *text ? text : NULL;
}

bool node_flag(const struct node *n, const char *key)
{
	const struct node *value = node_get(n, key);
	struct scalar s;

	if (!value || value->type != NODE_SCALAR)
		return false;
	scalar_resolve(value, &s);
	return s.type == SCALAR_BOOL && s.boolean;
}

bool node_number(const struct node *n, const char *key, int64_t *ret)
{
	const struct node *value = node_get(n, key);
	struct scalar s;

	if (!value || value->type != NODE_SCALAR)
		return false;
	scalar_resolve(value, &s);
	if (s.type != SCALAR_INT && !(s.type == SCALAR_FLOAT && s.whole))
		return false;
	*ret = s.integer;
	return true;
}

void rule_find(struct decoder *d, const struct node *n, const char *member, const char *hint, const char *fmt, ...)
{
	const struct node *where = member ? node_get(n, member) : n;
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (member)
		path_key(&d->path, member);
	decoder_find(d, SEVERITY_ERROR, where ? where : n, hint, "%s", text);
	if (member)
		path_pop(&d->path);
}

void rule_find_item(struct decoder *d, const struct node *list, size_t index, const char *hint, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	path_index(&d->path, index);
	decoder_find(d, SEVERITY_ERROR, list->items[index], hint, "%s", text);
	path_pop(&d->path);
}

bool rule_one_of(struct decoder *d, const struct node *n, const char *const *members, const char *hint)
{
	size_t seen = 0;

	if (n->type != NODE_MAPPING)
		return false;
	for (const char *const *m = members; *m; m++)
		if (node_present(n, *m) && ++seen > 1) {
			rule_find(d, n, *m, hint, "Forbidden: may not specify more than 1 of its kind");
			return false;
		}
	if (seen)
		return true;
	_cleanup_buf_ struct buf names = BUF_NULL;
	for (const char *const *m = members; *m; m++)
		buf_printf(&names, "%s%s", m == members ? "" : ", ", *m);
	rule_find(d, n, NULL, hint, "Required value: must specify one of: %s", buf_str(&names));
	return false;
}

void rule_unique(struct decoder *d, const struct node *list, const char *member, const char *rule)
{
	if (!list || list->type != NODE_SEQUENCE)
		return;
	for (size_t i = 0; i < list->count && i < RULE_ITEMS_MAX; i++) {
		const char *text = node_string(list->items[i], member);
		for (size_t j = 0; text && j < i; j++)
			if (streq0(node_string(list->items[j], member), text)) {
				path_index(&d->path, i);
				rule_find(d, list->items[i], member, NULL, "%s: \"%.*s\"", rule, RULE_SHOWN_MAX, text);
				path_pop(&d->path);
				break;
			}
	}
}

void rule_unique_names(struct decoder *d, const struct node *n)
{
	rule_unique(d, n, "name", "Duplicate value");
}

void rule_forbidden(struct decoder *d, const struct node *n)
{
	if (n->type == NODE_SCALAR || n->count)
		rule_find(d, n, NULL, "leave it out", "Forbidden: not allowed here");
}

void rule_labels(struct decoder *d, const struct node *n)
{
	struct finding found;

	if (n->type != NODE_MAPPING)
		return;
	for (size_t i = 0; i < n->count; i++) {
		const char *value = node_text(n->pairs[i].value);
		path_map_key(&d->path, n->pairs[i].key->text);
		if (!check_qualified_name(n->pairs[i].key->text, d->m->arena, &found))
			decoder_find(d, found.severity, n->pairs[i].key, found.hint, "%s", found.text);
		if (value && !check_label_value(value, d->m->arena, &found))
			decoder_find(d, found.severity, n->pairs[i].value, found.hint, "%s", found.text);
		path_pop(&d->path);
	}
}
