/* Golden traces: virtual milliseconds, what happens, and the effects that must follow.
 *
 *      0 set web app=1
 *           -> create web; changed web
 *
 * Each trace is replayed literally, in the world of world.h. Then it is replayed again with a restart of podd put in after every line, in two
 * variants (what was under way had reached the anchor, or had not); numbers and effects may differ then, so the lines count as what
 * happens to whatever runs at that point, and the end state must be that of the literal run. A trace that depends on what only a living
 * podd remembers says so in a line "# restarts: no, REASON".
 *
 *   MS set POD WORDS...     the manifest (testpod.h)      MS ready POD              the sandbox stands
 *   MS gone POD                                          MS failed POD REASON      it could not be made
 *   MS stop|start POD       podctl                       MS destroyed POD          nothing is left of it
 *   MS restart POD[/C]                                   MS dies POD               its anchor dies
 *   MS runs POD/C#N         the launch succeeds          MS exits POD/C#N CODE [oom]
 *   MS hooked POD/C#N [WHY] its hook has ended, or failed
 *   MS probed POD/C#N KIND [WHY] its probe (startup, readiness, liveness) was answered: well, or why not; "errored": it was not made
 *   MS fails POD/C#N REASON the launch fails             MS late POD/C#N CODE      an exit of an old start is told once more
 *   MS evict POD            it holds more of the disk than it may
 *   MS stop-all             podctl stop --all
 *   MS label [NAME]          the node has this label, or none
 *   MS tick                 time passes                  MS podd [lost]            podd restarts
 *   MS odd POD EVENT        an event out of order: reported, never fatal
 *
 * run [FILE...]; run --update FILE prints the trace with the effects as they are: for reading before it is committed. */
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "trace/world.h"

enum { LINES_MAX = 200, TRACE_SIZE_MAX = 64 << 10 };

struct line {
	int64_t ms;
	char *verb, *pod, *container, *rest; /* rest: "" if there is none */
	uint32_t number;
	struct buf expected;
};

struct trace {
	char *text;
	struct line lines[LINES_MAX];
	size_t count;
	bool restarts;
	char error[128];
};

static void trace_deinit(struct trace *t)
{
	for (size_t i = 0; i < t->count; i++)
		buf_deinit(&t->lines[i].expected);
	free(t->text);
}

/* ---- reading ---- */

static bool parse_event(struct trace *t, char *s)
{
	static char none[] = "";

	if (t->count == LINES_MAX)
		return false;
	struct line *l = &t->lines[t->count++];
	char *save = NULL, *ms = strtok_r(s, " ", &save);
	l->verb = strtok_r(NULL, " ", &save);
	l->pod = strtok_r(NULL, " ", &save);
	l->rest = save ? save : none;
	l->container = none;
	l->ms = ms ? strtoll(ms, NULL, 10) : 0;
	if (!l->verb)
		return false;
	if (!l->pod)
		l->pod = none;
	char *slash = strchr(l->pod, '/');
	if (slash) {
		*slash = '\0';
		l->container = slash + 1;
		char *hash = strchr(l->container, '#');
		if (hash) {
			*hash = '\0';
			l->number = (uint32_t)strtoul(hash + 1, NULL, 10);
		}
	}
	return true;
}

static void parse(struct trace *t)
{
	char *save = NULL;

	t->restarts = true;
	for (char *s = strtok_r(t->text, "\n", &save); s; s = strtok_r(NULL, "\n", &save)) {
		s += strspn(s, " \t");
		const char *arrow = str_after(s, "-> ");
		if (str_after(s, "# restarts: no"))
			t->restarts = false;
		if (!*s || *s == '#')
			continue;
		if (arrow && t->count) {
			struct buf *b = &t->lines[t->count - 1].expected;
			buf_printf(b, "%s%s", b->len ? "; " : "", arrow);
		} else if (!parse_event(t, s)) {
			(void)snprintf(t->error, sizeof(t->error), "line not understood: %.80s", s);
			return;
		}
	}
}

/* ---- playing ---- */

static unsigned reached(void *user _unused_, unsigned below _unused_)
{
	return 0;
}

static unsigned was_lost(void *user _unused_, unsigned below)
{
	return below == 4 ? 0 : below - 1; /* of four: whether the snapshot comes in time */
}

static void play_wish(struct world *w, struct world_pod *p, const struct line *l)
{
	if (streq(l->verb, "set")) {
		struct testpod t;
		_cleanup_free_ char *words = xstrdup(l->rest);
		if (testpod_parse(p->uid, words, &t))
			world_set(w, p, &t, ALL_EFFECTS);
		else
			world_fail(w, "bad words: %s", l->rest);
	} else if (streq(l->verb, "gone")) {
		world_gone(w, p, ALL_EFFECTS);
	} else if (streq(l->verb, "restart")) {
		world_ask(w, p, EVENT_RESTART_ASKED, l->container, ALL_EFFECTS);
	} else {
		world_ask(w, p, streq(l->verb, "stop") ? EVENT_STOP_ASKED : EVENT_START_ASKED, "", ALL_EFFECTS);
	}
}

