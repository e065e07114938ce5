/* Random lives: pods are set, edited, held, restarted and removed, containers crash, fail to start, ignore signals, effects are slow or
 * fail, anchors die, podd dies at any point, also between two effects of one step. The world (world.h) watches over every effect; at the
 * end all is let come to rest, and the end state must be the wanted one.
 *
 * simulate [--seed N] [--count N] [--verbose]: schedule i of a run has the seed N + i, so that what is printed for a failing one replays it
 * alone. Built with PODD_PLANTED_BUG it must fail: exit 0 then means that the bug was caught. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "trace/world.h"

#ifndef PODD_PLANTED_BUG
#define PODD_PLANTED_BUG 0
#endif

enum { STEPS_MAX = 70, COUNT_DEFAULT = 200000 };

struct dice {
	uint64_t state;
};

/* splitmix64 */
static uint64_t roll(struct dice *d)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static unsigned below(struct dice *d, unsigned n)
{
	return (unsigned)(roll(d) % n);
}

static unsigned choose(void *user, unsigned n)
{
	return below(user, n);
}

static const char *const names[] = { "a", "b", "c" };

static struct testpod_probe random_probe(struct dice *d)
{
	if (below(d, 4))
		return (struct testpod_probe){ 0 };
	return (struct testpod_probe){ 1 + (int)below(d, 2), (int)below(d, 2), 1 + (int)below(d, 2) };
}

/* Each name has its role for good: "a" to "c" are members, "i" and "j" init containers, "s" is a sidecar between them. */
static void add_container(struct dice *d, struct testpod *t, const char *name)
{
	struct testpod_container *k = &t->containers[t->count++];

	*k = (struct testpod_container){ .image = (int)below(d, 3), .limit = (int)below(d, 3) };
	memcpy(k->name, name, 2);
	for (size_t i = 0; i < 2 && (*name < 'i' || *name == 's'); i++)
		k->hooks[i] = below(d, 6) ? 0 : below(d, 2) ? -1 : 1;
	for (enum probe_kind kind = 0; kind < PROBE_MAX && (*name < 'i' || *name == 's'); kind++)
		k->probes[kind] = random_probe(d);
	if (*name == 's') {
		k->role = CONTAINER_ROLE_SIDECAR;
		k->restart = CONTAINER_RESTART_ALWAYS;
		return;
	}
	k->role = *name >= 'i' ? CONTAINER_ROLE_INIT : CONTAINER_ROLE_MEMBER;
	if (below(d, 6) == 0)
		k->restart = (enum container_restart)(CONTAINER_RESTART_ON_FAILURE + below(d, 2));
	if (below(d, 8) == 0)
		k->rule = (struct testpod_rule){ (enum restart_action)below(d, RESTART_ACTION_MAX), 1 };
}

static size_t count_members(const struct testpod *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->count; i++)
		n += t->containers[i].role == CONTAINER_ROLE_MEMBER;
	return n;
}

static void random_version(struct dice *d, struct testpod *t, const char *uid)
{
	static const char *const inits[] = { "i", "s", "j" };

	memset(t, 0, sizeof(*t));
	/* Sometimes the namesake of another uid. */
	(void)snprintf(t->name, sizeof(t->name), "%s", below(d, 8) ? uid : "p0");
	t->policy = below(d, 2) ? RESTART_POLICY_ALWAYS : (enum restart_policy)below(d, RESTART_POLICY_MAX);
	t->grace = below(d, 3) ? 5 : 0;
	if (below(d, 3) == 0) { /* of the other pod, of its namesake, or of one that is nowhere */
		(void)snprintf(t->after, sizeof(t->after), "p%u", below(d, 5) ? streq(t->name, "p0") : 7);
		t->until = (enum after_until)below(d, AFTER_UNTIL_MAX);
	}
	if (below(d, 8) == 0)
		(void)strcpy(t->for_label, "disk");
	t->rank = (int)below(d, 3);
	bool ordered = below(d, 2);
	for (size_t i = 0; i < ARRAY_SIZE(inits) && ordered; i++)
		if (below(d, 2))
			add_container(d, t, inits[i]);
	while (!count_members(t))
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if (below(d, 2))
				add_container(d, t, names[i]);
}

static void random_edit(struct dice *d, struct testpod *t)
{
	struct testpod_container *k = &t->containers[below(d, (unsigned)t->count)];

	switch (below(d, 10)) {
	case 9:
		t->until = (enum after_until)below(d, AFTER_UNTIL_MAX);
		(void)snprintf(t->after, sizeof(t->after), "%s", below(d, 2) ? "" : streq(t->name, "p0") ? "p1" : "p0");
		break;
	case 0:
	case 1:
		k->image = (int)below(d, 3);
		break;
	case 2:
		k->limit = (int)below(d, 3);
		break;
	case 3:
		t->host = (int)below(d, 2);
		break;
	case 4:
		t->label++;
		break;
	case 5:
		t->policy = (enum restart_policy)below(d, RESTART_POLICY_MAX);
		break;
	case 6:
		if (k->role != CONTAINER_ROLE_INIT)
			k->probes[below(d, PROBE_MAX)] = random_probe(d);
		break;
	case 7:
		if (k->role != CONTAINER_ROLE_MEMBER || count_members(t) > 1)
			*k = t->containers[--t->count];
		break;
	default:
		for (size_t i = 0; i < ARRAY_SIZE(names) && t->count < TESTPOD_CONTAINERS_MAX; i++)
			if (!testpod_find(t, names[i]))
				add_container(d, t, names[i]);
	}
	testpod_sort(t);
}

