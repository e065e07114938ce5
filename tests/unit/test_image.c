/* References as the kubelet reads them, and the store as podd sees it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>
#include "base/cleanup.h"
#include "base/fd.h"
#include "image/job.h"
#include "image/store.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEX64B "00000000000000000000000000000000000000000000000000000000000000ff"

static void test_references(void **state)
{
	static const struct {
		const char *text, *normal; /* NULL: refused */
	} cases[] = {
		{ "nginx", "docker.io/library/nginx:latest" },
		{ "nginx:1.27", "docker.io/library/nginx:1.27" },
		{ "grafana/loki", "docker.io/grafana/loki:latest" },
		{ "docker.io/nginx", "docker.io/library/nginx:latest" },
		{ "index.docker.io/library/nginx:1", "docker.io/library/nginx:1" },
		{ "registry:5000/a/b", "registry:5000/a/b:latest" },
		{ "registry:5000/a/b:1.2@sha256:" HEX64, "registry:5000/a/b@sha256:" HEX64 },
		{ "localhost/x", "localhost/x:latest" },
		{ "[::1]:5000/x:y", "[::1]:5000/x:y" },
		{ "a__b/c---d/e.f_g", "docker.io/a__b/c---d/e.f_g:latest" },
		{ "oci:latest", "docker.io/library/oci:latest" },
		{ "oci:/a/b:tag", "oci:/a/b:tag" },
		{ "oci:/a/b", "oci:/a/b" },
		{ "oci-archive:/a.tar:docker.io/x:1", "oci-archive:/a.tar:docker.io/x:1" },
		{ "docker-archive:/a.tar", "docker-archive:/a.tar" },
		{ "rootfs:/", "rootfs:/" },
		{ "rootfs:/a:b", "rootfs:/a:b" },
		{ "", NULL },
		{ "Nginx", NULL },
		{ "ngin x", NULL },
		{ "nginx:", NULL },
		{ "nginx:-a", NULL },
		{ "nginx@sha256:abc", NULL },
		{ "nginx@sha256:" HEX64 "0", NULL },
		{ "nginx@md5:" HEX64, NULL },
		{ "nginx@sha256:../../../etc/passwd/etc/passwd/etc/passwd/etc/passwd/etc/passw", NULL },
		{ "nginx@sha256:ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef0123456789", NULL },
		{ "a//b", NULL },
		{ "/a", NULL },
		{ "a/", NULL },
		{ "../a", NULL },
		{ "a___b", NULL },
		{ "a..b", NULL },
		{ "-host.x/a", NULL },
		{ "host:port/a", NULL },
		{ "host:123456/a", NULL },
		{ "rootfs:x/", NULL },
		{ "rootfs:", NULL },
		{ "oci:/a:", NULL },
		{ "nginx\n", NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct image_ref ref;
		char text[IMAGE_REFERENCE_SIZE] = "(refused)";
		const char *why = NULL;
		if (image_ref_parse(cases[i].text, &ref, &why) == 0)
			image_ref_text(&ref, text);
		else
			assert_non_null(why);
		assert_string_equal(text, cases[i].normal ? cases[i].normal : "(refused)");
		if (cases[i].normal) { /* normalising is idempotent */
			char again[IMAGE_REFERENCE_SIZE];
			assert_int_equal(image_ref_parse(text, &ref, &why), 0);
			image_ref_text(&ref, again);
			assert_string_equal(again, text);
		}
	}
}

static void test_long_references(void **state)
{
	char text[3000];
	struct image_ref ref;
	const char *why;

	(void)state;
	for (size_t n = 1; n < sizeof(text) - 1; n++) {
		memset(text, 'a', n);
		text[n] = '\0';
		assert_int_equal(image_ref_parse(text, &ref, &why),
		                 n + strlen("docker.io/library/") <= IMAGE_NAME_MAX ? 0 : -EINVAL);
		memcpy(text, "oci:/", MIN(n, 5u));
		(void)image_ref_parse(text, &ref, &why);
	}
}

static struct image sample(const char *reference)
{
	static const char *layers[] = { HEX64, HEX64B };
	static const char *diffs[] = { "sha256:" HEX64, "sha256:" HEX64B };
	static const char *words[] = { "/bin/sh", "-c \"x\"\n" };
	static struct label labels[] = { { "a", "b" } };

	return (struct image){
		.reference = reference,
		.manifest = "sha256:" HEX64,
		.id = "sha256:" HEX64B,
		.source = "oci",
		.layers = layers,
		.diff_ids = diffs,
		.layer_count = 2,
		.config = { .entrypoint = { words, 2 }, .user = "0:0", .stop_signal = "SIGQUIT" },
		.labels = { labels, 1 },
		.size = 12345,
		.imported = 1,
		.pinned = true,
	};
}

static void find(const struct image_store *s, const char *text, int expect, const char *reference)
{
	struct image_ref ref;
	const char *why;
	_cleanup_image_ struct image *i = NULL;

	assert_int_equal(image_ref_parse(text, &ref, &why), 0);
	assert_int_equal(image_store_find(s, &ref, &i), expect);
	if (expect == 0)
		assert_string_equal(i->reference, reference);
}

