/* podctl top: what containers use. Rates are between two looks; on a terminal there is a look every two seconds. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/table.h"
#include "wire/url.h"

enum { FIRST_MS = 500, REFRESH_MS = 2000 };

struct look {
	json_t *stats;
	int64_t at; /* boot time */
};

static const json_t *by(const json_t *list, const char *key, const char *value)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		if (streq(json_text(item, key), value))
			return item;
	}
	return NULL;
}

/* Of a counter, each second; -1: unknown, as after a restart, when it begins anew. */
static double rate(const json_t *now, const json_t *before, const char *key, double seconds)
{
	const json_t *a = json_at(before, key), *b = json_at(now, key);
	json_int_t grown = json_integer_value(b) - json_integer_value(a);

	return a && b && grown >= 0 && seconds > 0 ? (double)grown / seconds : -1;
}

/* "12.3Mi"; "-" for what is not known. */
static void cell_bytes(struct table *t, double n, const char *unit)
{
	static const char prefixes[][3] = { "", "Ki", "Mi", "Gi", "Ti" };
	size_t i = 0;

	for (; n >= 1024 && i + 1 < ARRAY_SIZE(prefixes); i++)
		n /= 1024;
	_cleanup_free_ char *text = n < 0 ? xstrdup("-") : xasprintf(i && n < 100 ? "%.1f%s%s" : "%.0f%s%s", n, prefixes[i], unit);
	table_cell(t, text);
}

static void cell_number(struct table *t, const json_t *n)
{
	_cleanup_free_ char *text = n ? xasprintf("%lld", (long long)json_integer_value(n)) : xstrdup("-");

	table_cell(t, text);
}

static void cell_cpu(struct table *t, double ns)
{
	_cleanup_free_ char *text =
		ns < 0 ? xstrdup("-") : xasprintf("%.0fm", ns / 1e6); /* thousandths of a processor, as kubectl has them */

	table_cell(t, text);
}

static void add_container(struct table *t, const json_t *c, const json_t *before, double seconds)
{
	const json_t *memory = json_at(c, "memoryBytes"), *limit = json_at(c, "memoryLimitBytes");

	if (!streq(json_text(c, "startedAt"), json_text(before, "startedAt")))
		before = NULL;
	table_cell(t, json_text(c, "name"));
	cell_cpu(t, rate(c, before, "cpuNanoseconds", seconds));
	cell_bytes(t, memory ? (double)json_integer_value(memory) : -1, "");
	cell_bytes(t, limit ? (double)json_integer_value(limit) : -1, "");
	cell_number(t, json_at(c, "pids"));
}

static void add_pod(const struct args *a, struct table *t, const json_t *pod, const json_t *before, double seconds)
{
	const json_t *c;
	size_t i;

	json_array_foreach(json_at(pod, "containers"), i, c) {
		if (a->all_namespaces)
			table_cell(t, json_text(pod, "namespace"));
		table_cell(t, json_text(pod, "name"));
		add_container(t, c, by(json_at(before, "containers"), "name", json_text(c, "name")), seconds);
		cell_bytes(t, i ? -1 : rate(pod, before, "network.rxBytes", seconds), "/s"); /* the pod's, once */
		cell_bytes(t, i ? -1 : rate(pod, before, "network.txBytes", seconds), "/s");
		cell_number(t, json_at(c, "restarts"));
	}
}

static int by_name(const void *x, const void *y)
{
	const json_t *a = *(json_t *const *)x, *b = *(json_t *const *)y;
	int order = strcmp(json_text(a, "namespace"), json_text(b, "namespace"));

	return order ? order : strcmp(json_text(a, "name"), json_text(b, "name"));
}

static void print(const struct args *a, const struct look *now, const struct look *before)
{
	static const char *const head[] = { "NAMESPACE", "POD",  "CONTAINER", "CPU", "MEMORY",
		                            "LIMIT",     "PIDS", "RX",        "TX",  "RESTARTS" };
	double seconds = (double)(now->at - before->at) / (double)NS_PER_SEC;
	struct table t;
	const json_t *items = json_at(now->stats, "items");
	size_t i, count = json_array_size(items);
	_cleanup_free_ const json_t **pods = xnew_array(const json_t *, count + 1);

	table_init(&t, ARRAY_SIZE(head) - !a->all_namespaces);
	for (i = !a->all_namespaces; i < ARRAY_SIZE(head); i++)
		table_cell(&t, head[i]);
	for (i = 0; i < count; i++)
		pods[i] = json_array_get(items, i);
	qsort(pods, count, sizeof(*pods), by_name);
	for (i = 0; i < count; i++)
		add_pod(a, &t, pods[i], by(json_at(before->stats, "items"), "uid", json_text(pods[i], "uid")), seconds);
	table_print(&t);
	table_deinit(&t);
}

static int look(const struct args *a, const char *path, struct look *ret)
{
	int code = client_json(a, "GET", path, false, &ret->stats);

	ret->at = clock_boot();
	return code;
}

static void pause_ms(int64_t ms)
{
	const struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * NS_PER_MS };

	(void)nanosleep(&pause, NULL);
}

int verb_top(const struct args *a)
{
	_cleanup_buf_ struct buf path = BUF_NULL;
	bool once = a->once || !isatty(STDOUT_FILENO), first = true;
	struct look before = { 0 }, now;

	if (a->word_count > 1 || (a->word_count && !streq(a->words[0], "pods") && !streq(a->words[0], "pod")))
		return ctl_fail(CTL_USAGE, "top takes no names; -n, -A and -l choose");
	buf_puts(&path, "/apis/podd.dev/v1/");
	if (!a->all_namespaces) {
		buf_puts(&path, "namespaces/");
		url_escape(&path, a->namespace ? a->namespace : "default");
		buf_putc(&path, '/');
	}
	buf_puts(&path, "stats");
	if (a->selector)
		url_add(&path, "labelSelector", a->selector);
	int code = look(a, path.data, &before);
	for (bool more = true; code == CTL_YES && more; more = !once) {
		pause_ms(first ? FIRST_MS : REFRESH_MS);
		first = false;
		code = look(a, path.data, &now);
		if (code != CTL_YES)
			break;
		if (!once)
			(void)fputs("\033[H\033[J", stdout);
		print(a, &now, &before);
		ctl_flush();
		json_decref(before.stats);
		before = now;
	}
	json_decref(before.stats);
	return code;
}
