/* What an OCI runtime does of a launch. Its programs are children here; what they leave behind is the anchor's. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "launch/launch.h"
#include "sys/process.h"

enum { LOG_TAIL = 4096, ARGS_MAX = 32, PID_TEXT_MAX = 16 };

/* The last message of a log of JSON lines, into l's buffer, as far as it fits; false: there is none. */
static bool last_message(struct launch *l, const char *path)
{
	static const char key[] = "\"msg\":\"";
	char tail[LOG_TAIL + 1], *last = NULL;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	ssize_t n = size < 0 ? -1 : pread(fd, tail, LOG_TAIL, size > LOG_TAIL ? size - LOG_TAIL : 0);

	if (n <= 0)
		return false;
	tail[n] = '\0';
	for (char *p = tail; (p = strstr(p, key)) != NULL;)
		last = p += strlen(key);
	if (!last)
		return false;
	size_t k = 0;
	for (; *last && *last != '"' && k + 1 < sizeof(l->operand_buffer); last++) {
		if (*last == '\\' && last[1])
			last++;
		l->operand_buffer[k++] = *last;
	}
	l->operand_buffer[k] = '\0';
	l->operand = l->operand_buffer;
	return true;
}

static _Noreturn void child(char *const argv[])
{
	static char *const envp[] = { (char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL };

	launch_reset_signals();
	(void)umask(022);
	(void)execve(argv[0], argv, envp);
	_exit(127);
}

int op_run(struct launch *l, const struct plan_op *op)
{
	char *argv[ARGS_MAX + 1];
	int pidfd, status;

	if (op->count == 0 || op->count > ARGS_MAX)
		return -E2BIG;
	const char *s = launch_string(l, op->s1);
	for (uint32_t i = 0; i < op->count; i++, s = plan_view_next(s))
		argv[i] = (char *)s;
	argv[op->count] = NULL;
	l->operand = argv[0];
	if (access(argv[0], X_OK) < 0)
		return -errno;
	pid_t pid = process_clone(0, -1, &pidfd);
	if (pid == 0)
		child(argv);
	if (pid < 0)
		return pid;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	(void)close(pidfd);
	if (status == 0)
		return 0;
	return last_message(l, launch_string(l, op->s2)) ? -ECANCELED : -EIO;
}

static int read_pid(const char *path, char text[static PID_TEXT_MAX], pid_t *ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, PID_TEXT_MAX - 1);
	pid_t pid = 0;

	if (n < 0)
		return -errno;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9' || pid > INT32_MAX / 10 - 1)
			return -EPROTO;
		pid = pid * 10 + (*p - '0');
	}
	if (pid <= 1)
		return -EPROTO;
	*ret = pid;
	return 0;
}

/* The report comes before anything can end the process by itself, so the anchor knows whose exit status it is. */
int op_adopt(struct launch *l, const struct plan_op *op)
{
	struct plan_failure f = { .op = PLAN_STEP_ADOPT };
	char text[PID_TEXT_MAX];
	pid_t pid = 0;

	l->operand = launch_string(l, op->s1);
	int r = read_pid(l->operand, text, &pid);
	if (r < 0)
		return r;
	/* Podd's limits and podd's kill are those of its directory, wherever this runtime takes the trees to be. */
	for (uint32_t i = 0; i < op->count; i++)
		if (write(slot_fd(op->slot + i), text, strlen(text)) < 0)
			return -errno;
	f.error = pid;
	return write(PLAN_FD_REPORT, &f, sizeof(f)) == (ssize_t)sizeof(f) ? 0 : -EIO;
}
