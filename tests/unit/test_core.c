/* What traces don't say well: Kubernetes' words for states, look-ups, the note at its limits, and quiet. */
/* cmocka.h wants these before it */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <stdio.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "core/note.h"
#include "core/pod.h"
#include "trace/world.h"

static void set(struct world *w, const char *uid, const char *words)
{
	struct testpod t;
	_cleanup_free_ char *copy = xstrdup(words);

	assert_true(testpod_parse(uid, copy, &t));
	world_set(w, world_add(w, uid), &t, ALL_EFFECTS);
}

static void begin(struct world *w)
{
	struct event go = { .type = EVENT_GO };

	world_init(w);
	(void)world_step(w, &go, ALL_EFFECTS);
}

static void run_all(struct world *w)
{
	world_drain(w);
	assert_string_equal(w->violation, "");
}

static void ends(struct world *w, const char *uid, const char *name, int code, bool oom)
{
	struct world_pod *p = world_pod(w, uid);
	struct world_proc *q = world_current(p, name);

	world_proc_ends(w, q, code, 0, oom);
	world_tell_exit(w, p, q, ALL_EFFECTS);
}

static void test_words(void **state _unused_)
{
	struct world w;

	begin(&w);
	set(&w, "web", "app=1 db=1");
	const struct core_pod *p = core_pod_by_name(w.core, "default", "web");
	assert_non_null(p);
	assert_string_equal(core_pod_phase(p), "Pending");
	assert_string_equal(core_pod_status(p, (char[POD_STATUS_SIZE]){ 0 }), "ContainerCreating");
	run_all(&w);
	assert_string_equal(core_pod_phase(p), "Running");
	assert_string_equal(core_pod_status(p, (char[POD_STATUS_SIZE]){ 0 }), "Running");
	assert_true(core_pod_ready(p));

	ends(&w, "web", "app", 1, false);
	run_all(&w);
	ends(&w, "web", "app", 1, false); /* the second time there is a delay */
	assert_string_equal(core_pod_status(p, (char[POD_STATUS_SIZE]){ 0 }), "CrashLoopBackOff");
	assert_string_equal(core_pod_phase(p), "Running");
	assert_false(core_pod_ready(p));
	const struct core_container *app = core_container(p, "app");
	assert_string_equal(core_container_reason(p, app), "CrashLoopBackOff");
	assert_int_equal(app->restart_count, 1);
	run_all(&w);
	assert_int_equal(app->restart_count, 2);
	ends(&w, "web", "db", 137, true);
	assert_string_equal(core_container(p, "db")->last.reason, "OOMKilled");

	world_ask(&w, world_pod(&w, "web"), EVENT_STOP_ASKED, "", ALL_EFFECTS);
	run_all(&w);
	assert_string_equal(core_pod_status(p, (char[POD_STATUS_SIZE]){ 0 }), "Stopped");
	world_ask(&w, world_pod(&w, "web"), EVENT_START_ASKED, "", ALL_EFFECTS);
	run_all(&w);
	world_gone(&w, world_pod(&w, "web"), ALL_EFFECTS);
	assert_string_equal(core_pod_status(p, (char[POD_STATUS_SIZE]){ 0 }), "Terminating");
	world_deinit(&w);
}

static void test_words_of_jobs(void **state _unused_)
{
	struct world w;

	begin(&w);
	set(&w, "job", "a=1 b=1 policy=never");
	run_all(&w);
	const struct core_pod *p = core_pod_by_uid(w.core, "job");
	ends(&w, "job", "a", 0, false);
	assert_string_equal(core_pod_status(p, (char[POD_STATUS_SIZE]){ 0 }),
	                    "NotReady"); /* as kubectl has it: one is done, the other runs */
	assert_string_equal(core_pod_phase(p), "Running");
	ends(&w, "job", "b", 0, false);
	assert_int_equal(p->state, POD_STATE_FINISHED);
	assert_string_equal(core_pod_phase(p), "Succeeded");
	assert_string_equal(core_pod_status(p, (char[POD_STATUS_SIZE]){ 0 }), "Completed");
	set(&w, "bad", "a=1 b=1 policy=never");
	run_all(&w);
	p = core_pod_by_uid(w.core, "bad");
	ends(&w, "bad", "b", 0, false);
	ends(&w, "bad", "a", 2, false);
	assert_string_equal(core_pod_phase(p), "Failed");
	assert_string_equal(core_pod_status(p, (char[POD_STATUS_SIZE]){ 0 }), "Error");
	world_deinit(&w);
}

