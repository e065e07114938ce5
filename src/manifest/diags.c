#include "manifest/diags.h"
#include <stdio.h>
#include "base/str.h"

enum { VALUE_SHOWN_MAX = 500 };

static const char *const severity_names[] = {
	[SEVERITY_ERROR] = "error",
	[SEVERITY_REFUSED] = "refused",
	[SEVERITY_NOTICE] = "notice",
};
_Static_assert(ARRAY_SIZE(severity_names) == SEVERITY_MAX, "a name for each severity");

const char *severity_name(enum severity s)
{
	return severity_names[s];
}

/* The slot for a new finding. When all are taken, one that matters pushes out a notice. */
static struct diag *diags_slot(struct manifest *m, enum severity severity)
{
	if (!m->diags)
		m->diags = arena_new_array(m->arena, struct diag, MANIFEST_DIAGS_MAX);
	if (m->diag_count < MANIFEST_DIAGS_MAX)
		return &m->diags[m->diag_count++];
	m->diags_dropped++;
	if (severity == SEVERITY_NOTICE)
		return NULL;
	for (size_t i = m->diag_count; i-- > 0;)
		if (m->diags[i].severity == SEVERITY_NOTICE)
			return &m->diags[i];
	return NULL;
}

static void _printf_(7, 0) add(struct manifest *m, enum severity severity, unsigned line, unsigned column, const struct path *path,
                               const char *hint, const char *fmt, va_list ap)
{
	char text[VALUE_SHOWN_MAX];
	_cleanup_buf_ struct buf field = BUF_NULL;
	struct diag *d = diags_slot(m, severity);

	if (!d)
		return;
	/* What the message quotes comes from the manifest and may be a quarter of a megabyte. */
	if (vsnprintf(text, sizeof(text), fmt, ap) >= (int)sizeof(text))
		memcpy(text + sizeof(text) - 4, "...", 4);
	if (path)
		path_print(path, &field);
	if (field.len > VALUE_SHOWN_MAX)
		memcpy(field.data + VALUE_SHOWN_MAX - 4, "...", 4);
	*d = (struct diag){
		.severity = severity,
		.line = line,
		.column = column,
		.field = arena_strdup(m->arena, buf_str(&field)),
		.text = arena_strdup(m->arena, text),
		.hint = hint ? arena_strdup(m->arena, hint) : NULL,
	};
}

void diags_add(struct manifest *m, enum severity severity, const struct node *where, const struct path *path, const char *hint,
               const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(m, severity, where ? where->line : 0, where ? where->column : 0, path, hint, fmt, ap);
	va_end(ap);
}

void diags_add_at(struct manifest *m, enum severity severity, unsigned line, unsigned column, const struct path *path,
                  const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(m, severity, line, column, path, hint, fmt, ap);
	va_end(ap);
}

static bool before(const struct diag *a, const struct diag *b)
{
	return a->line != b->line ? a->line < b->line : a->column < b->column;
}

/* Insertion: stable, and there are at most MANIFEST_DIAGS_MAX. */
void diags_sort(struct manifest *m)
{
	for (size_t i = 1; i < m->diag_count; i++) {
		struct diag d = m->diags[i];
		size_t j = i;
		for (; j > 0 && before(&d, &m->diags[j - 1]); j--)
			m->diags[j] = m->diags[j - 1];
		m->diags[j] = d;
	}
}

enum severity manifest_worst(const struct manifest *m)
{
	enum severity worst = SEVERITY_MAX;

	for (size_t i = 0; i < m->diag_count; i++)
		worst = MIN(worst, m->diags[i].severity);
	return worst;
}

void diag_print(const struct diag *d, const char *file, struct buf *out)
{
	str_escape(out, file);
	if (d->line)
		buf_printf(out, ":%u:%u", d->line, d->column);
	buf_printf(out, ": %s: ", severity_name(d->severity));
	if (d->field[0]) {
		str_escape(out, d->field);
		buf_puts(out, ": ");
	}
	str_escape(out, d->text);
	if (d->hint) {
		buf_puts(out, "; ");
		str_escape(out, d->hint);
	}
}
