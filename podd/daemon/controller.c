#include "daemon/controller.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/sha256.h"
#include "base/str.h"
#include "daemon/intake/accept.h"
#include "daemon/api/api.h"
#include "daemon/pod/debug.h"
#include "daemon/keep.h"
#include "daemon/pod/logs.h"
#include "daemon/intake/store.h"

enum { BOOT_ID_SIZE = 40 };

static const char magic[] = "podd-job 1 ", spec_mark[] = "spec\n";

struct queued {
	struct list link;
	struct job_event event;
	char *state;
};

struct controller {
	struct daemon *daemon;
	struct jobs *jobs;
	struct keep keep;
	int clock_fd;
	uv_poll_t clock_poll;
	char boot_id[BOOT_ID_SIZE];
	struct list queue;
	bool stepping;
};

/* --- files ------------------------------------------------------------------------------------------------------------------------- */

static void save(struct controller *k, const char *uid)
{
	_cleanup_buf_ struct buf body = BUF_NULL, text = BUF_NULL;
	const struct job *j = jobs_find(k->jobs, uid);
	char hash[SHA256_HEX_SIZE];

	buf_printf(&body, "%s\n", k->boot_id);
	jobs_state_print(k->jobs, uid, &body);
	if (j && j->spec->template.owner.uid) { /* no file defines it */
		struct jsonw w;
		buf_puts(&body, spec_mark);
		jsonw_init(&w, &body);
		workload_json(j->spec, NULL, &w);
	}
	sha256_hex(body.data, body.len, hash);
	buf_printf(&text, "%s%s\n%s", magic, hash, body.data);
	int r = keep_write(&k->keep, uid, &text);
	if (r < 0)
		daemon_report(k->daemon, uid, NULL, false, "NotSaved",
		              "writing what is known of the job: %s; after a boot it may run once more", strerror(-r));
}

/* The lines after the boot's id, in `text`; NULL: it is damaged. */
static const char *check(const struct controller *k, const struct buf *text, bool *ret_same_boot)
{
	const char *p = str_after(buf_str(text), magic);
	char hash[SHA256_HEX_SIZE];

	if (!p || strlen(p) < SHA256_HEX_SIZE)
		return NULL;
	const char *body = p + SHA256_HEX_SIZE;
	sha256_hex(body, (size_t)(text->data + text->len - body), hash);
	const char *lines = strchr(body, '\n');
	if (strncmp(p, hash, SHA256_HEX_SIZE - 1) != 0 || !lines)
		return NULL;
	*ret_same_boot = (size_t)(lines - body) == strlen(k->boot_id) && memcmp(body, k->boot_id, strlen(k->boot_id)) == 0;
	return lines + 1;
}

static char *load(struct controller *k, const char *uid, bool *ret_same_boot)
{
	_cleanup_buf_ struct buf text = BUF_NULL;

	int r = keep_read(&k->keep, uid, JOB_STATE_MAX, &text);
	if (r == -ENOENT)
		return NULL;
	const char *lines = r < 0 ? NULL : check(k, &text, ret_same_boot);
	if (lines)
		return xstrdup(lines);
	log_warning("what was known of the job %s is damaged: set aside as .bad-%s; it begins anew", uid, uid);
	keep_set_aside(&k->keep, uid);
	return NULL;
}

/* --- effects ----------------------------------------------------------------------------------------------------------------------- */

static void set_pod(struct daemon *d, const struct job_effect *f)
{
	debug_set_pod(d, f->uid, f->pod, f->outcome);
	if (store_is_held(d->acceptor, f->uid)) {
		struct event stop = daemon_event(EVENT_STOP_ASKED, f->uid, NULL, 0);
		daemon_step(d, &stop);
	}
}

static void tell_done(struct daemon *d, const struct job_effect *f)
{
	struct event e = daemon_event(EVENT_JOB_DONE, NULL, NULL, 0);

	e.pod = f->pod;
	e.outcome = f->outcome;
	daemon_step(d, &e);
}