/* Nothing pending means no timer at all, whatever went before. */
/* The start has podd's time, the end the anchor's, who was there first. */
static void test_ends_at_once(void **state _unused_)
{
	struct world w;

	begin(&w);
	set(&w, "web", "app=1");
	run_all(&w);
	struct world_pod *p = world_pod(&w, "web");
	struct world_proc *q = world_current(p, "app");
	world_proc_ends(&w, q, 0, 0, false);
	q->exit.wall = core_container(core_pod_by_uid(w.core, "web"), "app")->started_wall - 1;
	world_tell_exit(&w, p, q, ALL_EFFECTS);
	const struct core_container *app = core_container(core_pod_by_uid(w.core, "web"), "app");
	assert_true(app->last.set);
	assert_true(app->last.started_wall <= app->last.exit.wall);
	world_deinit(&w);
}

static void test_quiet(void **state _unused_)
{
	struct world w;

	begin(&w);
	assert_int_equal(core_deadline(w.core), 0);
	set(&w, "web", "app=1");
	assert_int_equal(core_deadline(w.core), 0);
	run_all(&w);
	ends(&w, "web", "app", 1, false);
	run_all(&w);
	ends(&w, "web", "app", 1, false);
	assert_int_equal(core_deadline(w.core), w.boot + 100 * NS_PER_MS);
	run_all(&w);
	assert_int_equal(core_deadline(w.core), 0);
	world_deinit(&w);
}

static struct pod *pod_of_64(void)
{
	struct testpod t = { .name = "big", .count = 1, .containers = { { .name = "x" } } };
	struct pod *p = testpod_build(&t);

	p->spec.containers.count = CONTAINERS_MAX;
	p->spec.containers.items = arena_new_array(p->arena, struct container, CONTAINERS_MAX);
	for (unsigned i = 0; i < CONTAINERS_MAX; i++) {
		/* names of full length that differ only at the end */
		p->spec.containers.items[i].name = arena_printf(p->arena, "%060d-%02u", 0, i);
		p->spec.containers.items[i].image = "x";
	}
	return p;
}

static void test_note_of_64(void **state _unused_)
{
	struct core_config config = { .backoff = BACKOFF_DEFAULT };
	struct core *c = core_new(&config);
	struct effects effects;
	struct event e = { .type = EVENT_GO, .boot = 1 };
	_cleanup_buf_ struct buf note = BUF_NULL;

	core_step(c, &e, &effects);
	e = (struct event){ .type = EVENT_POD_SET, .boot = 2, .id.uid = "big", .pod = pod_of_64() };
	core_step(c, &e, &effects);
	pod_unref(e.pod);
	e = (struct event){ .type = EVENT_SANDBOX_READY, .boot = 3, .id.uid = "big" };
	core_step(c, &e, &effects);
	core_note(core_pod_by_uid(c, "big"), &note);
	assert_in_range(note.len, 1000, NOTE_SIZE_MAX);
	struct note *n = xnew(struct note);
	assert_true(note_read(note.data, note.len, n));
	assert_int_equal(n->container_count, CONTAINERS_MAX);
	for (size_t i = 0; i < CONTAINERS_MAX; i++) {
		const struct note_container *k = note_find(n, core_pod_by_uid(c, "big")->containers[i].name);
		assert_ptr_equal(k, &n->containers[i]);
		assert_int_equal(k->state, CONTAINER_STATE_STARTING);
		assert_int_equal(k->next_number, 1);
	}
	free(n);
	core_free(c);
}