/* False: it can't happen as things stand. */
static bool play_sandbox(struct world *w, struct world_pod *p, const struct line *l, bool strict)
{
	/* After a restart a half-made sandbox has to go before the one that the line speaks of can be made. */
	if (!strict && p->destroying && p->manifest && streq(l->verb, "ready"))
		world_destroyed(w, p, ALL_EFFECTS);
	if (streq(l->verb, "ready") && p->anchor == ANCHOR_CREATING) {
		world_ready(w, p, ALL_EFFECTS);
	} else if (streq(l->verb, "failed") && p->anchor == ANCHOR_CREATING) {
		world_failed(w, p, l->rest, ALL_EFFECTS);
	} else if (streq(l->verb, "destroyed") && p->destroying) {
		world_destroyed(w, p, ALL_EFFECTS);
	} else if (streq(l->verb, "evict")) {
		world_evict(w, p, ALL_EFFECTS);
	} else if (streq(l->verb, "dies") && p->anchor == ANCHOR_UP && !p->destroying) {
		world_anchor_dies(p);
		world_tell_lost(w, p, ALL_EFFECTS);
	} else {
		return false;
	}
	return true;
}

static bool play_probed(struct world *w, struct world_pod *p, struct world_proc *q, const char *rest)
{
	for (enum probe_kind kind = 0; kind < PROBE_MAX; kind++) {
		size_t n = strlen(probe_name(kind));
		if (strncasecmp(rest, probe_name(kind), n) != 0 || !q->probed[kind])
			continue;
		const char *why = rest + n + strspn(rest + n, " ");
		world_tell_probed(w, p, q, kind,
		                  streq(why, "errored") ? PROBE_UNKNOWN
		                  : *why                ? PROBE_FAILURE
		                                        : PROBE_SUCCESS,
		                  ALL_EFFECTS);
		return true;
	}
	return false;
}

static bool play_proc(struct world *w, struct world_pod *p, const struct line *l, bool strict)
{
	struct world_proc *q = world_proc(p, l->container, l->number);

	if (!q && !strict)
		q = world_current(p, l->container);
	if (!q || q->state == PROC_DEAD)
		return false;
	if (streq(l->verb, "runs")) {
		if (q->told_started)
			return !strict;
		if (q->state == PROC_REQUESTED)
			world_proc_runs(w, q);
		world_tell_started(w, p, q, ALL_EFFECTS);
		return true;
	}
	if (streq(l->verb, "hooked")) {
		if (q->hook == HOOK_MAX)
			return false;
		world_tell_hooked(w, p, q, l->rest, ALL_EFFECTS);
		return true;
	}
	if (streq(l->verb, "probed"))
		return play_probed(w, p, q, l->rest);
	if (streq(l->verb, "fails")) {
		if (q->state != PROC_REQUESTED)
			return false;
		if (streq(l->rest, "StartError"))
			world_proc_ends(w, q, 128, 0, false);
		world_tell_failed(w, p, q, l->rest, ALL_EFFECTS);
		return true;
	}
	if (q->state == PROC_REQUESTED) {
		if (strict)
			return false;
		world_proc_runs(w, q);
		world_tell_started(w, p, q, ALL_EFFECTS);
	}
	int code = atoi(l->rest);
	world_proc_ends(w, q, code, code > 128 ? code - 128 : 0, strstr(l->rest, "oom") != NULL);
	world_tell_exit(w, p, q, ALL_EFFECTS);
	return true;
}

static void play_event(struct world *w, struct world_pod *p, const struct line *l)
{
	struct event e = { .type = EVENT_EXITED, .exit = { .code = atoi(l->rest) } };

	(void)snprintf(e.id.uid, sizeof(e.id.uid), "%s", p->uid);
	(void)snprintf(e.id.container, sizeof(e.id.container), "%s", l->container);
	e.id.number = l->number;
	w->internal_errors = false;
	if (streq(l->verb, "odd"))
		for (e.type = 0; e.type < EVENT_MAX && !streq(event_name(e.type), l->rest);)
			e.type++;
	if (e.type == EVENT_MAX)
		world_fail(w, "no such event: %s", l->rest);
	else
		(void)world_step(w, &e, ALL_EFFECTS);
	w->internal_errors = true;
}

static bool is_wish(const char *verb)
{
	return streq(verb, "set") || streq(verb, "gone") || streq(verb, "restart") || streq(verb, "stop") || streq(verb, "start");
}