static void run(struct controller *k, const struct job_effect *f)
{
	struct daemon *d = k->daemon;
	struct event gone = daemon_event(EVENT_POD_GONE, f->uid, NULL, 0);

	switch (f->type) {
	case JOB_EFFECT_SAVE:
		save(k, f->uid);
		break;
	case JOB_EFFECT_POD_SET:
		set_pod(d, f);
		break;
	case JOB_EFFECT_POD_GONE:
		daemon_step(d, &gone);
		break;
	case JOB_EFFECT_DONE:
		tell_done(d, f);
		break;
	case JOB_EFFECT_REPORT:
		daemon_report(d, f->uid, NULL, f->normal, f->reason, "%s", f->message);
		break;
	case JOB_EFFECT_CHANGED:
		api_workload_changed(d, f->uid);
		break;
	case JOB_EFFECT_FORGET:
		api_workload_forgotten(d, f->uid);
		(void)keep_remove(&k->keep, f->uid);
		accept_forget(d, f->uid);
		break;
	}
}

static void handle(struct controller *k, struct job_event *e)
{
	struct job_effects effects;

	e->boot = clock_boot();
	e->wall = clock_wall();
	e->core_pod = e->type == JOB_EVENT_POD ? core_pod_by_uid(k->daemon->core, e->uid) : NULL;
	if (e->type == JOB_EVENT_POD && !e->core_pod)
		return; /* it was forgotten while this waited */
	jobs_step(k->jobs, e, &effects);
	for (size_t i = 0; i < effects.count; i++)
		run(k, &effects.items[i]);
}

/* An effect may lead to further events: they wait. */
static void step(struct controller *k, const struct job_event *e, char *state)
{
	struct queued *q = xnew(struct queued);

	*q = (struct queued){ .event = *e, .state = state };
	q->event.state = state;
	if (e->pod)
		pod_ref(e->pod);
	list_append(&k->queue, &q->link);
	if (k->stepping)
		return;
	k->stepping = true;
	while (!list_empty(&k->queue)) {
		q = list_entry(k->queue.next, struct queued, link);
		list_remove(&q->link);
		handle(k, &q->event);
		pod_unref(q->event.pod);
		free(q->state);
		free(q);
	}
	k->stepping = false;
	daemon_arm_timer(k->daemon);
}

static struct job_event event_of(enum job_event_type type, const char *uid)
{
	struct job_event e = { .type = type };

	(void)snprintf(e.uid, sizeof(e.uid), "%s", uid);
	return e;
}

/* A cron job's job comes from its file alone. */
static void load_spec(struct controller *k, const char *uid)
{
	struct job_event e = event_of(JOB_EVENT_SET, uid);
	_cleanup_free_ char *state = load(k, uid, &e.same_boot);
	char *mark = state ? strstr(state, spec_mark) : NULL, *json = mark ? mark + strlen(spec_mark) : NULL;
	struct manifest m;

	if (!mark || (mark > state && mark[-1] != '\n'))
		return;
	*mark = '\0';
	manifest_read(uid, json, strlen(json), &m);
	e.pod = m.document_count == 1 ? m.documents[0].pod : NULL;
	if (e.pod && pod_runs(e.pod) == WORKLOAD_JOB)
		step(k, &e, TAKE_PTR(state));
	else
		log_warning("the job %s was kept and can't be read any more: it is forgotten", uid);
	manifest_deinit(&m);
}

/* Of jobs that no manifest defines. */
static void load_other(const char *name, void *arg)
{
	struct controller *k = arg;

	if (strlen(name) < POD_UID_SIZE && !controller_template(k->daemon, name))
		load_spec(k, name);
}

/* Of what was forgotten when podd was not there to see it. */
static void remove_other(const char *name, void *arg)
{
	struct controller *k = arg;

	if (strlen(name) < POD_UID_SIZE && !controller_template(k->daemon, name))
		(void)keep_remove(&k->keep, name);
}

/* --- the clock --------------------------------------------------------------------------------------------------------------------- */

/* NULL with *ret_lost false is UTC, which needs no file. */
static struct zone *load_zone(const char *name, bool *ret_lost)
{
	_cleanup_free_ char *path = name ? xasprintf("/usr/share/zoneinfo/%s", name) : xstrdup("/etc/localtime");
	_cleanup_buf_ struct buf data = BUF_NULL;
	bool utc = name ? streq(name, "UTC") || streq(name, "Etc/UTC") : access(path, F_OK) < 0;

	struct zone *z = utc || strstr(path, "..") || file_read(AT_FDCWD, path, ZONE_SIZE_MAX, &data) < 0
	                         ? NULL
	                         : zone_new(data.data, data.len);
	*ret_lost = !z && !utc;
	return z;
}

