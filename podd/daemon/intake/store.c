#include "daemon/intake/store.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/intake/configs.h"
#include "daemon/janitor.h"
#include "daemon/pod/logs.h"
#include "manifest/workload.h"

/* First line: "# podd-accepted 1 <sha256 of the rest> <source>"; then the pod as JSON, its uid in metadata, or
 * a ConfigMap or Secret as config_store() has it. */
static const char magic[] = "# podd-accepted 1 ";

/* <ns>_<name>.json; a name that is too long for a temporary beside it is cut and followed by a part of its hash. */
static void file_name(const char *ns, const char *name, const char *ending, char ret[static NAME_MAX + 1])
{
	char hash[SHA256_HEX_SIZE];

	if (snprintf(ret, NAME_MAX + 1, "%s_%s%s", ns, name, ending) < 240)
		return;
	sha256_hex(name, strlen(name), hash);
	(void)snprintf(ret, NAME_MAX + 1, "%s_%.100s-%.16s%s", ns, name, hash, ending);
}

static const char *ending_of(enum config_kind kind)
{
	static const char *const endings[] = {
		[CONFIG_MAP] = ".configmap",
		[CONFIG_SECRET] = ".secret",
		[CONFIG_PRIORITY_CLASS] = ".priorityclass",
		[CONFIG_RUNTIME_CLASS] = ".runtimeclass",
	};

	_Static_assert(ARRAY_SIZE(endings) == CONFIG_KIND_MAX, "an ending for each kind");
	return endings[kind];
}

static int save(struct acceptor *a, const char *name, const char *source, const struct buf *body)
{
	char hash[SHA256_HEX_SIZE];
	_cleanup_buf_ struct buf text = BUF_NULL;

	sha256_hex(body->data, body->len, hash);
	buf_printf(&text, "%s%s %s\n", magic, hash, source);
	buf_append(&text, body->data, body->len);
	return keep_write(&a->keep, name, &text);
}

static void forget(struct acceptor *a, const char *name)
{
	int r = keep_remove(&a->keep, name);

	if (r < 0)
		log_warning("removing the accepted version of %s: %s, ignoring", name, strerror(-r));
}

static const char *pod_ending(const struct pod *p)
{
	static const char *const endings[] = {
		[WORKLOAD_POD] = ".json",
		[WORKLOAD_JOB] = ".job.json",
		[WORKLOAD_CRON_JOB] = ".cronjob.json",
	};
	_Static_assert(ARRAY_SIZE(endings) == WORKLOAD_RUNS_MAX, "an ending for each");
	return endings[pod_runs(p)];
}

int store_save(struct acceptor *a, const struct wanted *w)
{
	_cleanup_buf_ struct buf body = BUF_NULL;
	char name[NAME_MAX + 1];
	struct jsonw j;

	jsonw_init(&j, &body);
	if (pod_runs(w->pod) != WORKLOAD_POD) {
		workload_json(w->pod->workload, w->uid, &j);
	} else {
		jsonw_object(&j);
		jsonw_member_str(&j, "apiVersion", "v1");
		jsonw_member_str(&j, "kind", "Pod");
		pod_json(w->pod, w->uid, NULL, &j);
		jsonw_end(&j);
	}
	buf_putc(&body, '\n');
	file_name(w->pod->metadata.namespace, w->pod->metadata.name, pod_ending(w->pod), name);
	return save(a, name, w->source, &body);
}

/* Beside an object that the pods have not heard of. */
static void untold_name(const char *name, char ret[static NAME_MAX + 1])
{
	(void)snprintf(ret, NAME_MAX + 1, ".untold-%.240s", name);
}

