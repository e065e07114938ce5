/* podd-image: imports one image into the store. image/job.h has its arguments and descriptors, jail.h what reads the image. This process
 * only prepares and publishes; it reads nothing of a stranger's but what publish.c checks. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "image/jail.h"
#include "image/publish.h"
#include "image/store.h"
#include "image/why.h"

enum { EXIT_USAGE = 2 };

/* Takes away what killed imports left: the directories that nobody has locked. */
static void sweep(int tmp)
{
	_cleanup_dir_ DIR *d = dir_open(tmp, ".");

	if (!d)
		return;
	for (struct dirent *e; (e = dir_next(d));) {
		_cleanup_close_ int dir = openat(tmp, e->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (dir < 0 || flock(dir, LOCK_EX | LOCK_NB) == 0)
			(void)tree_remove(tmp, e->d_name); /* what stays is tried again by the next one */
	}
}

/* A fresh directory below tmp/, locked as long as the descriptor is open. */
static int make_dir(int tmp, char name[static 16])
{
	int fd = -EBADF;

	/* Held while directories are made and swept: one that is made is not locked yet. */
	if (flock(tmp, LOCK_EX) < 0)
		return -errno;
	sweep(tmp);
	(void)snprintf(name, 16, "%d", (int)getpid());
	if (mkdirat(tmp, name, 0700) == 0)
		fd = openat(tmp, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
	(void)flock(tmp, LOCK_UN);
	return r < 0 ? r : fd;
}

static int import(const struct image_job *job, struct buf *ret)
{
	_cleanup_(image_store_deinit) struct image_store store = IMAGE_STORE_NULL;
	_cleanup_close_ int tmp = -EBADF, dir = -EBADF;
	_cleanup_buf_ struct buf result = BUF_NULL;
	char name[16];

	int r = image_store_open(IMAGE_JOB_FD_STORE, ".", &store);
	if (r == 0 && (tmp = openat(store.root, "tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		r = -errno;
	if (r == 0)
		r = dir = make_dir(tmp, name);
	if (r < 0)
		return why_where(r, "the image store");
	r = jail_run(&(struct work){ job, IMAGE_JOB_FD_SOURCE, dir, store.layers }, &result);
	if (r == 0)
		r = publish(&store, dir, job, &result, ret);
	(void)tree_remove(tmp, name);
	return r;
}

static bool parse_args(int argc, char **argv, struct image_job *ret)
{
	static const struct option options[] = {
		{ "transport", required_argument, NULL, 't' },
		{ "select", required_argument, NULL, 's' },
		{ "name", required_argument, NULL, 'n' },
		{ "stem", required_argument, NULL, 'm' },
		{ "pin", no_argument, NULL, 'p' },
		{ 0 },
	};
	static const char *const transports[] = { "oci", "oci-archive", "docker-archive", "archive" };
	bool known = false;

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
		switch (c) {
		case 't':
			ret->transport = optarg;
			break;
		case 's':
			ret->select = optarg;
			break;
		case 'n':
			ret->name = optarg;
			break;
		case 'm':
			ret->stem = optarg;
			break;
		case 'p':
			ret->pin = true;
			break;
		default:
			return false;
		}
	for (size_t i = 0; ret->transport && i < ARRAY_SIZE(transports); i++)
		known |= streq(ret->transport, transports[i]);
	return known && !ret->name != !ret->stem && optind + 1 == argc && streq(argv[optind], "import");
}

int main(int argc, char **argv)
{
	_cleanup_buf_ struct buf line = BUF_NULL;
	struct image_job job = { 0 };
	struct jsonw w;

	if (argc == 2 && streq(argv[1], "--version")) {
		puts("podd-image " PODD_VERSION);
		return 0;
	}
	if (!parse_args(argc, argv, &job)) {
		fputs("podd-image is started by podd\n", stderr);
		return EXIT_USAGE;
	}
	(void)umask(077);
	(void)signal(SIGPIPE, SIG_IGN);
	int r = import(&job, &line);
	if (r < 0) {
		jsonw_init(&w, &line);
		jsonw_object(&w);
		jsonw_member_str(&w, "reason", "ErrImagePull");
		jsonw_member_str(&w, "message", why_text(r));
		jsonw_end(&w);
	}
	buf_putc(&line, '\n');
	if (fd_write_all(STDOUT_FILENO, line.data, line.len) < 0)
		return EXIT_FAILURE;
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
