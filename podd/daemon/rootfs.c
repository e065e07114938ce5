#include "daemon/rootfs.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "base/fd.h"
#include "base/str.h"
#include "daemon/janitor.h"

int rootfs_layers(const char *image, int fds[static ROOTFS_LAYERS_MAX], size_t *ret_count, const char **ret_reason, struct buf *ret_text)
{
	const char *path = str_after(image, "rootfs:");

	if (!path) {
		*ret_reason = "InvalidImageName";
		buf_printf(ret_text, "image \"%s\" is no rootfs:/path", image);
		return -EINVAL;
	}
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		int r = -errno;
		*ret_reason = "ErrImageNeverPull";
		buf_printf(ret_text, "image \"%s\": %s", image, strerror(-r));
		return r;
	}
	fds[0] = fd;
	*ret_count = 1;
	return 0;
}

static int open_in_root(int root, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

static int fd_path(int fd, char ret[static PATH_MAX])
{
	char link[64];

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, ret, PATH_MAX - 1);
	if (n < 0)
		return -errno;
	ret[n] = '\0';
	return 0;
}

/* Where `path` leads within the layer once all symlinks are followed, as far as it exists: that part, relative, into ret_found; returns the
 * length of `path` that it covers. */
static size_t existing_prefix(int layer, const char *path, char ret_found[static PATH_MAX])
{
	char prefix[PATH_MAX], base[PATH_MAX], real[PATH_MAX];
	size_t n = strlen(path);

	if (fd_path(layer, base) < 0)
		base[0] = '\0';
	for (;;) {
		(void)snprintf(prefix, sizeof(prefix), "%.*s", (int)n, path);
		_cleanup_close_ int fd = open_in_root(layer, n ? prefix : "/");
		if (fd >= 0 && fd_path(fd, real) == 0) {
			const char *rest = str_after(real, streq(base, "/") ? "" : base);
			(void)snprintf(ret_found, PATH_MAX, "%s", rest ? rest : "");
			return n;
		}
		if (n == 0) {
			ret_found[0] = '\0';
			return 0;
		}
		while (n && path[n - 1] != '/')
			n--;
		while (n && path[n - 1] == '/')
			n--;
	}
}

/* A directory of the writable layer covers the image's one of the same name: it must look like it. */
static int copy_directories(int layer, int upper, const char *path)
{
	char p[PATH_MAX];
	struct stat st;

	(void)snprintf(p, sizeof(p), "%s", path);
	for (char *s = p + 1; p[0] && s[-1]; s++) {
		if (*s && *s != '/')
			continue;
		char saved = *s;
		*s = '\0';
		_cleanup_close_ int fd = open_in_root(layer, p);
		if (mkdirat(upper, p + 1, 0755) == 0 && fd >= 0 && fstat(fd, &st) == 0 &&
		    (fchownat(upper, p + 1, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0 || fchmodat(upper, p + 1, st.st_mode & 07777, 0) < 0))
			return -errno;
		*s = saved;
		if (!saved)
			break;
	}
	return 0;
}

static int make_place(const int *layers, size_t layer_count, int upper, const struct mount_place *place)
{
	char found[PATH_MAX], target[2 * PATH_MAX];
	size_t best = 0, layer = 0, length = strlen(place->path);

	/* The layer that knows most of the path says where it leads. */
	for (size_t i = 0; i < layer_count; i++) {
		size_t n = existing_prefix(layers[i], place->path, found);
		if (n == length)
			return 0;
		if (n >= best) {
			best = n;
			layer = i;
		}
	}
	(void)existing_prefix(layers[layer], place->path, found);
	int r = copy_directories(layers[layer], upper, found);
	if (r < 0)
		return r;
	(void)snprintf(target, sizeof(target), "%s%s", found, place->path + best);
	const char *relative = target + strspn(target, "/");
	if (place->directory)
		return dir_make(upper, relative, 0755);
	char *slash = strrchr(target, '/');
	if (slash && slash > relative) {
		*slash = '\0';
		r = dir_make(upper, relative, 0755);
		*slash = '/';
		if (r < 0)
			return r;
	}
	_cleanup_close_ int fd = openat(upper, relative, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : 0;
}

int rootfs_writable(struct sandbox *s, const char *container, uint32_t number, const int *layers, size_t layer_count,
		    const struct mount_place *places, size_t place_count, int *ret_upper, int *ret_work)
{
	char path[CONTAINER_NAME_SIZE + 48];
	int n = snprintf(path, sizeof(path), "containers/%s/%u/upper", container, number);
	char *leaf = path + n - strlen("upper");

	int r = dir_make(s->state_fd, path, 0755);
	if (r < 0)
		return r;
	_cleanup_close_ int upper = openat(s->state_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	(void)strcpy(leaf, "work");
	if (mkdirat(s->state_fd, path, 0755) < 0 && errno != EEXIST)
		return -errno;
	_cleanup_close_ int work = openat(s->state_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (upper < 0 || work < 0)
		return -errno;
	for (size_t i = 0; i < place_count; i++) {
		r = make_place(layers, layer_count, upper, &places[i]);
		if (r < 0)
			return r;
	}
	*ret_upper = TAKE_FD(upper);
	*ret_work = TAKE_FD(work);
	return 0;
}

void rootfs_release(struct sandbox *s, const char *container, uint32_t number)
{
	char path[CONTAINER_NAME_SIZE + 48];

	(void)snprintf(path, sizeof(path), "containers/%s/%u", container, number);
	janitor_remove(s->daemon->janitor, s->state_fd, path);
}
