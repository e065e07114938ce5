/* podctl apply and delete: manifest files written and removed as podd wants them: validated, whole, by rename. podd need not run. */
#include <fcntl.h>
#include <stdio.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/files.h"
#include "ctl/pods.h"
#include "ctl/until.h"

struct work {
	const struct args *args;
	const char *directory;
	int dirfd;
};

static int work_begin(const struct args *a, struct work *ret)
{
	struct work w = { .args = a, .directory = files_directory(a) };

	w.dirfd = open(w.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w.dirfd < 0) {
		int code = ctl_fail(CTL_NO, "%s: %s", w.directory, strerror(errno));
		free((char *)w.directory);
		return code;
	}
	*ret = w;
	return CTL_YES;
}

static void work_end(struct work *w)
{
	free((char *)w->directory);
	w->dirfd = fd_close(w->dirfd);
}

/* --- apply --- */

/* Where the line `number` (from 1) of the text begins. */
static size_t line_offset(const struct buf *text, unsigned number)
{
	const char *p = buf_str(text);

	while (number > 1 && (p = strchr(p, '\n'))) {
		p++;
		number--;
	}
	return p ? (size_t)(p - buf_str(text)) : text->len;
}

static bool is_marker(const char *line)
{
	return (str_after(line, "---") || str_after(line, "...")) && strchr(" \t\r\n", line[3]); /* strchr finds the NUL too */
}

/* The text of one document of several: from its first line to the next "---". Comments between them go with the one before. */
static void document_text(const struct source *s, size_t index, struct buf *out)
{
	size_t begin = line_offset(&s->text, s->manifest.documents[index].line);
	const char *line = buf_str(&s->text) + begin, *end;

	if (is_marker(line)) /* "---" alone; what stands behind it on its line is the document's */
		line += strspn(line + 3, " \t\r\n") ? 3 : 0;
	for (end = line; *end; end += strcspn(end, "\n"), end += *end == '\n')
		if (end != line && is_marker(end))
			break;
	while (*line == '\n' || *line == '\r')
		line++;
	buf_append(out, line, (size_t)(end - line));
	if (out->len && out->data[out->len - 1] != '\n')
		buf_putc(out, '\n');
}

/* Cutting text is only trusted when what was cut means the same. */
static bool same_pod(const struct buf *text, const struct pod *pod)
{
	struct manifest m;

	manifest_read("", buf_str(text), text->len, &m);
	bool same = m.document_count == 1 && m.documents[0].pod && streq(m.documents[0].pod->hash, pod->hash);
	manifest_deinit(&m);
	return same;
}

/* The file for a pod that has none yet. */
static char *new_name(const struct pod_metadata *m)
{
	return streq(m->namespace, "default") ? xasprintf("%s.yaml", m->name) : xasprintf("%s_%s.yaml", m->namespace, m->name);
}

