/* podctl events: what happened, and with -f what happens. */
#include <stdio.h>
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "wire/url.h"

struct follow {
	const struct args *args;
	struct buf partial; /* of a line */
};

static void print_event(const struct args *a, const json_t *e)
{
	_cleanup_buf_ struct buf line = BUF_NULL;
	char text[1024];

	(void)snprintf(text, sizeof(text), "%s %-7s %-18s %s/%s: %s", json_text(e, "lastTimestamp"), json_text(e, "type"),
	               json_text(e, "reason"), a->all_namespaces ? json_text(e, "metadata.namespace") : "pod",
	               json_text(e, "involvedObject.name"), json_text(e, "message"));
	str_escape(&line, text);
	json_int_t count = json_integer_value(json_at(e, "count"));
	if (count > 1)
		buf_printf(&line, " (x%lld)", (long long)count);
	(void)puts(buf_str(&line));
}

static void sink(const char *data, size_t n, void *arg)
{
	struct follow *f = arg;
	char *newline;

	buf_append(&f->partial, data, n);
	while (f->partial.len && (newline = memchr(f->partial.data, '\n', f->partial.len))) {
		size_t size = (size_t)(newline - f->partial.data);
		json_t *event = json_loadb(f->partial.data, size, 0, NULL);
		if (f->args->output)
			(void)printf("%.*s\n", (int)size, f->partial.data);
		else if (event)
			print_event(f->args, json_at(event, "object"));
		json_decref(event);
		buf_consume(&f->partial, size + 1);
	}
	(void)fflush(stdout);
}

static int follow(const struct args *a, const char *path)
{
	struct follow f = { .args = a };
	struct client_request q = { .method = "GET", .path = path, .sink = sink, .arg = &f };
	_cleanup_client_ struct client *c = NULL;
	int r = client_open(a, &q, &c);

	if (r == 0)
		r = client_finish(c);
	buf_deinit(&f.partial);
	if (r < 0)
		return client_unreachable(a, r);
	return client_code(c) / 100 == 2 ? CTL_YES : client_refused(c);
}

static int list(const struct args *a, const char *path)
{
	json_t *answer, *e;
	size_t i;

	int code = client_json(a, "GET", path, false, &answer);
	if (code != CTL_YES)
		return code;
	if (a->output)
		(void)(streq(a->output, "json") ? ctl_output_json(answer) : ctl_output_yaml(answer));
	else
		json_array_foreach(json_at(answer, "items"), i, e) {
			print_event(a, e);
		}
	json_decref(answer);
	return CTL_YES;
}

int verb_events(const struct args *a)
{
	_cleanup_buf_ struct buf path = BUF_NULL;

	if (a->output && !streq(a->output, "json") && !streq(a->output, "yaml"))
		return ctl_fail(CTL_USAGE, "-o is json or yaml");
	if (a->word_count)
		return ctl_fail(CTL_USAGE, "events takes no names; `describe pod` shows those of one pod");
	buf_puts(&path, "/api/v1/");
	if (!a->all_namespaces) {
		buf_puts(&path, "namespaces/");
		url_escape(&path, a->namespace ? a->namespace : "default");
		buf_putc(&path, '/');
	}
	buf_puts(&path, "events");
	if (!a->follow)
		return list(a, path.data);
	url_add(&path, "watch", "true");
	return follow(a, path.data);
}