static void test_store(void **state)
{
	char path[] = "/tmp/podd-test-image-XXXXXX";
	struct image_store s = IMAGE_STORE_NULL;
	_cleanup_buf_ struct buf unused = BUF_NULL;

	(void)state;
	assert_non_null(mkdtemp(path));
	assert_int_equal(image_store_open(AT_FDCWD, path, &s), 0);
	struct image i = sample("docker.io/library/nginx:1.27");
	find(&s, "nginx:1.27", -ENOENT, NULL);
	assert_int_equal(image_store_put(&s, &i), 0);
	find(&s, "nginx:1.27", -ENOENT, NULL); /* its layers are not there */
	assert_int_equal(mkdirat(s.layers, HEX64, 0755), 0);
	assert_int_equal(mkdirat(s.layers, HEX64B, 0755), 0);
	assert_int_equal(dir_make(s.layers, "stray", 0755), 0);
	find(&s, "nginx:1.27", 0, i.reference);
	find(&s, "nginx@sha256:" HEX64, 0, i.reference);
	find(&s, "nginx@sha256:" HEX64B, -ENOENT, NULL);
	find(&s, "other@sha256:" HEX64, -ENOENT, NULL);
	find(&s, "nginx", -ENOENT, NULL);

	struct image **list;
	size_t count;
	assert_int_equal(image_store_list(&s, &list, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(list[0]->layer_count, 2);
	assert_string_equal(list[0]->layers[1], HEX64B);
	assert_string_equal(list[0]->config.entrypoint.items[1], "-c \"x\"\n");
	assert_int_equal(list[0]->config.cmd.count, 0);
	assert_null(list[0]->config.working_dir);
	assert_string_equal(list[0]->labels.items[0].value, "b");
	assert_true(list[0]->pinned);
	_cleanup_close_ int layer = image_store_open_layer(&s, list[0], 1);
	assert_true(layer >= 0);
	image_list_free(list, count);

	assert_int_equal(image_store_unused(&s, &unused), 0);
	assert_int_equal(unused.len, sizeof("layers/stray"));
	assert_string_equal(unused.data, "layers/stray");
	assert_int_equal(image_store_remove(&s, i.reference), 0);
	assert_int_equal(image_store_remove(&s, i.reference), -ENOENT);
	buf_clear(&unused);
	assert_int_equal(image_store_unused(&s, &unused), 0);
	assert_int_equal(unused.len, sizeof("layers/stray") + 2 * sizeof("layers/" HEX64));
	image_store_deinit(&s);
	assert_int_equal(tree_remove(AT_FDCWD, path), 0);
}

static void test_records(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{}",
		"{\"reference\":\"a\",\"manifest\":\"sha256:../../x\",\"id\":\"sha256:" HEX64 "\",\"layers\":[\"" HEX64
		"\"],\"diffIDs\":[\"sha256:" HEX64 "\"]}",
		"{\"reference\":\"a\",\"manifest\":\"sha256:" HEX64 "\",\"id\":\"sha256:" HEX64
		"\",\"layers\":[\"../x\"],\"diffIDs\":[\"sha256:" HEX64 "\"]}",
		"{\"reference\":\"a\",\"manifest\":\"sha256:" HEX64 "\",\"id\":\"sha256:" HEX64 "\",\"layers\":[\"" HEX64
		"\"],\"diffIDs\":[]}",
		"{\"reference\":\"a\",\"reference\":\"a\",\"manifest\":\"sha256:" HEX64 "\",\"id\":\"sha256:" HEX64
		"\",\"layers\":[\"" HEX64 "\"],\"diffIDs\":[\"sha256:" HEX64 "\"]}",
	};
	struct image *i;

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(bad); k++)
		assert_int_equal(image_parse(bad[k], strlen(bad[k]), &i), -EBADMSG);
}

static void test_results(void **state)
{
	struct image_job_result r;

	(void)state;
	image_job_result("{\"references\":[\"a\",\"b\"]}\n", 0, &r);
	assert_string_equal(r.references[1], "b");
	assert_null(r.references[2]);
	image_job_result_deinit(&r);
	image_job_result("{\"reason\":\"X\",\"message\":\"y\"}\n", 1 << 8, &r);
	assert_null(r.references);
	assert_string_equal(r.reason, "X");
	assert_string_equal(r.message, "y");
	image_job_result_deinit(&r);
	image_job_result("{\"references\":[\"a\"]}", 9, &r); /* killed after it wrote: not believed */
	assert_null(r.references);
	assert_non_null(strstr(r.message, "signal 9"));
	image_job_result_deinit(&r);
	image_job_result("nonsense", 0, &r);
	assert_null(r.references);
	image_job_result_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_references), cmocka_unit_test(test_long_references), cmocka_unit_test(test_store),
		cmocka_unit_test(test_records),    cmocka_unit_test(test_results),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