/* Which file to write: CTL_YES and its name, or a code after a message. */
static int choose_file(const struct work *w, const struct pod_metadata *m, char **ret_file, bool *ret_there)
{
	_cleanup_free_ char *file = NULL;
	bool shared;

	int r = files_find(w->directory, m->namespace, m->name, &file, &shared);
	if (r < 0)
		return ctl_fail(CTL_NO, "%s: %s", w->directory, strerror(-r));
	if (r > 0 && shared)
		return ctl_fail(CTL_NO, "pod %s is defined in %s/%s together with others; edit that file", m->name, w->directory,
		                file);
	*ret_there = r > 0;
	if (r == 0) {
		file = new_name(m);
		if (faccessat(w->dirfd, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return ctl_fail(CTL_NO, "%s/%s is there already and does not hold pod %s; edit or remove it", w->directory,
			                file, m->name);
	}
	*ret_file = TAKE_PTR(file);
	return CTL_YES;
}

static bool unchanged(const struct work *w, const char *file, const struct buf *text)
{
	_cleanup_buf_ struct buf old = BUF_NULL;

	return file_read(w->dirfd, file, MANIFEST_SIZE_MAX, &old) == 0 && old.len == text->len &&
	       memcmp(buf_str(&old), buf_str(text), old.len) == 0;
}

static int apply_pod(const struct work *w, const struct source *s, size_t index)
{
	const struct pod *pod = s->manifest.documents[index].pod;
	_cleanup_buf_ struct buf text = BUF_NULL;
	_cleanup_free_ char *file = NULL;
	bool there = false;

	if (s->manifest.document_count == 1)
		buf_append(&text, s->text.data, s->text.len);
	else
		document_text(s, index, &text);
	if (!same_pod(&text, pod))
		return ctl_fail(CTL_NO, "%s: pod %s can't be cut out of this file; put it into one of its own", s->name,
		                pod->metadata.name);
	int code = choose_file(w, &pod->metadata, &file, &there);
	if (code != CTL_YES)
		return code;
	if (there && unchanged(w, file, &text)) {
		(void)printf("pod/%s unchanged\n", pod->metadata.name);
		return CTL_YES;
	}
	int r = file_replace(w->dirfd, file, text.data, text.len, 0644);
	if (r < 0)
		return ctl_fail(CTL_NO, "%s/%s: %s", w->directory, file, strerror(-r));
	(void)printf("pod/%s %s\n", pod->metadata.name, there ? "configured" : "created");
	return CTL_YES;
}

static int judge_source(const struct source *s, void *arg)
{
	(void)arg;
	return source_judge(s);
}

static int apply_source(const struct source *s, void *arg)
{
	int code = CTL_YES;

	for (size_t i = 0; i < s->manifest.document_count; i++)
		if (s->manifest.documents[i].pod)
			code = files_worse(code, apply_pod(arg, s, i));
	return code;
}

/* Standard input can be read only once: judged and applied in one go. */
static int judge_and_apply(const struct source *s, void *arg)
{
	int code = source_judge(s);

	return code == CTL_YES ? apply_source(s, arg) : code;
}

int verb_apply(const struct args *a)
{
	bool input = false;
	struct work w;

	if (!a->file_count || a->word_count)
		return ctl_fail(CTL_USAGE, "apply needs -f FILE, a directory, or - for standard input");
	for (size_t i = 0; i < a->file_count; i++)
		input |= streq(a->files[i], "-");
	/* All or nothing: no file is written when another one is refused. */
	int code = input && a->file_count == 1 ? CTL_YES : files_each(a->files, a->file_count, judge_source, NULL);
	if (input && a->file_count > 1)
		return ctl_fail(CTL_USAGE, "- stands alone");
	if (code != CTL_YES)
		return code;
	code = work_begin(a, &w);
	if (code != CTL_YES)
		return code;
	code = files_each(a->files, a->file_count, input ? judge_and_apply : apply_source, &w);
	work_end(&w);
	return code;
}

/* --- delete --- */

static int wait_gone(const struct args *a, const struct pod_ref *p)
{
	struct client_request probe = { .method = "GET", .path = "/healthz" };
	_cleanup_client_ struct client *c = NULL;
	int64_t deadline;

	if (!a->wait || client_open(a, &probe, &c) < 0) /* no podd: nothing to wait for */
		return CTL_YES;
	if (until_deadline(a, &deadline) < 0)
		return CTL_USAGE;
	return until_pod(a, p, UNTIL_DELETED, deadline);
}

static int delete_pod(const struct work *w, const struct pod_ref *p)
{
	_cleanup_free_ char *file = NULL;
	bool shared;

	int r = files_find(w->directory, p->namespace, p->name, &file, &shared);
	if (r < 0)
		return ctl_fail(CTL_NO, "%s: %s", w->directory, strerror(-r));
	if (r == 0) {
		(void)fprintf(stderr, "Error (NotFound): no manifest in %s defines pod \"%s\"\n", w->directory, p->name);
		return CTL_NO;
	}
	if (shared)
		return ctl_fail(CTL_NO, "pod %s is defined in %s/%s together with others; edit that file", p->name, w->directory,
		                file);
	if (unlinkat(w->dirfd, file, 0) < 0 || fsync(w->dirfd) < 0)
		return ctl_fail(CTL_NO, "%s/%s: %s", w->directory, file, strerror(errno));
	(void)printf("pod \"%s\" deleted\n", p->name);
	(void)fflush(stdout);
	return wait_gone(w->args, p);
}

/* The pods that a file names; those that are refused too, as far as their names could be read. */
static int delete_source(const struct source *s, void *arg)
{
	int code = CTL_YES;

	for (size_t i = 0; i < s->manifest.document_count; i++) {
		const struct document *d = &s->manifest.documents[i];
		struct pod_ref p;
		if (!d->name)
			continue;
		(void)snprintf(p.namespace, sizeof(p.namespace), "%s", d->namespace ? d->namespace : "default");
		(void)snprintf(p.name, sizeof(p.name), "%s", d->name);
		code = files_worse(code, delete_pod(arg, &p));
	}
	return code;
}

static int delete_named(const struct work *w)
{
	_cleanup_pod_refs_ struct pod_refs pods;
	int code = pod_refs_find(w->args, "delete", &pods);

	for (size_t i = 0; i < pods.count; i++)
		code = files_worse(code, delete_pod(w, &pods.items[i]));
	return code;
}

int verb_delete(const struct args *a)
{
	struct work w;

	if (!a->file_count == !(a->word_count || a->selector))
		return ctl_fail(CTL_USAGE, "delete pod NAME..., delete pod -l SELECTOR, or delete -f FILE");
	int code = work_begin(a, &w);
	if (code != CTL_YES)
		return code;
	code = a->file_count ? files_each(a->files, a->file_count, delete_source, &w) : delete_named(&w);
	work_end(&w);
	return code;
}
