/* Runs the manifests of valid/ and invalid/ through the reader. What must come out stands at the head of each file:
 *
 *   # expect: error spec.containers[0].name Required value     severity, field ("-": none), a part of the text
 *   # at: 7:3                                                   line and column of the expectation before
 *   # hint: did you mean                                        a part of its hint
 *   # json: "cpu":"500m"                                        a part of the first accepted pod's JSON
 *   # qos: Burstable                                            of the first accepted pod
 *   # pods: 2                                                   accepted documents; by default 1 for valid/ and 0 for invalid/
 *   # parsed: no                                                the file as a whole was of no use
 *
 * Every error and refusal must be expected; a notice too, in valid/. Prints TAP. In a .json file the head is no part of the manifest.
 *
 * A file *.cases holds many cases, each a rule:
 *
 *   = base spec.containers[0]       the manifest that follows, in which a line "@" stands for the case; a prefix of field paths
 *   = the-name-of-the-rule          the lines that follow replace the "@", indented as it is
 *   ! error .ports[0] Duplicate     what must be found, as above; a field that begins with "." follows the prefix
 *   : did you mean                  a part of the hint of the expectation before
 *
 * What podd has not built is beside the point there: such a refusal is let pass, unless it is expected. A valid case has no error, and
 * where nothing was refused it reads back. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "manifest/diags.h"
#include "manifest/workload.h"

enum { FILE_MAX = 4 << 20, EXPECT_MAX = 16 };

struct expectation {
	char severity[16], field[256], text[256], hint[256];
	unsigned line, column;
};

struct expectations {
	struct expectation items[EXPECT_MAX];
	size_t count, pods;
	char json[512], qos[16];
	bool parsed;
};

static void parse_line(struct expectations *x, const char *line)
{
	struct expectation *last = x->count ? &x->items[x->count - 1] : NULL;
	char word[16];
	int at = 0;

	if (str_after(line, "# expect: ")) {
		struct expectation e = { .severity = "" };
		if (x->count == EXPECT_MAX || sscanf(line, "# expect: %15s %255s %255[^\n]", e.severity, e.field, e.text) != 3)
			abort();
		x->items[x->count++] = e;
	} else if (sscanf(line, "# hint: %n", &at) == 0 && at && last) {
		(void)snprintf(last->hint, sizeof(last->hint), "%s", line + at);
	} else if (last && sscanf(line, "# at: %u:%u", &last->line, &last->column) == 2) {
		return;
	} else if (str_after(line, "# json: ")) {
		(void)snprintf(x->json, sizeof(x->json), "%s", str_after(line, "# json: "));
	} else if (sscanf(line, "# parsed: %15s", word) == 1) {
		x->parsed = streq(word, "yes");
	} else {
		(void)(sscanf(line, "# qos: %15s", x->qos) == 1 || sscanf(line, "# pods: %zu", &x->pods) == 1);
	}
}

/* The comment lines at the head of the file. Returns what follows them. */
static const char *parse_expectations(struct expectations *x, const char *text)
{
	const char *rest = str_after(text, "\xef\xbb\xbf");

	for (text = rest ? rest : text; *text == '#';) {
		size_t n = strcspn(text, "\r\n");
		_cleanup_free_ char *line = xstrndup(text, n);
		parse_line(x, line);
		text += n;
		text += strspn(text, "\r\n");
	}
	return text;
}

static bool meets(const struct expectation *e, const struct diag *d)
{
	return streq(e->severity, severity_name(d->severity)) && streq(streq(e->field, "-") ? "" : e->field, d->field) &&
	       strstr(d->text, e->text) && (!e->hint[0] || (d->hint && strstr(d->hint, e->hint))) &&
	       (!e->line || (e->line == d->line && e->column == d->column));
}

static bool check_diags(const struct expectations *x, const struct manifest *m, bool notices, struct buf *why)
{
	bool used[MANIFEST_DIAGS_MAX] = { false };

	for (size_t i = 0; i < x->count; i++) {
		size_t j = 0;
		while (j < m->diag_count && (used[j] || !meets(&x->items[i], &m->diags[j])))
			j++;
		if (j == m->diag_count) {
			buf_printf(why, "expected %s %s %s\n", x->items[i].severity, x->items[i].field, x->items[i].text);
			for (j = 0; j < m->diag_count; j++) {
				buf_puts(why, "# found ");
				diag_print(&m->diags[j], "", why);
				buf_putc(why, '\n');
			}
			return false;
		}
		used[j] = true;
	}
	for (size_t j = 0; j < m->diag_count; j++)
		if (!used[j] && (notices || m->diags[j].severity != SEVERITY_NOTICE)) {
			buf_puts(why, "unexpected: ");
			diag_print(&m->diags[j], "", why);
			buf_putc(why, '\n');
			return false;
		}
	return true;
}

