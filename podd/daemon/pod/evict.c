#include "daemon/pod/evict.h"
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/helper.h"
#include "daemon/pod/logs.h"
#include "daemon/pod/volumes.h"
#include "sys/diskuse.h"

enum { REST_FACTOR = 10, PATH_SIZE = 512 };
_Static_assert(PATH_SIZE >= LOGS_NAME_SIZE + CONTAINER_NAME_SIZE + 2, "a log directory has room");

/* A pod of this round, as it was when the round began. */
struct measured {
	char uid[POD_UID_SIZE];
	struct pod *pod; /* a reference */
	uint32_t numbers[CONTAINERS_MAX];
};

struct excess {
	enum pod_failure failure;
	uint16_t item;
};

struct evictor {
	struct daemon *daemon;
	uv_timer_t timer;
	struct helper *helper;
	struct measured *pods;
	size_t count;
	struct excess *found; /* of each; shared with the child */
	int64_t begun;
	int error; /* of the last round: told once */
};

/* --- the child's ------------------------------------------------------------------------------------------------------------------- */

static bool exceeds(uint64_t used, const struct quantity *limit)
{
	return limit->set && limit->nano > 0 && used > (uint64_t)quantity_value(limit);
}

static int add_tree(int dirfd, const char *path, uint64_t *sum)
{
	uint64_t bytes;
	int r = diskuse_tree(dirfd, path, &bytes);

	if (r == 0 && __builtin_add_overflow(*sum, bytes, sum))
		*sum = UINT64_MAX;
	return r;
}

static int add_container(const struct daemon *d, const struct measured *m, size_t i, uint64_t *sum)
{
	const struct container *c = pod_container_at(m->pod, i);
	char path[PATH_SIZE], logs[LOGS_NAME_SIZE];

	(void)snprintf(path, sizeof(path), "pods/%s/containers/%s.%u", m->uid, c->name, m->numbers[i]);
	int r = add_tree(d->state_fd, path, sum);
	if (r < 0)
		return r;
	logs_name(m->pod, m->uid, logs);
	(void)snprintf(path, sizeof(path), "%s/%s", logs, c->name);
	return add_tree(d->log_fd, path, sum);
}

/* In the kubelet's order: a volume, all together, one container. */
static int judge(const struct daemon *d, const struct measured *m, struct excess *v)
{
	const struct quantity limit = pod_disk_limit(m->pod);
	char path[PATH_SIZE];
	uint64_t all = 0;
	int r = 0;

	for (size_t i = 0; i < m->pod->spec.volumes.count && r == 0; i++) {
		const struct volume *volume = &m->pod->spec.volumes.items[i];
		const struct empty_dir *e = &volume->empty_dir;
		uint64_t used = 0;
		if (!e->set || e->medium != EMPTY_DIR_DISK || (!limit.set && !e->size_limit.set))
			continue;
		(void)snprintf(path, sizeof(path), "pods/%s/volumes/%s", m->uid, volume->name);
		r = add_tree(d->state_fd, path, &used);
		if (exceeds(used, &e->size_limit)) {
			*v = (struct excess){ POD_FAILURE_EMPTY_DIR, (uint16_t)i };
			return 0;
		}
		all = used > UINT64_MAX - all ? UINT64_MAX : all + used;
	}
	for (size_t i = 0; limit.set && i < pod_container_count(m->pod) && r == 0; i++) {
		uint64_t used = 0;
		r = add_container(d, m, i, &used);
		if (exceeds(used, &pod_container_at(m->pod, i)->resources.limits.disk))
			*v = (struct excess){ POD_FAILURE_CONTAINER, (uint16_t)i };
		all = used > UINT64_MAX - all ? UINT64_MAX : all + used;
	}
	if (exceeds(all, &limit))
		*v = (struct excess){ POD_FAILURE_DISK, 0 };
	return r;
}

static int work(void *arg)
{
	struct evictor *e = arg;
	int first = 0;

	for (size_t i = 0; i < e->count; i++) {
		int r = judge(e->daemon, &e->pods[i], &e->found[i]);
		first = first < 0 ? first : r;
	}
	return first;
}

/* --- rounds ------------------------------------------------------------------------------------------------------------------------ */

