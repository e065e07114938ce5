#include "daemon/pod/hook.h"
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include "base/alloc.h"
#include "base/cleanup.h"
#include "daemon/probe/check.h"
#include "daemon/pod/session.h"

struct running {
	struct daemon *daemon;
	struct start_id id;
	enum hook_kind kind;
	char what[MESSAGE_SIZE / 2]; /* its program or address, for people */
};

static void tell(struct daemon *d, const struct start_id *id, enum hook_kind kind, const char *error)
{
	struct event e = daemon_event(EVENT_HOOKED, id->uid, id->container, id->number);

	e.hook = kind;
	(void)snprintf(e.message, sizeof(e.message), "%s", error);
	daemon_step(d, &e);
}

static void started(struct session *s _unused_, void *arg _unused_)
{
}

static void ended(struct session *s, int status, const char *error, void *arg)
{
	_cleanup_free_ struct running *h = arg;
	char text[MESSAGE_SIZE] = "";

	(void)session_free(s);
	if (status == SESSION_LEFT)
		return;
	if (error)
		(void)snprintf(text, sizeof(text), "%s: %s", h->what, error);
	else if (WIFSIGNALED(status))
		(void)snprintf(text, sizeof(text), "%s was ended by signal %d", h->what, WTERMSIG(status));
	else if (WEXITSTATUS(status))
		(void)snprintf(text, sizeof(text), "%s exited with %d", h->what, WEXITSTATUS(status));
	tell(h->daemon, &h->id, h->kind, text);
}

static int run(struct running *h, const struct hook *hook)
{
	static const struct session_callbacks callbacks = { .started = started, .ended = ended };
	const struct string_list *argv = &hook->exec.command;

	(void)snprintf(h->what, sizeof(h->what), "%.100s", argv->count ? argv->items[0] : "");
	return session_start_hook(h->daemon, &h->id, argv, h->kind, &callbacks, h);
}

static void on_check(void *arg, enum probe_result result, const char *error)
{
	_cleanup_free_ struct running *h = arg;
	char text[MESSAGE_SIZE] = "";

	if (result != PROBE_SUCCESS)
		(void)snprintf(text, sizeof(text), "Get \"%s\": %s", h->what, error);
	tell(h->daemon, &h->id, h->kind, text);
}

/* Its end is the container's: the kubelet sets no other limit. */
enum { REQUEST_SECONDS_MAX = 3600 };

static void request(struct running *h, const struct core_pod *p, const struct container *c, const struct http_get *g)
{
	char port[16];

	(void)snprintf(port, sizeof(port), "%d", g->port.number);
	(void)snprintf(h->what, sizeof(h->what), "%s://%.50s:%.15s%.50s", g->scheme == HTTP_SCHEME_HTTPS ? "https" : "http",
	               g->host && *g->host ? g->host : p->sandbox.ip, g->port.text ? g->port.text : port, g->path ? g->path : "/");
	check_hook(h->daemon, p, c, g, REQUEST_SECONDS_MAX, on_check, h);
}

void hook_run(struct daemon *d, const struct start_id *id, enum hook_kind kind)
{
	const struct core_pod *p = core_pod_by_uid(d->core, id->uid);
	const struct container *c = p && p->pod ? pod_container(p->pod, id->container) : NULL;

	if (!c)
		return; /* an edit of the same step took it out */
	const struct hook *hook = kind == HOOK_POST_START ? &c->lifecycle.post_start : &c->lifecycle.pre_stop;
	struct running *h = xnew(struct running);
	*h = (struct running){ .daemon = d, .id = *id, .kind = kind };
	if (hook->http_get.set) {
		request(h, p, c, &hook->http_get);
		return;
	}
	int r = run(h, hook);
	if (r == 0)
		return;
	tell(d, id, kind, strerror(-r));
	free(h);
}
