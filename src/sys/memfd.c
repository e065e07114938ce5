#include "sys/memfd.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/cleanup.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#define MFD_EXEC 0x0010U
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif

static int create(const char *name, bool executable)
{
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	long fd = syscall(SYS_memfd_create, name, flags | (executable ? MFD_EXEC : MFD_NOEXEC_SEAL));

	if (fd < 0 && errno == EINVAL) /* before Linux 6.3 every memfd is executable */
		fd = syscall(SYS_memfd_create, name, flags);
	return fd < 0 ? -errno : (int)fd;
}

static int seal(int fd)
{
	int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

	if (fcntl(fd, F_ADD_SEALS, seals | F_SEAL_EXEC) == 0 || fcntl(fd, F_ADD_SEALS, seals) == 0)
		return 0;
	return -errno;
}

int memfd_sealed(const char *name, const void *data, size_t size, bool executable)
{
	_cleanup_close_ int fd = create(name, executable);

	if (fd < 0)
		return fd;
	for (size_t done = 0; done < size;) {
		ssize_t n = write(fd, (const char *)data + done, size - done);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			done += (size_t)n;
	}
	int r = seal(fd);
	return r < 0 ? r : TAKE_FD(fd);
}

int memfd_sealed_file(const char *name, int file, bool executable)
{
	_cleanup_close_ int fd = create(name, executable);
	struct stat st;
	off_t offset = 0;

	if (fd < 0)
		return fd;
	if (fstat(file, &st) < 0)
		return -errno;
	while (offset < st.st_size) {
		ssize_t n = sendfile(fd, file, &offset, (size_t)(st.st_size - offset));
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO; /* it shrank under us */
	}
	int r = seal(fd);
	return r < 0 ? r : TAKE_FD(fd);
}
