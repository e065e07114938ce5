#include "ctl/finding.h"
#include "base/str.h"
#include "ctl/ctl.h"
#include "manifest/manifest.h"

void finding_print(const json_t *finding, const char *file, struct buf *out)
{
	const char *severity = json_text(finding, "severity"), *hint = json_text(finding, "hint");
	struct diag d = {
		.severity = streq(severity, "error")     ? SEVERITY_ERROR
		            : streq(severity, "refused") ? SEVERITY_REFUSED
		                                         : SEVERITY_NOTICE,
		.line = (unsigned)json_integer_value(json_at(finding, "line")),
		.column = (unsigned)json_integer_value(json_at(finding, "column")),
		.field = json_text(finding, "field"),
		.text = json_text(finding, "text"),
		.hint = *hint ? hint : NULL,
	};

	diag_print(&d, file, out);
}
