/* What of a job must survive podd and the machine, as lines "word value...":
 *
 *   created WALL                      suspended, cleaned, seen
 *   template VERSION HASH             ended COMPLETE|FAILED REASON MESSAGE...
 *   started|finished|failed BOOT WALL
 *   counts SUCCEEDED FAILED FAILURES NEXT
 *   pod NUMBER STATE
 *   owner UID NAME                    of a cron job
 *
 * Lines of a later podd are passed over. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "base/str.h"
#include "core/jobs_internal.h"

static void print_moment(struct buf *out, const char *word, const struct moment *m)
{
	if (m->wall)
		buf_printf(out, "%s %" PRId64 " %" PRId64 "\n", word, m->boot, m->wall);
}

void job_state_print(const struct job *j, struct buf *out)
{
	buf_printf(out, "created %" PRId64 "\ntemplate %d %" PRIu64 "\n", j->created_wall, EDIT_HASH_VERSION, j->template_hash);
	print_moment(out, "started", &j->started);
	print_moment(out, "finished", &j->finished);
	print_moment(out, "failed", &j->failed_at);
	if (j->end != JOB_END_NONE)
		buf_printf(out, "ended %s %s %s\n", job_end_name(j->end), j->reason, j->message);
	if (j->suspended)
		buf_puts(out, "suspended\n");
	if (j->cleaned)
		buf_puts(out, "cleaned\n");
	if (j->seen)
		buf_puts(out, "seen\n");
	if (j->spec->template.owner.uid)
		buf_printf(out, "owner %s %s\n", j->spec->template.owner.uid, j->spec->template.owner.name);
	buf_printf(out, "counts %u %u %u %u\n", j->succeeded, j->failed, j->failures, j->next_number);
	for (size_t i = 0; i < j->pod_count; i++)
		buf_printf(out, "pod %u %s\n", j->pods[i].number, job_pod_state_name(j->pods[i].state));
}

static bool read_moment(const char *rest, struct moment *ret)
{
	return sscanf(rest, "%" SCNd64 " %" SCNd64, &ret->boot, &ret->wall) == 2;
}

static bool read_end(const char *rest, struct job *j)
{
	char end[16];
	int at = 0;

	if (sscanf(rest, "%15s %63s %n", end, j->reason, &at) != 2)
		return false;
	(void)snprintf(j->message, sizeof(j->message), "%s", rest + at);
	while (j->end < JOB_END_MAX && !streq(end, job_end_name(j->end)))
		j->end++;
	return j->end < JOB_END_MAX;
}

static bool read_pod(const char *rest, struct job *j)
{
	enum job_pod_state s = JOB_POD_ACTIVE;
	unsigned number;
	char state[16];

	if (j->pod_count > JOB_PODS_KEPT + 2 * JOB_PARALLELISM_MAX || sscanf(rest, "%u %15s", &number, state) != 2)
		return false;
	while (s < JOB_POD_STATE_MAX && !streq(state, job_pod_state_name(s)))
		s++;
	if (s == JOB_POD_STATE_MAX)
		return false;
	job_add_pod(j, number)->state = s;
	return true;
}

/* The job's manifest is its own, and so is its template. */
static bool read_owner(const char *rest, struct job *j)
{
	struct pod *t = &j->spec->template;
	char uid[POD_UID_SIZE], name[64];

	if (sscanf(rest, "%63s %63s", uid, name) != 2)
		return false;
	t->owner = (struct owner){ workload_name(WORKLOAD_CRON_JOB), arena_strdup(t->arena, name), arena_strdup(t->arena, uid) };
	return true;
}

static bool read_line(struct job *j, const char *line)
{
	const char *rest;
	int version;

	if ((rest = str_after(line, "created ")))
		return sscanf(rest, "%" SCNd64, &j->created_wall) == 1;
	if ((rest = str_after(line, "template "))) {
		if (sscanf(rest, "%d %" SCNu64, &version, &j->template_hash) != 2)
			return false;
		if (version != EDIT_HASH_VERSION) /* of another podd: can't be compared, and the job is no other for that */
			j->template_hash = 0;
		return true;
	}
	if ((rest = str_after(line, "started ")))
		return read_moment(rest, &j->started);
	if ((rest = str_after(line, "finished ")))
		return read_moment(rest, &j->finished);
	if ((rest = str_after(line, "failed ")))
		return read_moment(rest, &j->failed_at);
	if ((rest = str_after(line, "ended ")))
		return read_end(rest, j);
	if ((rest = str_after(line, "counts ")))
		return sscanf(rest, "%u %u %u %u", &j->succeeded, &j->failed, &j->failures, &j->next_number) == 4;
	if ((rest = str_after(line, "owner ")))
		return read_owner(rest, j);
	if ((rest = str_after(line, "pod ")))
		return read_pod(rest, j);
	j->suspended = j->suspended || streq(line, "suspended");
	j->seen = j->seen || streq(line, "seen");
	j->cleaned = j->cleaned || streq(line, "cleaned");
	return true;
}

bool job_state_read(struct job *j, const char *text)
{
	_cleanup_free_ char *lines = xstrdup(text);
	struct job before = *j;
	char *save = NULL;

	for (char *l = strtok_r(lines, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		if (!read_line(j, l)) {
			free(j->pods);
			*j = before;
			return false;
		}
	return true;
}
