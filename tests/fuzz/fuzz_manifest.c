/* Any bytes into the manifest reader. What is accepted must print as JSON that reads back as the same pod, must differ in nothing
 * from itself, and its diags must print on one line. */
#include <stdint.h>
#include <string.h>
#include "base/buf.h"
#include "base/str.h"
#include "manifest/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_pod(const struct pod *p)
{
	_cleanup_buf_ struct buf json = BUF_NULL;
	struct jsonw w;
	struct manifest again;
	struct pod_edit e;

	jsonw_init(&w, &json);
	jsonw_object(&w);
	jsonw_member_str(&w, "apiVersion", "v1");
	jsonw_member_str(&w, "kind", "Pod");
	pod_json(p, NULL, NULL, &w);
	jsonw_end(&w);
	manifest_read("again", json.data, json.len, &again);
	if (json.len <= MANIFEST_SIZE_MAX) {
		if (again.document_count != 1 || !again.documents[0].pod || !streq(again.documents[0].pod->hash, p->hash))
			__builtin_trap();
		pod_diff(p, again.documents[0].pod, &e);
		if (e.pod != EDIT_NONE)
			__builtin_trap();
		pod_edit_deinit(&e);
	}
	manifest_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf out = BUF_NULL;
	struct manifest m;

	manifest_read("fuzz", (const char *)data, size, &m);
	for (size_t i = 0; i < m.diag_count; i++)
		diag_print(&m.diags[i], "fuzz", &out);
	if (strchr(buf_str(&out), '\n') || (m.parsed == false && (m.document_count || !m.diag_count)))
		__builtin_trap();
	for (size_t i = 0; i < m.document_count; i++)
		if (m.documents[i].pod)
			check_pod(m.documents[i].pod);
	manifest_deinit(&m);
	return 0;
}
