#include "daemon/pod/swapdir.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "base/fd.h"
#include "base/sha256.h"
#include "base/str.h"

enum { VERSION_SIZE = 64 };

static unsigned file_mode(const struct volume_file *f, const struct id *group)
{
	return group->set ? f->mode | 0440 : f->mode;
}

/* ".<digits>", by which versions of the directory differ. */
static void hash_files(const struct volume_files *files, const struct id *group, char ret[static VERSION_SIZE])
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	unsigned char sum[SHA256_SIZE];
	unsigned long long digits;

	for (size_t i = 0; i < files->count; i++) {
		const struct volume_file *f = &files->items[i];
		sha256(f->data, f->size, sum);
		buf_printf(&text, "%s\n%o %lld %lld\n", f->path, file_mode(f, group), f->user.set ? (long long)f->user.value : 0,
		           group->set ? (long long)group->value : 0);
		buf_append(&text, sum, sizeof(sum));
	}
	sha256(buf_str(&text), text.len, sum);
	memcpy(&digits, sum, sizeof(digits));
	(void)snprintf(ret, VERSION_SIZE, ".%llu", digits);
}

static int write_file(int dirfd, const struct volume_file *f, const struct id *group)
{
	char parent[PATH_MAX];
	const char *slash = strrchr(f->path, '/');

	if (slash) {
		(void)snprintf(parent, sizeof(parent), "%.*s", (int)(slash - f->path), f->path);
		int r = dir_make(dirfd, parent, 0755);
		if (r < 0)
			return r;
	}
	_cleanup_close_ int fd = openat(dirfd, f->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	int r = fd_write_all(fd, f->data, f->size);
	if (r == 0 && fchown(fd, f->user.set ? (uid_t)f->user.value : 0, group->set ? (gid_t)group->value : 0) < 0)
		r = -errno;
	if (r == 0 && fchmod(fd, file_mode(f, group)) < 0)
		r = -errno;
	return r;
}

static int write_version(int dirfd, const char *name, const struct volume_files *files, const struct id *group)
{
	int r = tree_remove(dirfd, name); /* a podd that was killed left it */

	if (r < 0)
		return r;
	if (mkdirat(dirfd, name, 0755) < 0)
		return -errno;
	_cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = fd < 0 ? -errno : 0;
	if (r == 0 && fchmod(fd, 0755) < 0)
		r = -errno;
	for (size_t i = 0; r == 0 && i < files->count; i++)
		r = write_file(fd, &files->items[i], group);
	return r;
}

/* The first part of a path: the name that people see. */
static size_t head(const char *path)
{
	return strcspn(path, "/");
}

static int link_names(int dirfd, const struct volume_files *files)
{
	char name[NAME_MAX + 1], target[NAME_MAX + 16];

	for (size_t i = 0; i < files->count; i++) {
		(void)snprintf(name, sizeof(name), "%.*s", (int)head(files->items[i].path), files->items[i].path);
		(void)snprintf(target, sizeof(target), "..data/%s", name);
		if (symlinkat(target, dirfd, name) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static bool wanted(const struct volume_files *files, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < files->count; i++)
		if (head(files->items[i].path) == n && memcmp(files->items[i].path, name, n) == 0)
			return true;
	return false;
}

/* Names of files that are no more, and versions of the directory that nothing points to. */
static void sweep(int dirfd, const struct volume_files *files, const char *version)
{
	_cleanup_dir_ DIR *d = dir_open(dirfd, ".");

	if (!d)
		return;
	for (struct dirent *e; (e = dir_next(d));) {
		if (!str_after(e->d_name, "..") && !wanted(files, e->d_name))
			(void)unlinkat(dirfd, e->d_name, 0);
		else if (str_after(e->d_name, "..2") && !streq(e->d_name, version))
			(void)tree_remove(dirfd, e->d_name);
	}
}

/* The files in a directory of their own, which ..data then points to. */
static int swap_version(int dirfd, const char *hash, const struct volume_files *files, const struct id *group, char *ret_name,
                        size_t size)
{
	time_t now = time(NULL);
	struct tm tm;

	(void)gmtime_r(&now, &tm);
	size_t len = strftime(ret_name, size, "..%Y_%m_%d_%H_%M_%S", &tm);
	(void)snprintf(ret_name + len, size - len, "%s", hash);
	int r = write_version(dirfd, ret_name, files, group);
	(void)unlinkat(dirfd, "..data_tmp", 0);
	if (r == 0 && symlinkat(ret_name, dirfd, "..data_tmp") < 0)
		r = -errno;
	if (r == 0 && renameat(dirfd, "..data_tmp", dirfd, "..data") < 0)
		r = -errno;
	if (r < 0)
		(void)tree_remove(dirfd, ret_name);
	return r;
}

int swapdir_write(int dirfd, const struct volume_files *files, const struct id *group)
{
	char hash[VERSION_SIZE], name[NAME_MAX + 1];

	hash_files(files, group, hash);
	ssize_t n = readlinkat(dirfd, "..data", name, sizeof(name) - 1);
	name[MAX(n, 0)] = '\0';
	bool same = str_ends(name, hash);
	int r = same ? 0 : swap_version(dirfd, hash, files, group, name, sizeof(name));
	if (r < 0)
		return r;
	r = link_names(dirfd, files); /* also of the version that is there: podd may have been killed before this */
	sweep(dirfd, files, name);
	return r < 0 ? r : !same;
}
