#include "ctl/files.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "ctl/ctl.h"

int files_worse(int a, int b)
{
	if (a == CTL_NO || b == CTL_NO)
		return CTL_NO;
	return MAX(a, b);
}

char *files_directory(const struct args *a)
{
	return a->manifests ? xstrdup(a->manifests) : xasprintf("%s/etc/pods", streq(a->root, "/") ? "" : a->root);
}

static int read_text(const char *path, struct buf *out)
{
	return streq(path, "-") ? fd_read_all(STDIN_FILENO, MANIFEST_SIZE_MAX, out)
	                        : file_read(AT_FDCWD, path, MANIFEST_SIZE_MAX, out);
}

static int file_one(const char *path, int (*fn)(const struct source *s, void *arg), void *arg)
{
	struct source s = { .name = streq(path, "-") ? "<stdin>" : path };
	int code, r = read_text(path, &s.text);

	if (r == -EFBIG) {
		code = ctl_fail(CTL_NO, "%s: larger than the limit of %d bytes", s.name, MANIFEST_SIZE_MAX);
	} else if (r < 0) {
		code = ctl_fail(CTL_NO, "%s: %s", s.name, strerror(-r));
	} else {
		manifest_read(s.name, buf_str(&s.text), s.text.len, &s.manifest);
		code = fn(&s, arg);
		manifest_deinit(&s.manifest);
	}
	buf_deinit(&s.text);
	return code;
}

/* What podd would read. */
static int counts(const struct dirent *e)
{
	const char *name = e->d_name;

	return name[0] != '.' && (str_ends(name, ".yaml") || str_ends(name, ".yml") || str_ends(name, ".json"));
}

/* By byte, as podd orders them, whatever the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int directory_each(const char *path, int (*fn)(const struct source *s, void *arg), void *arg)
{
	struct dirent **entries;
	int n = scandir(path, &entries, counts, by_name), code = CTL_YES;

	if (n < 0)
		return ctl_fail(CTL_NO, "%s: %s", path, strerror(errno));
	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *file = xasprintf("%s/%s", path, entries[i]->d_name);
		code = files_worse(code, file_one(file, fn, arg));
		free(entries[i]);
	}
	free(entries);
	return code;
}

int files_each(const char *const *paths, size_t count, int (*fn)(const struct source *s, void *arg), void *arg)
{
	int code = CTL_YES;

	for (size_t i = 0; i < count; i++) {
		struct stat st;
		bool directory = !streq(paths[i], "-") && stat(paths[i], &st) == 0 && S_ISDIR(st.st_mode);
		code = files_worse(code, directory ? directory_each(paths[i], fn, arg) : file_one(paths[i], fn, arg));
	}
	return code;
}

int source_judge(const struct source *s)
{
	for (size_t i = 0; i < s->manifest.diag_count; i++) {
		_cleanup_buf_ struct buf line = BUF_NULL;
		diag_print(&s->manifest.diags[i], s->name, &line);
		(void)fprintf(stderr, "%s\n", buf_str(&line));
	}
	if (s->manifest.diags_dropped)
		(void)fprintf(stderr, "%s: and %zu more\n", s->name, s->manifest.diags_dropped);
	switch (manifest_worst(&s->manifest)) {
	case SEVERITY_ERROR:
		return CTL_NO;
	case SEVERITY_REFUSED:
		return CTL_REFUSED;
	case SEVERITY_NOTICE:
	case SEVERITY_MAX:
		return CTL_YES;
	}
	return CTL_NO;
}

struct search {
	const char *kind, *namespace, *name;
	char *file;
	bool shared;
};

static int look(const struct source *s, void *arg)
{
	struct search *f = arg;
	const struct manifest *m = &s->manifest;

	for (size_t i = 0; i < m->document_count && !f->file; i++) {
		const struct document *d = &m->documents[i];
		if (!streq0(d->name, f->name) || !streq0(d->makes, f->kind) || !streq(d->namespace, f->namespace))
			continue;
		const char *slash = strrchr(s->name, '/');
		f->file = xstrdup(slash ? slash + 1 : s->name);
		f->shared = m->document_count > 1;
	}
	return CTL_YES;
}

int files_find(const char *directory, const char *kind, const char *namespace, const char *name, char **ret_file, bool *ret_shared)
{
	struct search f = { .kind = kind, .namespace = namespace, .name = name };

	if (access(directory, R_OK | X_OK) < 0)
		return -errno;
	(void)directory_each(directory, look, &f);
	if (!f.file)
		return 0;
	*ret_file = f.file;
	*ret_shared = f.shared;
	return 1;
}
