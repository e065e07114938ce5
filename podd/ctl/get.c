/* podctl get: what the API answers, as a table, as names, or as it is. */
#include <stdio.h>
#include <strings.h>
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/table.h"
#include "wire/url.h"

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

/* "-n" or all; with the selector. */
static void list_path(const struct args *a, const char *resource, struct buf *out)
{
	buf_puts(out, "/api/v1/");
	if (!a->all_namespaces) {
		buf_puts(out, "namespaces/");
		url_escape(out, a->namespace ? a->namespace : "default");
		buf_putc(out, '/');
	}
	buf_puts(out, resource);
	if (a->selector)
		url_add(out, "labelSelector", a->selector);
}

static bool column_shown(const struct args *a, const json_t *definition)
{
	bool wide = a->output && streq(a->output, "wide");

	return wide || !json_integer_value(json_object_get(definition, "priority"));
}

static void print_header(const struct args *a, const json_t *definitions, struct table *t)
{
	const json_t *d;
	size_t i;

	if (a->all_namespaces)
		table_cell(t, "NAMESPACE");
	json_array_foreach(definitions, i, d) {
		_cleanup_buf_ struct buf name = BUF_NULL;
		if (!column_shown(a, d))
			continue;
		for (const char *p = json_text(d, "name"); *p; p++)
			buf_putc(&name, *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p);
		table_cell(t, buf_str(&name));
	}
}

static void add_rows(const struct args *a, const json_t *answer, struct table *t)
{
	const json_t *definitions = json_at(answer, "columnDefinitions"), *rows = json_at(answer, "rows"), *row, *cell;
	size_t i, j;

	if (!t->columns) {
		size_t columns = a->all_namespaces;
		json_array_foreach(definitions, j, cell) {
			columns += column_shown(a, cell);
		}
		table_init(t, columns);
		print_header(a, definitions, t);
	}
	json_array_foreach(rows, i, row) {
		if (a->all_namespaces)
			table_cell(t, json_text(row, "object.metadata.namespace"));
		json_array_foreach(json_at(row, "cells"), j, cell) {
			if (column_shown(a, json_array_get(definitions, j)))
				table_cell(t, json_string_value(cell) ? json_string_value(cell) : "");
		}
	}
}

static bool is_table(const struct args *a)
{
	return !a->output || streq(a->output, "wide");
}

static int get_list(const struct args *a, const char *resource)
{
	_cleanup_buf_ struct buf path = BUF_NULL;
	json_t *answer, *item;
	struct table t = { 0 };
	size_t i;

	list_path(a, resource, &path);
	int code = client_json(a, "GET", path.data, is_table(a), &answer);
	if (code != CTL_YES)
		return code;
	if (is_table(a)) {
		add_rows(a, answer, &t);
		if (json_array_size(json_at(answer, "rows")))
			table_print(&t);
		else if (a->all_namespaces)
			(void)fprintf(stderr, "No resources found\n");
		else
			(void)fprintf(stderr, "No resources found in %s namespace.\n", a->namespace ? a->namespace : "default");
		table_deinit(&t);
	} else if (streq(a->output, "name")) {
		json_array_foreach(json_at(answer, "items"), i, item) {
			(void)printf("%s/%s\n", streq(resource, "pods") ? "pod" : "event", json_text(item, "metadata.name"));
		}
	} else {
		code = streq(a->output, "json") ? ctl_output_json(answer) : ctl_output_yaml(answer);
	}
	json_decref(answer);
	return code;
}

/* Pods by name, each asked for by itself; those that are there are shown also when another is not. */
static int get_named(const struct args *a, const char *const *names, size_t count)
{
	json_t *items = json_array();
	struct table t = { 0 };
	int worst = CTL_YES;

	for (size_t i = 0; i < count; i++) {
		_cleanup_buf_ struct buf path = BUF_NULL;
		struct pod_ref p;
		json_t *answer;
		if (pod_ref_parse(a, names[i], &p) < 0) {
			worst = CTL_USAGE;
			continue;
		}
		pod_ref_path(&p, &path);
		int code = client_json(a, "GET", path.data, is_table(a), &answer);
		if (code != CTL_YES) {
			worst = MAX(worst, code);
			continue;
		}
		if (is_table(a))
			add_rows(a, answer, &t);
		else if (streq(a->output, "name"))
			(void)printf("pod/%s\n", json_text(answer, "metadata.name"));
		(void)json_array_append_new(items, answer);
	}
	if (t.columns)
		table_print(&t);
	table_deinit(&t);
	if (!is_table(a) && !streq(a->output, "name") && json_array_size(items)) {
		json_t *list = json_pack("{s:s, s:s, s:{}, s:O}", "kind", "List", "apiVersion", "v1", "metadata", "items", items);
		const json_t *shown = count == 1 ? json_array_get(items, 0) : list;
		(void)(streq(a->output, "json") ? ctl_output_json(shown) : ctl_output_yaml(shown));
		json_decref(list);
	}
	json_decref(items);
	return worst;
}

static bool output_known(const struct args *a)
{
	static const char *const known[] = { "wide", "json", "yaml", "name" };

	for (size_t i = 0; a->output && i < ARRAY_SIZE(known); i++)
		if (streq(known[i], a->output))
			return true;
	return !a->output;
}

int verb_get(const struct args *a)
{
	const char *what = a->word_count ? a->words[0] : "";
	const char *const *names = a->words + 1;
	size_t count = a->word_count ? a->word_count - 1 : 0;
	bool pods = streq(what, "pods") || streq(what, "pod") || streq(what, "po");

	if (!output_known(a))
		return ctl_fail(CTL_USAGE, "-o is wide, json, yaml or name");
	if (streq(what, "events") || streq(what, "ev"))
		return get_list(a, "events");
	if (!pods && strchr(what, '/')) { /* "get pod/web" */
		names = a->words;
		count = a->word_count;
	} else if (!pods) {
		return ctl_fail(CTL_USAGE, "get pods [NAME...] or get events; there is no \"%s\"", what);
	}
	if (count && a->selector)
		return ctl_fail(CTL_USAGE, "names or a selector, not both");
	int code = count ? get_named(a, names, count) : get_list(a, "pods");
	if (code != CTL_UNREACHABLE && code != CTL_USAGE) {
		(void)fflush(stdout);
		say_refused(a);
	}
	return code;
}
