/* podctl create job NAME --from=cronjob/X: a cron job's job, now. */
#include <stdio.h>
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "wire/url.h"

int verb_create(const struct args *a)
{
	const char *cron = a->from ? str_after(a->from, "cronjob/") : NULL;
	_cleanup_buf_ struct buf path = BUF_NULL;
	struct pod_ref p;

	if (a->word_count != 2 || !streq(a->words[0], "job") || !cron)
		return ctl_fail(CTL_USAGE, "create job NAME --from=cronjob/NAME; all else is made by a file: podctl apply -f");
	if (pod_ref_parse(a, cron, &p) < 0)
		return CTL_USAGE;
	buf_puts(&path, "/apis/podd.dev/v1/namespaces/");
	url_escape(&path, p.namespace);
	buf_puts(&path, "/cronjobs/");
	url_escape(&path, p.name);
	buf_puts(&path, "/run");
	url_add(&path, "name", a->words[1]);
	int code = client_json(a, "POST", path.data, false, NULL);
	if (code == CTL_YES)
		(void)printf("job.batch/%s created\n", a->words[1]);
	return code;
}
