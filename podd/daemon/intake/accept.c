#include "daemon/intake/accept_internal.h"
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include "base/alloc.h"
#include "base/str.h"
#include "daemon/intake/configs.h"
#include "daemon/controller.h"
#include "daemon/pod/debug.h"
#include "daemon/pod/logs.h"
#include "daemon/pod/sources.h"
#include "daemon/intake/store.h"
#include "manifest/workload.h"

static const char *kind_of(const struct wanted *w)
{
	return workload_name(pod_runs(w->pod));
}

static bool is_named(const struct wanted *w, const struct document *doc)
{
	return streq(w->pod->metadata.namespace, doc->namespace) && streq(w->pod->metadata.name, doc->name) &&
	       (doc->unclear || streq(kind_of(w), doc->makes));
}

static struct wanted *find(const struct acceptor *a, const struct document *doc)
{
	list_foreach(w, &a->wanted, struct wanted, link)
		if (doc->name && is_named(w, doc))
			return w;
	return NULL;
}

static struct wanted *find_uid(const struct acceptor *a, const char *uid)
{
	list_foreach(w, &a->wanted, struct wanted, link)
		if (streq(w->uid, uid))
			return w;
	return NULL;
}

struct accept_file *accept_file_find(const struct acceptor *a, const char *path)
{
	list_foreach(f, &a->files, struct accept_file, link)
		if (streq(f->path, path))
			return f;
	return NULL;
}

