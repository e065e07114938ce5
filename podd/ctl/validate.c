/* podctl validate: podd's judgement of manifests, without podd. */
#include <stdio.h>
#include "base/jsonw.h"
#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/files.h"

static const char *const severities[] = {
	[SEVERITY_ERROR] = "error",
	[SEVERITY_REFUSED] = "refused",
	[SEVERITY_NOTICE] = "notice",
};
_Static_assert(ARRAY_SIZE(severities) == SEVERITY_MAX, "a name for each severity");

static void finding_json(const struct source *s, const struct diag *d, struct jsonw *w)
{
	jsonw_object(w);
	jsonw_member_str(w, "file", s->name);
	jsonw_member_int(w, "line", d->line);
	jsonw_member_int(w, "column", d->column);
	jsonw_member_str(w, "severity", severities[d->severity]);
	jsonw_member_str(w, "field", d->field);
	jsonw_member_str(w, "text", d->text);
	if (d->hint)
		jsonw_member_str(w, "hint", d->hint);
	jsonw_end(w);
}

/* What was asked for. */
struct asked {
	bool portable;
	struct jsonw *w; /* NULL: text */
};

static int judge(const struct source *s, struct jsonw *w)
{
	if (!w)
		return source_judge(s);
	enum severity worst = manifest_worst(&s->manifest);
	for (size_t i = 0; i < s->manifest.diag_count; i++)
		finding_json(s, &s->manifest.diags[i], w);
	return worst == SEVERITY_ERROR ? CTL_NO : worst == SEVERITY_REFUSED ? CTL_REFUSED : CTL_YES;
}

static int one_file(const struct source *s, void *arg)
{
	const struct asked *asked = arg;
	struct source again = { .name = s->name };

	if (!asked->portable)
		return judge(s, asked->w);
	manifest_read_portable(s->name, buf_str(&s->text), s->text.len, &again.manifest);
	int code = judge(&again, asked->w);
	manifest_deinit(&again.manifest);
	return code;
}

int verb_validate(const struct args *a)
{
	_cleanup_buf_ struct buf out = BUF_NULL;
	struct jsonw w;
	struct asked asked = { .portable = a->portable };

	if (!a->word_count)
		return ctl_fail(CTL_USAGE, "validate needs files, directories, or - for standard input");
	if (!a->output)
		return files_each(a->words, a->word_count, one_file, &asked);
	if (!streq(a->output, "json"))
		return ctl_fail(CTL_USAGE, "-o is json");
	asked.w = &w;
	jsonw_init(&w, &out);
	jsonw_object(&w);
	jsonw_key(&w, "findings");
	jsonw_array(&w);
	int code = files_each(a->words, a->word_count, one_file, &asked);
	jsonw_end(&w);
	jsonw_end(&w);
	(void)puts(out.data);
	return code;
}