static bool is_limited(const struct core_pod *p)
{
	if (p->state != POD_STATE_RUNNING || p->failure || !p->pod)
		return false;
	for (size_t i = 0; i < p->pod->spec.volumes.count; i++) {
		const struct empty_dir *e = &p->pod->spec.volumes.items[i].empty_dir;
		if (e->set && e->medium == EMPTY_DIR_DISK && e->size_limit.set)
			return true;
	}
	return pod_disk_limit(p->pod).set;
}

static void round_free(struct evictor *e)
{
	for (size_t i = 0; i < e->count; i++)
		(void)pod_unref(e->pods[i].pod);
	if (e->found)
		(void)munmap(e->found, e->count * sizeof(*e->found));
	free(e->pods);
	e->pods = NULL;
	e->found = NULL;
	e->count = 0;
}

static void take(struct evictor *e, const struct core_pod *p)
{
	struct measured *m = xgrow(e->pods, e->count);

	*m = (struct measured){ .pod = pod_ref(p->pod) };
	(void)snprintf(m->uid, sizeof(m->uid), "%s", p->uid);
	for (size_t i = 0; i < pod_container_count(p->pod) && i < CONTAINERS_MAX; i++) {
		const struct core_container *k = core_container(p, pod_container_at(p->pod, i)->name);
		m->numbers[i] = k ? k->number : 0;
	}
}

static void begin(uv_timer_t *t);

static void done(void *arg, int result)
{
	struct evictor *e = arg;
	struct daemon *d = e->daemon;
	int64_t took = clock_boot() - e->begun;

	e->helper = NULL;
	if (result < 0 && result != e->error)
		log_warning("measuring what pods hold of the disk: %s, ignoring", strerror(-result));
	e->error = result;
	for (size_t i = 0; i < e->count; i++) {
		const struct core_pod *p = core_pod_by_uid(d->core, e->pods[i].uid);
		struct event event = daemon_event(EVENT_EVICT, e->pods[i].uid, NULL, 0);
		event.failure = e->found[i].failure;
		event.item = e->found[i].item;
		if (event.failure && p && p->pod == e->pods[i].pod) /* else it was edited meanwhile */
			daemon_step(d, &event);
	}
	round_free(e);
	uv_timer_start(&e->timer, begin, (uint64_t)(MAX(d->config->disk_period, took * REST_FACTOR) / NS_PER_MS), 0);
}

static void begin(uv_timer_t *t)
{
	struct evictor *e = t->data;
	struct daemon *d = e->daemon;
	const int keep[] = { d->state_fd, d->log_fd };

	list_foreach(p, core_pods(d->core), const struct core_pod, link)
		if (is_limited(p))
			take(e, p);
	if (!e->count)
		return; /* until one comes */
	void *shared = mmap(NULL, e->count * sizeof(*e->found), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	e->found = shared == MAP_FAILED ? NULL : shared;
	e->begun = clock_boot();
	if (e->found)
		e->helper = helper_start(&d->loop, keep, ARRAY_SIZE(keep), work, done, e);
	if (e->helper)
		return;
	round_free(e);
	uv_timer_start(&e->timer, begin, (uint64_t)(d->config->disk_period / NS_PER_MS), 0);
}

void evict_pod_changed(struct daemon *d, const char *uid)
{
	const struct core_pod *p = core_pod_by_uid(d->core, uid);
	struct evictor *e = d->evictor;

	if (!p)
		return;
	if (core_pod_evicted(p) && p->state == POD_STATE_FINISHED)
		volumes_clear(d, uid);
	if (is_limited(p) && !e->helper && !uv_is_active((uv_handle_t *)&e->timer))
		uv_timer_start(&e->timer, begin, (uint64_t)(d->config->disk_period / NS_PER_MS), 0);
}

struct evictor *evict_new(struct daemon *d)
{
	struct evictor *e = xnew(struct evictor);

	*e = (struct evictor){ .daemon = d };
	e->timer.data = e;
	(void)uv_timer_init(&d->loop, &e->timer); /* never fails */
	return e;
}

static void timer_closed(uv_handle_t *h)
{
	free(h->data);
}

void evict_free(struct evictor *e)
{
	if (!e)
		return;
	helper_cancel(e->helper);
	round_free(e);
	uv_close((uv_handle_t *)&e->timer, timer_closed);
}