static const struct pod *first_pod(const struct manifest *m, size_t *ret_count)
{
	const struct pod *first = NULL;

	*ret_count = 0;
	for (size_t i = 0; i < m->document_count; i++) {
		const struct pod *p = m->documents[i].pod;
		*ret_count += p || m->documents[i].config;
		first = first ? first : p;
	}
	return first;
}

/* What podd prints it must read again, as the same pod. */
static bool check_json(const struct expectations *x, const struct pod *p, struct buf *why)
{
	_cleanup_buf_ struct buf json = BUF_NULL;
	struct jsonw w;
	struct manifest again;
	size_t count;

	jsonw_init(&w, &json);
	if (p->workload) {
		workload_json(p->workload, NULL, &w);
	} else {
		jsonw_object(&w);
		jsonw_member_str(&w, "apiVersion", "v1");
		jsonw_member_str(&w, "kind", "Pod");
		pod_json(p, NULL, NULL, &w);
		jsonw_end(&w);
	}
	if (x->json[0] && !strstr(json.data, x->json)) {
		buf_printf(why, "expected %s in %s\n", x->json, json.data);
		return false;
	}
	manifest_read("again", json.data, json.len, &again);
	const struct pod *q = first_pod(&again, &count);
	bool same = q && streq(q->hash, p->hash);
	if (!same)
		buf_printf(why, "does not read back: %s\n", json.data);
	manifest_deinit(&again);
	return same;
}

static bool run_text(const struct buf *text, bool json, bool valid, struct buf *why)
{
	struct expectations x = { .pods = valid, .parsed = true };
	struct manifest m;
	size_t pods;

	const char *rest = parse_expectations(&x, buf_str(text));
	if (json) /* has no comments */
		manifest_read("f", rest, strlen(rest), &m);
	else
		manifest_read("f", buf_str(text), text->len, &m);
	const struct pod *p = first_pod(&m, &pods);
	bool good = check_diags(&x, &m, valid, why);
	if (m.parsed != x.parsed || pods != x.pods) {
		buf_printf(why, "parsed %d, %zu pods\n", m.parsed, pods);
		good = false;
	}
	if (!valid && manifest_worst(&m) > SEVERITY_REFUSED) {
		buf_puts(why, "nothing was refused\n");
		good = false;
	}
	if (p && x.qos[0] && !streq(qos_name(p->qos), x.qos)) {
		buf_printf(why, "QoS class %s\n", qos_name(p->qos));
		good = false;
	}
	if (p && !check_json(&x, p, why))
		good = false;
	manifest_deinit(&m);
	return good;
}

/* --- many cases in a file -------------------------------------------------------------------------------------------------------- */

struct base {
	char prefix[128];
	struct buf text;
};

/* The base with each line of the case in the place of the "@". */
static void put_together(const struct base *b, const struct buf *body, struct buf *out)
{
	const char *mark = strstr(buf_str(&b->text), "@\n"), *line = mark;

	if (!mark)
		abort();
	while (line > b->text.data && line[-1] != '\n')
		line--;
	size_t indent = (size_t)(mark - line);
	buf_append(out, b->text.data, (size_t)(line - b->text.data));
	for (const char *p = buf_str(body); *p; p += strcspn(p, "\n") + 1) {
		buf_append(out, line, indent);
		buf_append(out, p, strcspn(p, "\n") + 1);
	}
	buf_puts(out, mark + 2);
}

static void parse_case_line(struct expectations *x, const struct base *b, const char *line)
{
	struct expectation e = { .severity = "" };
	char field[128];

	if (str_after(line, ": ")) {
		(void)snprintf(x->items[x->count - 1].hint, sizeof(e.hint), "%s", line + 2);
		return;
	}
	if (x->count == EXPECT_MAX || sscanf(line, "! %15s %127s %255[^\n]", e.severity, field, e.text) != 3)
		abort();
	(void)snprintf(e.field, sizeof(e.field), "%s%s", field[0] == '.' ? b->prefix : "", streq(field, ".") ? "" : field);
	x->items[x->count++] = e;
}

static bool is_unbuilt(const struct diag *d)
{
	return d->severity == SEVERITY_REFUSED &&
	       (strstr(d->text, "not yet supported") || strstr(d->text, "not supported by podd"));
}

