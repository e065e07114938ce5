#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/floor.h"

enum {
	MILLI = 500,
	STRICT = MS_NOSUID | MS_NODEV | MS_NOEXEC,
};
#define MEMORY (64L << 20)
#define KEPT_CAPS 0x5fbULL /* the default set of podd's containers */

void floor_put_file(const char *path, const char *text, int optional)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 && optional)
		return;
	if (write(bench_check(fd, path), text, strlen(text)) < 0 && !optional)
		bench_die(path);
	(void)close(fd);
}

static void mount_(const char *fstype, const char *target, unsigned long flags, const char *options)
{
	(void)bench_check(mount(fstype, target, fstype, flags, options), target);
}

static void bind(const char *from, const char *target)
{
	(void)bench_check(mount(from, target, NULL, MS_BIND | MS_REC, NULL), target);
}

static void make_dev(void)
{
	static const struct {
		const char *path;
		unsigned major, minor;
	} nodes[] = {
		{ "dev/null", 1, 3 },   { "dev/zero", 1, 5 },    { "dev/full", 1, 7 },
		{ "dev/random", 1, 8 }, { "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 },
	};
	static const char *const links[][2] = { { "/proc/self/fd", "dev/fd" },
		                                { "/proc/self/fd/0", "dev/stdin" },
		                                { "/proc/self/fd/1", "dev/stdout" },
		                                { "/proc/self/fd/2", "dev/stderr" },
		                                { "pts/ptmx", "dev/ptmx" } };

	mount_("tmpfs", "dev", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		(void)bench_check(mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)), nodes[i].path);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		(void)bench_check(symlink(links[i][0], links[i][1]), links[i][1]);
	(void)mkdir("dev/pts", 0755);
	(void)mkdir("dev/shm", 0755);
	(void)mkdir("dev/mqueue", 0755);
	mount_("devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "ptmxmode=0666,mode=0620,gid=5");
	mount_("mqueue", "dev/mqueue", STRICT, NULL);
}

static void hide(void)
{
	static const char *const masked[] = {
		"proc/acpi",        "proc/asound",      "proc/interrupts",     "proc/kallsyms",
		"proc/kcore",       "proc/keys",        "proc/kmsg",           "proc/latency_stats",
		"proc/sched_debug", "proc/scsi",        "proc/timer_list",     "proc/timer_stats",
		"sys/firmware",     "sys/kernel/debug", "sys/kernel/security", "sys/devices/virtual/powercap"
	};
	static const char *const frozen[] = { "proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger" };
	const char *empty = NULL;

	for (size_t i = 0; i < sizeof(masked) / sizeof(masked[0]); i++) {
		if (mount("/dev/null", masked[i], NULL, MS_BIND, NULL) == 0 || errno != ENOTDIR)
			continue;
		if (empty)
			bind(empty, masked[i]);
		else
			mount_("tmpfs", empty = masked[i], STRICT | MS_RDONLY, "size=4k,nr_inodes=1,mode=755");
	}
	for (size_t i = 0; i < sizeof(frozen) / sizeof(frozen[0]); i++)
		if (mount(frozen[i], frozen[i], NULL, MS_BIND | MS_REC, NULL) == 0)
			(void)bench_check(mount(NULL, frozen[i], NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | STRICT, NULL), frozen[i]);
}

static void make_root(const struct floor_pod *p, int index)
{
	const struct floor *f = p->floor;
	char options[1024], run[256], path[300];
	static const char *const etc[] = { "etc/hosts", "etc/hostname", "etc/resolv.conf" };

	(void)snprintf(run, sizeof(run), "%s/%d", f->run, p->number);
	(void)snprintf(options, sizeof(options),
	               "lowerdir=%s,upperdir=%s/%d/%c.%d/upper,workdir=%s/%d/%c.%d/work,volatile,metacopy=off", f->image, f->state,
	               p->number, 'a' + index, p->starts[index], f->state, p->number, 'a' + index, p->starts[index]);
	(void)snprintf(path, sizeof(path), "%s/root", run);
	(void)bench_check(mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL), "/");
	(void)bench_check(mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL), "/");
	mount_("overlay", path, MS_NODEV, options);
	(void)bench_check(chdir(path), path);

	mount_("proc", "proc", STRICT, NULL);
	make_dev();
	(void)snprintf(path, sizeof(path), "%s/shm", run);
	bind(path, "dev/shm");
	mount_("sysfs", "sys", STRICT | MS_RDONLY, NULL);
	mount_("tmpfs", "sys/fs/cgroup", STRICT | MS_RDONLY, "size=4k,nr_inodes=1,mode=755");
	for (size_t i = 0; i < sizeof(etc) / sizeof(etc[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", run, etc[i]);
		bind(path, etc[i]);
	}
	bind(f->bench, "bench");
	hide();
	(void)bench_check((int)syscall(SYS_pivot_root, ".", "."), "pivot_root");
	(void)bench_check(umount2(".", MNT_DETACH), "umount");
	(void)bench_check(chdir("/"), "/");
}

static void drop(const struct floor *f)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const unsigned long long keep = KEPT_CAPS;
	struct __user_cap_data_struct d[2] = { { .effective = (unsigned)keep, .permitted = (unsigned)keep } };
	gid_t group = 0;

	(void)bench_check((int)syscall(SYS_setgroups, 1, &group), "setgroups");
	(void)bench_check((int)syscall(SYS_setresgid, 0, 0, 0), "setresgid");
	(void)bench_check((int)syscall(SYS_setresuid, 0, 0, 0), "setresuid");
	for (long i = 0; i <= f->cap_last; i++)
		if (!(keep >> i & 1))
			(void)bench_check(prctl(PR_CAPBSET_DROP, i, 0, 0, 0), "capabilities");
	(void)bench_check((int)syscall(SYS_capset, &h, d), "capset");
}