static void random_uid(char ret[static POD_UID_SIZE])
{
	unsigned char b[16];

	if (getrandom(b, sizeof(b), 0) != sizeof(b)) /* cannot fail for so few bytes once the kernel has started */
		abort();
	b[6] = (b[6] & 0x0f) | 0x40; /* RFC 9562: version 4, variant 1 */
	b[8] = (b[8] & 0x3f) | 0x80;
	(void)snprintf(ret, POD_UID_SIZE, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
	               b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static void emit(struct acceptor *a, enum event_type type, struct wanted *w)
{
	struct event gone = daemon_event(EVENT_POD_GONE, w->uid, NULL, 0);

	if (!a->live)
		return;
	if (pod_runs(w->pod) != WORKLOAD_POD) {
		controller_want(a->daemon, w->uid, type == EVENT_POD_SET ? w->pod : NULL);
		return;
	}
	if (type == EVENT_POD_SET)
		debug_set_pod(a->daemon, w->uid, w->pod, POD_OUTCOME_OPEN);
	else
		daemon_step(a->daemon, &gone);
}

static void set_gone(struct acceptor *a, struct wanted *w)
{
	if (w->gone)
		return;
	w->gone = true;
	emit(a, EVENT_POD_GONE, w);
}

/* --- one document ------------------------------------------------------------------------------------------------------------- */

void accept_without(struct accept_file *f, bool kept)
{
	f->keeps = f->keeps || kept;
	f->lacks = f->lacks || !kept;
}

void accept_refuse(struct accept_file *f, bool kept, unsigned line, const char *field, const char *text, const char *hint)
{
	struct arena *arena = f->manifest.arena;
	struct diag *d = arena_new_array(arena, struct diag, f->manifest.diag_count + 1);

	for (size_t i = 0; i < f->manifest.diag_count; i++)
		d[i] = f->manifest.diags[i];
	d[f->manifest.diag_count++] = (struct diag){
		.severity = SEVERITY_ERROR,
		.line = line,
		.column = line ? 1 : 0,
		.field = field,
		.text = text,
		.hint = hint,
	};
	f->manifest.diags = d;
	accept_without(f, kept);
}

/* Another file that is there already defines this pod: the one that runs stays. */
static bool conflicts(struct acceptor *a, struct accept_file *f, const struct document *doc, struct wanted *w)
{
	struct arena *arena = f->manifest.arena;
	bool kept = w && !w->gone && !w->dropped && streq(w->source, f->path);

	if (w && !w->gone && !w->dropped && !streq(w->source, f->path)) {
		const struct accept_file *other = accept_file_find(a, w->source);
		if (other && other->present) {
			accept_refuse(f, false, doc->line, "metadata.name",
			              arena_printf(arena, "Duplicate value: %s %s/%s is defined by %s already",
			                           streq(doc->makes, "Pod") ? "pod" : doc->makes, doc->namespace, doc->name,
			                           w->source),
			              "give it another name or namespace, or remove one of the two files");
			f->conflict = true;
			return true;
		}
	}
	const char *uid = doc->pod->metadata.uid;
	struct wanted *holder = uid ? find_uid(a, uid) : NULL;
	if (holder && holder != w) {
		accept_refuse(f, kept, doc->line, "metadata.uid",
		              arena_printf(arena, "Duplicate value: %s is the uid of pod %s/%s", uid,
		                           holder->pod->metadata.namespace, holder->pod->metadata.name),
		              "remove metadata.uid: podd chooses one");
		return true;
	}
	if (uid && w && !streq(w->uid, uid)) {
		accept_refuse(f, kept, doc->line, "metadata.uid",
		              arena_printf(arena, "Forbidden: the pod runs with uid %s, which can't change", w->uid),
		              "remove metadata.uid, or remove the file, wait until the pod is gone, and put it back");
		return true;
	}
	return false;
}

static struct wanted *add_wanted(struct acceptor *a, const char *uid)
{
	struct wanted *w = xnew(struct wanted);

	if (uid)
		(void)snprintf(w->uid, sizeof(w->uid), "%s", uid);
	else
		random_uid(w->uid);
	list_append(&a->wanted, &w->link);
	return w;
}

static bool edits_spec(const struct pod *from, const struct pod *to)
{
	struct pod_edit e;

	pod_diff(from, to, &e);
	bool edits = e.pod > EDIT_UPDATE;
	pod_edit_deinit(&e);
	return edits;
}

static void take(struct acceptor *a, struct wanted *w, struct pod *pod, const char *path)
{
	w->dropped = false;
	bool same = w->pod && streq(w->pod->hash, pod->hash) && !w->gone, moved = !w->source || !streq(w->source, path);

	if (moved) {
		free(w->source);
		w->source = xstrdup(path);
	}
	if (same && !moved)
		return;
	bool edited = w->pod && edits_spec(w->pod, pod);
	pod_ref(pod);
	pod_unref(w->pod);
	w->pod = pod;
	w->gone = false;
	int r = store_save(a, w);
	if (r < 0)
		daemon_report(a->daemon, w->uid, NULL, false, "NotSaved",
		              "writing the accepted version: %s; if this manifest breaks, the version before it comes back at the "
		              "next boot",
		              strerror(-r));
	if (same)
		return;
	if (edited)
		(void)accept_hold(a->daemon, w->uid, false); /* it ends a stop by hand */
	emit(a, EVENT_POD_SET, w);
	if (a->daemon->ready)
		sources_refresh(a->daemon, w->uid); /* labels and annotations */
}

/* What the document that is refused has defined stays. */
static void keep_document(struct acceptor *a, struct accept_file *f, const struct document *doc, bool pod)
{
	bool kept = doc->unclear && doc->name && configs_keep(a, f, doc);

	list_foreach(o, &a->wanted, struct wanted, link)
		if (pod && doc->name && is_named(o, doc) && streq(o->source, f->path)) {
			o->seen = true;
			kept = kept || (!o->gone && !o->dropped);
		}
	if (!pod || doc->name)
		accept_without(f, kept);
}

static void take_document(struct acceptor *a, struct accept_file *f, const struct document *doc, bool private, bool *unknown)
{
	enum config_kind kind;
	bool config = doc->kind && config_kind_find(doc->kind, &kind);
	bool pod = doc->unclear || streq(doc->makes, "Pod") || (doc->kind && workload_kind_find(doc->kind));
	struct wanted *w = pod ? find(a, doc) : NULL;

	if ((pod || config) && !doc->name)
		*unknown = true; /* it may be any of this file's documents */
	if (config) {
		configs_take(a, f, doc, private);
		return;
	}
	if (doc->none)
		return;
	if (!doc->pod) {
		keep_document(a, f, doc, pod);
		return;
	}
	if (conflicts(a, f, doc, w)) {
		if (w && streq(w->source, f->path))
			w->seen = true;
		return;
	}
	if (!w)
		w = add_wanted(a, doc->pod->metadata.uid);
	take(a, w, doc->pod, f->path);
	w->seen = true;
}

/* --- one file ----------------------------------------------------------------------------------------------------------------- */

/* `unseen`: that no document of it names. */
static bool defines_any(const struct acceptor *a, const char *path, bool unseen)
{
	list_foreach(w, &a->wanted, struct wanted, link)
		if (streq(w->source, path) && !w->gone && !w->dropped && !(unseen && w->seen))
			return true;
	return configs_defined_by(a, path, unseen);
}

static void take_documents(struct acceptor *a, struct accept_file *f, bool private)
{
	bool unknown = false;

	list_foreach(w, &a->wanted, struct wanted, link)
		w->seen = false;
	configs_begin(a);
	/* What pods use comes first: they would start without it and wait. */
	for (size_t i = 0; i < f->manifest.document_count; i++)
		if (!f->manifest.documents[i].pod)
			take_document(a, f, &f->manifest.documents[i], private, &unknown);
	for (size_t i = 0; i < f->manifest.document_count; i++)
		if (f->manifest.documents[i].pod)
			take_document(a, f, &f->manifest.documents[i], private, &unknown);
	configs_end(a, f, !unknown);
	if (unknown) {
		accept_without(f, defines_any(a, f->path, true));
		return;
	}
	list_foreach(w, &a->wanted, struct wanted, link)
		if (streq(w->source, f->path) && !w->seen)
			w->dropped = true;
}

static const char *const kept_words[] = {
	[FILE_OK] = "",
	[FILE_REFUSED] = "",
	[FILE_LAST_GOOD] = "; the last good version stays",
	[FILE_PARTLY_GOOD] = "; the last good version stays where there is one",
};
_Static_assert(ARRAY_SIZE(kept_words) == FILE_STATE_MAX, "words for each state");

static void settle_state(struct acceptor *a, struct accept_file *f)
{
	_cleanup_buf_ struct buf line = BUF_NULL;

	f->judged = true;
	f->state = !f->keeps ? (f->lacks ? FILE_REFUSED : FILE_OK) : f->lacks ? FILE_PARTLY_GOOD : FILE_LAST_GOOD;
	if (f->state == FILE_OK) {
		free(TAKE_PTR(f->said));
		return;
	}
	for (size_t i = 0; i < f->manifest.diag_count; i++)
		if (f->manifest.diags[i].severity != SEVERITY_NOTICE) {
			diag_print(&f->manifest.diags[i], f->path, &line);
			break;
		}
	if (f->said && streq(f->said, buf_str(&line)))
		return; /* read again, nothing new */
	free(f->said);
	f->said = xstrdup(buf_str(&line));
	daemon_report(a->daemon, "", NULL, false, "ManifestRefused", "%s%s", buf_str(&line), kept_words[f->state]);
}

static struct accept_file *get_file(struct acceptor *a, const char *path)
{
	struct accept_file *f = accept_file_find(a, path);

	if (f)
		return f;
	f = xnew(struct accept_file);
	f->path = xstrdup(path);
	list_append(&a->files, &f->link);
	return f;
}

void accept_present(struct acceptor *a, const char *path)
{
	get_file(a, path)->present = true;
}

void accept_text(struct acceptor *a, const char *path, const char *text, size_t size, bool private)
{
	struct accept_file *f = get_file(a, path);

	manifest_deinit(&f->manifest);
	manifest_read(f->path, text, size, &f->manifest);
	f->present = true;
	f->conflict = f->keeps = f->lacks = false;
	bool defines = defines_any(a, path, false);
	if (!f->manifest.parsed)
		accept_without(f, defines);
	else if (f->manifest.document_count == 0 && defines)
		accept_refuse(f, true, 0, "", "the file is empty, but what it defined is in use", "remove the file to end that");
	else
		take_documents(a, f, private);
	settle_state(a, f);
	/* The typed pods are kept by reference, the diags by the arena; the rest of the tree is not needed. */
}

void accept_unreadable(struct acceptor *a, const char *path, const char *text, const char *hint)
{
	struct accept_file *f = get_file(a, path);

	manifest_deinit(&f->manifest);
	f->manifest.arena = arena_new();
	f->present = true;
	f->conflict = f->keeps = f->lacks = false;
	accept_refuse(f, defines_any(a, path, false), 0, "", arena_strdup(f->manifest.arena, text),
	              hint ? arena_strdup(f->manifest.arena, hint) : NULL);
	settle_state(a, f);
}

static void file_free(struct accept_file *f)
{
	list_remove(&f->link);
	manifest_deinit(&f->manifest);
	free(f->said);
	free(f->path);
	free(f);
}

void accept_absent(struct acceptor *a, const char *path)
{
	struct accept_file *f = accept_file_find(a, path);

	list_foreach(w, &a->wanted, struct wanted, link)
		if (streq(w->source, path))
			w->dropped = true;
	configs_absent(a, path);
	if (f)
		file_free(f);
}

bool accept_moved(const struct acceptor *a)
{
	bool dropped = configs_dropped(a), conflict = false;

	list_foreach(w, &a->wanted, struct wanted, link)
		dropped = dropped || (w->dropped && !w->gone);
	list_foreach(f, &a->files, struct accept_file, link)
		conflict = conflict || f->conflict;
	return dropped && conflict;
}

bool accept_decided(const struct daemon *d)
{
	list_foreach(w, &d->acceptor->wanted, struct wanted, link)
		if (w->dropped && !w->gone)
			return false;
	return true;
}

void accept_sweep(struct acceptor *a)
{
	list_foreach(w, &a->wanted, struct wanted, link)
		if (w->dropped)
			set_gone(a, w);
	configs_sweep(a);
}

/* --- life ------------------------------------------------------------------------------------------------------------------------ */

int accept_new(struct daemon *d, struct acceptor **ret)
{
	struct acceptor *a = xnew(struct acceptor);

	*a = (struct acceptor){ .daemon = d, .keep = KEEP_NULL };
	list_init(&a->wanted);
	list_init(&a->files);
	list_init(&a->configs);
	d->acceptor = a;
	int r = store_load(a);
	if (r < 0)
		return r;
	*ret = a;
	return 0;
}

void accept_free(struct acceptor *a)
{
	if (!a)
		return;
	list_foreach(f, &a->files, struct accept_file, link)
		file_free(f);
	list_foreach(w, &a->wanted, struct wanted, link) {
		list_remove(&w->link);
		pod_unref(w->pod);
		free(w->source);
		free(w);
	}
	configs_free(a);
	keep_close(&a->keep);
	free(a);
}

void accept_go_live(struct acceptor *a)
{
	a->live = true;
	list_foreach(w, &a->wanted, struct wanted, link) {
		bool gone = w->gone;
		emit(a, EVENT_POD_SET, w);
		if (pod_runs(w->pod) == WORKLOAD_POD && store_is_held(a, w->uid)) {
			struct event e = daemon_event(EVENT_STOP_ASKED, w->uid, NULL, 0);
			daemon_step(a->daemon, &e);
		}
		if (gone)
			emit(a, EVENT_POD_GONE, w);
	}
	if (a->daemon->config->drain) {
		struct event all = daemon_event(EVENT_STOP_ASKED, NULL, NULL, 0);
		daemon_step(a->daemon, &all);
	}
	a->live = !a->daemon->config->drain; /* whose pods stop, whatever is written from now on */
}

void accept_sources(const struct acceptor *a, void (*fn)(const char *path, void *arg), void *arg)
{
	list_foreach(w, &a->wanted, struct wanted, link)
		if (!w->gone)
			fn(w->source, arg);
	configs_sources(a, fn, arg);
}

void accept_forget(struct daemon *d, const char *uid)
{
	struct wanted *w = find_uid(d->acceptor, uid);

	if (!w || pod_runs(w->pod) == WORKLOAD_POD)
		store_remove_pod(d, uid, w ? w->pod : NULL);
	if (!w || !w->gone)
		return;
	store_remove(d->acceptor, w);
	list_remove(&w->link);
	pod_unref(w->pod);
	free(w->source);
	free(w);
}

void accept_walk(const struct acceptor *a, void (*fn)(const struct file_status *f, void *arg), void *arg)
{
	list_foreach(f, &a->files, struct accept_file, link) {
		if (!f->judged)
			continue;
		struct file_status s = {
			.path = f->path,
			.state = f->state,
			.diags = f->manifest.diags,
			.diag_count = f->manifest.diag_count,
			.diags_dropped = f->manifest.diags_dropped,
		};
		fn(&s, arg);
	}
}

const char *accept_source(const struct acceptor *a, const char *uid)
{
	const struct wanted *w = find_uid(a, uid);

	return w ? w->source : NULL;
}

size_t accept_refused(const struct acceptor *a)
{
	size_t n = 0;

	list_foreach(f, &a->files, struct accept_file, link)
		n += f->state != FILE_OK;
	return n;
}
