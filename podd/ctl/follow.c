#include "ctl/follow.h"
#include <stdio.h>
#include <time.h>
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "wire/url.h"

enum { RETRY_MS = 100 };

struct follower {
	const struct follow_callbacks *cb;
	void *arg;
	struct buf partial; /* of a line */
};

static void take_line(struct follower *f, const char *line, size_t n)
{
	json_t *event = json_loadb(line, n, 0, NULL);
	const char *type = json_text(event, "type");

	/* An ERROR says that too much was missed: podd ends the stream, and all is asked for again. */
	if (event && !streq(type, "ERROR") && !streq(type, "BOOKMARK"))
		f->cb->change(type, json_at(event, "object"), f->arg);
	json_decref(event);
}

static void sink(const char *data, size_t n, void *arg)
{
	struct follower *f = arg;
	char *newline;

	buf_append(&f->partial, data, n);
	while (f->partial.len && (newline = memchr(f->partial.data, '\n', f->partial.len))) {
		size_t size = (size_t)(newline - f->partial.data);
		take_line(f, f->partial.data, size);
		buf_consume(&f->partial, size + 1);
	}
	ctl_flush();
}

static const char *accepted(bool table)
{
	return table ? CLIENT_ACCEPT_TABLE : NULL;
}

/* From the version of the list on, until the stream ends. CTL_YES: then go on. */
static int stream(const struct args *a, const char *path, bool table, const char *version, struct follower *f)
{
	_cleanup_buf_ struct buf watch = BUF_NULL;
	struct client_request q = { .method = "GET", .accept = accepted(table), .sink = sink, .arg = f };
	_cleanup_client_ struct client *c = NULL;

	buf_puts(&watch, path);
	url_add(&watch, "watch", "true");
	url_add(&watch, "resourceVersion", version);
	q.path = watch.data;
	int r = client_open(a, &q, &c);
	if (r == 0)
		r = client_finish(c);
	buf_clear(&f->partial);
	if (r == 0 && client_code(c) / 100 != 2 && client_code(c) != 410)
		return client_refused(c);
	return CTL_YES;
}

/* NULL while podd is away. */
static json_t *list_again(const struct args *a, const char *path, bool table)
{
	struct client_request q = { .method = "GET", .path = path, .accept = accepted(table) };
	_cleanup_client_ struct client *c = NULL;

	int r = client_open(a, &q, &c);
	if (r == 0)
		r = client_finish(c);
	if (r < 0 || client_code(c) != 200)
		return NULL;
	return json_loadb(buf_str(client_body(c)), client_body(c)->len, 0, NULL);
}

int follow(const struct args *a, const char *path, bool table, const struct follow_callbacks *cb, void *arg)
{
	static const struct timespec pause = { .tv_nsec = RETRY_MS * 1000000L };
	struct follower f = { .cb = cb, .arg = arg };
	json_t *list;

	int code = client_json(a, "GET", path, table, &list);
	while (code == CTL_YES) {
		if (list) {
			cb->list(list, arg);
			ctl_flush();
			code = stream(a, path, table, json_text(list, "metadata.resourceVersion"), &f);
			json_decref(list);
		}
		if (code != CTL_YES)
			break;
		(void)nanosleep(&pause, NULL);
		list = list_again(a, path, table);
	}
	buf_deinit(&f.partial);
	return code;
}
