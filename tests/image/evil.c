/* The jail taken over: stands in for work.c in a podd-image of the tests. --select says what it tries; each attempt must fail. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include "base/fd.h"
#include "base/str.h"
#include "image/config.h"
#include "image/source.h"
#include "image/work.h"

#define CANARY "podd-canary"
#define CHAIN "1111111111111111111111111111111111111111111111111111111111111111"
#define DIFF "sha256:" CHAIN

static const struct work *work;
static struct buf *out;
static int symlink_made;

static void found(const char *what)
{
	buf_clear(out);
	buf_printf(out, "{\"message\":\"REACHED: %s\"}", what);
}

/* --- by what a system call lets it see or write */

static void up(void) /* out of each directory it holds, by ".." */
{
	char path[200] = "";

	for (int depth = 0; depth < 40; depth++) {
		for (int fd = 0; fd < 1024; fd++) {
			char name[300];
			(void)snprintf(name, sizeof(name), "%s" CANARY, path);
			if (openat(fd, name, O_RDONLY) >= 0)
				found("the canary by ..");
		}
		(void)strcat(path, "../");
	}
}

static void absolute(void)
{
	static const char *const paths[] = {
		"/etc/passwd", "/proc/self/root/etc/passwd", "/proc/1/root", "/dev/null", "/sys", "/var", "/work"
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (open(paths[i], O_RDONLY) >= 0)
			found(paths[i]);
}

static void descriptors(void) /* what it was given is what it needs */
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	if (n != 4)
		found("descriptors that are not its own");
}

static void write_layers(void)
{
	if (mkdirat(work->layers, "x", 0755) == 0 || openat(work->layers, "x", O_WRONLY | O_CREAT, 0600) >= 0 ||
	    fchmodat(work->layers, ".", 0777, 0) == 0)
		found("the store's layers");
}

static void write_source(void)
{
	if (openat(work->source, "x", O_WRONLY | O_CREAT, 0600) >= 0 || unlinkat(work->source, "oci-layout", 0) == 0)
		found("the source");
}

static void link_out(void)
{
	if (linkat(work->layers, ".", work->dir, "x", 0) == 0 || linkat(work->source, "oci-layout", work->dir, "x", 0) == 0)
		found("a hard link across mounts");
}

static void device(void)
{
	(void)mknodat(work->dir, "disk", S_IFBLK | 0600, makedev(7, 0));
	(void)mknodat(work->dir, "null", S_IFCHR | 0600, makedev(1, 3));
	if (openat(work->dir, "disk", O_RDWR) >= 0 || openat(work->dir, "null", O_RDWR) >= 0)
		found("a device");
}

static void trusted(void)
{
	if (fsetxattr(work->dir, "trusted.overlay.redirect", "/x", 2, 0) == 0)
		found("a trusted attribute");
}