/* False: the line can't happen as things stand, which is a violation if `strict`. */
static bool play(struct world *w, const struct line *l, bool strict)
{
	int64_t boot = (l->ms + 1000) * NS_PER_MS;
	bool happened = true;

	w->wall += MAX(boot - w->boot, 0);
	w->boot = MAX(w->boot, boot);
	int64_t due = core_deadline(w->core);
	if (streq(l->verb, "tick") || (!strict && due && due <= w->boot))
		world_tick(w, ALL_EFFECTS);
	if (streq(l->verb, "podd"))
		world_restart(w, streq(l->pod, "lost") ? was_lost : reached, NULL);
	if (streq(l->verb, "stop-all"))
		world_stop_all(w, ALL_EFFECTS);
	if (streq(l->verb, "label"))
		world_label(w, l->pod, ALL_EFFECTS);
	if (streq(l->verb, "tick") || streq(l->verb, "podd") || streq(l->verb, "stop-all") || streq(l->verb, "label"))
		return true;
	struct world_pod *p = world_add(w, l->pod);
	if (!p)
		world_fail(w, "too many pods");
	else if (is_wish(l->verb))
		play_wish(w, p, l);
	else if (streq(l->verb, "odd") || streq(l->verb, "late"))
		play_event(w, p, l);
	else if (*l->container)
		happened = play_proc(w, p, l, strict);
	else
		happened = play_sandbox(w, p, l, strict);
	if (!happened && strict)
		world_fail(w, "%" PRId64 " %s %s: can't happen as things stand", l->ms, l->verb, l->pod);
	return happened;
}

static void begin(struct world *w)
{
	struct event go = { .type = EVENT_GO };

	world_init(w);
	(void)world_step(w, &go, ALL_EFFECTS);
}

/* What must be the same however often podd was restarted. Restart counts are part of it where one sandbox was there all the time. */
struct summary {
	struct buf states, counts;
};

static void summary_deinit(struct summary *s)
{
	buf_deinit(&s->states);
	buf_deinit(&s->counts);
}

static void summarize(struct world *w, struct summary *ret)
{
	struct buf *out = &ret->states;

	list_foreach(p, core_pods(w->core), const struct core_pod, link) {
		buf_printf(out, "%s %s %s:", p->uid, pod_state_name(p->state), core_pod_phase(p));
		for (size_t i = 0; i < p->container_count; i++) {
			const struct core_container *k = &p->containers[i];
			struct world_proc *q = world_current(world_pod(w, p->uid), k->name);
			buf_printf(out, " %s %s image=%d limit=%d", k->name, container_state_name(k->state), q ? q->image : 0,
			           q ? q->limit : 0);
			if (k->state == CONTAINER_STATE_DONE && p->state == POD_STATE_FINISHED)
				buf_printf(out, " %s %d", k->last.reason, k->last.exit.code);
			if (world_pod(w, p->uid)->counts)
				buf_printf(&ret->counts, "%s/%s restarts=%u\n", p->uid, k->name, k->restart_count);
		}
		buf_putc(out, '\n');
	}
}

