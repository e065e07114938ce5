#include "daemon/store.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/janitor.h"
#include "daemon/logs.h"

/* First line: "# podd-accepted 1 <sha256 of the rest> <source>"; then the pod as JSON, its uid in metadata. */
static const char magic[] = "# podd-accepted 1 ";

/* <ns>_<name>.json; a name that is too long for a temporary beside it is cut and followed by a part of its hash. */
static void file_name(const struct pod *p, char ret[static NAME_MAX + 1])
{
	const char *ns = p->metadata.namespace, *name = p->metadata.name;
	char hash[SHA256_HEX_SIZE];

	if (snprintf(ret, NAME_MAX + 1, "%s_%s.json", ns, name) < 240)
		return;
	sha256_hex(name, strlen(name), hash);
	(void)snprintf(ret, NAME_MAX + 1, "%s_%.100s-%.16s.json", ns, name, hash);
}

int store_save(struct acceptor *a, const struct wanted *w)
{
	char name[NAME_MAX + 1], temporary[NAME_MAX + 6], hash[SHA256_HEX_SIZE];
	_cleanup_buf_ struct buf body = BUF_NULL;
	_cleanup_buf_ struct buf text = BUF_NULL;
	struct jsonw j;

	jsonw_init(&j, &body);
	jsonw_object(&j);
	jsonw_member_str(&j, "apiVersion", "v1");
	jsonw_member_str(&j, "kind", "Pod");
	pod_json(w->pod, w->uid, NULL, &j);
	jsonw_end(&j);
	buf_putc(&body, '\n');
	sha256_hex(body.data, body.len, hash);
	buf_printf(&text, "%s%s %s\n%s", magic, hash, w->source, body.data);

	file_name(w->pod, name);
	(void)snprintf(temporary, sizeof(temporary), ".tmp-%.240s", name);
	_cleanup_close_ int fd = openat(a->dir_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : fd_write_all(fd, text.data, text.len);
	if (r == 0 && renameat(a->dir_fd, temporary, a->dir_fd, name) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(a->dir_fd, temporary, 0);
		return r;
	}
	janitor_sync(a->daemon->janitor, a->dir_fd, name);
	return 0;
}

void store_remove(struct acceptor *a, const struct wanted *w)
{
	char name[NAME_MAX + 1];

	file_name(w->pod, name);
	if (unlinkat(a->dir_fd, name, 0) < 0 && errno != ENOENT)
		log_warning("removing the accepted version of %s: %s, ignoring", name, strerror(errno));
	(void)accept_hold(a->daemon, w->uid, false);
}

/* Splits "hash source\n" off; NULL when it does not fit the body. */
static const char *check(struct buf *text, char ret_source[static PATH_MAX])
{
	const char *p = text->data ? str_after(text->data, magic) : NULL;
	char hash[SHA256_HEX_SIZE];

	if (!p || strlen(p) < SHA256_HEX_SIZE)
		return NULL;
	/* The pod is one line; a file's name may hold a newline. */
	const char *source = p + SHA256_HEX_SIZE, *end = memrchr(source, '\n', text->len - 1 - (size_t)(source - text->data));
	if (!end || end - source >= PATH_MAX)
		return NULL;
	sha256_hex(end + 1, text->len - (size_t)(end + 1 - text->data), hash);
	if (strncmp(hash, p, SHA256_HEX_SIZE - 1) != 0)
		return NULL;
	(void)snprintf(ret_source, PATH_MAX, "%.*s", (int)(end - source), source);
	return end + 1;
}

static int load_one(struct acceptor *a, const char *name)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	char source[PATH_MAX];
	struct manifest m;

	int r = file_read(a->dir_fd, name, 2 * MANIFEST_SIZE_MAX, &text);
	if (r < 0)
		return r;
	const char *body = check(&text, source);
	if (!body)
		return -EBADMSG;
	manifest_read(name, body, text.len - (size_t)(body - text.data), &m);
	if (m.document_count == 1 && m.documents[0].pod && m.documents[0].pod->metadata.uid) {
		struct wanted *w = xnew(struct wanted);
		w->pod = pod_ref(m.documents[0].pod);
		(void)snprintf(w->uid, sizeof(w->uid), "%s", w->pod->metadata.uid);
		w->source = xstrdup(source);
		list_append(&a->wanted, &w->link);
	} else {
		r = -EBADMSG;
	}
	manifest_deinit(&m);
	return r;
}

int store_load(struct acceptor *a)
{
	int r = dir_make(a->daemon->state_fd, "accepted", 0700);

	if (r < 0)
		return r;
	a->dir_fd = openat(a->daemon->state_fd, "accepted", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int fd = openat(a->daemon->state_fd, "accepted", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return -errno;
	for (struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.' || !str_ends(e->d_name, ".json"))
			continue;
		r = load_one(a, e->d_name);
		if (r < 0) {
			char aside[NAME_MAX + 16];
			log_warning("the accepted version %s is damaged (%s): set aside as .bad-%s; its manifest decides",
			            e->d_name, strerror(-r), e->d_name);
			(void)snprintf(aside, sizeof(aside), ".bad-%.240s", e->d_name);
			(void)renameat(a->dir_fd, e->d_name, a->dir_fd, aside);
		}
	}
	(void)closedir(d);
	return 0;
}

bool store_is_held(const struct acceptor *a, const char *uid)
{
	char path[POD_UID_SIZE + 8];
	struct stat st;

	(void)snprintf(path, sizeof(path), "held/%s", uid);
	return fstatat(a->daemon->run_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int accept_hold(struct daemon *d, const char *uid, bool held)
{
	char path[POD_UID_SIZE + 8];

	(void)snprintf(path, sizeof(path), "held/%s", uid);
	if (!held)
		return unlinkat(d->run_fd, path, 0) < 0 && errno != ENOENT ? -errno : 0;
	int r = dir_make(d->run_fd, "held", 0700);
	if (r < 0)
		return r;
	_cleanup_close_ int fd = openat(d->run_fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : 0;
}

static void remove_logs(struct daemon *d, const char *uid)
{
	int fd = openat(d->log_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char suffix[POD_UID_SIZE + 1];

	if (!dir)
		return;
	(void)snprintf(suffix, sizeof(suffix), "_%s", uid);
	for (struct dirent *e; (e = readdir(dir));)
		if (str_ends(e->d_name, suffix))
			(void)tree_remove(d->log_fd,
			                  e->d_name); /* a few files; they may be on another file system than the state */
	(void)closedir(dir);
}

void store_remove_pod(struct daemon *d, const char *uid, const struct pod *pod)
{
	char path[NAME_MAX + 1];

	(void)snprintf(path, sizeof(path), "pods/%s", uid);
	janitor_remove(d->janitor, d->state_fd, path);
	if (!pod) {
		remove_logs(d, uid);
		return;
	}
	logs_name(pod, uid, path);
	(void)tree_remove(d->log_fd, path);
}
