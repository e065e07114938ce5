#include "daemon/image/images.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/image/dropin.h"
#include "daemon/pod/launch.h"
#include "daemon/image/origin.h"
#include "image/merged.h"

/* An import that starts wait for. `import` NULL: not one, but whatever is being imported from images.d. */
struct pull {
	struct list link, waiters;
	struct daemon *daemon;
	char *reference; /* normalised; "" without an import */
	char *image;     /* as the first who wants it has it written; NULL without an import */
	char stamp[ORIGIN_STAMP_SIZE];
	struct import *import;
	int64_t since;
	const struct image_job_result *result; /* while its waiters are told */
};

struct waiter {
	struct list link;
	struct start_id id;
};

static void pull_free(struct pull *p)
{
	list_remove(&p->link);
	free(p->reference);
	free(p->image);
	free(p);
}

static struct pull *find_pull(const struct images *m, const char *reference)
{
	list_foreach(p, &m->pulls, struct pull, link)
		if (streq(p->reference, reference))
			return p;
	return NULL;
}

/* --- those who wait --------------------------------------------------------------------------------------------------------------- */

static void wait_for(struct pull *p, const struct start_id *id)
{
	struct waiter *w = xnew(struct waiter);

	w->id = *id;
	list_append(&p->waiters, &w->link);
}

static void tell_one(struct pull *p, const struct start_id *id)
{
	struct daemon *d = p->daemon;

	if (!launch_is_wanted(d, id))
		return;
	if (p->result && p->result->references)
		daemon_report(d, id->uid, id->container, true, "Pulled", "Successfully pulled image \"%s\" in %.3gs", p->image,
		              (double)(clock_boot() - p->since) / (double)NS_PER_SEC);
	else if (p->result)
		daemon_report(d, id->uid, id->container, false, "Failed", "Failed to pull image \"%s\": %s", p->image,
		              p->result->message);
	launch_start(d, id);
}

/* A start that goes on may abort, or wait for, others: each is off the list before it is told. */
static void tell_all(struct pull *p, const struct image_job_result *result)
{
	struct images *m = p->daemon->images;
	struct list waiters;

	list_remove(&p->link); /* who comes now needs another */
	list_init(&waiters);
	list_foreach(w, &p->waiters, struct waiter, link) {
		list_remove(&w->link);
		list_append(&waiters, &w->link);
	}
	p->result = result;
	m->ending = p;
	while (!list_empty(&waiters)) {
		struct waiter *w = list_entry(waiters.next, struct waiter, link);
		list_remove(&w->link);
		tell_one(p, &w->id);
		free(w);
	}
	m->ending = NULL;
	pull_free(p);
}

static void pull_done(const struct image_job_result *result, void *arg)
{
	struct pull *p = arg;

	if (result->references)
		origin_set(p->daemon, p->reference, p->stamp, result->references);
	tell_all(p, result);
}

bool images_abort(struct daemon *d, const struct start_id *id)
{
	list_foreach(p, &d->images->pulls, struct pull, link)
		list_foreach(w, &p->waiters, struct waiter, link) {
			if (!streq(w->id.uid, id->uid) || !streq(w->id.container, id->container) || w->id.number != id->number)
				continue;
			list_remove(&w->link);
			free(w);
			if (list_empty(&p->waiters)) {
				if (p->import)
					import_cancel(p->import);
				pull_free(p);
			}
			return true;
		}
	return false;
}

static struct pull *pull_new(struct daemon *d, const char *reference)
{
	struct pull *p = xnew(struct pull);

	*p = (struct pull){ .daemon = d, .reference = xstrdup(reference), .since = clock_boot() };
	list_init(&p->waiters);
	list_append(&d->images->pulls, &p->link);
	return p;
}

static int pull(struct daemon *d, const struct start_id *id, const struct image_wish *w, const struct image_ref *ref,
                const char *text, const char *stamp)
{
	struct pull *p = find_pull(d->images, text);

	daemon_report(d, id->uid, id->container, true, "Pulling", "Pulling image \"%s\"", w->image);
	if (!p) {
		p = pull_new(d, text);
		p->image = xstrdup(w->image);
		(void)snprintf(p->stamp, sizeof(p->stamp), "%s", stamp);
		p->import = import_start(d, &(struct import_request){ .path = ref->name,
		                                                      .job = { .transport = image_transport_name(ref->transport),
		                                                               .select = *ref->tag ? ref->tag : NULL,
		                                                               .name = text },
		                                                      .done = pull_done,
		                                                      .arg = p });
		if (!p->import) {
			pull_free(p);
			return -EBUSY;
		}
	}
	wait_for(p, id);
	return 1;
}

/* --- the store --------------------------------------------------------------------------------------------------------------------- */

