#include "daemon/rundir.h"
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/log.h"
#include "base/str.h"

static bool is_there(const struct daemon *d)
{
	struct stat named, open;

	return stat(d->run_path, &named) == 0 && fstat(d->run_fd, &open) == 0 && named.st_ino == open.st_ino &&
	       faccessat(d->run_fd, "podd.sock", F_OK, 0) == 0 && faccessat(d->run_fd, "podd.pid", F_OK, 0) == 0;
}

static void changed(uv_poll_t *p, int status _unused_, int events _unused_)
{
	struct daemon *d = p->data;
	char data[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

	while (read(d->rundir_inotify, data, sizeof(data)) > 0)
		; /* which it was does not matter: the directory is the truth */
	/* podd that ends removes its socket itself. */
	if (!d->http || is_there(d))
		return;
	log_error("%s was cleaned under podd: nobody can reach this podd any more. It ends, the pods stay; start podd "
	          "again, and it makes anew what is missing",
	          d->run_path);
	d->failed = d->ending = true;
	uv_stop(&d->loop);
}

int rundir_watch(struct daemon *d)
{
	d->rundir_inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	/* The directory itself goes unseen, since podd has it open; the files in it go before. */
	if (d->rundir_inotify < 0 ||
	    inotify_add_watch(d->rundir_inotify, d->run_path, IN_DELETE | IN_MOVED_FROM | IN_MOVE_SELF) < 0)
		return -errno;
	d->rundir_poll.data = d;
	int r = uv_poll_init(&d->loop, &d->rundir_poll, d->rundir_inotify);
	return r < 0 ? r : uv_poll_start(&d->rundir_poll, UV_READABLE, changed);
}
