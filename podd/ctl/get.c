/* podctl get: what the API answers, as a table, as objects, or as a template says; with -w also what changes. */
#include <stdio.h>
#include "base/alloc.h"
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/follow.h"
#include "ctl/output.h"
#include "ctl/table.h"
#include "wire/url.h"

static const struct resource {
	const char *words[3], *path;
} resources[] = {
	{ { "pod", "pods", "po" }, "pods" },
	{ { "job", "jobs", NULL }, "jobs" },
	{ { "cronjob", "cronjobs", "cj" }, "cronjobs" },
	{ { "event", "events", "ev" }, "events" },
};

struct get {
	const struct args *args;
	const struct resource *resource;
	struct output output;
	struct table table;
	json_t *definitions; /* of the columns */
	json_t *shown;       /* with -w: of each object by its name what was last seen, so that a gap repeats nothing; else NULL */
};

/* The last line, on stderr: what is wanted and not here because it was refused. */
static void say_refused(const struct args *a)
{
	json_t *status = NULL;

	if (client_json(a, "GET", "/apis/podd.dev/v1/status", false, &status) != CTL_YES)
		return;
	json_int_t n = json_integer_value(json_at(status, "refused"));
	if (n)
		(void)fprintf(stderr, "%lld manifest%s refused: podctl status\n", (long long)n, n == 1 ? "" : "s");
	json_decref(status);
}

/* --- the table ----------------------------------------------------------------------------------------------------------------- */

static bool column_shown(const struct get *g, const json_t *definition)
{
	return g->output.kind == OUTPUT_WIDE || !json_integer_value(json_object_get(definition, "priority"));
}

static void print_header(struct get *g, const json_t *definitions)
{
	size_t i, columns = g->args->all_namespaces;
	const json_t *d;

	g->definitions = json_incref((json_t *)definitions);
	json_array_foreach(definitions, i, d) {
		columns += column_shown(g, d);
	}
	table_init(&g->table, columns);
	if (g->args->all_namespaces)
		table_cell(&g->table, "NAMESPACE");
	json_array_foreach(definitions, i, d) {
		_cleanup_buf_ struct buf name = BUF_NULL;
		if (!column_shown(g, d))
			continue;
		for (const char *p = json_text(d, "name"); *p; p++)
			buf_putc(&name, *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p);
		table_cell(&g->table, buf_str(&name));
	}
}

/* Whether this is news of the object; always, without -w. */
static bool is_news(struct get *g, const json_t *object, const char *state)
{
	_cleanup_free_ char *key = xasprintf("%s/%s", json_text(object, "metadata.namespace"), json_text(object, "metadata.name"));

	if (!g->shown)
		return true;
	if (streq(json_text(json_object_get(g->shown, key), ""), state))
		return false;
	(void)json_object_set_new(g->shown, key, json_string(state));
	return true;
}

static void add_row(struct get *g, const json_t *row)
{
	_cleanup_buf_ struct buf state = BUF_NULL; /* without the age, which changes by itself */
	const json_t *cell;
	size_t i;

	json_array_foreach(json_at(row, "cells"), i, cell) {
		if (!streq(json_text(json_array_get(g->definitions, i), "name"), "Age"))
			buf_printf(&state, "%s\t", json_string_value(cell) ? json_string_value(cell) : "");
	}
	if (!is_news(g, json_at(row, "object"), buf_str(&state)))
		return;
	if (g->args->all_namespaces)
		table_cell(&g->table, json_text(row, "object.metadata.namespace"));
	json_array_foreach(json_at(row, "cells"), i, cell) {
		if (column_shown(g, json_array_get(g->definitions, i)))
			table_cell(&g->table, json_string_value(cell) ? json_string_value(cell) : "");
	}
}

static void add_rows(struct get *g, const json_t *answer)
{
	const json_t *row;
	size_t i;

	if (!g->definitions && json_array_size(json_at(answer, "rows")))
		print_header(g, json_at(answer, "columnDefinitions"));
	json_array_foreach(json_at(answer, "rows"), i, row) {
		add_row(g, row);
	}
}

/* --- lists, names, watches --------------------------------------------------------------------------------------------------------- */

static int get_list(struct get *g, const char *path)
{
	const struct args *a = g->args;
	json_t *answer;

	int code = client_json(a, "GET", path, output_is_table(&g->output), &answer);
	if (code != CTL_YES)
		return code;
	if (!output_is_table(&g->output))
		code = output_print(&g->output, answer, g->resource->words[0]);
	add_rows(g, answer);
	table_print(&g->table);
	if (output_is_table(&g->output) && !g->definitions) {
		if (a->all_namespaces)
			(void)fprintf(stderr, "No resources found\n");
		else
			(void)fprintf(stderr, "No resources found in %s namespace.\n", a->namespace ? a->namespace : "default");
	}
	json_decref(answer);
	return code;
}