static bool name_taken(const struct world *w, const struct world_pod *p, const struct testpod *t)
{
	for (size_t i = 0; i < w->pod_count; i++)
		if (&w->pods[i] != p && w->pods[i].manifest && streq(w->pods[i].want.name, t->name))
			return true; /* the shell refuses the second manifest */
	return false;
}

static void user_acts(struct world *w, struct world_pod *p, struct dice *d, size_t limit)
{
	struct testpod t;

	if (!p->manifest) {
		random_version(d, &t, p->uid);
		if (!name_taken(w, p, &t))
			world_set(w, p, &t, limit);
		return;
	}
	unsigned what = below(d, 14);
	if (what == 13) {
		world_label(w, below(d, 2) ? "disk" : "", limit);
	} else if (what == 12) {
		world_stop_all(w, limit);
	} else if (what < 6) {
		t = p->want;
		random_edit(d, &t);
		world_set(w, p, &t, limit);
	} else if (what < 8) {
		world_gone(w, p, limit);
	} else if (what < 10) {
		world_ask(w, p, EVENT_RESTART_ASKED, below(d, 2) ? "" : names[below(d, 3)], limit);
	} else {
		world_ask(w, p, below(d, 2) ? EVENT_STOP_ASKED : EVENT_START_ASKED, "", limit);
	}
}

static bool probe_answers(struct world *w, struct world_pod *p, struct world_proc *q, struct dice *d, size_t limit)
{
	enum probe_kind kind = (enum probe_kind)below(d, PROBE_MAX);

	if (!q->probed[kind] || !below(d, 3))
		return false;
	world_tell_probed(w, p, q, kind, below(d, 2) ? PROBE_SUCCESS : (enum probe_result)below(d, PROBE_RESULT_MAX), limit);
	return true;
}

static void proc_acts(struct world *w, struct world_pod *p, struct world_proc *q, struct dice *d, size_t limit)
{
	switch (q->state) {
	case PROC_REQUESTED:
		if (q->aborted && below(d, 2))
			world_tell_failed(w, p, q, "Aborted", limit);
		else if (below(d, 6))
			world_proc_runs(w, q);
		else if (below(d, 2))
			world_proc_ends(w, q, 128, 0, false);
		else
			world_tell_failed(w, p, q, "ErrImagePull", limit);
		break;
	case PROC_ALIVE:
		if (probe_answers(w, p, q, d, limit))
			break;
		if (q->told_started && q->hook != HOOK_MAX && below(d, 2))
			world_tell_hooked(w, p, q, below(d, 4) ? "" : "failed", limit);
		else if (!q->told_started && below(d, 3))
			world_tell_started(w, p, q, limit);
		else if (q->killed && below(d, 2))
			world_proc_ends(w, q, 137, 9, below(d, 4) == 0);
		else if (q->term && below(d, 2))
			world_proc_ends(w, q, below(d, 2) ? 143 : 0, 15, false);
		else if (below(d, 3) == 0)
			world_proc_ends(w, q, (int)below(d, 2), 0, false);
		break;
	case PROC_DEAD:
		if (q->failed)
			world_tell_failed(w, p, q, "StartError", limit);
		else if (!q->told_started)
			world_tell_started(w, p, q, limit);
		else
			world_tell_exit(w, p, q, limit);
		break;
	}
}

/* A message about a start that is over, once more: the anchor could not know that podd had it. */
static void late_exit(struct world *w, struct world_pod *p, struct dice *d, size_t limit)
{
	struct event e = { .type = EVENT_EXITED, .exit = { .code = 1 } };
	const struct world_name *n = p->name_count ? &p->names[below(d, (unsigned)p->name_count)] : NULL;
	struct world_proc *current = n ? world_current(p, n->name) : NULL;

	if (!p->known || p->anchor != ANCHOR_UP || p->adopt_due || !current || current->number == 0)
		return;
	(void)snprintf(e.id.uid, sizeof(e.id.uid), "%s", p->uid);
	(void)snprintf(e.id.container, sizeof(e.id.container), "%s", n->name);
	e.id.number = current->number - 1;
	if (!world_proc(p, n->name, e.id.number))
		(void)world_step(w, &e, limit);
}

