#include "image/job.h"
#include <string.h>
#include <sys/wait.h>
#include "base/alloc.h"
#include "image/doc.h"

void image_job_argv(const struct image_job *job, const char *ret[static IMAGE_JOB_ARGV_MAX])
{
	const struct {
		const char *option, *value;
	} options[] = {
		{ "--transport", job->transport }, { "--select", job->select }, { "--name", job->name }, { "--stem", job->stem }
	};
	size_t n = 0;

	ret[n++] = "podd-image";
	ret[n++] = "import";
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (!options[i].value)
			continue;
		ret[n++] = options[i].option;
		ret[n++] = options[i].value;
	}
	if (job->pin)
		ret[n++] = "--pin";
	ret[n] = NULL;
}

static bool take_references(const json_t *j, struct image_job_result *ret)
{
	bool bad = false;
	json_t *list = doc_array(j, "references", &bad), *v;
	size_t i, count = 0;

	if (bad || !json_array_size(list))
		return false;
	json_array_foreach(list, i, v)
		if (json_is_string(v))
			*xgrow(ret->references, count) = xstrdup(json_string_value(v));
	*xgrow(ret->references, count) = NULL;
	return true;
}

void image_job_result(const char *line, int wait_status, struct image_job_result *ret)
{
	const char *why;
	_cleanup_json_ json_t *j = doc_load(line, strlen(line), &why);
	bool bad = false;

	*ret = (struct image_job_result){ 0 };
	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0 && take_references(j, ret))
		return;
	const char *reason = doc_string(j, "reason", &bad), *message = doc_string(j, "message", &bad);
	ret->reason = xstrdup(reason ? reason : "ErrImagePull");
	if (message && WIFEXITED(wait_status))
		ret->message = xstrdup(message);
	else if (WIFSIGNALED(wait_status))
		ret->message =
			xasprintf("podd-image ended by signal %d (%s)", WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
	else
		ret->message = xasprintf("podd-image ended with exit code %d and no result", WEXITSTATUS(wait_status));
}

void image_job_result_deinit(struct image_job_result *r)
{
	for (char **s = r->references; s && *s; s++)
		free(*s);
	free(r->references);
	free(r->reason);
	free(r->message);
	*r = (struct image_job_result){ 0 };
}
