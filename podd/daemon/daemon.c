#include "daemon/daemon.h"
#include <stdarg.h>
#include <stdio.h>
#include <sys/timerfd.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "daemon/api/api.h"
#include "daemon/controller.h"
#include "daemon/effects.h"
#include "daemon/record.h"
#include "manifest/workload.h"

struct queued {
	struct list link;
	struct event event;
};

struct event daemon_event(enum event_type type, const char *uid, const char *container, uint32_t number)
{
	struct event e = { .type = type, .id.number = number };

	(void)snprintf(e.id.uid, sizeof(e.id.uid), "%s", uid ? uid : "");
	(void)snprintf(e.id.container, sizeof(e.id.container), "%s", container ? container : "");
	return e;
}

/* The core's deadline is boot time, which counts suspend; libuv's timers do not, so a timerfd it is. */
void daemon_arm_timer(struct daemon *d)
{
	int64_t core = core_deadline(d->core), jobs = controller_deadline(d), at = core && jobs ? MIN(core, jobs) : MAX(core, jobs);
	struct itimerspec t = { .it_value = { .tv_sec = at / NS_PER_SEC, .tv_nsec = at % NS_PER_SEC } };

	if (at == d->armed)
		return;
	d->armed = at;
	(void)timerfd_settime(d->timer_fd, TFD_TIMER_ABSTIME, &t, NULL);
}

static void timer_fired(uv_poll_t *p, int status, int events)
{
	struct daemon *d = p->data;
	uint64_t expirations;

	(void)status;
	(void)events;
	if (read(d->timer_fd, &expirations, sizeof(expirations)) < 0)
		return; /* set anew meanwhile */
	d->armed = 0;
	struct event e = daemon_event(EVENT_TICK, NULL, NULL, 0);
	daemon_step(d, &e);
	controller_tick(d);
}

int daemon_timer_init(struct daemon *d)
{
	d->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (d->timer_fd < 0)
		return -errno;
	d->timer_poll.data = d;
	int r = uv_poll_init(&d->loop, &d->timer_poll, d->timer_fd);
	return r < 0 ? r : uv_poll_start(&d->timer_poll, UV_READABLE, timer_fired);
}

static void handle(struct daemon *d, struct event *e)
{
	struct effects effects = { 0 };

	e->boot = clock_boot();
	e->wall = clock_wall();
	core_step(d->core, e, &effects);
	for (size_t i = 0; i < effects.count; i++)
		effect_run(d, &effects.items[i]);
}

static bool has_pod(const struct event *e)
{
	return e->type == EVENT_POD_SET || e->type == EVENT_JOB_DONE;
}

void daemon_step(struct daemon *d, const struct event *e)
{
	struct queued *q = xnew(struct queued);

	q->event = *e;
	if (has_pod(e))
		pod_ref(e->pod);
	list_append(&d->queue, &q->link);
	if (d->stepping)
		return;
	d->stepping = true;
	while (!list_empty(&d->queue)) {
		q = list_entry(d->queue.next, struct queued, link);
		list_remove(&q->link);
		handle(d, &q->event);
		if (has_pod(&q->event))
			pod_unref(q->event.pod);
		free(q);
	}
	d->stepping = false;
	daemon_arm_timer(d);
}

void daemon_report(struct daemon *d, const char *uid, const char *container, bool normal, const char *reason, const char *fmt, ...)
{
	const struct core_pod *p = *uid ? core_pod_by_uid(d->core, uid) : NULL;
	struct record_entry e = { .normal = normal };
	char pod[sizeof(e.namespace) + sizeof(e.pod)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(e.message, sizeof(e.message), fmt, ap);
	va_end(ap);
	(void)snprintf(e.uid, sizeof(e.uid), "%s", uid);
	(void)snprintf(e.container, sizeof(e.container), "%s", container ? container : "");
	(void)snprintf(e.reason, sizeof(e.reason), "%s", reason);
	const struct pod *about = p ? p->pod : *uid ? controller_template(d, uid) : NULL;
	if (about) {
		(void)snprintf(e.kind, sizeof(e.kind), "%s", workload_name(pod_runs(about)));
		(void)snprintf(e.namespace, sizeof(e.namespace), "%s", about->metadata.namespace);
		(void)snprintf(e.pod, sizeof(e.pod), "%s", about->metadata.name);
	}
	record_add(d->record, &e);
	api_reported(d);
	(void)snprintf(pod, sizeof(pod), "%s%s%s", e.namespace, *e.pod ? "/" : "", *e.pod ? e.pod : uid);
	log_write(normal ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, *pod ? pod : NULL, "%s%s%s: %s", e.container,
	          *e.container ? " " : "", reason, e.message);
}