int store_save_config(struct acceptor *a, const struct config_object *c, const char *source)
{
	_cleanup_buf_ struct buf body = BUF_NULL;
	char name[NAME_MAX + 1], untold[NAME_MAX + 1];

	config_store(c, &body);
	file_name(c->namespace, c->name, ending_of(c->kind), name);
	untold_name(name, untold);
	_cleanup_close_ int fd = openat(a->keep.fd, untold, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int mark = fd < 0 ? -errno : 0, r = save(a, name, source, &body);
	return mark < 0 ? mark : r;
}

void store_told_config(struct acceptor *a, const struct config_object *c)
{
	char name[NAME_MAX + 1], untold[NAME_MAX + 1];

	file_name(c->namespace, c->name, ending_of(c->kind), name);
	untold_name(name, untold);
	(void)unlinkat(a->keep.fd, untold, 0);
}

void store_remove_config(struct acceptor *a, const struct config_object *c)
{
	char name[NAME_MAX + 1];

	store_told_config(a, c);
	file_name(c->namespace, c->name, ending_of(c->kind), name);
	forget(a, name);
}

void store_remove(struct acceptor *a, const struct wanted *w)
{
	char name[NAME_MAX + 1];

	file_name(w->pod->metadata.namespace, w->pod->metadata.name, pod_ending(w->pod), name);
	forget(a, name);
	(void)accept_hold(a->daemon, w->uid, false);
}

/* Splits "hash source\n" off; NULL when it does not fit the body. A file's name may hold a newline: the hash tells where it ends. */
static const char *check(const struct buf *text, char ret_source[static PATH_MAX])
{
	const char *p = text->data ? str_after(text->data, magic) : NULL, *end = text->data + text->len;
	char hash[SHA256_HEX_SIZE];

	if (!p || strlen(p) < SHA256_HEX_SIZE)
		return NULL;
	const char *source = p + SHA256_HEX_SIZE, *nl = source - 1;
	while ((nl = memchr(nl + 1, '\n', (size_t)(end - nl - 1))) && nl - source < PATH_MAX) {
		sha256_hex(nl + 1, (size_t)(end - nl - 1), hash);
		if (strncmp(hash, p, SHA256_HEX_SIZE - 1) != 0)
			continue;
		(void)snprintf(ret_source, PATH_MAX, "%.*s", (int)(nl - source), source);
		return nl + 1;
	}
	return NULL;
}

static int load_pod(struct acceptor *a, const char *name, const char *body, size_t size, const char *source)
{
	struct manifest m;
	int r = 0;

	manifest_read(name, body, size, &m);
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

static int load_one(struct acceptor *a, const char *name)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	char source[PATH_MAX];

	int r = keep_read(&a->keep, name, 2 * MANIFEST_SIZE_MAX, &text);
	if (r < 0)
		return r;
	const char *body = check(&text, source);
	if (!body)
		return -EBADMSG;
	size_t size = text.len - (size_t)(body - text.data);
	if (str_ends(name, ".json"))
		return load_pod(a, name, body, size, source);
	struct config_object *c = config_restore(body, size);
	if (!c)
		return -EBADMSG;
	char untold[NAME_MAX + 1];
	struct stat st;
	untold_name(name, untold);
	configs_restore(a, c, source, fstatat(a->keep.fd, untold, &st, AT_SYMLINK_NOFOLLOW) == 0);
	return 0;
}

static bool is_accepted(const char *name)
{
	bool is = str_ends(name, ".json");

	for (enum config_kind k = 0; k < CONFIG_KIND_MAX; k++)
		is = is || str_ends(name, ending_of(k));
	return is;
}

static void load(const char *name, void *arg)
{
	struct acceptor *a = arg;
	int r = is_accepted(name) ? load_one(a, name) : 0;

	if (r == 0)
		return;
	log_warning("the accepted version %s is damaged (%s): set aside as .bad-%s; its manifest decides", name, strerror(-r),
	            name);
	keep_set_aside(&a->keep, name);
}

int store_load(struct acceptor *a)
{
	int r = keep_open(a->daemon, "accepted", &a->keep);

	return r < 0 ? r : keep_walk(&a->keep, load, a);
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

void store_remove_pod(struct daemon *d, const char *uid, const struct pod *pod)
{
	char path[POD_UID_SIZE + 8];

	(void)snprintf(path, sizeof(path), "pods/%s", uid);
	janitor_remove(d->janitor, d->state_fd, path);
	logs_remove(d, pod, uid);
}
