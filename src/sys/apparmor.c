#include "sys/apparmor.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "base/cleanup.h"

bool apparmor_enabled(void)
{
	_cleanup_close_ int fd = open("/sys/module/apparmor/parameters/enabled", O_RDONLY | O_CLOEXEC);
	char answer = 'N';

	return fd >= 0 && read(fd, &answer, 1) == 1 && answer == 'Y';
}

static int open_attribute(const char *path)
{
	enum { PROC_ROOT_INODE = 1 };
	struct open_how how = { .flags = O_RDWR | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS };
	struct statfs fs;
	struct stat st;
	_cleanup_close_ int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (proc < 0 || fstatfs(proc, &fs) < 0 || fstat(proc, &st) < 0)
		return -errno;
	if (fs.f_type != PROC_SUPER_MAGIC || st.st_ino != PROC_ROOT_INODE)
		return -EXDEV;
	long fd = syscall(SYS_openat2, proc, path, &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

/* The kernel answers "name (enforce)". */
static int set(const char *attribute, const char *verb, const char *profile)
{
	char text[APPARMOR_PROFILE_MAX + 64];
	size_t n = strlen(profile), v = strlen(verb);

	if (n > APPARMOR_PROFILE_MAX)
		return -ENAMETOOLONG;
	_cleanup_close_ int fd = open_attribute(attribute);
	if (fd < 0)
		return fd;
	memcpy(text, verb, v);
	memcpy(text + v, profile, n);
	ssize_t done = write(fd, text, v + n);
	if (done < 0)
		return -errno;
	done = pread(fd, text, sizeof(text) - 1, 0);
	if (done < 0)
		return -errno;
	text[done] = '\0';
	return strncmp(text, profile, n) == 0 && strchr(" \n", text[n]) ? 0 : -EPROTO;
}

int apparmor_on_exec(const char *profile)
{
	return set("self/attr/apparmor/exec", "exec ", profile);
}

int apparmor_change(const char *profile)
{
	return set("self/attr/apparmor/current", "changeprofile ", profile);
}
