/* The inmate: a static program that is a container's command, exec, probe or hook, and tells what it finds inside.
 *
 *   inmate facts             one fact a line, "key value", sorted by kind; what differs between two starts (pids, inodes) is left out
 *   inmate call NAME...      tries system calls with arguments that do nothing and tells each one's errno; without a name: all it knows
 *   inmate open DIRECTORY    makes a node of each device there, tries to open it, and tells which the kernel did not refuse: "c 1:3 c 1:5"
 *   inmate sleep             waits for ever; SIGTERM ends it
 *   inmate into FILE         facts into FILE, which is there only when it is whole: for probes and hooks
 *   inmate FILE...           facts into FILE, then sleeps */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <termios.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

extern char **environ;

static FILE *out;

#define fact(...) ((void)fprintf(out, __VA_ARGS__), (void)fputc('\n', out))

/* --- system calls ---------------------------------------------------------------------------------------------------------------- */

static long call_tiocsti(void)
{
	char c = ' ';

	return ioctl(0, TIOCSTI, &c);
}
static long call_tiocsti_high(void) /* the kernel looks at 32 bits of the request only */
{
	char c = ' ';

	return syscall(SYS_ioctl, 0, (1UL << 32) | TIOCSTI, &c);
}
static long call_socket_high(void)
{
	return syscall(SYS_socket, (1UL << 32) | AF_ALG, SOCK_SEQPACKET, 0);
}
static long call_clone_newuser(void)
{
	return syscall(SYS_clone, CLONE_NEWUSER | CLONE_THREAD, 0, 0, 0, 0); /* a mix that the kernel refuses by itself: EINVAL */
}

