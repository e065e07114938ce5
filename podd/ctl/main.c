/* podctl: the user's hand. kubectl's verbs and habits, over podd's socket or on the manifest files. */
#include <stdio.h>
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/ctl.h"

#define SCOPE (TAKES(OPTION_NAMESPACE))
#define SELECTS (SCOPE | TAKES(OPTION_SELECTOR))
#define LISTS (SCOPE | TAKES(OPTION_ALL_NAMESPACES) | TAKES(OPTION_SELECTOR))

static int verb_version(const struct args *a);

static const struct verb verbs[] = {
	{ "get",
	  "get pods|jobs|cronjobs [NAME...] [-A] [-l SELECTOR] [-w] [-o "
	  "wide|json|yaml|name|jsonpath=TEMPLATE|custom-columns=NAME:.path,...]",
	  "pods, jobs or cron jobs, as a table or as objects; -w: and what changes",
	  LISTS | TAKES(OPTION_OUTPUT) | TAKES(OPTION_WATCH), verb_get, "pods jobs cronjobs events @pods" },
	{ "status", "status [-o json|yaml]", "podd, what this host lacks, and each manifest file", TAKES(OPTION_OUTPUT),
	  verb_status, NULL },
	{ "describe", "describe pod|job NAME...|-l SELECTOR", "all about a pod that a person asks next", SELECTS, verb_describe,
	  "pod @pods" },
	{ "logs",
	  "logs POD|-l SELECTOR [-c NAME] [-f] [--previous] [--tail N] [--since 5m] [--timestamps] [--all-containers] [--prefix]",
	  "what a container has printed",
	  SELECTS | TAKES(OPTION_CONTAINER) | TAKES(OPTION_FOLLOW) | TAKES(OPTION_PREVIOUS) | TAKES(OPTION_TAIL) |
	          TAKES(OPTION_SINCE) | TAKES(OPTION_TIMESTAMPS) | TAKES(OPTION_ALL_CONTAINERS) | TAKES(OPTION_PREFIX),
	  verb_logs, "@pods" },
	{ "exec", "exec [-it] POD [-c NAME] -- COMMAND...", "a command inside a running container; its exit code is podctl's",
	  SCOPE | TAKES(OPTION_CONTAINER) | TAKES(OPTION_STDIN) | TAKES(OPTION_TTY), verb_exec, "@pods" },
	{ "attach", "attach [-it] POD [-c NAME]", "what a container prints from now on; with -i its input, with -t its terminal",
	  SCOPE | TAKES(OPTION_CONTAINER) | TAKES(OPTION_STDIN) | TAKES(OPTION_TTY), verb_attach, "@pods" },
	{ "debug", "debug [-it] POD [--image IMAGE] [--target CONTAINER] [-c NAME] [--profile PROFILE] [-- COMMAND...]",
	  "a throw-away container in a pod that runs, with the host's own tools or those of an image",
	  SCOPE | TAKES(OPTION_CONTAINER) | TAKES(OPTION_STDIN) | TAKES(OPTION_TTY) | TAKES(OPTION_IMAGE) | TAKES(OPTION_TARGET) |
	          TAKES(OPTION_PROFILE),
	  verb_debug, "@pods" },
	{ "cp", "cp SOURCE POD:PATH | cp POD:PATH DESTINATION [-c NAME]",
	  "files and directories into a container and out of it; needs nothing in the image", SCOPE | TAKES(OPTION_CONTAINER),
	  verb_cp, NULL },
	{ "port-forward", "port-forward POD [LOCAL:]REMOTE... [--address ADDRESS,...]",
	  "ports of this machine that lead into a pod, to what listens there on 127.0.0.1", SCOPE | TAKES(OPTION_ADDRESS),
	  verb_port_forward, "@pods" },
	{ "validate", "validate [--portable] [-o json] FILE|DIR|-...", "what podd would say to these manifests; needs no podd",
	  TAKES(OPTION_OUTPUT) | TAKES(OPTION_PORTABLE), verb_validate, NULL },
	{ "explain", "explain [pod.spec.FIELD...] | explain -o json|markdown",
	  "a field of the manifest, and what podd does about it; needs no podd", TAKES(OPTION_OUTPUT), verb_explain, NULL },
	{ "diff", "diff [-o json] [FILE|DIR|-...]", "what an edit would do to the pods that run, per container",
	  TAKES(OPTION_OUTPUT), verb_diff, NULL },
	{ "plan", "plan FILE [-c NAME]", "the launch plan of each container, readable; needs no podd",
	  SCOPE | TAKES(OPTION_CONTAINER), verb_plan, NULL },
	{ "apply", "apply -f FILE|DIR|-...", "write manifests into the directory, after validation; needs no podd",
	  TAKES(OPTION_FILE), verb_apply, NULL },
	{ "delete", "delete pod NAME...|-l SELECTOR | delete -f FILE [--wait=false] [--timeout D]",
	  "remove the manifests of pods; needs no podd", SELECTS | TAKES(OPTION_FILE) | TAKES(OPTION_WAIT) | TAKES(OPTION_TIMEOUT),
	  verb_delete, "pod @pods" },
	{ "restart", "restart POD...|-l SELECTOR [-c NAME]", "containers anew, in the same sandbox",
	  SELECTS | TAKES(OPTION_CONTAINER), verb_restart, "@pods" },
	{ "stop", "stop POD...|-l SELECTOR | stop --all [--wait=false] [--timeout D]",
	  "stop pods by hand: holds until start or an edit of the spec",
	  SELECTS | TAKES(OPTION_ALL) | TAKES(OPTION_WAIT) | TAKES(OPTION_TIMEOUT), verb_stop, "@pods" },
	{ "start", "start POD...|-l SELECTOR", "end a stop", SELECTS, verb_start, "@pods" },
	{ "create", "create job NAME --from=cronjob/NAME", "a job of a cron job, now", SCOPE | TAKES(OPTION_FROM), verb_create,
	  "job" },
	{ "wait", "wait --for=ready|completed|failed|deleted POD...|-l SELECTOR [--timeout D]",
	  "until it is so, or not in time (exit 1)", SELECTS | TAKES(OPTION_FOR) | TAKES(OPTION_TIMEOUT), verb_wait, "@pods" },
	{ "events", "events [-f] [-A] [--for POD]", "what happened",
	  SCOPE | TAKES(OPTION_ALL_NAMESPACES) | TAKES(OPTION_FOLLOW) | TAKES(OPTION_OUTPUT) | TAKES(OPTION_FOR), verb_events,
	  NULL },
	{ "top", "top [-A] [-l SELECTOR] [--once]", "what containers use: processor, memory, processes, network",
	  LISTS | TAKES(OPTION_ONCE), verb_top, NULL },
	{ "version", "version", "podctl's version and podd's", 0, verb_version, NULL },
	{ "images", "images [-o json|yaml]", "the images of the store", TAKES(OPTION_OUTPUT), verb_images, NULL },
	{ "image", "image inspect NAME [-o json|yaml] | image fsck", "one image; whether the store is whole, which needs no podd",
	  TAKES(OPTION_OUTPUT), verb_image, NULL },
	{ "import", "import FILE...", "images of an archive, or of the directory of an OCI layout, into the store", 0, verb_import,
	  NULL },
	{ "prune", "prune", "remove the images that no pod names and no drop-in pins", 0, verb_prune, NULL },
	{ "census", "census [-o json]", "all that is podd's on this host, matched to pods; exit 1 if anything is left over",
	  TAKES(OPTION_OUTPUT), verb_census, NULL },
	{ "completion", "completion bash|zsh", "a script that completes podctl's words: source <(podctl completion bash)", 0,
	  verb_completion, "bash zsh" },
};

