/* JSON into the manifest reader, behind a byte that chooses what is put around it: nothing, a pod's spec, a container. What the strict
 * reader takes, the YAML reader would take too or refuse; what is accepted must read back. */
#include <stdint.h>
#include <string.h>
#include "base/buf.h"
#include "base/str.h"
#include "manifest/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const around[][2] = {
	{ "", "" },
	{ "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"},\"spec\":", "}" },
	{ "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"},\"spec\":{\"containers\":[", "]}}" },
	{ "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"a\"},\"data\":", "}" },
};

static void check_pod(const struct pod *p)
{
	_cleanup_buf_ struct buf json = BUF_NULL;
	struct jsonw w;
	struct manifest again;

	jsonw_init(&w, &json);
	jsonw_object(&w);
	jsonw_member_str(&w, "apiVersion", "v1");
	jsonw_member_str(&w, "kind", "Pod");
	pod_json(p, NULL, NULL, &w);
	jsonw_end(&w);
	manifest_read("again", json.data, json.len, &again);
	if (json.len <= MANIFEST_SIZE_MAX &&
	    (again.document_count != 1 || !again.documents[0].pod || !streq(again.documents[0].pod->hash, p->hash)))
		__builtin_trap();
	manifest_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf text = BUF_NULL, out = BUF_NULL;
	struct manifest m;

	if (!size)
		return 0;
	size_t i = data[0] % ARRAY_SIZE(around);
	buf_puts(&text, around[i][0]);
	buf_append(&text, data + 1, size - 1);
	buf_puts(&text, around[i][1]);
	manifest_read_portable("fuzz.json", buf_str(&text), text.len, &m);
	for (i = 0; i < m.diag_count; i++)
		diag_print(&m.diags[i], "fuzz.json", &out);
	if (strchr(buf_str(&out), '\n'))
		__builtin_trap();
	for (i = 0; i < m.document_count; i++)
		if (m.documents[i].pod)
			check_pod(m.documents[i].pod);
	manifest_deinit(&m);
	return 0;
}
