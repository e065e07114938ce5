/* podctl status: podd, what its host lacks, and each manifest file. */
#include <stdio.h>
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/finding.h"

static void print_file(const json_t *file)
{
	const char *path = json_text(file, "path"), *state = json_text(file, "state");
	const char *words = streq(state, "ok")           ? "ok"
	                    : streq(state, "lastGood")   ? "refused, last good version kept"
	                    : streq(state, "partlyGood") ? "refused, last good version kept where there is one"
	                                                 : "refused";
	_cleanup_buf_ struct buf line = BUF_NULL;
	const json_t *finding;
	size_t i;

	str_escape(&line, path);
	buf_printf(&line, ": %s\n", words);
	json_array_foreach(json_at(file, "findings"), i, finding) {
		buf_puts(&line, "  ");
		finding_print(finding, path, &line);
		buf_putc(&line, '\n');
	}
	json_int_t dropped = json_integer_value(json_at(file, "findingsDropped"));
	if (dropped)
		buf_printf(&line, "  and %lld more\n", (long long)dropped);
	(void)fputs(buf_str(&line), stdout);
}

int verb_status(const struct args *a)
{
	const json_t *item;
	json_t *status;
	size_t i;

	int code = client_json(a, "GET", "/apis/podd.dev/v1/status", false, &status);
	if (code != CTL_YES)
		return code;
	if (a->output && streq(a->output, "json")) {
		(void)ctl_output_json(status);
	} else if (a->output && streq(a->output, "yaml")) {
		(void)ctl_output_yaml(status);
	} else if (a->output) {
		json_decref(status);
		return ctl_fail(CTL_USAGE, "-o is json or yaml");
	} else {
		(void)printf("podd %s, pid %lld, since %s%s\n", json_text(status, "version"),
		             (long long)json_integer_value(json_at(status, "pid")), json_text(status, "startedAt"),
		             json_is_true(json_at(status, "ready")) ? "" : ", still starting");
		json_array_foreach(json_at(status, "missing"), i, item) {
			ctl_print("missing: ");
			ctl_print(json_string_value(item));
			(void)putchar('\n');
		}
		json_array_foreach(json_at(status, "files"), i, item) {
			print_file(item);
		}
	}
	json_decref(status);
	return CTL_YES; /* the answer is the answer, whatever it says: `validate` is the verb that judges */
}