static bool summary_agrees(const struct summary *got, const struct summary *wanted)
{
	_cleanup_free_ char *counts = xstrdup(buf_str(&got->counts));
	char *save = NULL;

	for (char *l = strtok_r(counts, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		_cleanup_free_ char *whole = xasprintf("%s\n", l), *key = xstrndup(l, strcspn(l, "="));
		if (strstr(buf_str(&wanted->counts), key) && !strstr(buf_str(&wanted->counts), whole))
			return false;
	}
	return streq(buf_str(&got->states), buf_str(&wanted->states));
}

static void normalize(struct buf *b)
{
	struct buf out = BUF_NULL;

	for (const char *s = buf_str(b); *s; s++)
		if (*s != ' ' || (s[1] != ' ' && s[1] != '\0'))
			buf_putc(&out, *s);
	buf_deinit(b);
	*b = out;
}

static bool run_literally(const char *file, struct trace *t, struct summary *summary)
{
	struct world w;
	_cleanup_buf_ struct buf effects = BUF_NULL;
	bool good = true;

	begin(&w);
	w.effects = &effects;
	for (size_t i = 0; i < t->count && good; i++) {
		struct line *l = &t->lines[i];
		buf_clear(&effects);
		(void)play(&w, l, true);
		normalize(&l->expected);
		good = streq(buf_str(&effects), buf_str(&l->expected)) && !*w.violation;
		if (!good)
			printf("# %s: %" PRId64 " %s %s\n#   expected: %s\n#   got:      %s\n# %s\n", file, l->ms, l->verb, l->pod,
			       buf_str(&l->expected), buf_str(&effects), w.violation);
	}
	world_drain(&w);
	world_check_end(&w);
	if (good && *w.violation)
		printf("# %s: at the end: %s\n", file, w.violation);
	good = good && !*w.violation;
	summarize(&w, summary);
	world_deinit(&w);
	return good;
}

static bool run_with_restart(const char *file, const struct trace *t, size_t after, bool lost, const struct summary *wanted)
{
	struct world w;
	_cleanup_buf_ struct buf log = BUF_NULL;
	_cleanup_(summary_deinit) struct summary summary = { BUF_NULL, BUF_NULL };

	bool all = true; /* lines happened; else counts can't be compared */

	begin(&w);
	w.log = &log;
	for (size_t i = 0; i < t->count; i++) {
		all = play(&w, &t->lines[i], false) && all;
		if (i == after)
			world_restart(&w, lost ? was_lost : reached, NULL);
	}
	world_drain(&w);
	world_check_end(&w);
	summarize(&w, &summary);
	if (!all)
		buf_clear(&summary.counts);
	bool good = !*w.violation && summary_agrees(&summary, wanted);
	if (!good)
		printf("# %s: podd restarted after line \"%" PRId64 " %s %s\"%s: %s\n# expected: %s%s# got:      %s%s%s", file,
		       t->lines[after].ms, t->lines[after].verb, t->lines[after].pod, lost ? ", lost" : "", w.violation,
		       buf_str(&wanted->states), buf_str(&wanted->counts), buf_str(&summary.states), buf_str(&summary.counts),
		       buf_str(&log));
	world_deinit(&w);
	return good;
}

static bool load(const char *file, struct trace *t)
{
	_cleanup_buf_ struct buf text = BUF_NULL;

	memset(t, 0, sizeof(*t));
	if (file_read(-100 /* AT_FDCWD */, file, TRACE_SIZE_MAX, &text) < 0)
		return false;
	t->text = buf_take(&text);
	parse(t);
	return !*t->error;
}

static bool run_trace(const char *file)
{
	struct trace t;
	_cleanup_(summary_deinit) struct summary summary = { BUF_NULL, BUF_NULL };
	bool good = load(file, &t);

	if (!good)
		printf("# %s: %s\n", file, *t.error ? t.error : "can't be read");
	good = good && t.count > 0 && run_literally(file, &t, &summary);
	for (size_t i = 0; i < t.count && good && t.restarts; i++)
		for (int lost = 0; lost < 2 && good; lost++)
			good = run_with_restart(file, &t, i, lost, &summary);
	trace_deinit(&t);
	return good;
}

static int update(const char *file)
{
	struct trace t;
	struct world w;
	_cleanup_buf_ struct buf text = BUF_NULL, effects = BUF_NULL;

	if (!load(file, &t) || file_read(-100, file, TRACE_SIZE_MAX, &text) < 0) {
		fprintf(stderr, "%s: %s\n", file, t.error);
		return 1;
	}
	begin(&w);
	w.effects = &effects;
	size_t at = 0;
	char *save = NULL;
	for (char *s = strtok_r(text.data, "\n", &save); s; s = strtok_r(NULL, "\n", &save)) {
		const char *word = s + strspn(s, " ");
		if (str_after(word, "->"))
			continue;
		puts(s);
		if (!*word || *word == '#')
			continue;
		buf_clear(&effects);
		(void)play(&w, &t.lines[at++], true);
		char *more = NULL;
		for (char *f = effects.len ? strtok_r(effects.data, ";", &more) : NULL; f; f = strtok_r(NULL, ";", &more))
			printf("             -> %s\n", f + (*f == ' '));
	}
	if (*w.violation)
		fprintf(stderr, "%s: %s\n", file, w.violation);
	world_deinit(&w);
	trace_deinit(&t);
	return 0;
}

int main(int argc, char **argv)
{
	const char *srcdir = getenv("srcdir");
	_cleanup_free_ char *pattern = xasprintf("%s/tests/trace/*.trace", srcdir ? srcdir : ".");
	glob_t all = { 0 };
	unsigned failed = 0;

	if (argc == 3 && streq(argv[1], "--update"))
		return update(argv[2]);
	if (argc == 1 && glob(pattern, 0, NULL, &all) != 0) {
		printf("not ok 1 - no traces in %s\n1..1\n", pattern);
		return 1;
	}
	char **files = argc > 1 ? argv + 1 : all.gl_pathv;
	size_t count = argc > 1 ? (size_t)argc - 1 : all.gl_pathc;
	for (size_t i = 0; i < count; i++) {
		bool good = run_trace(files[i]);
		const char *name = strrchr(files[i], '/');
		failed += !good;
		printf("%s %zu - %s\n", good ? "ok" : "not ok", i + 1, name ? name + 1 : files[i]);
	}
	printf("1..%zu\n", count);
	globfree(&all);
	return failed > 0;
}
