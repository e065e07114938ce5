/* podctl apply and delete: manifest files written and removed as podd wants them: validated, whole, by rename. podd need not run. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/files.h"
#include "ctl/pods.h"
#include "ctl/until.h"
#include "manifest/config.h"

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
static bool means(const struct buf *text, const struct document *doc)
{
	struct manifest m;

	manifest_read("", buf_str(text), text->len, &m);
	const struct document *cut = m.document_count == 1 ? &m.documents[0] : NULL;
	bool same = cut && (doc->pod ? cut->pod && streq(cut->pod->hash, doc->pod->hash)
	                             : cut->config && config_equal(cut->config, doc->config) &&
	                                       cut->config->immutable == doc->config->immutable);
	manifest_deinit(&m);
	return same;
}

static const struct object {
	const char *kind, *word, *ending;
} objects[] = {
	{ "Pod", "pod", ".yaml" },
	{ "ConfigMap", "configmap", ".configmap.yaml" },
	{ "Secret", "secret", ".secret.yaml" },
	{ "PriorityClass", "priorityclass", ".priorityclass.yaml" },
	{ "RuntimeClass", "runtimeclass", ".runtimeclass.yaml" },
	{ "Job", "job", ".job.yaml" },
	{ "CronJob", "cronjob", ".cronjob.yaml" },
};

/* NULL: of a kind that has no file. */
static const struct object *object_of(const struct document *doc)
{
	for (size_t i = 0; doc->makes && i < ARRAY_SIZE(objects); i++)
		if (streq(doc->makes, objects[i].kind))
			return &objects[i];
	return NULL;
}

/* The file for an object that has none yet. */
static char *new_name(const struct document *doc)
{
	bool home = streq(doc->namespace, "default");

	return xasprintf("%s%s%s%s", home ? "" : doc->namespace, home ? "" : "_", doc->name, object_of(doc)->ending);
}

/* Which file to write: CTL_YES and its name, or a code after a message. */
static int choose_file(const struct work *w, const struct document *doc, char **ret_file, bool *ret_there)
{
	const char *word = object_of(doc)->word;
	_cleanup_free_ char *file = NULL;
	bool shared;

	int r = files_find(w->directory, doc->makes, doc->namespace, doc->name, &file, &shared);
	if (r < 0)
		return ctl_fail(CTL_NO, "%s: %s", w->directory, strerror(-r));
	if (r > 0 && shared)
		return ctl_fail(CTL_NO, "%s %s is defined in %s/%s together with others; edit that file", word, doc->name,
		                w->directory, file);
	*ret_there = r > 0;
	if (r == 0) {
		file = new_name(doc);
		if (faccessat(w->dirfd, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return ctl_fail(CTL_NO, "%s/%s is there already and does not hold %s %s; edit or remove it", w->directory,
			                file, word, doc->name);
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

/* A file that was there may hold a password in plain sight; a Secret always does. */
static mode_t file_mode(const struct work *w, const char *file, const struct document *doc)
{
	struct stat st;
	mode_t mode = fstatat(w->dirfd, file, &st, 0) == 0 ? st.st_mode & 0777 : 0644;

	return streq(doc->kind, "Secret") ? mode & 0600 : mode;
}

static int apply_document(const struct work *w, const struct source *s, size_t index)
{
	const struct document *doc = &s->manifest.documents[index];
	const char *word = object_of(doc)->word;
	_cleanup_buf_ struct buf text = BUF_NULL;
	_cleanup_free_ char *file = NULL;
	bool there = false;

	if (s->manifest.document_count == 1)
		buf_append(&text, s->text.data, s->text.len);
	else
		document_text(s, index, &text);
	if (!means(&text, doc))
		return ctl_fail(CTL_NO, "%s: %s %s can't be cut out of this file; put it into one of its own", s->name, word,
		                doc->name);
	int code = choose_file(w, doc, &file, &there);
	if (code != CTL_YES)
		return code;
	mode_t mode = file_mode(w, file, doc);
	if (there && unchanged(w, file, &text)) {
		(void)printf("%s/%s unchanged\n", word, doc->name);
		return CTL_YES;
	}
	int r = file_replace(w->dirfd, file, text.data, text.len, mode);
	if (r < 0)
		return ctl_fail(CTL_NO, "%s/%s: %s", w->directory, file, strerror(-r));
	(void)printf("%s/%s %s\n", word, doc->name, there ? "configured" : "created");
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

	/* What pods use comes first: they would wait for it. */
	for (size_t i = 0; i < s->manifest.document_count; i++)
		if (s->manifest.documents[i].config)
			code = files_worse(code, apply_document(arg, s, i));
	for (size_t i = 0; i < s->manifest.document_count; i++) {
		const struct document *d = &s->manifest.documents[i];
		if (d->pod)
			code = files_worse(code, apply_document(arg, s, i));
		else if (d->none)
			code = files_worse(code, ctl_fail(CTL_NO, "%s: %s has no replicas: podctl delete ends the pod", s->name,
			                                  d->name));
	}
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

static int delete_object(const struct work *w, const struct object *o, const struct pod_ref *p)
{
	_cleanup_free_ char *file = NULL;
	bool shared;

	int r = files_find(w->directory, o->kind, p->namespace, p->name, &file, &shared);
	if (r < 0)
		return ctl_fail(CTL_NO, "%s: %s", w->directory, strerror(-r));
	if (r == 0) {
		(void)fprintf(stderr, "Error (NotFound): no manifest in %s defines %s \"%s\"\n", w->directory, o->word, p->name);
		return CTL_NO;
	}
	if (shared)
		return ctl_fail(CTL_NO, "%s %s is defined in %s/%s together with others; edit that file", o->word, p->name,
		                w->directory, file);
	if (unlinkat(w->dirfd, file, 0) < 0 || fsync(w->dirfd) < 0)
		return ctl_fail(CTL_NO, "%s/%s: %s", w->directory, file, strerror(errno));
	(void)printf("%s \"%s\" deleted\n", o->word, p->name);
	ctl_flush();
	return streq(o->kind, "Pod") || p->job ? wait_gone(w->args, p) : CTL_YES;
}

/* What a file names; also what is refused, as far as its name could be read. */
static int delete_source(const struct source *s, void *arg)
{
	int code = CTL_YES;

	for (size_t i = 0; i < s->manifest.document_count; i++) {
		const struct document *d = &s->manifest.documents[i];
		const struct object *o = object_of(d);
		struct pod_ref p = { 0 };
		if (!d->name || !o)
			continue;
		(void)snprintf(p.namespace, sizeof(p.namespace), "%s", d->namespace);
		(void)snprintf(p.name, sizeof(p.name), "%s", d->name);
		code = files_worse(code, delete_object(arg, o, &p));
	}
	return code;
}

static const struct object *object_by_word(const char *word)
{
	size_t i = 0;

	while (!streq(objects[i].word, word))
		i++;
	return &objects[i];
}

static int delete_named(const struct work *w)
{
	_cleanup_pod_refs_ struct pod_refs pods;
	int code = pod_refs_find(w->args, "delete", true, &pods);

	for (size_t i = 0; i < pods.count; i++)
		code = files_worse(code, delete_object(w, object_by_word(pod_ref_kind(&pods.items[i])), &pods.items[i]));
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