static void memory(void)
{
	for (int i = 0; i < 64; i++)
		if (mmap(NULL, 256 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
			return;
	found("16 GiB of memory");
}

/* --- by calls that end it */

static void call_socket(void)
{
	(void)socket(AF_INET, SOCK_STREAM, 0);
	found("a socket");
}
static void call_unix(void)
{
	(void)socket(AF_UNIX, SOCK_STREAM, 0);
	found("a local socket");
}
static void call_fork(void)
{
	(void)fork();
	found("a process");
}
static void call_exec(void)
{
	char *const none[] = { NULL };
	(void)execve("/x", none, none);
	found("exec");
}
static void call_mount(void)
{
	(void)mount("x", "/", "tmpfs", 0, NULL);
	found("mount");
}
static void call_umount(void)
{
	(void)umount2("/", MNT_DETACH);
	found("umount");
}
static void call_unshare(void)
{
	(void)unshare(CLONE_NEWUSER);
	found("unshare");
}
static void call_chroot(void)
{
	if (chroot(".") == 0)
		found("chroot");
}
static void call_ptrace(void)
{
	(void)ptrace(PTRACE_ATTACH, 1, NULL, NULL);
	found("ptrace");
}
static void call_kill(void)
{
	(void)kill(-1, SIGTERM);
	found("kill");
}
static void call_handle(void)
{
	(void)open_by_handle_at(work->dir, NULL, O_RDONLY);
	found("open_by_handle_at");
}
static void call_mmap(void)
{
	(void)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	found("executable memory");
}

/* --- by what it hands over */

static void record(const char *reference, const char *layer, const char *blob)
{
	buf_clear(out);
	buf_printf(out,
	           "{\"images\":[{\"reference\":\"%s\",\"manifest\":\"%s\",\"id\":\"%s\",\"layers\":[\"%s\"],\"diffIDs\":[\"" DIFF
	           "\"]}]}",
	           reference, blob, blob, layer);
}

/* A sound image, which the cases below spoil. */
static void make(const char *opaque, char ret_blob[static IMAGE_DIGEST_SIZE])
{
	digest_of("{}", 2, ret_blob);
	(void)mkdirat(work->dir, "blobs", 0700);
	(void)mkdirat(work->dir, "layers", 0700);
	(void)mkdirat(work->dir, "layers/1111111111111111111111111111111111111111111111111111111111111111", 0755);
	char path[100];
	(void)snprintf(path, sizeof(path), "blobs/%s", str_after(ret_blob, "sha256:"));
	int fd = openat(work->dir, path, O_WRONLY | O_CREAT, 0600);
	(void)fd_write_all(fd, "{}", 2);
	fd = openat(work->dir, "opaque", O_WRONLY | O_CREAT, 0600);
	(void)fd_write_all(fd, opaque, strlen(opaque) + 1);
}

static void say_sound(void) /* the control: it is what it spoils that is refused */
{
	char blob[IMAGE_DIGEST_SIZE];

	make(CHAIN, blob);
	buf_clear(out);
	record(work->job->name, CHAIN, blob);
	int fd = openat(work->dir, "opaque", O_WRONLY | O_TRUNC);
	(void)close(fd);
}

static void say_other_name(void)
{
	say_sound();
	char blob[IMAGE_DIGEST_SIZE];
	digest_of("{}", 2, blob);
	record("docker.io/library/busybox:latest", CHAIN, blob);
}

static void say_other_layer(void)
{
	say_sound();
	char blob[IMAGE_DIGEST_SIZE];
	digest_of("{}", 2, blob);
	record(work->job->name, "2222222222222222222222222222222222222222222222222222222222222222", blob);
}

static void say_other_blob(void)
{
	say_sound();
	record(work->job->name, CHAIN, DIFF);
}

static void say_path(void)
{
	say_sound();
	record(work->job->name, "../../../" CANARY, DIFF);
}

static void say_link(void) /* a layer that is a symlink out */
{
	say_sound();
	(void)unlinkat(work->dir, "layers/1111111111111111111111111111111111111111111111111111111111111111", AT_REMOVEDIR);
	symlink_made |= symlinkat("../../../../" CANARY, work->dir,
	                          "layers/1111111111111111111111111111111111111111111111111111111111111111");
}

static void say_opaque(const char *list)
{
	say_sound();
	int fd = openat(work->dir, "opaque", O_WRONLY | O_TRUNC);
	(void)fd_write_all(fd, list, strlen(list) + 1);
}

static void say_opaque_up(void)
{
	say_opaque("1111111111111111111111111111111111111111111111111111111111111111/../../../../../" CANARY ".d");
}
static void say_opaque_path(void)
{
	say_opaque("../../../" CANARY ".d");
}
static void say_opaque_link(void)
{
	say_opaque("1111111111111111111111111111111111111111111111111111111111111111/out");
	symlink_made |= symlinkat("../../../../../" CANARY ".d", work->dir,
	                          "layers/1111111111111111111111111111111111111111111111111111111111111111/out");
}
static void say_opaque_fifo(void)
{
	say_sound();
	(void)unlinkat(work->dir, "opaque", 0);
	(void)mknodat(work->dir, "opaque", S_IFIFO | 0600, 0);
}
static void say_nonsense(void)
{
	buf_clear(out);
	buf_puts(out, "{\"images\":[{\"reference\":3}]}");
}
static void say_nothing(void)
{
	buf_clear(out);
}
static void say_much(void)
{
	buf_clear(out);
	for (int i = 0; i < WORK_RESULT_MAX / 64 + 64; i++)
		buf_printf(out, "%64d", i);
}

static const struct {
	const char *name;
	void (*attempt)(void);
} attempts[] = {
#define A(f)          \
	{             \
#f, f \
	}
	A(up),           A(absolute),    A(descriptors),   A(write_layers),    A(write_source),    A(link_out),
	A(device),       A(trusted),     A(memory),        A(call_socket),     A(call_unix),       A(call_fork),
	A(call_exec),    A(call_mount),  A(call_umount),   A(call_unshare),    A(call_chroot),     A(call_ptrace),
	A(call_kill),    A(call_handle), A(call_mmap),     A(say_other_name),  A(say_other_layer), A(say_other_blob),
	A(say_path),     A(say_link),    A(say_opaque_up), A(say_opaque_path), A(say_opaque_link), A(say_opaque_fifo),
	A(say_nonsense), A(say_nothing), A(say_much),      A(say_sound),
#undef A
};

void work_run(const struct work *w, struct buf *ret)
{
	work = w;
	out = ret;
	buf_puts(ret, "{\"message\":\"held\"}");
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++)
		if (w->job->select && streq(w->job->select, attempts[i].name))
			attempts[i].attempt();
	if (!w->job->select) { /* their names */
		buf_clear(ret);
		buf_puts(ret, "{\"message\":\"");
		for (size_t i = 0; i < ARRAY_SIZE(attempts); i++)
			buf_printf(ret, "%s ", attempts[i].name);
		buf_puts(ret, "\"}");
	}
}
