#include "daemon/pod/reach.h"
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/helper.h"
#include "daemon/image/images.h"
#include "daemon/image/origin.h"
#include "daemon/pod/launch.h"
#include "daemon/pod/volumes.h"
#include "sys/path.h"

/* One start, from the first child it waits for to its end. */
struct reach {
	struct list link; /* of daemon.reaches */
	struct daemon *daemon;
	struct start_id id;
	struct helper *helper; /* NULL: what is below was looked at */
	/* For the child, which has them as they were: */
	struct sandbox *sandbox;
	const struct pod *pod;
	const struct container *container;
	const struct plan *plan; /* NULL: images alone */
};

static void reach_free(struct reach *w)
{
	list_remove(&w->link);
	free(w);
}

static struct reach *find(struct daemon *d, const struct start_id *id)
{
	list_foreach(w, &d->reaches, struct reach, link)
		if (streq(w->id.uid, id->uid) && streq(w->id.container, id->container) && w->id.number == id->number)
			return w;
	return NULL;
}

/* --- what is at hand -------------------------------------------------------------------------------------------------------------- */

static bool same_disk(const struct statx *st, int dirfd, const char *path)
{
	struct statx own;

	return statx(dirfd, path, AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &own) == 0 &&
	       own.stx_dev_major == st->stx_dev_major && own.stx_dev_minor == st->stx_dev_minor;
}

bool reach_is_own(const struct daemon *d, int fd)
{
	struct statx st;

	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &st) == 0 &&
	       (same_disk(&st, AT_FDCWD, "/") || same_disk(&st, d->state_fd, ""));
}

/* A file that images_describe() reads. */
static bool file_at_hand(const struct daemon *d, int root, const char *path)
{
	_cleanup_close_ int fd = path_open_cached(root, path);

	return fd == -ENOENT || (fd >= 0 && reach_is_own(d, fd));
}

/* False: podd opens nothing of the host's for it. */
static bool is_of_host(const struct image_wish *w, struct image_ref *ret)
{
	const char *why;

	return image_ref_parse(w->image, ret, &why) == 0 && ret->transport != IMAGE_REGISTRY &&
	       (ret->transport == IMAGE_ROOTFS || w->policy != PULL_NEVER);
}

static bool image_at_hand(const struct daemon *d, const struct image_wish *w)
{
	char path[ORIGIN_PATH_SIZE];
	struct image_ref ref;

	if (!is_of_host(w, &ref))
		return true;
	origin_path(&ref, path);
	_cleanup_close_ int fd = path_open_cached(AT_FDCWD, path);
	if (fd < 0 || !reach_is_own(d, fd))
		return false;
	return ref.transport != IMAGE_ROOTFS || (file_at_hand(d, fd, "etc/passwd") && file_at_hand(d, fd, "etc/group"));
}

/* What a running container came from as an archive is in the store. */
bool reach_image_at_hand(const struct daemon *d, const char *image)
{
	return image_at_hand(d, &(struct image_wish){ image, PULL_NEVER });
}

/* False: mount `i` is of no image. */
static bool mount_wish(const struct pod *p, const struct container *c, size_t i, struct image_wish *ret)
{
	const struct volume *v = pod_volume(p, c->mounts.items[i].name);

	*ret = (struct image_wish){ v->image.reference, v->image.pull_policy };
	return v->image.set;
}

static bool images_at_hand(const struct daemon *d, const struct pod *p, const struct container *c)
{
	struct image_wish wish = { c->image, c->pull_policy };
	bool all = image_at_hand(d, &wish);

	for (size_t i = 0; all && i < c->mounts.count; i++)
		all = !mount_wish(p, c, i, &wish) || image_at_hand(d, &wish);
	return all;
}

static bool slot_at_hand(const struct pod *p, const struct slot *slot)
{
	return slot->role != SLOT_VOLUME || volumes_at_hand(p, slot->name, slot->path);
}

static bool volumes_all_at_hand(const struct pod *p, const struct plan *plan)
{
	for (size_t i = 0; i < plan->slot_count; i++)
		if (!slot_at_hand(p, &plan->slots[i]))
			return false;
	return true;
}

/* --- the child: does what podd will do. Why something can't be opened, podd finds out itself ----------------------------------------- */