const struct verb *ctl_verbs(size_t *ret_count)
{
	*ret_count = ARRAY_SIZE(verbs);
	return verbs;
}

static int usage(FILE *out)
{
	(void)fputs("podctl [--root DIR] [--socket PATH] [-n NAMESPACE] VERB ...\n\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		(void)fprintf(out, "  %-12s %s\n", verbs[i].name, verbs[i].help);
	(void)fputs("  help         this, or `podctl VERB --help`\n\n"
	            "A pod is named web, ns/web or pod/web; job/pi is a job, or all pods of it.\n"
	            "Exit codes: 0 yes, 1 no, 2 usage, 3 refused by this podd, 4 podd can't be reached.\n",
	            out);
	return out == stdout ? CTL_YES : CTL_USAGE;
}

static const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (streq(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static int verb_usage(const struct verb *v)
{
	(void)printf("podctl %s\n\n%s\n", v->synopsis, v->help);
	return CTL_YES;
}

static int verb_run(const struct verb *v, int argc, char **argv)
{
	struct args a;

	if (args_parse(argc, argv, v->name, v->options, &a) < 0)
		return CTL_USAGE;
	int code = a.help ? verb_usage(v) : v->run(&a);
	args_deinit(&a);
	return code;
}

/* Both versions; an unreachable podd is said, since a person asks this to see whether all is well. */
static int verb_version(const struct args *a)
{
	json_t *status;

	(void)puts("podctl " PODD_VERSION);
	ctl_flush();
	int code = client_json(a, "GET", "/apis/podd.dev/v1/status", false, &status);
	if (code != CTL_YES)
		return code;
	(void)printf("podd %s\n", json_text(status, "version"));
	json_decref(status);
	return CTL_YES;
}

/* What is no verb of the table. */
static int run_other(const char *name, int argc, char **argv, int at)
{
	const struct verb *v = at + 1 < argc ? verb_find(argv[at + 1]) : NULL;

	if (streq(name, "help"))
		return v ? verb_usage(v) : usage(stdout);
	return ctl_fail(CTL_USAGE, "there is no verb \"%s\"; see podctl help", name);
}

static int run(int argc, char **argv)
{
	int at = args_find_verb(argc, argv);

	if (!at) {
		bool asked = argc == 2 && (streq(argv[1], "--help") || streq(argv[1], "-h"));
		if (argc == 2 && streq(argv[1], "--version")) {
			(void)puts("podctl " PODD_VERSION);
			return CTL_YES;
		}
		return usage(asked ? stdout : stderr);
	}
	const struct verb *v = verb_find(argv[at]);
	return v ? verb_run(v, argc, argv) : run_other(argv[at], argc, argv, at);
}

int main(int argc, char **argv)
{
	int code = run(argc, argv);

	if (code == CTL_YES)
		ctl_flush();
	return code;
}
