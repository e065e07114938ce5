#include "ctl/terminal.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

static struct termios original;
static bool raw;

static int make_raw(void)
{
	struct termios t = original;

	cfmakeraw(&t);
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &t) < 0)
		return -errno;
	raw = true;
	return 0;
}

void terminal_restore(void)
{
	if (raw)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &original);
	raw = false;
}

int terminal_raw(int *ret_signals)
{
	static const int signals[] = { SIGWINCH, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP };
	sigset_t set;

	if (tcgetattr(STDIN_FILENO, &original) < 0)
		return -errno;
	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		(void)sigaddset(&set, signals[i]);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	(void)atexit(terminal_restore);
	int r = make_raw();
	if (r == 0)
		*ret_signals = fd;
	return r;
}

bool terminal_signal(int signals)
{
	struct signalfd_siginfo info;
	sigset_t set;

	if (read(signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return false;
	if (info.ssi_signo == SIGWINCH)
		return true;
	terminal_restore();
	if (info.ssi_signo == SIGTSTP) {
		(void)raise(SIGSTOP);
		(void)make_raw();
		return true;
	}
	(void)sigemptyset(&set);
	(void)sigaddset(&set, (int)info.ssi_signo);
	(void)raise((int)info.ssi_signo);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL); /* the end */
	return false;
}

bool terminal_size(unsigned more, struct buf *out)
{
	struct winsize cells;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &cells) < 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &cells) < 0)
		return false;
	if (!cells.ws_col || !cells.ws_row)
		return false;
	buf_printf(out, "{\"Width\":%u,\"Height\":%u}", cells.ws_col + more, cells.ws_row + more);
	return true;
}