static _Noreturn void child(const struct floor_pod *p, int index, const char *leaf)
{
	char name[2] = { (char)('a' + index), 0 };
	char *argv[] = { (char *)"/bench-first", name, NULL }, *envp[] = { (char *)"PATH=/bin:/usr/bin", NULL };
	struct rlimit files = { .rlim_cur = 1024, .rlim_max = 524288 }, core = { 0 };

	floor_cgroup_enter(p->floor, leaf);
	(void)setsid();
	(void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	floor_put_file("/proc/self/oom_score_adj", "-997", /* optional= */ 1);
	(void)setrlimit(RLIMIT_NOFILE, &files);
	(void)setrlimit(RLIMIT_CORE, &core);
	(void)bench_check(setns(p->anchor_pidfd, CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC), "setns");
	(void)bench_check(unshare(CLONE_NEWCGROUP), "unshare");
	(void)umask(0);
	make_root(p, index);
	(void)umask(022);
	drop(p->floor);
	(void)syscall(SYS_close_range, 3, ~0U, 0);
	(void)execve(argv[0], argv, envp);
	bench_die(argv[0]);
}

static void make_layer(const struct floor_pod *p, int index)
{
	char path[512];
	int n = snprintf(path, sizeof(path), "%s/%d/%c.%d", p->floor->state, p->number, 'a' + index, p->starts[index]);

	(void)bench_check(mkdir(path, 0755), path);
	(void)strcpy(path + n, "/upper");
	(void)bench_check(mkdir(path, 0755), path);
	(void)strcpy(path + n, "/work");
	(void)bench_check(mkdir(path, 0755), path);
}

void floor_container_start(struct floor_pod *p, int index)
{
	const struct floor *f = p->floor;
	char leaf[64];

	(void)snprintf(leaf, sizeof(leaf), "pod%d/members/%c.%d", p->number, 'a' + index, p->starts[index]);
	floor_cgroup_make(f, leaf);
	floor_cgroup_devices(f, leaf);
	floor_cgroup_write(f, "cpu", leaf, "cpu.shares", "512");
	floor_cgroup_limit(f, leaf, MILLI, MEMORY);
	floor_cgroup_write(f, "pids", leaf, "pids.max", "4096");
	make_layer(p, index);
	int cgroup = floor_cgroup_fd(f, leaf);
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP | CLONE_NEWPID | CLONE_NEWNS,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)cgroup,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		child(p, index, leaf);
	p->members[index] = (pid_t)bench_check((int)pid, "clone3");
	p->starts[index]++;
	(void)close(cgroup);
}
