#include "daemon/pod/volumes.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include "base/fd.h"
#include "base/str.h"
#include "daemon/janitor.h"
#include "daemon/pod/sources.h"
#include "manifest/huge.h"
#include "sys/path.h"

enum { VOLUME_NAME_SIZE = 300, VOLUME_PATH_SIZE = VOLUME_NAME_SIZE + 32 }; /* a name below a descriptor, and by way of /proc */

int volumes_tree(int fd)
{
	long tree = syscall(SYS_open_tree, fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);

	return tree < 0 ? -errno : (int)tree;
}

static bool is_hugetlbfs(const char *path)
{
	struct statfs st;

	return statfs(path, &st) == 0 && (long)st.f_type == HUGETLBFS_MAGIC;
}

/* A tmpfs at name below dirfd; one that is there gets the options. */
static int mount_tmpfs(int dirfd, const char *name, const char *options)
{
	char path[VOLUME_PATH_SIZE];
	struct stat at, above;

	int r = dir_make(dirfd, name, 0700);
	if (r < 0)
		return r;
	if (fstatat(dirfd, name, &at, AT_SYMLINK_NOFOLLOW) < 0 || fstat(dirfd, &above) < 0)
		return -errno;
	bool there = at.st_dev != above.st_dev; /* then its size may have been edited */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dirfd, name);
	if (there && is_hugetlbfs(path)) { /* or its medium */
		(void)umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
		there = false;
	}
	return mount("podd", path, "tmpfs", MS_NOSUID | MS_NODEV | (there ? MS_REMOUNT : 0), options) < 0 ? -errno : 0;
}

static void unmount(int dirfd, const char *name)
{
	char path[VOLUME_PATH_SIZE];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dirfd, name);
	(void)umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW); /* not mounted is fine */
}

/* Pages of one size. What was mounted there before an edit goes. */
static int mount_hugetlbfs(int dirfd, const char *name, uint64_t page_size)
{
	char path[VOLUME_PATH_SIZE], options[64];
	struct statfs st;

	int r = dir_make(dirfd, name, 0700);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dirfd, name);
	if (statfs(path, &st) < 0)
		return -errno;
	if ((long)st.f_type == HUGETLBFS_MAGIC && (uint64_t)st.f_bsize == page_size)
		return 0;
	unmount(dirfd, name);
	(void)snprintf(options, sizeof(options), "mode=0700,pagesize=%llu", (unsigned long long)page_size);
	return mount("podd", path, "hugetlbfs", MS_NOSUID | MS_NODEV, options) < 0 ? -errno : 0;
}