static bool check_case(struct expectations *x, struct manifest *m, bool valid, struct buf *why)
{
	size_t pods, kept = 0;
	const struct pod *p = first_pod(m, &pods);

	for (size_t i = 0; i < m->diag_count; i++) {
		bool expected = false;
		for (size_t j = 0; j < x->count; j++)
			expected |= meets(&x->items[j], &m->diags[i]);
		if (expected || (!is_unbuilt(&m->diags[i]) && m->diags[i].severity != SEVERITY_NOTICE))
			m->diags[kept++] = m->diags[i];
	}
	bool refused = kept < m->diag_count && manifest_worst(m) == SEVERITY_REFUSED;
	m->diag_count = kept;
	bool good = check_diags(x, m, /* notices= */ false, why);
	if (valid && p && !check_json(x, p, why))
		good = false;
	if (valid && !pods && !refused && m->document_count) {
		buf_puts(why, "nothing accepted\n");
		good = false;
	}
	if (!valid && (pods || !x->count)) {
		buf_puts(why, "accepted\n");
		good = false;
	}
	return good;
}

static bool run_case(const struct base *b, struct expectations *x, const struct buf *body, bool valid, struct buf *why)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	struct manifest m;

	put_together(b, body, &text);
	manifest_read("f", buf_str(&text), text.len, &m);
	bool good = check_case(x, &m, valid, why);
	if (!good)
		buf_printf(why, "%s", buf_str(&text));
	manifest_deinit(&m);
	return good;
}

static void report(unsigned number, bool good, bool valid, const char *file, const char *rule, struct buf *why)
{
	printf("%sok %u - %s/%s%s%s\n", good ? "" : "not ", number, valid ? "valid" : "invalid", file, *rule ? ": " : "", rule);
	for (const char *p = good ? "" : buf_str(why); *p; p += strcspn(p, "\n"), p += *p == '\n')
		printf("# %.*s\n", (int)strcspn(p, "\n"), p);
}

static unsigned run_cases(const char *file, const char *text, bool valid, unsigned *number)
{
	struct base base = { .prefix = "" };
	unsigned failed = 0;

	while (*text == '#')
		text += strcspn(text, "\n") + 1;
	while (str_after(text, "= ")) {
		_cleanup_buf_ struct buf body = BUF_NULL, why = BUF_NULL;
		struct expectations x = { .parsed = true };
		_cleanup_free_ char *rule = xstrndup(text + 2, strcspn(text + 2, "\n"));
		const char *prefix = str_after(rule, "base ");
		for (text += strcspn(text, "\n") + 1; *text && !str_after(text, "= "); text += strcspn(text, "\n") + 1) {
			size_t n = strcspn(text, "\n") + 1;
			_cleanup_free_ char *line = xstrndup(text, n - 1);
			if (!prefix && (str_after(text, "! ") || str_after(text, ": ")))
				parse_case_line(&x, &base, line);
			else if (n > 1)
				buf_append(&body, text, n);
		}
		if (prefix) {
			(void)snprintf(base.prefix, sizeof(base.prefix), "%s", prefix);
			buf_deinit(&base.text);
			base.text = body;
			body = BUF_NULL;
			continue;
		}
		bool good = run_case(&base, &x, &body, valid, &why);
		report(++*number, good, valid, file, rule, &why);
		failed += !good;
	}
	if (*text) {
		printf("not ok %u - %s: a line outside of a case\n", ++*number, file);
		failed++;
	}
	buf_deinit(&base.text);
	return failed;
}

static unsigned run_directory(const char *dir, bool valid, unsigned *number)
{
	struct dirent **names;
	int n = scandir(dir, &names, NULL, alphasort);
	unsigned failed = 0;

	if (n < 0) {
		printf("not ok %u - %s: %m\n", ++*number, dir);
		return 1;
	}
	for (int i = 0; i < n; i++) {
		_cleanup_free_ struct dirent *name = names[i];
		_cleanup_free_ char *path = xasprintf("%s/%s", dir, name->d_name);
		_cleanup_buf_ struct buf text = BUF_NULL, why = BUF_NULL;
		if (name->d_name[0] == '.')
			continue;
		if (str_ends(path, ".cases")) {
			if (file_read(AT_FDCWD, path, FILE_MAX, &text) < 0)
				abort();
			failed += run_cases(name->d_name, buf_str(&text), valid, number);
			continue;
		}
		bool good =
			file_read(AT_FDCWD, path, FILE_MAX, &text) == 0 && run_text(&text, str_ends(path, ".json"), valid, &why);
		report(++*number, good, valid, name->d_name, "", &why);
		failed += !good;
	}
	free(names);
	return failed;
}

int main(void)
{
	const char *srcdir = getenv("srcdir");
	_cleanup_free_ char *valid = xasprintf("%s/tests/manifest/valid", srcdir ? srcdir : ".");
	_cleanup_free_ char *invalid = xasprintf("%s/tests/manifest/invalid", srcdir ? srcdir : ".");
	unsigned number = 0, failed = run_directory(valid, true, &number);

	failed += run_directory(invalid, false, &number);
	printf("1..%u\n", number);
	return failed ? 1 : 0;
}
