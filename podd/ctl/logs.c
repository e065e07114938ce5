/* podctl logs: one container's log, or those of all; several that are followed are read side by side. */
#include <poll.h>
#include <stdio.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/pods.h"
#include "wire/url.h"

enum { STREAMS_MAX = 64 };

/* One container's log on its way to the terminal. */
struct log {
	struct client *client;
	char *prefix;       /* NULL: none */
	struct buf partial; /* with others beside it only whole lines are printed */
	bool lines;
};

static void print_lines(struct log *l, bool rest)
{
	for (;;) {
		char *data = l->partial.data, *newline = l->partial.len ? memchr(data, '\n', l->partial.len) : NULL;
		size_t n = newline ? (size_t)(newline - data) + 1 : rest ? l->partial.len : 0;
		if (!n)
			return;
		if (l->prefix)
			(void)fputs(l->prefix, stdout);
		(void)fwrite(data, 1, n, stdout);
		buf_consume(&l->partial, n);
	}
}

/* A container's own output goes to the terminal as it is, as with cat. */
static void sink(const char *data, size_t n, void *arg)
{
	struct log *l = arg;

	if (l->lines) {
		buf_append(&l->partial, data, n);
		print_lines(l, false);
	} else {
		(void)fwrite(data, 1, n, stdout);
	}
	ctl_flush();
}

static int log_path(const struct args *a, const struct pod_ref *p, const char *container, struct buf *out)
{
	int64_t ns;

	pod_ref_path(p, out);
	buf_puts(out, "/log");
	if (container)
		url_add(out, "container", container);
	if (a->follow)
		url_add(out, "follow", "true");
	if (a->previous)
		url_add(out, "previous", "true");
	if (a->timestamps)
		url_add(out, "timestamps", "true");
	if (a->tail && !streq(a->tail, "-1")) /* kubectl's word for all */
		url_add(out, "tailLines", a->tail);
	if (!a->since)
		return 0;
	if (str_duration(a->since, &ns) < 0 || ns <= 0) {
		(void)ctl_fail(CTL_USAGE, "--since is a duration: 90s, 5m, 2h");
		return -EINVAL;
	}
	_cleanup_free_ char *seconds = xasprintf("%lld", (long long)((ns + NS_PER_SEC - 1) / NS_PER_SEC));
	url_add(out, "sinceSeconds", seconds);
	return 0;
}

static int log_open(const struct args *a, const struct pod_ref *p, const char *container, bool many, struct log *l)
{
	_cleanup_buf_ struct buf path = BUF_NULL;
	struct client_request q = { .method = "GET", .sink = sink, .arg = l };

	if (log_path(a, p, container, &path) < 0)
		return CTL_USAGE;
	q.path = path.data;
	l->lines = many || a->prefix;
	if (a->prefix)
		l->prefix = container ? xasprintf("[pod/%s/%s] ", p->name, container) : xasprintf("[pod/%s] ", p->name);
	int r = client_open(a, &q, &l->client);
	return r < 0 ? client_unreachable(a, r) : CTL_YES;
}

static int log_end(struct log *l, int result)
{
	print_lines(l, true);
	if (result < 0)
		return ctl_fail(CTL_NO, "the log ended early: %s", strerror(-result));
	return client_code(l->client) / 100 == 2 ? CTL_YES : client_refused(l->client);
}

/* Reads all of them until the last one ends. */
static int pump_all(struct log *logs, size_t count)
{
	struct pollfd fds[STREAMS_MAX];
	int worst = CTL_YES;

	for (size_t i = 0; i < count; i++)
		fds[i] = (struct pollfd){ .fd = client_fd(logs[i].client), .events = POLLIN };
	for (size_t left = count; left;) {
		if (poll(fds, count, -1) < 0 && errno != EINTR)
			return ctl_fail(CTL_NO, "poll: %s", strerror(errno));
		for (size_t i = 0; i < count; i++) {
			int r = fds[i].fd >= 0 && fds[i].revents ? client_pump(logs[i].client) : 1;
			if (r > 0)
				continue;
			worst = MAX(worst, log_end(&logs[i], r));
			fds[i].fd = -1; /* poll passes over it */
			left--;
		}
	}
	return worst;
}

/* One after the other, whole: the order of the manifest. */
static int pump_each(struct log *logs, size_t count)
{
	int worst = CTL_YES;

	for (size_t i = 0; i < count; i++)
		worst = MAX(worst, log_end(&logs[i], client_finish(logs[i].client)));
	return worst;
}

/* One container of a pod, or the only one. */
struct target {
	const struct pod_ref *pod;
	char *container; /* NULL: the only one */
};

struct targets {
	struct target *items;
	size_t count;
};

static int show(const struct args *a, const struct targets *t)
{
	struct log logs[STREAMS_MAX] = { 0 };
	size_t opened = 0;
	int code = CTL_YES;

	if (t->count > STREAMS_MAX)
		return ctl_fail(CTL_NO, "%zu logs; at most %d are shown at once", t->count, STREAMS_MAX);
	for (; opened < t->count && code == CTL_YES; opened++)
		code = log_open(a, t->items[opened].pod, t->items[opened].container, t->count > 1, &logs[opened]);
	if (code == CTL_YES)
		code = a->follow ? pump_all(logs, t->count) : pump_each(logs, t->count);
	for (size_t i = 0; i < opened; i++) {
		(void)client_free(logs[i].client);
		free(logs[i].prefix);
		buf_deinit(&logs[i].partial);
	}
	return code;
}

static void add(struct targets *t, const struct pod_ref *p, const char *container)
{
	*xgrow(t->items, t->count) = (struct target){ .pod = p, .container = container ? xstrdup(container) : NULL };
}

static int add_all(const struct args *a, const struct pod_ref *p, struct targets *t)
{
	static const char *const lists[] = { "spec.initContainers", "spec.containers", "spec.ephemeralContainers" };
	_cleanup_buf_ struct buf path = BUF_NULL;
	json_t *pod, *c;
	size_t i;

	pod_ref_path(p, &path);
	int code = client_json(a, "GET", path.data, false, &pod);
	if (code != CTL_YES)
		return code;
	for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
		json_array_foreach(json_at(pod, lists[l]), i, c) {
			add(t, p, json_text(c, "name"));
		}
	json_decref(pod);
	return CTL_YES;
}

int verb_logs(const struct args *a)
{
	const char *container = a->container ? a->container : a->word_count == 2 ? a->words[1] : NULL; /* kubectl takes both */
	_cleanup_pod_refs_ struct pod_refs pods = { 0 };
	struct targets t = { 0 };
	struct args own = *a;

	if (a->word_count > 2 || (a->word_count == 2 && (a->container || a->selector)))
		return ctl_fail(CTL_USAGE, "logs needs the name of one pod, or a selector");
	if (container && a->all_containers)
		return ctl_fail(CTL_USAGE, "one container or --all-containers, not both");
	own.word_count = MIN(a->word_count, (size_t)1);
	int code = pod_refs_find(&own, "logs", false, &pods);
	for (size_t i = 0; i < pods.count && code == CTL_YES; i++)
		if (a->all_containers)
			code = add_all(a, &pods.items[i], &t);
		else
			add(&t, &pods.items[i], container);
	if (code == CTL_YES)
		code = show(a, &t);
	for (size_t i = 0; i < t.count; i++)
		free(t.items[i].container);
	free(t.items);
	return code;
}