#define CALL(name_, ...)                                  \
	static long call_##name_(void)                    \
	{                                                 \
		return syscall(SYS_##name_, __VA_ARGS__); \
	}
CALL(io_uring_setup, 0, NULL)
CALL(io_uring_enter, -1, 0, 0, 0, NULL, 0)
CALL(io_uring_register, -1, 0, NULL, 0)
CALL(userfaultfd, ~0)
CALL(keyctl, KEYCTL_GET_KEYRING_ID, 0, 0)
CALL(add_key, NULL, NULL, NULL, 0, 0)
CALL(request_key, NULL, NULL, NULL, 0)
CALL(bpf, 9999, NULL, 0)
CALL(perf_event_open, NULL, 0, -1, -1, 0)
CALL(mount, NULL, NULL, NULL, 0, NULL)
CALL(umount2, NULL, 0)
CALL(open_tree, -1, NULL, ~0)
CALL(move_mount, -1, NULL, -1, NULL, ~0)
CALL(fsopen, NULL, ~0)
CALL(fsconfig, -1, 0, NULL, NULL, 0)
CALL(fsmount, -1, ~0, 0)
CALL(fspick, -1, NULL, ~0)
CALL(mount_setattr, -1, NULL, ~0, NULL, 0)
CALL(unshare, CLONE_NEWUSER | 0x1)
CALL(setns, -1, 0)
CALL(pivot_root, NULL, NULL)
CALL(chroot, NULL)
CALL(swapon, NULL, 0)
CALL(swapoff, NULL)
CALL(kexec_load, 0, 9999, NULL, 0)
CALL(open_by_handle_at, -1, NULL, 0)
CALL(nfsservctl, 0, NULL, NULL)
CALL(quotactl, 0, NULL, 0, NULL)
CALL(reboot, 0, 0, 0, NULL)
CALL(syslog, 9999, NULL, 0)
CALL(acct, "\1/no such file")
CALL(migrate_pages, 0, 9999, NULL, NULL)
CALL(move_pages, 0, 1, NULL, NULL, NULL, ~0)
CALL(init_module, NULL, 0, NULL)
CALL(finit_module, -1, NULL, 0)
CALL(delete_module, NULL, 0)
CALL(settimeofday, (void *)1, NULL)
CALL(clock_settime, 9999, NULL)
CALL(sethostname, NULL, -1)
CALL(setdomainname, NULL, -1)
CALL(personality, 0x0400000)
CALL(clone3, NULL, 0)
CALL(fanotify_init, ~0, 0)
CALL(lookup_dcookie, 0, NULL, 0)
CALL(kcmp, 0, 0, 9999, 0, 0)
CALL(pidfd_getfd, -1, 0, 0)
CALL(process_madvise, -1, NULL, 0, 0, 0)
CALL(get_mempolicy, NULL, NULL, 0, NULL, ~0)
CALL(mbind, 1, 0, 0, NULL, 0, ~0)
CALL(ptrace, 9999, 0, 0, 0)
CALL(memfd_create, NULL, 0)
CALL(openat2, -1, NULL, NULL, 0)
CALL(getrandom, NULL, 0, ~0)
CALL(socket, AF_INET, ~0, 0)
#ifdef __x86_64__
CALL(iopl, 9999)
CALL(ioperm, 0, 0, 2)
CALL(uselib, NULL)
CALL(ustat, 0, NULL)
CALL(sysfs, 9999)
CALL(_sysctl, NULL)
CALL(create_module, NULL, 0)
#endif
static long call_socket_alg(void)
{
	return syscall(SYS_socket, AF_ALG, SOCK_SEQPACKET, 0);
}
static long call_socket_vsock(void)
{
	return syscall(SYS_socket, AF_VSOCK, SOCK_STREAM, 0);
}
static long call_socket_ping(void) /* by net.ipv4.ping_group_range, without a capability */
{
	return syscall(SYS_socket, AF_INET, SOCK_DGRAM, 1);
}
static long call_unheard_of(void)
{
	return syscall(1000);
}
static long call_mseal(void)
{
	return syscall(462, 0, 0, ~0);
}

#define NAMED(name_)                 \
	{                            \
#name_, call_##name_ \
	}
static const struct {
	const char *name;
	long (*call)(void);
} calls[] = {
	NAMED(io_uring_setup),
	NAMED(io_uring_enter),
	NAMED(io_uring_register),
	NAMED(userfaultfd),
	NAMED(keyctl),
	NAMED(add_key),
	NAMED(request_key),
	NAMED(bpf),
	NAMED(perf_event_open),
	NAMED(mount),
	NAMED(umount2),
	NAMED(open_tree),
	NAMED(move_mount),
	NAMED(fsopen),
	NAMED(fsconfig),
	NAMED(fsmount),
	NAMED(fspick),
	NAMED(mount_setattr),
	NAMED(unshare),
	NAMED(setns),
	NAMED(pivot_root),
	NAMED(chroot),
	NAMED(swapon),
	NAMED(swapoff),
	NAMED(kexec_load),
	NAMED(open_by_handle_at),
	NAMED(nfsservctl),
	NAMED(quotactl),
	NAMED(reboot),
	NAMED(syslog),
	NAMED(acct),
	NAMED(migrate_pages),
	NAMED(move_pages),
	NAMED(init_module),
	NAMED(finit_module),
	NAMED(delete_module),
	NAMED(settimeofday),
	NAMED(clock_settime),
	NAMED(sethostname),
	NAMED(setdomainname),
	NAMED(personality),
	NAMED(clone3),
	NAMED(clone_newuser),
	NAMED(fanotify_init),
	NAMED(lookup_dcookie),
	NAMED(kcmp),
	NAMED(pidfd_getfd),
	NAMED(process_madvise),
	NAMED(get_mempolicy),
	NAMED(mbind),
	NAMED(tiocsti),
	NAMED(tiocsti_high),
	NAMED(socket_alg),
	NAMED(socket_high),
	NAMED(socket_vsock),
	NAMED(socket_ping),
	NAMED(unheard_of),
	NAMED(ptrace),
	NAMED(memfd_create),
	NAMED(openat2),
	NAMED(getrandom),
	NAMED(socket),
	NAMED(mseal),
#ifdef __x86_64__
	NAMED(iopl),
	NAMED(ioperm),
	NAMED(uselib),
	NAMED(ustat),
	NAMED(sysfs),
	NAMED(_sysctl),
	NAMED(create_module),
#endif
};

static const char *errno_name(int e)
{
	static const struct {
		int error;
		const char *name;
	} names[] = { { 0, "0" },           { EPERM, "EPERM" },   { ENOENT, "ENOENT" }, { EBADF, "EBADF" },   { EACCES, "EACCES" },
		      { EFAULT, "EFAULT" }, { EINVAL, "EINVAL" }, { ENOTTY, "ENOTTY" }, { ENOSYS, "ENOSYS" }, { ESRCH, "ESRCH" },
		      { E2BIG, "E2BIG" },   { ENODEV, "ENODEV" }, { EIO, "EIO" },       { ENXIO, "ENXIO" },   { EROFS, "EROFS" } };
	static char number[16];

	for (size_t i = 0; i < COUNT(names); i++)
		if (names[i].error == e)
			return names[i].name;
	(void)snprintf(number, sizeof(number), "%d", e);
	return number;
}

static void try_calls(char **names)
{
	for (size_t i = 0; i < COUNT(calls); i++) {
		bool wanted = !*names;
		for (char **n = names; *n; n++)
			wanted = wanted || strcmp(*n, calls[i].name) == 0;
		if (wanted) {
			errno = 0;
			long r = calls[i].call();
			fact("call.%s %s", calls[i].name, r >= 0 ? "0" : errno_name(errno));
		}
	}
}

/* --- facts ---------------------------------------------------------------------------------------------------------------------- */

static void lines_of(const char *prefix, const char *path, const char *const *wanted)
{
	char line[4096];
	FILE *f = fopen(path, "re");

	if (!f) {
		fact("%s.%s", prefix, errno_name(errno));
		return;
	}
	while (fgets(line, sizeof(line), f)) {
		bool show = !wanted;
		line[strcspn(line, "\n")] = '\0';
		for (const char *const *w = wanted; w && *w; w++)
			show = show || strncmp(line, *w, strlen(*w)) == 0;
		for (char *c = line; *c; c++)
			if (*c == '\t')
				*c = ' ';
		if (show)
			fact("%s.%s", prefix, line);
	}
	(void)fclose(f);
}

static void identity(void)
{
	static const char *const wanted[] = {
		"Uid:",    "Gid:",        "Groups:",  "CapInh:", "CapPrm:", "CapEff:", "CapBnd:",
		"CapAmb:", "NoNewPrivs:", "Seccomp:", "SigBlk:", "SigIgn:", "SigCgt:", "Cpus_allowed_list:",
		NULL
	};
	struct utsname u;
	char cwd[4096];
	mode_t mask = umask(0);

	(void)umask(mask);
	lines_of("status", "/proc/self/status", wanted);
	lines_of("oom", "/proc/self/oom_score_adj", NULL);
	fact("umask %04o", mask);
	fact("cwd %s", getcwd(cwd, sizeof(cwd)) ? cwd : errno_name(errno));
	fact("securebits %d", prctl(PR_GET_SECUREBITS));
	fact("dumpable %d", prctl(PR_GET_DUMPABLE));
	fact("pdeathsig %d", ({
		     int s = 0;
		     (void)prctl(PR_GET_PDEATHSIG, &s);
		     s;
	     }));
	fact("subreaper %d", ({
		     int s = 0;
		     (void)prctl(PR_GET_CHILD_SUBREAPER, &s);
		     s;
	     }));
	fact("personality 0x%x", personality(0xffffffff));
	fact("nice %d", getpriority(PRIO_PROCESS, 0));
	if (uname(&u) == 0) {
		fact("hostname %s", u.nodename);
		fact("domainname %s", u.domainname);
	}
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		struct rlimit r;
		if (syscall(SYS_prlimit64, 0, i, NULL, &r) == 0)
			fact("rlimit.%d %lld %lld", i, (long long)r.rlim_cur, (long long)r.rlim_max);
	}
	for (char **e = environ; *e; e++)
		fact("env.%s", *e);
}

