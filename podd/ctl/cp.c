/* podctl cp: files and directories into a container and out of it. A child has the local side of the tree (wire/tree.h), podctl itself is
 * the command's stdin and stdout, as with exec. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/exec.h"
#include "wire/tree.h"
#include "wire/url.h"

struct copy {
	struct pod_ref pod;
	const char *remote, *local; /* paths */
	bool upload;
	char name[NAME_MAX + 1]; /* what a copy is called in a directory */
};

/* "pod:path", as kubectl has it: a local path with a colon is given as ./a:b. */
static const char *remote_path(const char *text)
{
	size_t n = strcspn(text, ":/");
	const char *colon = text[n] == '/' && *text != '.' ? strchr(text + n, ':') : text + n; /* ns/pod:path */

	return n && colon && *colon == ':' ? colon + 1 : NULL;
}

/* The last component of the source: "." for those that have no name. */
static void base_name(const char *path, char ret[static NAME_MAX + 1])
{
	size_t end = strlen(path), start;

	while (end && path[end - 1] == '/')
		end--;
	for (start = end; start && path[start - 1] != '/';)
		start--;
	(void)snprintf(ret, NAME_MAX + 1, "%.*s", (int)MIN(end - start, (size_t)NAME_MAX), end > start ? path + start : ".");
}

static int parse(const struct args *a, struct copy *ret)
{
	const char *from = remote_path(a->words[0]), *to = remote_path(a->words[1]), *spec = from ? a->words[0] : a->words[1];

	if (!from == !to)
		return ctl_fail(CTL_USAGE, "one of the two is POD:PATH, the other a local path");
	ret->upload = to;
	ret->remote = to ? to : from;
	ret->local = a->words[!to];
	if (!*ret->remote || !*ret->local)
		return ctl_fail(CTL_USAGE, "cp needs a path on either side");
	base_name(a->words[0] + (from ? from - a->words[0] : 0), ret->name);
	_cleanup_free_ char *pod = xasprintf("%.*s", (int)(ret->remote - 1 - spec), spec);
	return pod_ref_parse(a, pod, &ret->pod) < 0 ? CTL_USAGE : CTL_YES;
}

static void say(const char *path, const char *text)
{
	_cleanup_buf_ struct buf out = BUF_NULL;

	str_escape(&out, path);
	(void)ctl_fail(0, "%s: %s", buf_str(&out), text);
}

static int local_side(const struct copy *c, int stream)
{
	struct tree *t = xnew(struct tree);

	*t = (struct tree){ .stream = stream, .trouble = say };
	int r = c->upload ? tree_send(t, c->local) : tree_receive(t, c->local, c->name);
	/* The other side went first, and said why. */
	if (r < 0 && r != -EPIPE && r != -ENODATA)
		say(c->local, r == -EPROTO ? "what the container sends is no copy of files" : strerror(-r));
	int code = r < 0 || t->incomplete ? CTL_NO : CTL_YES;
	free(t);
	return code;
}

/* The child's end of the pipe becomes `stream`, ours standard input or output. */
static pid_t fork_local_side(const struct copy *c)
{
	int p[2], ours = c->upload ? STDIN_FILENO : STDOUT_FILENO;

	if (pipe2(p, O_CLOEXEC) < 0)
		return -errno;
	pid_t pid = fork();
	if (pid == 0) {
		(void)close(p[!c->upload]);
		_exit(local_side(c, p[c->upload]));
	}
	int r = pid < 0 || dup2(p[!c->upload], ours) < 0 ? -errno : pid;
	(void)close(p[0]);
	(void)close(p[1]);
	return r;
}

int verb_cp(const struct args *a)
{
	_cleanup_buf_ struct buf path = BUF_NULL;
	struct args own = *a;
	struct copy c;
	int status, code;

	if (a->word_count != 2 || a->command)
		return ctl_fail(CTL_USAGE, "cp needs a source and a destination: podctl cp notes.txt web:/tmp");
	code = parse(a, &c);
	if (code != CTL_YES)
		return code;
	pod_ref_own_path(&c.pod, "copy", &path);
	if (a->container)
		url_add(&path, "container", a->container);
	url_add(&path, c.upload ? "to" : "from", c.remote);
	if (c.upload)
		url_add(&path, "name", c.name);
	own.stdin = c.upload;
	(void)signal(SIGPIPE, SIG_IGN);
	pid_t pid = fork_local_side(&c);
	if (pid < 0)
		return ctl_fail(CTL_NO, "can't start: %s", strerror(-pid));
	code = exec_call(&own, path.data);
	if (code > 128)
		(void)ctl_fail(0, "the container's side of the copy was killed by signal %d", code - 128);
	(void)close(c.upload ? STDIN_FILENO : STDOUT_FILENO); /* the child's end of file */
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
		return CTL_NO;
	return code ? CTL_NO : CTL_YES;
}