static void visit_image(struct daemon *d, const struct image_wish *w, struct arena *a)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	_cleanup_close_ int root = -EBADF;
	char stamp[ORIGIN_STAMP_SIZE];
	struct plan_image described;
	struct image_ref ref;
	const char *why;

	if (!is_of_host(w, &ref))
		return;
	if (ref.transport != IMAGE_ROOTFS)
		(void)origin_stamp(&ref, stamp);
	else if (images_layers(d, w->image, &root, &why, &text) == 0)
		images_describe(NULL, root, a, &described);
}

void reach_visit(struct daemon *d, const char *image)
{
	_cleanup_arena_ struct arena *a = arena_new();

	visit_image(d, &(struct image_wish){ image, PULL_NEVER }, a);
}

static int work(void *arg)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const struct reach *w = arg;
	const struct container *c = w->container;
	struct image_wish wish = { c->image, c->pull_policy };
	const char *text;

	visit_image(w->daemon, &wish, a);
	for (size_t i = 0; i < c->mounts.count; i++)
		if (mount_wish(w->pod, c, i, &wish))
			visit_image(w->daemon, &wish, a);
	for (size_t i = 0; w->plan && i < w->plan->slot_count; i++) {
		const struct slot *slot = &w->plan->slots[i];
		if (!slot_at_hand(w->pod, slot)) /* also makes what has to be made */
			(void)fd_close(volumes_open(w->sandbox, w->pod, slot->name, slot->path, a, &text));
	}
	return 0;
}

/* --- a start that waits ------------------------------------------------------------------------------------------------------------ */

static void done(void *arg, int result)
{
	struct reach *w = arg;
	struct daemon *d = w->daemon;
	const struct start_id id = w->id;

	(void)result;
	w->helper = NULL;
	if (launch_is_wanted(d, &id))
		launch_start(d, &id);
	else
		reach_free(w);
}

static int begin(struct reach *w, struct buf *ret_text)
{
	const int keep[] = { w->daemon->run_fd, w->daemon->state_fd };

	w->helper = helper_start(&w->daemon->loop, keep, ARRAY_SIZE(keep), work, done, w);
	if (w->helper)
		return 1;
	buf_printf(ret_text, "looking up its files: %s", strerror(EAGAIN));
	return -EAGAIN;
}

static int get(const struct reach *wanted, struct buf *ret_text)
{
	struct reach *w = find(wanted->daemon, &wanted->id);

	if (w && w->helper)
		return 1;
	if (w && (w->plan || !wanted->plan))
		return 0;
	if (wanted->plan ? volumes_all_at_hand(wanted->pod, wanted->plan)
	                 : images_at_hand(wanted->daemon, wanted->pod, wanted->container))
		return 0;
	if (w)
		reach_free(w);
	w = xnew(struct reach);
	*w = *wanted;
	list_append(&w->daemon->reaches, &w->link);
	return begin(w, ret_text);
}

int reach_images(struct sandbox *s, const struct start_id *id, const struct pod *p, const struct container *c, struct buf *ret_text)
{
	return get(&(struct reach){ .daemon = s->daemon, .id = *id, .sandbox = s, .pod = p, .container = c }, ret_text);
}

int reach_volumes(struct sandbox *s, const struct start_id *id, const struct pod *p, const struct container *c,
                  const struct plan *plan, struct buf *ret_text)
{
	return get(&(struct reach){ .daemon = s->daemon, .id = *id, .sandbox = s, .pod = p, .container = c, .plan = plan },
	           ret_text);
}

/* --- its end ----------------------------------------------------------------------------------------------------------------------- */

bool reach_end(struct daemon *d, const struct start_id *id)
{
	struct reach *w = find(d, id);
	bool waited = w && w->helper;

	if (waited)
		helper_cancel(w->helper);
	if (w)
		reach_free(w);
	return waited;
}

void reach_sandbox_gone(struct sandbox *s)
{
	list_foreach(w, &s->daemon->reaches, struct reach, link)
		if (streq(w->id.uid, s->uid)) {
			helper_cancel(w->helper);
			reach_free(w);
		}
}

void reach_close(struct daemon *d)
{
	list_foreach(w, &d->reaches, struct reach, link) {
		helper_cancel(w->helper);
		helper_leave(w->helper);
		reach_free(w);
	}
}