static void descriptors(void)
{
	struct dirent *e;
	DIR *d = opendir("/proc/self/fd");

	if (!d) {
		fact("fd.%s", errno_name(errno));
		return;
	}
	while ((e = readdir(d)))
		if (e->d_name[0] != '.' && atoi(e->d_name) != dirfd(d) && atoi(e->d_name) != fileno(out))
			fact("fd.%s tty %d", e->d_name, isatty(atoi(e->d_name)));
	(void)closedir(d);
}

/* Mount points with their kinds and flags; not their devices and sources, which differ from host to host. */
static void mounts(void)
{
	char line[8192], *save, *word;
	FILE *f = fopen("/proc/self/mountinfo", "re");

	while (f && fgets(line, sizeof(line), f)) {
		const char *point = "", *flags = "", *type = "", *super = "";
		int n = 0, dash = 0;
		for (word = strtok_r(line, " \n", &save); word; word = strtok_r(NULL, " \n", &save), n++) {
			if (n == 4)
				point = word;
			else if (n == 5)
				flags = word;
			else if (n > 5 && strcmp(word, "-") == 0 && !dash)
				dash = n;
			else if (dash && n == dash + 1)
				type = word;
			else if (dash && n == dash + 3)
				super = strncmp(word, "ro", 2) == 0 ? "ro" : "rw";
		}
		fact("mount.%s %s %s super:%s", point, type, flags, super);
	}
	if (f)
		(void)fclose(f);
}