/* However a note is cut or bent, it is refused whole and never read beyond its end (the sanitizers look on). */
static void test_bad_notes(void **state _unused_)
{
	struct world w;
	struct note n;

	begin(&w);
	set(&w, "web", "app=1 db=1");
	run_all(&w);
	struct buf *good = &world_pod(&w, "web")->note;
	assert_true(note_read(good->data, good->len, &n));
	assert_false(note_read(NULL, 0, &n));
	for (size_t len = 0; len < good->len; len++) {
		char *cut = xcalloc(1, len);
		memcpy(cut, good->data, len);
		assert_false(note_read(cut, len, &n));
		free(cut);
	}
	for (size_t i = 0; i < good->len * 8; i++) {
		good->data[i / 8] ^= (char)(1 << (i % 8));
		assert_false(note_read(good->data, good->len, &n));
		good->data[i / 8] ^= (char)(1 << (i % 8));
	}
	world_deinit(&w);
}

static unsigned zero(void *user _unused_, unsigned below _unused_)
{
	return 0;
}

static unsigned late_snapshot(void *user _unused_, unsigned below)
{
	return below - 1;
}

/* A damaged note stops nothing that runs: the pod is adopted as it is. */
static void test_adopt_without_note(void **state _unused_)
{
	struct world w;

	begin(&w);
	set(&w, "web", "app=1 db=1");
	run_all(&w);
	struct world_pod *p = world_pod(&w, "web");
	p->note.data[20] ^= 1;
	world_restart(&w, zero, NULL);
	run_all(&w);
	assert_int_equal(world_current(p, "app")->number, 0);
	assert_int_equal(core_pod_by_uid(w.core, "web")->state, POD_STATE_RUNNING);
	ends(&w, "web", "app", 1, false);
	assert_int_equal(world_current(p, "app")->number, 1);
	world_deinit(&w);
}

/* podctl restart that comes while the anchor's snapshot is still on its way is not forgotten. */
static void test_restart_while_adopting(void **state _unused_)
{
	struct world w;

	begin(&w);
	set(&w, "web", "app=1 db=1");
	run_all(&w);
	struct world_pod *p = world_pod(&w, "web");
	world_restart(&w, late_snapshot, NULL);
	assert_int_equal(core_pod_by_uid(w.core, "web")->state, POD_STATE_ADOPTING);
	assert_string_equal(core_pod_phase(core_pod_by_uid(w.core, "web")), "Unknown");
	world_ask(&w, p, EVENT_RESTART_ASKED, "app", ALL_EFFECTS);
	run_all(&w);
	assert_int_equal(world_current(p, "app")->number, 1);
	assert_int_equal(world_current(p, "db")->number, 0);
	world_deinit(&w);
}

