#include "net/forward.h"
#include <fcntl.h>
#include "base/fd.h"

#define IP_FORWARD "/proc/sys/net/ipv4/ip_forward"

int forward_get(void)
{
	_cleanup_buf_ struct buf b = BUF_NULL;
	int r = file_read(AT_FDCWD, IP_FORWARD, 16, &b);

	return r < 0 ? r : buf_str(&b)[0] != '0';
}

int forward_set(bool on)
{
	return file_write(AT_FDCWD, IP_FORWARD, on ? "1" : "0");
}
