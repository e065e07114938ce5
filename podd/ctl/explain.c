/* podctl explain: the table of fields, for people; and as the document docs/FIELDS.md, which holds all of it. */
#include <stdio.h>
#include "base/alloc.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "ctl/ctl.h"
#include "manifest/conf.h"
#include "manifest/schema.h"

/* May be written into `text`. */
static const char *what_podd_does(const struct field *f, struct buf *text)
{
	if (f->verdict == VERDICT_NO_OP)
		return "accepted, without effect";
	if (f->built)
		return "yes";
	if (f->neutral && *f->neutral) {
		buf_printf(text, "only %s", f->neutral);
		return buf_str(text);
	}
	return f->verdict == VERDICT_REJECT ? "no" : "not yet";
}

/* Rows of a type without a hint share that of what they are in. */
static const char *cost(const struct field *f)
{
	return f->object || f->verdict == VERDICT_NO_OP || f->verdict == VERDICT_REJECT ? "" : edit_name(f->edit);
}

/* --- text ------------------------------------------------------------------------------------------------------------------------ */

static void say(struct buf *out, const char *name, const char *text)
{
	if (text && *text)
		buf_printf(out, "%-11s %s\n", name, text);
}

static void list_fields(const struct schema *s, struct buf *out)
{
	buf_printf(out, "\n%s has:\n", s->name);
	for (size_t i = 0; i < s->count; i++) {
		const struct field *f = &s->fields[i];
		_cleanup_buf_ struct buf does = BUF_NULL;
		buf_printf(out, "  %s <%s>%s%s%s\n      %s\n", f->name, field_type_name(f->type), f->required ? " required" : "",
		           f->built && f->verdict != VERDICT_NO_OP ? "" : " - ",
		           f->built && f->verdict != VERDICT_NO_OP ? "" : what_podd_does(f, &does), f->doc);
	}
}

static void explain_field(const char *path, const struct field *f, struct buf *out)
{
	_cleanup_buf_ struct buf choices = BUF_NULL, text = BUF_NULL;

	buf_printf(out, "%-11s %s <%s>%s\n", "field", path, field_type_name(f->type), f->required ? ", required" : "");
	say(out, "podd", what_podd_does(f, &text));
	say(out, "instead", f->built ? NULL : f->hint);
	say(out, "default", f->fallback && !*f->fallback ? "\"\"" : f->fallback);
	say(out, "values", field_choices(f, &choices));
	say(out, "an edit", cost(f));
	buf_printf(out, "\n%s\n", f->doc);
	if (f->object)
		list_fields(f->object, out);
}

/* --- markdown ---------------------------------------------------------------------------------------------------------------------- */

struct page {
	const struct schema *schema;
	char *path;
};

struct pages {
	struct page *items;
	size_t count;
};

static void add_page(struct pages *p, const struct schema *s, char *path)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->items[i].schema == s) {
			free(path);
			return;
		}
	*xgrow(p->items, p->count) = (struct page){ s, path };
}

/* A '|' would end the cell. */
static void put_cell(struct buf *out, const char *text)
{
	buf_puts(out, "| ");
	for (; text && *text; text++)
		if (*text == '|')
			buf_puts(out, ", ");
		else
			buf_putc(out, *text);
	buf_putc(out, ' ');
}

static void put_row(const struct field *f, struct buf *out)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	_cleanup_free_ char *name = xasprintf("`%s`%s", f->name, f->required ? " *" : "");
	_cleanup_free_ char *fallback = f->fallback && *f->fallback ? xasprintf("`%s`", f->fallback) : NULL;
	_cleanup_free_ char *does = xasprintf("%s%s%s", what_podd_does(f, &text), f->built || !f->hint ? "" : ": ",
	                                      f->built || !f->hint ? "" : f->hint);

	put_cell(out, name);
	put_cell(out, field_type_name(f->type));
	put_cell(out, does);
	put_cell(out, fallback);
	put_cell(out, cost(f));
	put_cell(out, f->doc);
	buf_puts(out, "|\n");
}