static void pod_acts(struct world *w, struct world_pod *p, struct dice *d, size_t limit)
{
	if (p->anchor == ANCHOR_CREATING) {
		if (below(d, 4))
			world_ready(w, p, limit);
		else
			world_failed(w, p, "NoSpace", limit);
	} else if (p->destroying && below(d, 3) == 0) {
		world_destroyed(w, p, limit);
	} else if (p->adopt_due && p->anchor == ANCHOR_UP) {
		world_tell_adopt(w, p, limit);
	} else if (p->anchor == ANCHOR_DEAD && !p->told_lost) {
		world_tell_lost(w, p, limit);
	} else if (p->anchor == ANCHOR_UP && below(d, 40) == 0) {
		world_anchor_dies(p);
	} else if (p->known && below(d, 60) == 0) {
		world_evict(w, p, limit);
	} else if (p->anchor == ANCHOR_UP && !p->adopt_due && below(d, 12) == 0) {
		late_exit(w, p, d, limit);
	} else if (p->anchor == ANCHOR_UP && p->proc_count && !p->adopt_due) {
		proc_acts(w, p, &p->procs[below(d, (unsigned)p->proc_count)], d, limit);
	}
}

static void time_passes(struct world *w, struct dice *d, size_t limit)
{
	int64_t next = core_deadline(w->core), by = below(d, 2000) * NS_PER_MS;

	if (next && below(d, 2))
		by = MAX(next - w->boot, 0);
	w->boot += by;
	w->wall += by;
	if (next && next <= w->boot)
		world_tick(w, limit);
}

static void one_step(struct world *w, struct dice *d)
{
	bool dies = below(d, 25) == 0;
	size_t limit = dies && below(d, 2) ? below(d, 5) : ALL_EFFECTS;
	struct world_pod *p = &w->pods[below(d, (unsigned)w->pod_count)];
	unsigned what = below(d, 16);

	if (what == 0)
		user_acts(w, p, d, limit);
	else if (what < 13)
		pod_acts(w, p, d, limit);
	else
		time_passes(w, d, limit);
	if (dies)
		world_restart(w, choose, d);
}

static void run_schedule(uint64_t seed, struct buf *log, char violation[static 256])
{
	struct dice d = { seed };
	struct world w;
	struct event go = { .type = EVENT_GO };

	world_init(&w);
	w.log = log;
	if (below(&d, 2)) /* short back-off, so that much happens */
		w.config.backoff = (struct backoff_config){ 10 * NS_PER_MS, NS_PER_SEC, 5 * NS_PER_SEC };
	w.core = core_free(w.core);
	w.core = core_new(&w.config);
	(void)world_step(&w, &go, ALL_EFFECTS);
	(void)world_add(&w, "p0");
	if (below(&d, 2))
		(void)world_add(&w, "p1");
	user_acts(&w, &w.pods[0], &d, ALL_EFFECTS);
	unsigned steps = 10 + below(&d, STEPS_MAX);
	for (unsigned i = 0; i < steps && !*w.violation; i++)
		one_step(&w, &d);
	if (log)
		buf_puts(log, "         all comes to rest\n");
	world_drain(&w);
	world_check_end(&w);
	memcpy(violation, w.violation, sizeof(w.violation));
	world_deinit(&w);
}

static int failed(uint64_t seed, const char *violation)
{
	_cleanup_buf_ struct buf log = BUF_NULL;
	char again[256];

	if (PODD_PLANTED_BUG) {
		printf("1..1\nok 1 - planted bug %d is caught (seed %" PRIu64 ": %s)\n", PODD_PLANTED_BUG, seed, violation);
		return 0;
	}
	run_schedule(seed, &log, again);
	printf("%s# seed %" PRIu64 ": %s\nnot ok 1 - simulation; replay with: simulate --seed %" PRIu64
	       " --count 1 --verbose\n1..1\n",
	       buf_str(&log), seed, violation, seed);
	return 1;
}

int main(int argc, char **argv)
{
	uint64_t seed = (uint64_t)clock_wall(), count = COUNT_DEFAULT;
	bool verbose = false;

	for (int i = 1; i < argc; i++) {
		if (streq(argv[i], "--seed") && i + 1 < argc)
			seed = strtoull(argv[++i], NULL, 10);
		else if (streq(argv[i], "--count") && i + 1 < argc)
			count = strtoull(argv[++i], NULL, 10);
		else if (streq(argv[i], "--verbose"))
			verbose = true;
		else
			return 2;
	}
	printf("# seed %" PRIu64 ", %" PRIu64 " schedules\n", seed, count);
	(void)fflush(stdout);
	for (uint64_t i = 0; i < count; i++) {
		char violation[256];
		_cleanup_buf_ struct buf log = BUF_NULL;
		run_schedule(seed + i, verbose ? &log : NULL, violation);
		if (verbose)
			(void)fputs(buf_str(&log), stdout);
		if (*violation)
			return failed(seed + i, violation);
	}
	printf("1..1\n%s 1 - %" PRIu64 " schedules%s\n", PODD_PLANTED_BUG ? "not ok" : "ok", count,
	       PODD_PLANTED_BUG ? " did not catch the planted bug" : "");
	return PODD_PLANTED_BUG ? 1 : 0;
}