static bool is_word(const struct resource *r, const char *word, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(r->words) && r->words[i]; i++)
		if (strlen(r->words[i]) == n && memcmp(r->words[i], word, n) == 0)
			return true;
	return false;
}

static const struct resource *find_resource(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(resources); i++)
		if (is_word(&resources[i], word, strcspn(word, "/")))
			return &resources[i];
	return strchr(word, '/') ? &resources[0] : NULL; /* "ns/web" */
}

/* "job/pi" is "pi". */
static const char *name_in(const struct resource *r, const char *text)
{
	size_t n = strcspn(text, "/");

	return text[n] && is_word(r, text, n) ? text + n + 1 : text;
}

/* Objects by name, each asked for by itself; those that are there are shown also when another is not. */
static int get_named(struct get *g, const char *const *names, size_t count)
{
	json_t *items = json_array();
	int worst = CTL_YES;

	for (size_t i = 0; i < count; i++) {
		_cleanup_buf_ struct buf path = BUF_NULL;
		struct pod_ref p;
		json_t *answer;
		if (pod_ref_parse(g->args, name_in(g->resource, names[i]), &p) < 0) {
			worst = CTL_USAGE;
			continue;
		}
		ref_path(&p, g->resource->path, &path);
		int code = client_json(g->args, "GET", path.data, output_is_table(&g->output), &answer);
		if (code != CTL_YES) {
			worst = MAX(worst, code);
			continue;
		}
		add_rows(g, answer);
		(void)json_array_append_new(items, answer);
	}
	table_print(&g->table);
	if (!output_is_table(&g->output) && json_array_size(items)) {
		json_t *list = json_pack("{s:s, s:s, s:{}, s:O}", "kind", "List", "apiVersion", "v1", "metadata", "items", items);
		int code = output_print(&g->output, count == 1 ? json_array_get(items, 0) : list, g->resource->words[0]);
		worst = MAX(worst, code);
		json_decref(list);
	}
	json_decref(items);
	return worst;
}

static void on_change(const char *type, const json_t *object, void *arg)
{
	struct get *g = arg;

	(void)type;
	if (output_is_table(&g->output)) {
		add_rows(g, object);
		table_print(&g->table);
	} else if (is_news(g, object, json_text(object, "metadata.resourceVersion"))) {
		if (g->output.kind == OUTPUT_YAML)
			(void)puts("---");
		(void)output_print(&g->output, object, g->resource->words[0]);
	}
}

static void on_list(const json_t *list, void *arg)
{
	json_t *item;
	size_t i;

	if (output_is_table(&((struct get *)arg)->output))
		on_change("", list, arg);
	json_array_foreach(json_at(list, "items"), i, item) {
		on_change("", item, arg);
	}
}

static int get_watch(struct get *g, const char *name, struct buf *path)
{
	static const struct follow_callbacks callbacks = { .list = on_list, .change = on_change };
	_cleanup_buf_ struct buf field = BUF_NULL;
	struct args a = *g->args;
	struct pod_ref p;

	if (name) {
		if (pod_ref_parse(&a, name_in(g->resource, name), &p) < 0)
			return CTL_USAGE;
		buf_clear(path);
		a.namespace = p.namespace;
		list_path(&a, g->resource->path, path);
		buf_printf(&field, "metadata.name=%s", p.name);
		url_add(path, "fieldSelector", field.data);
	}
	g->shown = json_object();
	return follow(&a, path->data, output_is_table(&g->output), &callbacks, g);
}

int verb_get(const struct args *a)
{
	const char *what = a->word_count ? a->words[0] : "";
	const struct resource *resource = find_resource(what);
	size_t skipped = a->word_count && !strchr(what, '/'); /* "get pod/web" has no word for the kind */
	const char *const *names = a->words + skipped;
	size_t count = a->word_count - skipped;
	_cleanup_buf_ struct buf path = BUF_NULL;
	struct get g = { .args = a, .resource = resource };

	int code = output_parse(a, &g.output);
	if (code != CTL_YES)
		return code;
	if (!resource)
		return ctl_fail(CTL_USAGE, "get pods [NAME...], get jobs|cronjobs [NAME...] or get events; there is no \"%s\"",
		                what);
	bool events = streq(resource->path, "events");
	if (count && (a->selector || events))
		return ctl_fail(CTL_USAGE, events ? "get events takes no names" : "names or a selector, not both");
	if (count > 1 && a->watch)
		return ctl_fail(CTL_USAGE, "-w follows one object or all");
	list_path(a, resource->path, &path);
	if (a->watch)
		code = get_watch(&g, count ? names[0] : NULL, &path);
	else
		code = count ? get_named(&g, names, count) : get_list(&g, path.data);
	table_deinit(&g.table);
	json_decref(g.definitions);
	json_decref(g.shown);
	if (!events && code != CTL_UNREACHABLE && code != CTL_USAGE) {
		ctl_flush();
		say_refused(a);
	}
	return code;
}
