#include "anchor/setup.h"
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "base/cleanup.h"

static int parse_number(const char *s, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (*s == '\0')
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || v > max)
			return -EINVAL;
		v = v * 10 + (uint64_t)(*s - '0');
	}
	if (v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

int setup_options(struct options *o, char **argv)
{
	uint64_t listen = UINT64_MAX, logs = UINT64_MAX, shm = UINT64_MAX, size = 10 << 20, files = 5;

	for (argv++; *argv; argv++) {
		const char *name = *argv;
		if (strcmp(name, "--own-net") == 0)
			o->own_net = true;
		else if (strcmp(name, "--own-uts") == 0)
			o->own_uts = true;
		else if (strcmp(name, "--share-pid") == 0)
			o->share_pid = true;
		else {
			const char *value = *++argv;
			int r = 0;
			if (!value)
				return -EINVAL;
			if (strcmp(name, "--listen") == 0)
				r = parse_number(value, INT32_MAX, &listen);
			else if (strcmp(name, "--logs") == 0)
				r = parse_number(value, INT32_MAX, &logs);
			else if (strcmp(name, "--shm") == 0)
				r = parse_number(value, INT32_MAX, &shm);
			else if (strcmp(name, "--log-size") == 0)
				r = parse_number(value, INT64_MAX, &size);
			else if (strcmp(name, "--log-files") == 0)
				r = parse_number(value, CRI_FILES_MAX, &files);
			else if (strcmp(name, "--path") == 0)
				o->path = value;
			else if (strcmp(name, "--hostname") == 0)
				o->hostname = value;
			else if (strcmp(name, "--sysctl") == 0 && o->sysctl_count < ANCHOR_SYSCTLS_MAX)
				o->sysctls[o->sysctl_count++] = value;
			else if (strcmp(name, "--title") == 0)
				o->title = value;
			else
				r = -EINVAL;
			if (r < 0)
				return r;
		}
	}
	if (listen == UINT64_MAX || logs == UINT64_MAX || !o->path || size < CRI_LIMIT_MIN || files < 1)
		return -EINVAL;
	o->listen = (int)listen;
	o->logs = (int)logs;
	o->shm = shm == UINT64_MAX ? -EBADF : (int)shm;
	o->log_size = size;
	o->log_files = (unsigned)files;
	return 0;
}

static bool put_file(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) >= 0;
}

static void raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		(void)ioctl(fd, SIOCSIFFLAGS, &request);
}

static uint32_t set_network(void)
{
	uint32_t degraded = 0;

	raise_loopback();
	/* What lets NET_BIND_SERVICE and NET_RAW go: the pod's ports are its own, and ping needs no raw socket. */
	if (!put_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0") ||
	    !put_file("/proc/sys/net/ipv4/ping_group_range", "0 2147483647"))
		degraded |= ANCHOR_DEGRADED_SYSCTL;
	/* Before any link is there: each would announce itself to the host. A kernel without IPv6 has no such file, and no IPv6. */
	bool off = put_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1") &&
	           put_file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
	if (!off && access("/proc/sys/net/ipv6", F_OK) == 0)
		degraded |= ANCHOR_DEGRADED_IPV6;
	return degraded;
}

static bool set_sysctl(const char *setting)
{
	static const char base[] = "/proc/sys/";
	char path[256];
	size_t n = strcspn(setting, "=");

	if (!setting[n] || sizeof(base) + n > sizeof(path))
		return false;
	memcpy(path, base, sizeof(base));
	memcpy(path + sizeof(base) - 1, setting, n);
	path[sizeof(base) - 1 + n] = '\0';
	return !strstr(path, "..") && put_file(path, setting + n + 1);
}

/* What the manifest asks for: 1 + the index of the first that the kernel refuses, 0 if it takes all. */
static uint32_t set_sysctls(const struct options *o)
{
	for (unsigned i = 0; i < o->sysctl_count; i++)
		if (!set_sysctl(o->sysctls[i]))
			return i + 1;
	return 0;
}

/* "podd-anchor ns/name" in the process list: written over the arguments, which are one block of memory. */
static void set_title(char **argv, const char *title)
{
	char *end = argv[0], *p = argv[0];
	char text[256];

	for (char **a = argv; *a; a++)
		if (*a == end)
			end += strlen(*a) + 1;
	size_t n = strnlen(title, sizeof(text) - 1);
	memcpy(text, title, n);
	text[n] = '\0';
	if ((size_t)(end - p) < sizeof("podd-anchor "))
		return;
	memset(p, 0, (size_t)(end - p));
	memcpy(p, "podd-anchor ", 12);
	for (size_t i = 0; i < n && p + 12 + i < end - 1; i++)
		p[12 + i] = text[i];
}

static int keep_strings(struct options *o, struct strings *s)
{
	size_t path = strlen(o->path);

	if (path >= sizeof(s->path))
		return -ENAMETOOLONG;
	memcpy(s->path, o->path, path + 1);
	o->path = s->path;
	return 0;
}

static void set_limits(void)
{
	struct rlimit files;

	/* Pipes, pidfds, and podd-launch's fixed numbers; each container's own limit is set by its plan. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	(void)put_file("/proc/self/oom_score_adj", "-998");
}

int setup(struct anchor *a, struct strings *strings, char **argv)
{
	sigset_t all;
	int r = setup_options(&a->options, argv);

	if (r < 0)
		return r;
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)prctl(PR_SET_NAME, "podd-anchor");
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return -errno;
	(void)setsid(); /* podd may have done so */
	if (chdir("/") < 0)
		return -errno;
	set_limits();
	if (a->options.own_uts && a->options.hostname && sethostname(a->options.hostname, strlen(a->options.hostname)) < 0)
		return -errno;
	if (a->options.own_net)
		a->degraded |= set_network();
	a->degraded |= set_sysctls(&a->options) << ANCHOR_DEGRADED_SYSCTL_SHIFT;

	sigset_t wanted;
	(void)sigemptyset(&wanted);
	(void)sigaddset(&wanted, SIGCHLD);
	(void)sigaddset(&wanted, SIGHUP);
	a->signals = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
	a->null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	a->netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	a->pidns = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	a->hang = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	a->retry = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (a->signals < 0 || a->null < 0 || a->netns < 0 || a->pidns < 0 || a->hang < 0 || a->retry < 0)
		return -errno;
	if (fcntl(a->options.listen, F_SETFL, O_NONBLOCK) < 0 || fcntl(a->options.listen, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(a->options.logs, F_SETFD, FD_CLOEXEC) < 0 ||
	    (a->options.shm >= 0 && fcntl(a->options.shm, F_SETFD, FD_CLOEXEC) < 0))
		return -errno;

	ipc_init(&a->ipc, a->options.shm);
	r = keep_strings(&a->options, strings);
	if (r < 0)
		return r;
	if (a->options.title)
		set_title(argv, a->options.title);
	a->options.title = a->options.hostname = NULL; /* they were in the arguments */
	return 0;
}
