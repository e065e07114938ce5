#include "daemon/pod/slots.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "base/fd.h"
#include "base/str.h"
#include "daemon/pod/etcfiles.h"
#include "daemon/image/images.h"
#include "daemon/pod/sandbox_internal.h"
#include "daemon/pod/termlog.h"
#include "daemon/pod/users.h"
#include "daemon/pod/volumes.h"
#include "sys/mnt.h"
#include "sys/path.h"

static int dup_fd(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? -errno : copy;
}

static int open_etc(const struct slot_sources *src, const char *name)
{
	_cleanup_close_ int fd = etcfiles_open(src->sandbox, src->pod, name);

	return fd < 0 ? fd : volumes_tree(fd);
}

/* A tree as the pod's users see it; takes it over. */
static int map(const struct slot_sources *src, int tree, const char *what, struct arena *a, const char **ret_text)
{
	_cleanup_close_ int fd = tree;

	if (fd < 0 || !users_own(src->pod))
		return TAKE_FD(fd);
	int r = users_map(src->sandbox, fd, true);
	if (r < 0)
		*ret_text = arena_printf(a, "%s: mapping user ids: %s%s", what, strerror(-r),
		                         r == -EINVAL ? "; its file system can't, which hostUsers: false needs" : "");
	return r < 0 ? r : TAKE_FD(fd);
}

static int open_layers(const struct slot_sources *src, struct arena *a, const char **ret_text)
{
	if (!users_own(src->pod))
		return dup_fd(src->layers);
	return map(src, mnt_clone(src->layers, "", false), "the image", a, ret_text);
}

static int open_image(const struct slot_sources *src, const struct slot *slot, struct arena *a, const char **ret_text)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	const char *reason, *image = pod_volume(src->pod, slot->name)->image.reference;
	int dir;

	int r = images_layers(src->sandbox->daemon, image, &dir, &reason, &text);
	if (r < 0) {
		*ret_text = arena_printf(a, "volume \"%s\": %s", slot->name, buf_str(&text));
		return r;
	}
	int tree = mnt_clone(dir, "", false);
	(void)close(dir);
	return map(src, tree, arena_printf(a, "volume \"%s\"", slot->name), a, ret_text);
}

static int open_volume(const struct slot_sources *src, const struct slot *slot, struct arena *a, const char **ret_text)
{
	int tree = volumes_open(src->sandbox, src->pod, slot->name, slot->path, a, ret_text);

	return map(src, tree, arena_printf(a, "volume \"%s\"", slot->name), a, ret_text);
}

/* Not blocking, or a serial line would be waited for until there is somebody at its other end. */
static int open_tty(const char *name, struct arena *a, const char **ret_text)
{
	_cleanup_close_ int dev = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -EBADF;
	int r = dev < 0 ? -errno : path_open(dev, name, O_RDWR | O_NOCTTY | O_NONBLOCK, PATH_FOLLOW);

	if (r >= 0) {
		fd = r;
		r = isatty(fd) && fcntl(fd, F_SETFL, 0) == 0 ? 0 : -errno;
	}
	if (r < 0)
		*ret_text = arena_printf(a, "podd.dev/tty: /dev/%s: %s", name, strerror(-r));
	return r < 0 ? r : TAKE_FD(fd);
}

static int open_slot(const struct plan *plan, const struct slot *slot, const struct slot_sources *src, size_t *tasks,
                     const char **ret_text)
{
	switch (slot->role) {
	case SLOT_CGROUP_TASKS:
		return *tasks < src->cgroup->task_count ? dup_fd(src->cgroup->tasks[(*tasks)++]) : -ENOENT;
	case SLOT_LAYERS:
		return open_layers(src, plan->arena, ret_text);
	case SLOT_WRITABLE:
		return mnt_clone(src->upper, "..", false);
	case SLOT_USERS:
		return dup_fd(src->sandbox->users_fd);
	case SLOT_UPPER:
		return dup_fd(src->upper);
	case SLOT_WORK:
		return dup_fd(src->work);
	case SLOT_ETC:
		return open_etc(src, slot->name);
	case SLOT_SHM:
		return volumes_open_shm(src->sandbox, src->pod);
	case SLOT_VOLUME:
		return open_volume(src, slot, plan->arena, ret_text);
	case SLOT_IMAGE:
		return open_image(src, slot, plan->arena, ret_text);
	case SLOT_CGROUP_PROCS:
		return src->procs ? dup_fd(src->procs[slot->index]) : -ENOENT;
	case SLOT_DEVICE_FILE:
		return map(src, volumes_open_path(slot->name), slot->name, plan->arena, ret_text);
	case SLOT_TTY:
		return open_tty(slot->name, plan->arena, ret_text);
	case SLOT_HOST_DEV:
		return volumes_open_path("/dev");
	case SLOT_TERMINATION_LOG:
		return termlog_open(src->sandbox, src->container->name, src->number);
	case SLOT_MEMBER: /* the anchor puts it there */
	case SLOT_MAX:
		break;
	}
	return -ENOSYS;
}

int slots_open(const struct plan *plan, const struct slot_sources *src, int *fds, size_t *ret_count, const char **ret_text)
{
	size_t n = 0, tasks = 0;

	*ret_text = NULL;
	for (size_t i = 0; i < plan->slot_count; i++) {
		if (plan->slots[i].role == SLOT_MEMBER)
			continue;
		int fd = open_slot(plan, &plan->slots[i], src, &tasks, ret_text);
		if (fd < 0) {
			if (!*ret_text)
				*ret_text = arena_printf(plan->arena, "preparing the start: %s", strerror(-fd));
			while (n)
				(void)close(fds[--n]);
			return fd;
		}
		fds[n++] = fd;
	}
	*ret_count = n;
	return 0;
}
