/* podctl census: all that is podd's on this host. What no pod accounts for is a finding. */
#include <stdio.h>
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/table.h"

static void print_items(const json_t *census)
{
	static const char *const columns[] = { "KIND", "NAME", "POD", "FINDING" };
	const json_t *item;
	struct table t;
	size_t i;

	table_init(&t, ARRAY_SIZE(columns));
	for (i = 0; i < ARRAY_SIZE(columns); i++)
		table_cell(&t, columns[i]);
	json_array_foreach(json_at(census, "items"), i, item) {
		table_cell(&t, json_text(item, "kind"));
		table_cell(&t, json_text(item, "name"));
		table_cell(&t, json_text(item, "uid"));
		table_cell(&t, json_is_true(json_at(item, "finding")) ? "left over" : "");
	}
	table_print(&t);
	table_deinit(&t);
}

int verb_census(const struct args *a)
{
	json_t *census;

	if (a->output && !streq(a->output, "json") && !streq(a->output, "yaml"))
		return ctl_fail(CTL_USAGE, "-o is json or yaml");
	int code = client_json(a, "GET", "/apis/podd.dev/v1/census", false, &census);
	if (code != CTL_YES)
		return code;
	json_int_t findings = json_integer_value(json_at(census, "findings"));
	if (a->output)
		(void)(streq(a->output, "json") ? ctl_output_json(census) : ctl_output_yaml(census));
	else
		print_items(census);
	if (findings && !a->output)
		(void)fprintf(stderr, "%lld left over\n", (long long)findings);
	json_decref(census);
	return findings ? CTL_NO : CTL_YES;
}
