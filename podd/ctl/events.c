/* podctl events: what happened, and with -f what happens. */
#include <stdio.h>
#include "base/alloc.h"
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/follow.h"
#include "ctl/output.h"
#include "wire/url.h"

struct events {
	const struct args *args;
	struct output output;
	int64_t last; /* version of the newest that was printed: after a gap the list has it again */
};

static void print_event(const struct args *a, const json_t *e)
{
	_cleanup_buf_ struct buf line = BUF_NULL;
	_cleanup_free_ char *text =
		xasprintf("%s %-7s %-18s %s/%s: %s", json_text(e, "lastTimestamp"), json_text(e, "type"), json_text(e, "reason"),
	                  a->all_namespaces ? json_text(e, "metadata.namespace") : "pod", json_text(e, "involvedObject.name"),
	                  json_text(e, "message"));

	str_escape(&line, text);
	json_int_t count = json_integer_value(json_at(e, "count"));
	if (count > 1)
		buf_printf(&line, " (x%lld)", (long long)count);
	(void)puts(buf_str(&line));
}

static void on_change(const char *type, const json_t *e, void *arg)
{
	struct events *v = arg;
	int64_t version;

	if (streq(type, "DELETED") || str_int(json_text(e, "metadata.resourceVersion"), 0, INT64_MAX, &version) < 0 ||
	    version <= v->last)
		return;
	v->last = version;
	if (output_is_table(&v->output))
		print_event(v->args, e);
	else
		(void)output_print(&v->output, e, "event");
}

static void on_list(const json_t *list, void *arg)
{
	json_t *e;
	size_t i;

	json_array_foreach(json_at(list, "items"), i, e) {
		on_change("ADDED", e, arg);
	}
}

static int list(struct events *v, const char *path)
{
	json_t *answer, *e;
	size_t i;

	int code = client_json(v->args, "GET", path, false, &answer);
	if (code != CTL_YES)
		return code;
	if (!output_is_table(&v->output))
		code = output_print(&v->output, answer, "event");
	else
		json_array_foreach(json_at(answer, "items"), i, e) {
			print_event(v->args, e);
		}
	json_decref(answer);
	return code;
}

/* --for pod/web */
static int add_selector(const struct args *a, struct buf *path)
{
	_cleanup_buf_ struct buf fields = BUF_NULL;
	struct pod_ref p;

	if (!a->condition)
		return 0;
	int r = pod_ref_parse(a, a->condition, &p);
	if (r < 0)
		return r;
	buf_printf(&fields, "involvedObject.name=%s", p.name);
	url_add(path, "fieldSelector", fields.data);
	return 0;
}

int verb_events(const struct args *a)
{
	static const struct follow_callbacks callbacks = { .list = on_list, .change = on_change };
	_cleanup_buf_ struct buf path = BUF_NULL;
	struct events v = { .args = a };

	int code = output_parse(a, &v.output);
	if (code != CTL_YES)
		return code;
	if (a->word_count)
		return ctl_fail(CTL_USAGE, "events takes no names; --for pod/web shows those of one pod");
	list_path(a, "events", &path);
	if (add_selector(a, &path) < 0)
		return CTL_USAGE;
	return a->follow ? follow(a, path.data, false, &callbacks, &v) : list(&v, path.data);
}
