/* A person at a terminal: runs a command on a pty of its own and does what the steps say.
 *
 *   typist STEP... -- COMMAND...
 *     wait:TEXT    until the command has printed TEXT, after what was waited for before
 *     send:TEXT    types it; \r \n \e \xHH as in printf
 *     size:CxR     the window becomes C by R (at the start 100x30)
 *     signal:N     to the command
 *
 * Prints what the command printed, then "[exit N]" or "[signal N]", and "[cooked]" or "[raw]": how the terminal was left. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/str.h"

enum { HANG_MS = 30000 };

static int master, slave; /* the slave stays open here, so that its settings can be read at the end */
static struct buf seen;
static size_t matched;

/* The last that the terminal prints: a kernel thread carries it over, after the command has ended, too. */
static const char end_mark[] = "\001[end of typist]\002";

/* False at the end, or when nothing came in time. */
static bool take(int ms)
{
	struct pollfd p = { .fd = master, .events = POLLIN };
	char data[4096];

	if (poll(&p, 1, ms) <= 0)
		return false;
	ssize_t n = read(master, data, sizeof(data));
	if (n <= 0)
		return false;
	buf_append(&seen, data, (size_t)n);
	return true;
}

static void wait_for(const char *text)
{
	for (;;) {
		char *at = seen.len > matched ? memmem(seen.data + matched, seen.len - matched, text, strlen(text)) : NULL;
		if (at) {
			matched = (size_t)(at - seen.data) + strlen(text);
			return;
		}
		if (!take(HANG_MS)) {
			(void)printf("%.*s\n[never printed: %s]\n", (int)seen.len, buf_str(&seen), text);
			exit(1);
		}
	}
}

static void type(const char *text)
{
	for (; *text; text++) {
		char c = *text;
		if (c == '\\' && text[1]) {
			c = *++text == 'r' ? '\r' : *text == 'n' ? '\n' : *text == 'e' ? '\033' : *text;
			if (*text == 'x' && text[1] && text[2]) {
				char hex[] = { text[1], text[2], '\0' };
				c = (char)strtoul(hex, NULL, 16);
				text += 2;
			}
		}
		if (write(master, &c, 1) != 1)
			exit(1);
	}
}

static void set_size(const char *text)
{
	struct winsize w = { 0 };
	char *end;

	w.ws_col = (unsigned short)strtoul(text, &end, 10);
	w.ws_row = *end ? (unsigned short)strtoul(end + 1, NULL, 10) : 0;
	(void)ioctl(master, TIOCSWINSZ, &w);
}

static void step(const char *s, pid_t child)
{
	const char *arg;

	if ((arg = str_after(s, "wait:")))
		wait_for(arg);
	else if ((arg = str_after(s, "send:")))
		type(arg);
	else if ((arg = str_after(s, "size:")))
		set_size(arg);
	else if ((arg = str_after(s, "signal:")))
		(void)kill(child, (int)strtol(arg, NULL, 10));
	else
		(void)printf("[no such step: %s]\n", s);
}

static void take_rest(void)
{
	char *at;

	(void)fcntl(slave, F_SETFL, O_NONBLOCK); /* a terminal that was left stopped takes nothing */
	bool marked = write(slave, end_mark, sizeof(end_mark) - 1) == sizeof(end_mark) - 1;
	do {
		at = seen.len ? memmem(seen.data, seen.len, end_mark, sizeof(end_mark) - 1) : NULL;
	} while (!at && take(marked ? HANG_MS : 200));
	if (at)
		seen.len = (size_t)(at - seen.data);
}

static pid_t start(char **argv)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	(void)signal(SIGINT, SIG_DFL); /* a test in the background ignores them */
	(void)signal(SIGQUIT, SIG_DFL);
	(void)setsid();
	(void)ioctl(slave, TIOCSCTTY, 0);
	for (int i = 0; i < 3; i++)
		(void)dup2(slave, i);
	(void)execvp(argv[0], argv);
	_exit(127);
}

int main(int argc, char **argv)
{
	struct termios before, after;
	int status = 0, last = 1;

	while (last < argc && strcmp(argv[last], "--") != 0)
		last++;
	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (last + 1 >= argc || master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		return 2;
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	set_size("100x30");
	(void)tcgetattr(slave, &before);
	pid_t child = start(argv + last + 1);
	for (int i = 1; i < last; i++)
		step(argv[i], child);
	for (int waited = 0; waitpid(child, &status, WNOHANG) == 0; waited += !take(20) * 20)
		if (waited > HANG_MS) {
			(void)printf("[does not end]\n");
			(void)kill(child, SIGKILL);
			waited = 0;
		}
	(void)tcgetattr(slave, &after);
	take_rest();
	(void)fwrite(buf_str(&seen), 1, seen.len, stdout);
	(void)printf("\n[%s %d]\n", WIFSIGNALED(status) ? "signal" : "exit",
	             WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	(void)puts(before.c_lflag == after.c_lflag && before.c_iflag == after.c_iflag && before.c_oflag == after.c_oflag
	                   ? "[cooked]"
	                   : "[raw]");
	return 0;
}
