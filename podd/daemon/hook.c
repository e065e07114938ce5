#include "daemon/hook.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include "base/alloc.h"
#include "base/cleanup.h"
#include "daemon/session.h"

struct running {
	struct daemon *daemon;
	struct start_id id;
	enum hook_kind kind;
	char what[MESSAGE_SIZE / 2]; /* its program, for people */
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

	if (error)
		(void)snprintf(text, sizeof(text), "%s: %s", h->what, error);
	else if (WIFSIGNALED(status))
		(void)snprintf(text, sizeof(text), "%s was ended by signal %d", h->what, WTERMSIG(status));
	else if (WEXITSTATUS(status))
		(void)snprintf(text, sizeof(text), "%s exited with %d", h->what, WEXITSTATUS(status));
	(void)session_free(s);
	tell(h->daemon, &h->id, h->kind, text);
}

void hook_run(struct daemon *d, const struct start_id *id, enum hook_kind kind)
{
	static const struct session_callbacks callbacks = { .started = started, .ended = ended };
	const struct core_pod *p = core_pod_by_uid(d->core, id->uid);
	const struct container *c = p && p->pod ? pod_container(p->pod, id->container) : NULL;
	int null[3];
	struct session *s;

	if (!c)
		return; /* an edit of the same step took it out */
	const struct hook *hook = kind == HOOK_POST_START ? &c->lifecycle.post_start : &c->lifecycle.pre_stop;
	struct running *h = xnew(struct running);
	*h = (struct running){ .daemon = d, .id = *id, .kind = kind };
	(void)snprintf(h->what, sizeof(h->what), "%.100s", hook->exec.command.count ? hook->exec.command.items[0] : "");
	for (size_t i = 0; i < 3; i++)
		null[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
	int r = session_start(d, id->uid, id->container, &hook->exec.command, SESSION_COMMAND, null, &callbacks, h, &s);
	if (r < 0) {
		free(h);
		tell(d, id, kind, strerror(-r));
	}
}