/* This timer never fires by itself: setting the clock cancels it. */
static int arm_clock(struct controller *k)
{
	struct itimerspec never = { .it_value.tv_sec = (time_t)1 << 40 };
	int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;

	return timerfd_settime(k->clock_fd, flags, &never, NULL) < 0 ? -errno : 0;
}

static void clock_was_set(uv_poll_t *p, int status _unused_, int events _unused_)
{
	struct controller *k = p->data;
	uint64_t expirations;

	if (read(k->clock_fd, &expirations, sizeof(expirations)) >= 0 || errno != ECANCELED)
		return;
	(void)arm_clock(k);
	controller_tick(k->daemon);
}

static int watch_clock(struct controller *k)
{
	k->clock_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (k->clock_fd < 0)
		return -errno;
	k->clock_poll.data = k;
	int r = uv_poll_init(&k->daemon->loop, &k->clock_poll, k->clock_fd);
	if (r == 0)
		r = uv_poll_start(&k->clock_poll, UV_READABLE, clock_was_set);
	return r < 0 ? r : arm_clock(k);
}

/* --- life -------------------------------------------------------------------------------------------------------------------------- */

int controller_new(struct daemon *d, struct controller **ret)
{
	_cleanup_buf_ struct buf id = BUF_NULL;
	struct keep keep;
	int r = file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", BOOT_ID_SIZE, &id);

	if (r < 0 || (r = keep_open(d, "jobs", &keep)) < 0)
		return r;
	struct controller *k = xnew(struct controller);
	*k = (struct controller){ .daemon = d, .jobs = jobs_new(), .keep = keep };
	(void)snprintf(k->boot_id, sizeof(k->boot_id), "%.36s", buf_str(&id));
	list_init(&k->queue);
	*ret = k;
	return watch_clock(k);
}

void controller_free(struct controller *k)
{
	if (!k)
		return;
	jobs_free(k->jobs);
	keep_close(&k->keep);
	(void)fd_close(k->clock_fd);
	free(k);
}

void controller_want(struct daemon *d, const char *uid, struct pod *template)
{
	struct controller *k = d->controller;
	struct job_event e = event_of(template ? JOB_EVENT_SET : JOB_EVENT_GONE, uid);
	char *state = NULL;

	e.pod = template;
	if (template && pod_runs(template) == WORKLOAD_CRON_JOB)
		e.zone = load_zone(template->workload->cron.time_zone, &e.zone_lost);
	if (template && !controller_template(d, uid))
		state = load(k, uid, &e.same_boot);
	step(k, &e, state);
}

void controller_load(struct daemon *d)
{
	(void)keep_walk(&d->controller->keep, load_other, d->controller);
}

void controller_run(struct daemon *d, const char *uid, const char *name)
{
	struct job_event e = event_of(JOB_EVENT_RUN, uid);

	(void)snprintf(e.name, sizeof(e.name), "%s", name);
	step(d->controller, &e, NULL);
}

void controller_go(struct daemon *d)
{
	struct job_event go = event_of(JOB_EVENT_GO, "");

	(void)keep_walk(&d->controller->keep, remove_other, d->controller);
	if (d->config->drain) /* whose pods stop, and nothing else begins */
		return;
	step(d->controller, &go, NULL);
}

void controller_tick(struct daemon *d)
{
	struct job_event tick = event_of(JOB_EVENT_TICK, "");

	step(d->controller, &tick, NULL);
}

int64_t controller_deadline(const struct daemon *d)
{
	return jobs_deadline(d->controller->jobs);
}

void controller_pod_changed(struct daemon *d, const char *uid)
{
	const struct core_pod *p = core_pod_by_uid(d->core, uid);
	struct job_event e = event_of(JOB_EVENT_POD, uid);

	if (p && p->pod && p->pod->owner.uid)
		step(d->controller, &e, NULL);
}

void controller_pod_forgotten(struct daemon *d, const char *uid)
{
	const struct core_pod *p = core_pod_forgotten(d->core, uid);
	struct job_event e = event_of(JOB_EVENT_POD_GONE, uid);

	if (p && p->pod && p->pod->owner.uid)
		step(d->controller, &e, NULL);
}

const struct jobs *controller_jobs(const struct daemon *d)
{
	return d->controller->jobs;
}

const struct pod *controller_template(const struct daemon *d, const char *uid)
{
	const struct job *j = jobs_find(d->controller->jobs, uid);

	const struct cron_job *c = jobs_find_cron(d->controller->jobs, uid);

	return j ? &j->spec->template : c ? &c->spec->template : NULL;
}