static void put_page(struct pages *pages, size_t index, struct buf *out)
{
	const struct page page = pages->items[index];

	buf_printf(out, "\n## %s%s%s%s\n\n| field | type | podd | default | an edit | |\n|---|---|---|---|---|---|\n",
	           page.schema->name, *page.path ? " (`" : "", page.path, *page.path ? "`)" : "");
	for (size_t i = 0; i < page.schema->count; i++) {
		const struct field *f = &page.schema->fields[i];
		put_row(f, out);
		if (f->object)
			add_page(pages, f->object,
			         xasprintf("%s%s%s%s", page.path, *page.path ? "." : "", f->name,
			                   f->type == FIELD_OBJECTS ? "[]" : ""));
	}
}

static void put_markdown(struct buf *out)
{
	struct pages pages = { .items = NULL };

	buf_puts(out, "# The fields of a Pod\n\n"
	              "Made by `podctl explain -o markdown` from the table that podd itself works by; do not edit it by hand.\n"
	              "A star marks what is required. What an edit costs: update (nothing is touched), resize (it is changed "
	              "in place),\n"
	              "restart (the container; of a volume: those that mount it), recreate (the pod). \"Not yet\" and \"no\" are "
	              "refused, with the field's place and "
	              "the way out.\n");
	add_page(&pages, &schema_pod, xstrdup(""));
	for (size_t i = 0; i < pages.count; i++)
		put_page(&pages, i, out);
	for (size_t i = 0; i < pages.count; i++)
		free(pages.items[i].path);
	free(pages.items);
}

/* --- JSON ---------------------------------------------------------------------------------------------------------------------------- */

static void put_json_row(const struct schema_row *row, void *user)
{
	_cleanup_buf_ struct buf choices = BUF_NULL;
	const struct field *f = row->field;
	const char *values = field_choices(f, &choices);
	struct jsonw *w = user;

	jsonw_object(w);
	jsonw_member_str(w, "path", row->path);
	jsonw_member_str(w, "type", field_type_name(f->type));
	jsonw_member_str(w, "of", schema_type_of(row->schema, f));
	jsonw_member_str(w, "verdict", verdict_name(f->verdict));
	jsonw_member_bool(w, "built", f->built);
	jsonw_member_bool(w, "required", f->required);
	if (f->fallback)
		jsonw_member_str(w, "default", f->fallback);
	if (values)
		jsonw_member_str(w, "values", values);
	if (*cost(f))
		jsonw_member_str(w, "edit", cost(f));
	jsonw_member_str(w, "doc", f->doc);
	if (f->hint)
		jsonw_member_str(w, "hint", f->hint);
	jsonw_end(w);
}

static void put_json(struct buf *out)
{
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_object(&w);
	jsonw_key(&w, "fields");
	jsonw_array(&w);
	schema_walk(put_json_row, &w);
	jsonw_end(&w);
	jsonw_end(&w);
	buf_putc(out, '\n');
}

int verb_explain(const struct args *a)
{
	_cleanup_buf_ struct buf out = BUF_NULL;
	const char *path = a->word_count ? a->words[0] : "pod";

	if (a->word_count > 1 || (a->output && a->word_count))
		return ctl_fail(CTL_USAGE, "explain takes one field, as pod.spec.containers.image, or -o for all of them");
	if (a->output && streq(a->output, "markdown"))
		put_markdown(&out);
	else if (a->output && streq(a->output, "json"))
		put_json(&out);
	else if (a->output)
		return ctl_fail(CTL_USAGE, "-o is json or markdown");
	else if (streq(path, "pod"))
		list_fields(&schema_pod, &out);
	else if (streq(path, "config"))
		list_fields(&schema_conf, &out);
	else {
		const char *key = str_after(path, "config.");
		const struct field *f = key ? schema_lookup_in(&schema_conf, key) : schema_lookup(path);
		if (!f)
			return ctl_fail(CTL_NO, "%s has no field %s; see podctl explain %s", key ? "podd.yaml" : "a pod",
			                key ? key : path, key ? "config" : "pod.spec");
		explain_field(path, f, &out);
	}
	ctl_print(buf_str(&out));
	return CTL_YES;
}
