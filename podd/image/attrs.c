#include "image/attrs.h"
#include <archive.h>
#include <archive_entry.h>
#include <endian.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>
#include <linux/capability.h>
#include "base/str.h"
#include "image/limits.h"
#include "image/why.h"

int attrs_read(struct archive_entry *e, struct stat *ret)
{
	int64_t uid = archive_entry_uid(e), gid = archive_entry_gid(e);

	if (uid < 0 || gid < 0 || uid >= UINT32_MAX || gid >= UINT32_MAX) /* the last one means "none" */
		return refuse("owner %lld:%lld is not within 0 to 4294967294", (long long)uid, (long long)gid);
	*ret = (struct stat){
		.st_mode = archive_entry_perm(e) & 07777,
		.st_uid = (uid_t)uid,
		.st_gid = (gid_t)gid,
		.st_mtim = { .tv_sec = archive_entry_mtime(e), .tv_nsec = archive_entry_mtime_nsec(e) },
	};
	if (ret->st_mtim.tv_nsec < 0 || ret->st_mtim.tv_nsec >= 1000000000)
		ret->st_mtim.tv_nsec = 0;
	return 0;
}

/* A file capability that counts in one user namespace only (version 3 with a root user) would count for the host's root or nobody. */
static const void *plain_capability(const void *value, size_t *size, struct vfs_cap_data *buffer)
{
	struct vfs_ns_cap_data v3;

	if (*size != sizeof(v3))
		return *size == sizeof(*buffer) ? value : NULL;
	memcpy(&v3, value, sizeof(v3));
	if (v3.rootid)
		return NULL;
	memcpy(buffer, &v3, sizeof(*buffer));
	buffer->magic_etc = htole32((le32toh(v3.magic_etc) & ~VFS_CAP_REVISION_MASK) | VFS_CAP_REVISION_2);
	*size = sizeof(*buffer);
	return buffer;
}

static int apply_xattrs(int fd, struct archive_entry *e)
{
	const char *name;
	const void *value;
	size_t size, total = 0;

	if (archive_entry_xattr_reset(e) > LIMIT_XATTRS)
		return refuse("more than %d extended attributes", LIMIT_XATTRS);
	while (archive_entry_xattr_next(e, &name, &value, &size) == ARCHIVE_OK) {
		struct vfs_cap_data capability;
		total += strlen(name) + size;
		if (total > LIMIT_XATTR_BYTES)
			return refuse("extended attributes of more than %d bytes", LIMIT_XATTR_BYTES);
		/* Of trusted., system. and security. some steer overlayfs, others labels and ACLs of this host. */
		bool is_capability = streq(name, "security.capability");
		if (is_capability)
			value = plain_capability(value, &size, &capability);
		else if (!str_after(name, "user.") || str_after(name, "user.overlay."))
			continue;
		/* Some file systems have no user. attributes; without its capabilities a program does not work. */
		if (value && fsetxattr(fd, name, value, size, 0) < 0 && (errno != EOPNOTSUPP || is_capability))
			return why_where(-errno, "attribute %s", name);
	}
	return 0;
}

int attrs_apply(int parent, const char *name, int fd, const struct stat *st, struct archive_entry *e)
{
	const struct timespec times[] = { st->st_mtim, st->st_mtim };
	struct stat own;

	/* The owner first: a change of it takes setuid and capabilities away. */
	if (fchownat(parent, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fstatat(parent, name, &own, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISLNK(own.st_mode) && fchmodat(parent, name, st->st_mode & 07777, 0) < 0)
		return -errno;
	int r = e && fd >= 0 ? apply_xattrs(fd, e) : 0;
	if (r < 0)
		return r;
	return utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}