/* fsGroup owns the directory and, by the setgid bit, all that is made in it. */
static int set_owner(int dirfd, const char *name, mode_t mode, const struct id *group)
{
	if (group->set && fchownat(dirfd, name, 0, (gid_t)group->value, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return fchmodat(dirfd, name, group->set ? mode | 02770 : mode, 0) < 0 ? -errno : 0; /* umask must not count */
}

/* As the kubelet: what the pod may not use, a volume in memory need not offer. 0: no word about it. */
static uint64_t memory_size(const struct pod *p, const struct empty_dir *e)
{
	uint64_t own = e->size_limit.set ? (uint64_t)quantity_value(&e->size_limit) : 0;
	uint64_t most = sandbox_members_limits(p).memory_max;

	return own && most ? MIN(own, most) : own + most;
}

static int prepare_empty_dir(struct sandbox *s, const struct pod *p, const struct volume *v)
{
	char name[VOLUME_NAME_SIZE], options[64] = "mode=0700";
	const struct empty_dir *e = &v->empty_dir;
	mode_t mode = e->mode.set ? (mode_t)e->mode.value : 0777; /* as the kubelet */
	int dirfd = e->medium == EMPTY_DIR_DISK ? s->state_fd : s->run_fd, r;
	struct stat st;
	bool many;

	(void)snprintf(name, sizeof(name), "volumes/%s", v->name);
	uint64_t size = memory_size(p, e);
	if (e->medium == EMPTY_DIR_MEMORY && size) /* to tmpfs 0 is boundless */
		(void)snprintf(options, sizeof(options), "mode=0700,size=%llu", (unsigned long long)size);
	if (e->medium == EMPTY_DIR_DISK)
		r = dir_make(dirfd, name, 0700);
	else if (e->medium == EMPTY_DIR_MEMORY)
		r = mount_tmpfs(dirfd, name, options);
	else
		r = mount_hugetlbfs(dirfd, name, huge_size_bytes(pod_huge_medium(p, e->medium, &many)));
	if (r < 0)
		return r;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return (st.st_mode & 07777) == 0700 ? set_owner(dirfd, name, mode, &p->spec.security.fs_group) : 0; /* else a container's */
}

int volumes_prepare(struct sandbox *s, const struct pod *p)
{
	int r = p->spec.host_ipc ? 0 : mount_tmpfs(s->run_fd, "shm", "mode=1777,size=64m");

	if (r == 0)
		r = mount_tmpfs(s->run_fd, VOLUMES_MESSAGES, "mode=0700,size=512k");
	for (size_t i = 0; r == 0 && i < p->spec.volumes.count; i++)
		if (p->spec.volumes.items[i].empty_dir.set)
			r = prepare_empty_dir(s, p, &p->spec.volumes.items[i]);
	return r;
}

void volumes_sandbox_gone(struct sandbox *s)
{
	unmount(s->run_fd, "shm");
	(void)unlinkat(s->run_fd, "shm", AT_REMOVEDIR);
}

static void unmount_all(int run_fd)
{
	_cleanup_dir_ DIR *d = dir_open(run_fd, "volumes");
	char name[VOLUME_NAME_SIZE];

	if (!d)
		return;
	for (struct dirent *e; (e = dir_next(d));) {
		(void)snprintf(name, sizeof(name), "volumes/%s", e->d_name);
		unmount(run_fd, name);
	}
}

void volumes_release(struct daemon *d)
{
	_cleanup_dir_ DIR *dir = dir_open(d->run_fd, "pods");

	for (struct dirent *e; dir && (e = dir_next(dir));) {
		_cleanup_close_ int pod = openat(dirfd(dir), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (pod >= 0)
			unmount_all(pod);
	}
}

void volumes_clear(struct daemon *d, const char *uid)
{
	char path[POD_UID_SIZE + 16];

	(void)snprintf(path, sizeof(path), "pods/%s", uid);
	_cleanup_close_ int run_fd = openat(d->run_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (run_fd >= 0) {
		unmount_all(run_fd);
		(void)tree_remove(run_fd, "volumes");
		(void)tree_remove(run_fd, SANDBOX_IN_MEMORY "/volumes");
	}
	(void)snprintf(path, sizeof(path), "pods/%s/volumes", uid);
	janitor_remove(d->janitor, d->state_fd, path);
}

void volumes_forget(struct daemon *d, const char *uid)
{
	char path[POD_UID_SIZE + 8];

	(void)snprintf(path, sizeof(path), "pods/%s", uid);
	_cleanup_close_ int run_fd = openat(d->run_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (run_fd >= 0)
		unmount_all(run_fd);
	int r = tree_remove(d->run_fd, path);
	if (r < 0)
		daemon_report(d, uid, NULL, false, "NotRemoved", "removing %s/%s: %s", d->run_path, path, strerror(-r));
}

/* --- hostPath ------------------------------------------------------------------------------------------------------------- */

static int make_host_path(const struct host_path *h)
{
	if (h->type == HOST_PATH_DIRECTORY_OR_CREATE)
		return dir_make(AT_FDCWD, h->path, 0755);
	if (h->type == HOST_PATH_FILE_OR_CREATE) {
		_cleanup_close_ int fd = open(h->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0644);
		return fd < 0 ? -errno : 0;
	}
	return -ENOENT;
}

static bool type_fits(enum host_path_type type, mode_t mode)
{
	switch (type) {
	case HOST_PATH_ANY:
	case HOST_PATH_MAX:
		return true;
	case HOST_PATH_DIRECTORY_OR_CREATE:
	case HOST_PATH_DIRECTORY:
		return S_ISDIR(mode);
	case HOST_PATH_FILE_OR_CREATE:
	case HOST_PATH_FILE:
		return S_ISREG(mode);
	case HOST_PATH_SOCKET:
		return S_ISSOCK(mode);
	case HOST_PATH_CHAR_DEVICE:
		return S_ISCHR(mode);
	case HOST_PATH_BLOCK_DEVICE:
		return S_ISBLK(mode);
	}
	return false;
}

static const char *type_name(enum host_path_type type)
{
	static const char *const names[] = {
		[HOST_PATH_ANY] = "file",
		[HOST_PATH_DIRECTORY_OR_CREATE] = "directory",
		[HOST_PATH_DIRECTORY] = "directory",
		[HOST_PATH_FILE_OR_CREATE] = "regular file",
		[HOST_PATH_FILE] = "regular file",
		[HOST_PATH_SOCKET] = "socket",
		[HOST_PATH_CHAR_DEVICE] = "character device",
		[HOST_PATH_BLOCK_DEVICE] = "block device",
	};
	_Static_assert(ARRAY_SIZE(names) == HOST_PATH_MAX, "a name for each type");

	return names[type];
}

/* podd's own directories are no one's volume: a container that writes there could steer podd. */
static bool is_own(const struct daemon *d, int fd)
{
	const int own[] = { d->run_fd, d->state_fd };
	char link[64], path[PATH_MAX], root[PATH_MAX];

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return true;
	path[n] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", own[i]);
		n = readlink(link, root, sizeof(root) - 1);
		if (n < 0)
			return true;
		root[n] = '\0';
		const char *rest = str_after(path, root);
		if (rest && (*rest == '/' || *rest == '\0'))
			return true;
	}
	return false;
}

static int open_host_path(struct daemon *d, const struct volume *v, struct arena *arena, const char **ret_text)
{
	const struct host_path *h = &v->host_path;
	struct statx st;

	_cleanup_close_ int fd = open(h->path, O_PATH | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && make_host_path(h) == 0)
		fd = open(h->path, O_PATH | O_CLOEXEC);
	/* What the cache has is good enough, a server could let podd wait. */
	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &st) < 0) {
		int r = -errno;
		*ret_text = arena_printf(arena, "volume \"%s\": hostPath %s: %s", v->name, h->path, strerror(-r));
		return r;
	}
	if (!type_fits(h->type, st.stx_mode)) {
		*ret_text = arena_printf(arena, "volume \"%s\": hostPath %s is not a %s", v->name, h->path, type_name(h->type));
		return -EINVAL;
	}
	if (is_own(d, fd)) {
		*ret_text = arena_printf(arena, "volume \"%s\": hostPath %s belongs to podd", v->name, h->path);
		return -EPERM;
	}
	return TAKE_FD(fd);
}

/* A claim is a directory that outlives its pods: <state>/volumes/<claim>, outside of the namespace default <ns>_<claim>. */
static int open_claim(struct daemon *d, const struct pod *p, const struct volume *v)
{
	_cleanup_buf_ struct buf name = BUF_NULL;

	buf_puts(&name, "volumes/");
	if (!streq(p->metadata.namespace, "default"))
		buf_printf(&name, "%s_", p->metadata.namespace);
	buf_puts(&name, v->claim.name);
	int r = dir_make(d->state_fd, "volumes", 0700);
	if (r < 0)
		return r;
	if (mkdirat(d->state_fd, name.data, 0700) == 0) /* for whoever the pod runs as; the directory above lets nobody else in */
		r = set_owner(d->state_fd, name.data, 0777, &p->spec.security.fs_group);
	else if (errno != EEXIST)
		r = -errno;
	if (r < 0)
		return r;
	int fd = openat(d->state_fd, name.data, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int open_empty_dir(struct sandbox *s, const struct volume *v)
{
	int dirfd = v->empty_dir.medium == EMPTY_DIR_DISK ? s->state_fd : s->run_fd;
	char name[VOLUME_NAME_SIZE];

	(void)snprintf(name, sizeof(name), "volumes/%s", v->name);
	int fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int volumes_open_kept(struct sandbox *s, const struct pod *p, const struct volume *v)
{
	_cleanup_close_ int path = v->claim.set ? open_claim(s->daemon, p, v) : v->empty_dir.set ? open_empty_dir(s, v) : -ENOENT;

	if (path < 0)
		return path;
	int fd = openat(path, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int volumes_open_file(struct sandbox *s, const struct pod *p, const char *volume, const char *path)
{
	const struct volume *v = pod_volume(p, volume);
	struct stat st;

	if (!v || !v->empty_dir.set)
		return -ENOENT;
	_cleanup_close_ int dir = open_empty_dir(s, v);
	if (dir < 0)
		return dir;
	_cleanup_close_ int fd = path_open(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, PATH_FOLLOW);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? TAKE_FD(fd) : -EINVAL;
}

int volumes_open_private(struct sandbox *s, const char *volume)
{
	char name[VOLUME_NAME_SIZE];

	(void)snprintf(name, sizeof(name), "volumes/%s", volume);
	int fd = openat(s->run_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int volumes_make_private(struct sandbox *s, const char *volume)
{
	char name[VOLUME_NAME_SIZE];

	(void)snprintf(name, sizeof(name), "volumes/%s", volume);
	int r = mount_tmpfs(s->run_fd, name, "mode=0755,noswap");
	if (r == -EINVAL)
		r = mount_tmpfs(s->run_fd, name, "mode=0755");
	return r < 0 ? r : volumes_open_private(s, volume);
}

/* The root of the volume, O_PATH. */
static int open_volume(struct sandbox *s, const struct pod *p, const struct volume *v, struct arena *arena, const char **ret_text)
{
	if (v->host_path.set)
		return open_host_path(s->daemon, v, arena, ret_text);
	if (volume_is_files(v))
		return sources_volume(s, p, v, arena, ret_text);
	int fd = v->claim.set ? open_claim(s->daemon, p, v) : open_empty_dir(s, v);
	if (fd < 0)
		*ret_text = arena_printf(arena, "volume \"%s\": %s", v->name, strerror(-fd));
	return fd;
}

/* A part that is not there is made, as a directory with the volume's mode, as the kubelet does it: who may write to the volume, may
 * write to it. The umask steps aside, since a chmod afterwards could hit what a container has put in its place; setgid is inherited. */
static int open_part(int fd, const struct volume *v, const char *path)
{
	int part = path_open(fd, path, O_PATH, PATH_BENEATH);
	struct stat st;

	if (part != -ENOENT || volume_is_files(v) || v->claim.read_only)
		return part;
	if (fstat(fd, &st) < 0)
		return -errno;
	mode_t mask = umask(0);
	_cleanup_close_ int made = path_make_directory(fd, path, st.st_mode & ACCESSPERMS);
	(void)umask(mask);
	return made < 0 ? made : path_open(fd, path, O_PATH, PATH_BENEATH);
}

int volumes_open(struct sandbox *s, const struct pod *p, const char *volume, const char *path, struct arena *arena,
                 const char **ret_text)
{
	const struct volume *v = pod_volume(p, volume);

	_cleanup_close_ int fd = open_volume(s, p, v, arena, ret_text);
	if (fd < 0)
		return fd;
	_cleanup_close_ int part = path ? open_part(fd, v, path) : -EBADF;
	int r = path && part < 0 ? part : volumes_tree(path ? part : fd);
	if (r < 0)
		*ret_text = arena_printf(arena, "volume \"%s\"%s%s: %s", v->name, path ? ", subPath " : "", path ? path : "",
		                         r == -EXDEV ? "leads out of the volume" : strerror(-r));
	return r;
}

bool volumes_at_hand(const struct pod *p, const char *volume, const char *path)
{
	const struct volume *v = pod_volume(p, volume);

	if (!v->host_path.set)
		return true;
	_cleanup_close_ int fd = path_open_cached(AT_FDCWD, v->host_path.path);
	_cleanup_close_ int part = fd >= 0 && path ? path_open_cached(fd, path) : -EBADF;
	return path ? part >= 0 : fd >= 0;
}

int volumes_open_shm(struct sandbox *s, const struct pod *p)
{
	_cleanup_close_ int fd = p->spec.host_ipc ? open("/dev/shm", O_PATH | O_DIRECTORY | O_CLOEXEC)
	                                          : openat(s->run_fd, "shm", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : volumes_tree(fd);
}

int volumes_open_path(const char *path)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);

	return fd < 0 ? -errno : volumes_tree(fd);
}
