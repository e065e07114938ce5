/* podctl debug: an ephemeral container, added to a pod that runs. With -i it is a conversation as exec is, and the exit code is the
 * container's. */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include "base/clock.h"
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/exec.h"

enum { NAME_SIZE = 64, POLL_MS = 20, FAILED = 125 };

/* kubectl's, as securityContext. */
static const struct {
	const char *name, *security;
} profiles[] = {
	{ "general", "{\"capabilities\":{\"add\":[\"SYS_PTRACE\"]}}" }, /* /proc/1/root of the target */
	{ "baseline", "{}" },
	{ "restricted", "{\"allowPrivilegeEscalation\":false,\"capabilities\":{\"drop\":[\"ALL\"]},\"runAsNonRoot\":true,"
	                "\"seccompProfile\":{\"type\":\"RuntimeDefault\"}}" },
	{ "netadmin", "{\"capabilities\":{\"add\":[\"NET_ADMIN\",\"NET_RAW\"]}}" },
	{ "sysadmin", "{\"privileged\":true}" },
};

static const char host_root[] = "rootfs:/";

static const char *security_of(const char *profile)
{
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++)
		if (streq(profiles[i].name, profile ? profile : "general"))
			return profiles[i].security;
	(void)ctl_fail(CTL_USAGE, "--profile is general, baseline, restricted, netadmin or sysadmin");
	return NULL;
}

static void make_name(char ret[static NAME_SIZE])
{
	static const char letters[] = "bcdfghjklmnpqrstvwxz2456789"; /* that make no words */
	unsigned char random[5] = { 0 };
	size_t n = (size_t)snprintf(ret, NAME_SIZE, "debugger-");

	(void)!getrandom(random, sizeof(random), 0); /* a name that is taken is refused */
	for (size_t i = 0; i < sizeof(random); i++)
		ret[n++] = letters[random[i] % (sizeof(letters) - 1)];
	ret[n] = '\0';
	(void)fprintf(stderr, "Defaulting debug container name to %s.\n", ret);
}

/* What was typed is what runs, as with exec: in a manifest $(NAME) and $$ would stand for something else. */
static json_t *literal(const char *word)
{
	_cleanup_buf_ struct buf out = BUF_NULL;

	for (; *word; word++) {
		if (*word == '$' && (word[1] == '$' || word[1] == '('))
			buf_putc(&out, '$');
		buf_putc(&out, *word);
	}
	return json_string(buf_str(&out));
}

/* The text of a PATCH; the caller's. */
static char *make_patch(const struct args *a, const char *security)
{
	json_t *command = json_array();

	for (size_t i = 0; i < a->command_count; i++)
		(void)json_array_append_new(command, literal(a->command[i]));
	if (!a->command_count && !a->image) /* an image has a program of its own */
		(void)json_array_append_new(command, json_string("sh"));
	json_t *c = json_pack("{ss ss so so sb sb sb ss*}", "name", a->container, "image", a->image ? a->image : host_root,
	                      "command", command, "securityContext", json_loads(security, 0, NULL), "stdin", a->stdin, "stdinOnce",
	                      a->stdin && !a->tty, "tty", a->tty, "targetContainerName", a->target);
	json_t *patch = json_pack("{s{s[o*]}}", "spec", "ephemeralContainers", c);
	char *text = json_dumps(patch, JSON_COMPACT);

	json_decref(patch);
	return text;
}

/* Until the container runs or has ended. CTL_YES, or a code after a message. *ret_code: its exit code, -1 while it runs. */
static int await_start(const struct args *a, const char *path, int *ret_code)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * NS_PER_MS };
	const char *said = "";

	for (;; (void)nanosleep(&pause, NULL)) {
		bool running = false, found = false;
		json_t *pod, *status;
		size_t i;
		int code = client_json(a, "GET", path, false, &pod);
		if (code != CTL_YES)
			return code;
		*ret_code = -1;
		json_array_foreach(json_at(pod, "status.ephemeralContainerStatuses"), i, status) {
			const char *reason = json_text(status, "state.waiting.reason");
			if (!streq(json_text(status, "name"), a->container))
				continue;
			found = true;
			running = json_at(status, "state.running") != NULL;
			if (json_at(status, "state.terminated"))
				*ret_code = (int)json_integer_value(json_at(status, "state.terminated.exitCode"));
			if (*json_text(status, "state.waiting.message") && !*said) {
				(void)ctl_fail(0, "%s: %s; waiting", reason, json_text(status, "state.waiting.message"));
				said = "said";
			}
		}
		json_decref(pod);
		if (running || *ret_code >= 0)
			return CTL_YES;
		if (!found)
			return ctl_fail(CTL_NO, "the container %s is gone", a->container);
	}
}

/* A log has what was printed before anybody could attach, so without a terminal it is what is shown; the input goes by attach, in a
 * child. */
static int converse(const struct args *a, const struct pod_ref *p, const char *path)
{
	struct args printing = *a;
	int status = 0, code;

	printing.follow = true;
	printing.command = NULL;
	ctl_flush();
	pid_t parent = getpid(), child = fork();
	if (child < 0)
		return ctl_fail(FAILED, "fork: %s", strerror(errno));
	if (child == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
			_exit(FAILED);
		_exit(exec_attach(a, p, true));
	}
	int printed = verb_logs(&printing);
	if (printed != CTL_YES)
		(void)kill(child, SIGKILL);
	(void)waitpid(child, &status, 0);
	if (printed != CTL_YES)
		return printed;
	if (WIFEXITED(status) && WEXITSTATUS(status) != FAILED)
		return WEXITSTATUS(status);
	/* It had ended before it could be attached to. */
	return await_start(a, path, &code) == CTL_YES && code >= 0 ? code : FAILED;
}

static int debug(const struct args *a, const struct pod_ref *p, const char *security)
{
	_cleanup_buf_ struct buf path = BUF_NULL, subresource = BUF_NULL;
	_cleanup_free_ char *patch = make_patch(a, security);
	int exit_code;

	pod_ref_path(p, &path);
	buf_printf(&subresource, "%s/ephemeralcontainers", path.data);
	int code = client_call(a, &(struct client_request){ .method = "PATCH", .path = subresource.data, .body = patch }, NULL);
	if (code != CTL_YES || !a->stdin)
		return code;
	code = await_start(a, path.data, &exit_code);
	if (code != CTL_YES)
		return code;
	return a->tty && exit_code < 0 ? exec_attach(a, p, false) : converse(a, p, path.data);
}

int verb_debug(const struct args *a)
{
	const char *security = security_of(a->profile);
	struct args own = *a;
	char name[NAME_SIZE];
	struct pod_ref p;

	if (!security)
		return CTL_USAGE;
	if (a->word_count != 1)
		return ctl_fail(CTL_USAGE, "debug needs the name of one pod: podctl debug -it web --target app");
	if (pod_ref_parse(a, a->words[0], &p) < 0)
		return CTL_USAGE;
	if (!a->container) {
		make_name(name);
		own.container = name;
	}
	return debug(&own, &p, security);
}