static void devices(const char *dir)
{
	struct dirent *e;
	char path[512];
	struct stat st;
	DIR *d = opendir(dir);

	while (d && (e = readdir(d))) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (e->d_name[0] == '.' || lstat(path, &st) < 0)
			continue;
		int fd = S_ISCHR(st.st_mode) ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY) : -1;
		fact("dev.%s %o %u:%u open:%s", path, st.st_mode, major(st.st_rdev), minor(st.st_rdev),
		     !S_ISCHR(st.st_mode) ? "-"
		     : fd >= 0            ? "0"
		                          : errno_name(errno));
		if (fd >= 0)
			(void)close(fd);
	}
	if (d)
		(void)closedir(d);
}

/* Whether something can be read, and written, without writing anything. */
static void reach(const char *path)
{
	char byte;
	struct stat st;

	if (lstat(path, &st) < 0) {
		fact("reach.%s %s", path, errno_name(errno));
		return;
	}
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | (S_ISDIR(st.st_mode) ? O_DIRECTORY : 0));
	int opened = fd < 0 ? errno : 0;
	ssize_t n = -1;
	if (fd >= 0 && S_ISDIR(st.st_mode)) {
		DIR *d = fdopendir(fd);
		struct dirent *e;
		n = 0;
		while (d && (e = readdir(d)))
			n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
		if (d)
			(void)closedir(d);
	} else if (fd >= 0) {
		n = read(fd, &byte, 1);
		(void)close(fd);
	}
	errno = 0;
	(void)faccessat(AT_FDCWD, path, W_OK, AT_EACCESS);
	fact("reach.%s open:%s content:%s write:%s", path, errno_name(opened), n > 0 ? "yes" : "no", errno_name(errno));
}

/* Of another start they differ, of another process of the same start they must not. */
static void membership(void)
{
	static const char *const spaces[] = { "cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts" };
	char path[32], id[64];

	for (size_t i = 0; i < COUNT(spaces); i++) {
		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", spaces[i]);
		ssize_t n = readlink(path, id, sizeof(id) - 1);
		id[n < 0 ? 0 : n] = '\0';
		fact("ns.%s %s", spaces[i], n < 0 ? errno_name(errno) : id);
	}
	lines_of("cgroup", "/proc/self/cgroup", NULL);
}

