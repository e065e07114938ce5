#include "anchor/table.h"
#include <string.h>
#include "base/cleanup.h"

struct record *table_add(struct table *t, const struct anchor_key *key)
{
	if (t->record_count == TABLE_RECORDS_MAX)
		return NULL;
	struct record *r = &t->records[t->record_count++];
	memset(r, 0, sizeof(*r));
	r->info.key = *key;
	r->pidfd = r->kill = r->report = r->tty = r->input = -EBADF;
	return r;
}

void record_close(struct record *r)
{
	r->pidfd = fd_close(r->pidfd);
	r->kill = fd_close(r->kill);
	r->report = fd_close(r->report);
	r->tty = fd_close(r->tty);
	r->input = fd_close(r->input);
}

void table_remove(struct table *t, struct record *r)
{
	record_close(r);
	struct record *last = &t->records[--t->record_count];
	if (r != last)
		*r = *last;
}

struct record *table_find(struct table *t, const struct anchor_key *key)
{
	for (size_t i = 0; i < t->record_count; i++)
		if (!t->records[i].forgotten && anchor_key_equal(&t->records[i].info.key, key))
			return &t->records[i];
	return NULL;
}

struct record *table_find_pid(struct table *t, pid_t pid)
{
	for (size_t i = 0; i < t->record_count; i++)
		if (record_live(&t->records[i]) && t->records[i].info.pid == pid)
			return &t->records[i];
	return NULL;
}

struct record *table_find_launcher(struct table *t, pid_t pid)
{
	for (size_t i = 0; i < t->record_count; i++)
		if (record_live(&t->records[i]) && t->records[i].launcher == pid)
			return &t->records[i];
	return NULL;
}

bool table_alive(const struct table *t)
{
	for (size_t i = 0; i < t->record_count; i++)
		if (record_live(&t->records[i]) && !t->records[i].forgotten)
			return true;
	return false;
}

struct stream *table_add_stream(struct table *t, const struct anchor_key *key, int which, int fd)
{
	struct stream *s = NULL;

	for (size_t i = 0; i < t->stream_count && !s; i++)
		if (t->streams[i].fd < 0)
			s = &t->streams[i];
	if (!s) {
		if (t->stream_count == TABLE_STREAMS_MAX)
			return NULL;
		s = &t->streams[t->stream_count++];
	}
	*s = (struct stream){ .key = *key, .fd = fd, .which = which };
	return s;
}

void table_release_stream(struct stream *s)
{
	if (s->closed && s->lost_lines == 0 && s->lost_bytes == 0)
		s->fd = fd_close(s->fd);
}