static bool is_there(const struct daemon *d, const char *path, int fd)
{
	struct stat named, open;

	return fstatat(d->state_fd, path, &named, AT_SYMLINK_NOFOLLOW) == 0 && fstat(fd, &open) == 0 &&
	       named.st_ino == open.st_ino && named.st_dev == open.st_dev;
}

int images_find_store(struct daemon *d)
{
	struct images *m = d->images;
	struct image_store s = IMAGE_STORE_NULL;

	if (is_there(d, "images", m->store.root) && is_there(d, "images/refs", m->store.refs) &&
	    is_there(d, "images/layers", m->store.layers))
		return 0;
	int r = image_store_open(d->state_fd, "images", &s);
	if (r < 0)
		return r;
	log_warning("the image store was replaced under podd; images are imported anew where they are needed");
	origin_unload(d);
	image_store_deinit(&m->store);
	m->store = s;
	r = origin_load(d);
	dropin_rescan(d);
	return r;
}

/* --- what a start runs from -------------------------------------------------------------------------------------------------------- */

static int never_pulled(const struct image_wish *w, const char **ret_reason, struct buf *ret_text)
{
	*ret_reason = "ErrImageNeverPull";
	buf_printf(ret_text, "Container image \"%s\" is not present with pull policy of Never", w->image);
	return -ENOENT;
}

static int get_named(struct daemon *d, const struct start_id *id, const struct image_wish *w, const struct image_ref *ref,
                     struct image **ret, const char **ret_reason, struct buf *ret_text)
{
	int r = image_store_find(&d->images->store, ref, ret);

	if (r == 0)
		return 0;
	if (dropin_pending(d)) { /* it may be in there */
		struct pull *p = find_pull(d->images, "");
		wait_for(p ? p : pull_new(d, ""), id);
		return 1;
	}
	if (r == -ENOENT && w->policy == PULL_NEVER)
		return never_pulled(w, ret_reason, ret_text);
	*ret_reason = "ErrImagePull";
	if (r == -ENOENT)
		buf_printf(ret_text,
		           "image \"%s\" is not in the store, and podd does not pull from registries yet: bring it with podctl "
		           "import, "
		           "or put its archive into %s",
		           w->image, dropin_path(d));
	else
		buf_printf(ret_text, "reading the image store: %s", strerror(-r));
	return r;
}

static int get_imported(struct daemon *d, const struct start_id *id, const struct image_wish *w, const struct image_ref *ref,
                        const char *text, struct image **ret, const char **ret_reason, struct buf *ret_text)
{
	const struct pull *ended = d->images->ending;
	char stamp[ORIGIN_STAMP_SIZE] = "";
	int found = image_store_find(&d->images->store, ref, ret);

	if (ended && streq(ended->reference, text)) {
		/* A file that is being copied anew must not keep a container down that has an image to run from. */
		if (found == 0 && (ended->result->references || w->policy != PULL_ALWAYS))
			return 0;
		*ret_reason = ended->result->reason ? "ErrImagePull" : "ImageInspectError";
		buf_puts(ret_text, ended->result->message ? ended->result->message : strerror(-found));
		*ret = found == 0 ? image_free(*ret) : NULL;
		return -EIO;
	}
	if (w->policy == PULL_NEVER)
		return found == 0 ? 0 : never_pulled(w, ret_reason, ret_text);
	/* The file may go once it was imported. */
	int r = origin_stamp(ref, stamp);
	if (found == 0 && w->policy == PULL_IF_NOT_PRESENT && (r < 0 || origin_is(d, text, stamp)))
		return 0;
	if (found == 0)
		*ret = image_free(*ret);
	r = pull(d, id, w, ref, text, stamp);
	if (r < 0) {
		*ret_reason = "ErrImagePull";
		buf_printf(ret_text, "too many imports at a time: at most %d", IMPORTS_MAX);
	}
	return r;
}

int images_get(struct daemon *d, const struct start_id *id, const struct image_wish *w, struct image **ret, const char **ret_reason,
               struct buf *ret_text)
{
	bool told = d->images->ending != NULL;
	char text[IMAGE_REFERENCE_SIZE];
	struct image_ref ref;
	const char *why;

	if (image_ref_parse(w->image, &ref, &why) < 0) {
		*ret_reason = "InvalidImageName";
		buf_printf(ret_text, "Failed to apply default image tag \"%s\": %s", w->image, why);
		return -EINVAL;
	}
	*ret = NULL;
	if (ref.transport == IMAGE_ROOTFS)
		return 0;
	image_ref_text(&ref, text);
	int r = images_find_store(d);
	if (r < 0) {
		*ret_reason = "ErrImagePull";
		buf_printf(ret_text, "opening the image store: %s", strerror(-r));
		return r;
	}
	r = ref.transport == IMAGE_REGISTRY ? get_named(d, id, w, &ref, ret, ret_reason, ret_text)
	                                    : get_imported(d, id, w, &ref, text, ret, ret_reason, ret_text);
	if (r == 0 && !told)
		daemon_report(d, id->uid, id->container, true, "Pulled", "Container image \"%s\" already present on machine",
		              w->image);
	return r;
}

