#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "launch/launch.h"
#include "sys/apparmor.h"
#include "wire/tree.h"

/* What a name holds must not drive the terminal of whoever reads it. */
static void say(const char *path, const char *text)
{
	char line[TREE_PATH_MAX + 128];
	int n = snprintf(line, sizeof(line), "%.*s: %.100s\n", TREE_PATH_MAX, path, text);

	for (int i = 0; i < n - 1; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	(void)!write(STDERR_FILENO, line, (size_t)n);
}

int op_copy(struct launch *l, const struct plan_op *op)
{
	const char *path = launch_string(l, op->s1);
	struct tree t = { .trouble = say };
	int r;

	if (op->count != 1 && op->count != 2)
		return -EINVAL;
	r = op->s2 ? apparmor_change(launch_string(l, op->s2)) : 0;
	if (r < 0 && (r != -ENOENT || !(op->flags & PLAN_APPARMOR_IF_LOADED)))
		return r;
	launch_reset_signals();
	(void)close(PLAN_FD_PLAN);
	(void)close(PLAN_FD_REPORT); /* its end says that the program runs */
	if (op->count == 1) {
		t.stream = STDOUT_FILENO;
		r = tree_send(&t, path);
	} else {
		t.stream = STDIN_FILENO;
		r = tree_receive(&t, path, plan_view_next(path));
	}
	if (r < 0)
		say(path, r == -ENODATA ? "the copy was cut short" : strerror(-r));
	_exit(r < 0 || t.incomplete);
}