static void kernel(void)
{
	static const char *const paths[] = {
		"/proc/acpi",
		"/proc/asound",
		"/proc/interrupts",
		"/proc/kallsyms",
		"/proc/kcore",
		"/proc/keys",
		"/proc/kmsg",
		"/proc/latency_stats",
		"/proc/sched_debug",
		"/proc/scsi",
		"/proc/timer_list",
		"/proc/timer_stats",
		"/sys/firmware",
		"/sys/kernel/debug",
		"/sys/kernel/security",
		"/sys/devices/virtual/powercap",
		"/proc/bus",
		"/proc/fs",
		"/proc/irq",
		"/proc/sys",
		"/proc/sysrq-trigger",
		"/sys",
		"/sys/fs/cgroup",
		"/proc/self/attr",
		"/dev/mem",
		"/dev/kmsg",
	};
	static const char *const sysctls[] = {
		"/proc/sys/net/ipv4/ip_unprivileged_port_start",
		"/proc/sys/net/ipv4/ping_group_range",
		"/proc/sys/net/ipv4/ip_local_port_range",
		"/proc/sys/kernel/shm_rmid_forced",
		"/proc/sys/kernel/hostname",
		"/proc/sys/net/ipv6/conf/all/disable_ipv6",
	};

	for (size_t i = 0; i < COUNT(paths); i++)
		reach(paths[i]);
	for (size_t i = 0; i < COUNT(sysctls); i++)
		lines_of(sysctls[i], sysctls[i], NULL);
	lines_of("uid_map", "/proc/self/uid_map", NULL);
	lines_of("gid_map", "/proc/self/gid_map", NULL);
	lines_of("setgroups", "/proc/self/setgroups", NULL);
}

static void facts(void)
{
	identity();
	membership();
	descriptors();
	mounts();
	devices("/dev");
	kernel();
	try_calls((char *[]){ NULL });
}

static bool facts_into(const char *file)
{
	char tmp[4096];

	(void)snprintf(tmp, sizeof(tmp), "%s.%d", file, (int)getpid());
	out = fopen(tmp, "we");
	if (!out)
		return false;
	facts();
	return fclose(out) == 0 && rename(tmp, file) == 0;
}

static void try_devices(const char *dir)
{
	static const mode_t types[] = { S_IFCHR, S_IFBLK };
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/node", dir);
	for (size_t t = 0; t < COUNT(types); t++)
		for (unsigned major = 0; major < 256; major++)
			for (unsigned minor = major == 0; minor < 256;
			     minor += minor == 15 ? 214 : 1) { /* 0:0 is no device, 10:229 fuse */
				(void)unlink(path);
				if (mknod(path, types[t] | 0600, makedev(major, minor)) < 0) {
					fact("mknod: %s", strerror(errno));
					return;
				}
				int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
				if (fd >= 0 || errno != EPERM)
					fact("%c %u:%u", types[t] == S_IFBLK ? 'b' : 'c', major, minor);
				if (fd >= 0)
					(void)close(fd);
			}
	(void)unlink(path);
}

static void wait_for_ever(void)
{
	(void)signal(SIGTERM, _exit);
	for (;;)
		(void)pause();
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "facts";

	out = stdout;
	if (strcmp(verb, "call") == 0) {
		try_calls(argv + 2);
	} else if (strcmp(verb, "open") == 0 && argc > 2) {
		try_devices(argv[2]);
	} else if (strcmp(verb, "sleep") == 0) {
		wait_for_ever();
	} else if (strcmp(verb, "facts") == 0) {
		facts();
	} else {
		bool ends = strcmp(verb, "into") == 0 && argc > 2;
		if (!facts_into(ends ? argv[2] : verb))
			return 1;
		if (!ends)
			wait_for_ever();
		return 0;
	}
	return ferror(out) ? 1 : 0;
}