/* Why a container waits decides who wakes it, so a new podd has to know. */
static void test_adopted_reasons(void **state _unused_)
{
	static const struct {
		const char *failure;
		int times;
		const char *reason;
	} cases[] = {
		{ "ErrImagePull", 1, "ErrImagePull" },
		{ "ErrImagePull", 2, "ImagePullBackOff" },
		{ "CreateContainerConfigError", 2, "CreateContainerConfigError" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world w;
		begin(&w);
		set(&w, "web", "app=1");
		struct world_pod *p = world_pod(&w, "web");
		world_ready(&w, p, ALL_EFFECTS);
		for (int n = 0; n < cases[i].times; n++) {
			w.boot = MAX(w.boot, core_deadline(w.core));
			world_tick(&w, ALL_EFFECTS);
			world_tell_failed(&w, p, world_current(p, "app"), cases[i].failure, ALL_EFFECTS);
		}
		for (int podds = 0; podds < 2; podds++) {
			const struct core_pod *cp = core_pod_by_uid(w.core, "web");
			assert_string_equal(core_container_reason(cp, &cp->containers[0]), cases[i].reason);
			world_restart(&w, zero, NULL);
		}
		world_deinit(&w);
	}
}

/* What people ask of a crash loop, a new podd knows too. */
static void test_adopted_words(void **state _unused_)
{
	struct world w;

	begin(&w);
	set(&w, "web", "app=1");
	for (int code = 1; code <= 3; code++) {
		run_all(&w);
		ends(&w, "web", "app", code, false);
	}
	const struct core_container *k = &core_pod_by_uid(w.core, "web")->containers[0];
	_cleanup_free_ char *message = xstrdup(core_container_message(k));
	assert_string_equal(core_container_reason(core_pod_by_uid(w.core, "web"), k), "CrashLoopBackOff");
	assert_non_null(strstr(message, "restarting failed container=app"));
	for (int podds = 0; podds < 2; podds++) {
		world_restart(&w, zero, NULL);
		k = &core_pod_by_uid(w.core, "web")->containers[0];
		assert_string_equal(core_container_message(k), message);
		assert_true(k->last.set && k->before.set);
		assert_int_equal(k->last.exit.code, 3);
		assert_int_equal(k->before.exit.code, 2);
		assert_string_equal(k->before.reason, "Error");
	}
	world_deinit(&w);
}

static void test_many_pods(void **state _unused_)
{
	enum { MANY = 2000 };
	struct core_config config = { .backoff = BACKOFF_DEFAULT };
	struct core *c = core_new(&config);
	struct effects effects;
	struct event e = { .type = EVENT_GO, .boot = 1 };
	size_t listed = 0;

	core_step(c, &e, &effects);
	for (int i = 0; i < MANY; i++) {
		struct testpod t = { .count = 1, .containers = { { .name = "x" } } };
		(void)snprintf(t.name, sizeof(t.name), "pod-%d", i);
		e = (struct event){ .type = EVENT_POD_SET, .boot = 2, .pod = testpod_build(&t) };
		(void)snprintf(e.id.uid, sizeof(e.id.uid), "uid-%d", i);
		core_step(c, &e, &effects);
		assert_int_equal(effects.items[0].type, EFFECT_SANDBOX_CREATE);
		pod_unref(e.pod);
	}
	for (int i = 0; i < MANY; i++) {
		char name[32], uid[32];
		(void)snprintf(name, sizeof(name), "pod-%d", i);
		(void)snprintf(uid, sizeof(uid), "uid-%d", i);
		assert_string_equal(core_pod_by_name(c, "default", name)->uid, uid);
		assert_string_equal(core_pod_by_uid(c, uid)->pod->metadata.name, name);
	}
	list_foreach(p, core_pods(c), const struct core_pod, link)
		listed++;
	assert_int_equal(listed, MANY);
	assert_null(core_pod_by_name(c, "other", "pod-1"));
	assert_null(core_pod_by_uid(c, "nobody"));
	core_free(c);
}

/* Every event in every state, also those that can't be: nothing crashes, and the next sane events still work. */
static void test_any_event_any_time(void **state _unused_)
{
	for (enum event_type first = 0; first < EVENT_MAX; first++)
		for (enum event_type second = 0; second < EVENT_MAX; second++)
			for (int phase = 0; phase < 5; phase++) {
				struct world w;
				begin(&w);
				set(&w, "web", phase == 4 ? "app=1 policy=never" : "app=1");
				if (phase >= 1)
					world_ready(&w, world_pod(&w, "web"), ALL_EFFECTS);
				if (phase >= 2)
					run_all(&w);
				if (phase == 3)
					world_ask(&w, world_pod(&w, "web"), EVENT_STOP_ASKED, "", ALL_EFFECTS);
				if (phase == 4)
					ends(&w, "web", "app", 0, false);
				enum event_type types[] = { first, second };
				for (int i = 0; i < 2; i++) {
					struct event e = {
						.type = types[i], .boot = w.boot, .wall = w.wall, .id = { "web", "app", 0 }
					};
					struct testpod t = { .name = "web",
						             .count = 1,
						             .containers = { { .name = "app", .image = 2 } } };
					struct pod *pod = testpod_build(&t);
					struct effects effects;
					if (e.type == EVENT_POD_SET || e.type == EVENT_JOB_DONE)
						e.pod = pod;
					core_step(w.core, &e, &effects);
					pod_unref(pod);
				}
				world_deinit(&w);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_words_of_jobs),
		cmocka_unit_test(test_ends_at_once),
		cmocka_unit_test(test_quiet),
		cmocka_unit_test(test_note_of_64),
		cmocka_unit_test(test_bad_notes),
		cmocka_unit_test(test_adopt_without_note),
		cmocka_unit_test(test_restart_while_adopting),
		cmocka_unit_test(test_adopted_reasons),
		cmocka_unit_test(test_adopted_words),
		cmocka_unit_test(test_many_pods),
		cmocka_unit_test(test_any_event_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