int images_layers(struct daemon *d, const char *image, int *ret, const char **ret_reason, struct buf *ret_text)
{
	const char *path = str_after(image, "rootfs:");
	int fd = !path ? fcntl(d->images->store.layers, F_DUPFD_CLOEXEC, 3) : open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		int r = -errno;
		*ret_reason = "ErrImageNeverPull";
		buf_printf(ret_text, "image \"%s\": %s", image, strerror(-r));
		return r;
	}
	*ret = fd;
	return 0;
}

void images_describe(const struct image *i, int layers, struct arena *a, struct plan_image *ret)
{
	plan_image_init(ret, i, a);
	ret->passwd = image_file_text(layers, &ret->layers, "etc/passwd", a, &ret->passwd_flaw);
	ret->group = image_file_text(layers, &ret->layers, "etc/group", a, &ret->group_flaw);
}

/* --- what others want ---------------------------------------------------------------------------------------------------------------- */

static bool waits_for_image(const struct core_container *k)
{
	static const char *const reasons[] = { "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull" };

	if (k->state != CONTAINER_STATE_BACKOFF || !k->spec)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (streq(k->reason, reasons[i]))
			return true;
	return false;
}

/* Whether it need not wait for an import. */
static bool is_here(const struct daemon *d, const char *name)
{
	_cleanup_image_ struct image *i = NULL;
	struct image_ref ref;
	const char *why;

	return image_ref_parse(name, &ref, &why) == 0 &&
	       (ref.transport != IMAGE_REGISTRY || image_store_find(&d->images->store, &ref, &i) == 0);
}

static bool all_here(const struct daemon *d, const struct pod *p, const struct container *c)
{
	bool here = is_here(d, c->image);

	for (size_t i = 0; here && i < c->mounts.count; i++) {
		const struct volume *v = pod_volume(p, c->mounts.items[i].name);
		here = !v->image.set || is_here(d, v->image.reference);
	}
	return here;
}

void images_arrived(struct daemon *d)
{
	struct event *events = NULL;
	size_t count = 0;
	struct pull *p = find_pull(d->images, "");

	if (p)
		tell_all(p, NULL);
	/* Collected first: a step may change the list. */
	list_foreach(cp, core_pods(d->core), struct core_pod, link)
		for (size_t i = 0; cp->state == POD_STATE_RUNNING && i < cp->container_count; i++)
			if (waits_for_image(&cp->containers[i]) && all_here(d, cp->pod, cp->containers[i].spec))
				*xgrow(events, count) = daemon_event(EVENT_RESTART_ASKED, cp->uid, cp->containers[i].name, 0);
	for (size_t i = 0; i < count; i++)
		daemon_step(d, &events[i]);
	free(events);
}

static bool names(const char *name, const struct image *i)
{
	struct image_ref ref;
	char text[IMAGE_REFERENCE_SIZE];
	const char *why;

	if (image_ref_parse(name, &ref, &why) < 0 || ref.transport == IMAGE_ROOTFS)
		return false;
	image_ref_text(&ref, text);
	return streq(text, i->reference) || (*ref.digest && (streq(ref.digest, i->manifest) || streq0(ref.digest, i->index)));
}

static bool pod_names(const struct pod *p, const struct image *i)
{
	for (size_t k = 0; k < pod_container_count(p); k++)
		if (names(pod_container_at(p, k)->image, i))
			return true;
	for (size_t k = 0; k < p->spec.volumes.count; k++)
		if (p->spec.volumes.items[k].image.set && names(p->spec.volumes.items[k].image.reference, i))
			return true;
	return false;
}

bool images_wanted(const struct daemon *d, const struct image *i)
{
	list_foreach(p, core_pods(d->core), struct core_pod, link)
		if (p->pod && pod_names(p->pod, i))
			return true;
	return false;
}

int images_open(struct daemon *d)
{
	struct images *m = xnew(struct images);

	*m = (struct images){ .store = IMAGE_STORE_NULL, .program_fd = -EBADF };
	list_init(&m->imports);
	list_init(&m->pulls);
	list_init(&m->origins);
	d->images = m;
	(void)uv_idle_init(&d->loop, &m->idle);
	m->idle.data = d;
	int r = image_store_open(d->state_fd, "images", &m->store);
	if (r == 0)
		r = origin_load(d);
	if (r == 0)
		r = dropin_open(d);
	return r;
}

void images_close(struct daemon *d)
{
	struct images *m = d->images;

	import_kill_all(d);
	dropin_close(d);
	list_foreach(p, &m->pulls, struct pull, link) {
		list_foreach(w, &p->waiters, struct waiter, link)
			free(w);
		pull_free(p);
	}
}
