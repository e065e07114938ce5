/* podctl images, image, import, prune: the image store. fsck reads it directly: it is asked for when something is wrong. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/sha256.h"
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/store.h"
#include "ctl/table.h"
#include "wire/url.h"

#define IMAGES "/apis/podd.dev/v1/images"

enum { BLOB_MAX = 64 << 20, SHORT_ID = 12 };

static int wrong_output(const struct args *a)
{
	if (!a->output || streq(a->output, "json") || streq(a->output, "yaml"))
		return CTL_YES;
	return ctl_fail(CTL_USAGE, "-o is json or yaml");
}

static int output(const struct args *a, const json_t *value)
{
	return a->output && streq(a->output, "yaml") ? ctl_output_yaml(value) : ctl_output_json(value);
}

static void size_text(json_int_t bytes, char ret[static 32])
{
	static const char units[] = "BKMGT";
	double size = (double)bytes;
	size_t u = 0;

	for (; size >= 1000 && units[u + 1]; u++)
		size /= 1000;
	if (u)
		(void)snprintf(ret, 32, "%.3g%cB", size, units[u]);
	else
		(void)snprintf(ret, 32, "%lldB", (long long)bytes);
}

static void print_images(const json_t *list)
{
	static const char *const columns[] = { "REFERENCE", "IMAGE ID", "LAYERS", "SIZE", "KEPT" };
	const json_t *item;
	struct table t;
	size_t i;

	table_init(&t, ARRAY_SIZE(columns));
	for (i = 0; i < ARRAY_SIZE(columns); i++)
		table_cell(&t, columns[i]);
	json_array_foreach(json_at(list, "items"), i, item) {
		const char *id = str_after(json_text(item, "id"), "sha256:");
		char text[32];
		table_cell(&t, json_text(item, "reference"));
		(void)snprintf(text, sizeof(text), "%.*s", SHORT_ID, id ? id : "");
		table_cell(&t, text);
		(void)snprintf(text, sizeof(text), "%zu", json_array_size(json_at(item, "layers")));
		table_cell(&t, text);
		size_text(json_integer_value(json_at(item, "size")), text);
		table_cell(&t, text);
		table_cell(&t, json_is_true(json_at(item, "pinned"))   ? "pinned"
		               : json_is_true(json_at(item, "wanted")) ? "wanted"
		                                                       : "");
	}
	table_print(&t);
	table_deinit(&t);
}

int verb_images(const struct args *a)
{
	json_t *list;

	int code = wrong_output(a);
	if (code == CTL_YES)
		code = client_json(a, "GET", IMAGES, false, &list);
	if (code != CTL_YES)
		return code;
	if (a->output)
		(void)output(a, list);
	else
		print_images(list);
	json_decref(list);
	return CTL_YES;
}

static int inspect(const struct args *a, const char *name)
{
	_cleanup_buf_ struct buf path = BUF_NULL;
	json_t *image;

	buf_puts(&path, IMAGES);
	url_add(&path, "name", name);
	int code = client_json(a, "GET", path.data, false, &image);
	if (code != CTL_YES)
		return code;
	(void)output(a, image);
	json_decref(image);
	return CTL_YES;
}

/* --- fsck ------------------------------------------------------------------------------------------------------------------------------ */

/* A manifest or configuration must still hash to its name. A layer can't be checked so: what it was unpacked from is not kept. */
static int check_blob(const struct image_store *s, const char *reference, const char *digest)
{
	_cleanup_buf_ struct buf data = BUF_NULL;
	char path[128], hash[SHA256_HEX_SIZE];
	const char *hex = str_after(digest, "sha256:");

	(void)snprintf(path, sizeof(path), "blobs/sha256/%s", hex ? hex : "");
	int r = hex ? file_read(s->root, path, BLOB_MAX, &data) : -EBADMSG;
	if (r < 0)
		return ctl_fail(CTL_NO, "%s: %s: %s", reference, path, strerror(-r));
	sha256_hex(buf_str(&data), data.len, hash);
	return streq(hash, hex) ? CTL_YES : ctl_fail(CTL_NO, "%s: %s was changed", reference, path);
}

static int check_image(const struct image_store *s, const struct image *i)
{
	int manifest = check_blob(s, i->reference, i->manifest), config = check_blob(s, i->reference, i->id);
	int code = MAX(manifest, config);

	for (size_t k = 0; k < i->layer_count; k++) {
		_cleanup_close_ int fd = image_store_open_layer(s, i, k);
		if (fd < 0)
			code = ctl_fail(CTL_NO, "%s: layers/%s: %s", i->reference, i->layers[k], strerror(-fd));
	}
	return code;
}

static int fsck(const struct args *a)
{
	struct image_store store;
	_cleanup_buf_ struct buf unused = BUF_NULL;
	struct image **images;
	size_t count, left = 0;

	int r = store_open(a, &store);
	if (r == 0)
		r = image_store_list(&store, &images, &count);
	if (r < 0)
		return ctl_fail(CTL_NO, "the image store can't be read: %s", strerror(-r));
	int code = CTL_YES;
	for (size_t i = 0; i < count; i++) {
		int one = check_image(&store, images[i]);
		code = MAX(code, one);
	}
	image_list_free(images, count);
	if (image_store_unused(&store, &unused) == 0)
		for (size_t at = 0; at < unused.len; at += strlen(unused.data + at) + 1)
			left++;
	image_store_deinit(&store);
	(void)printf("%zu images, %s; %zu layers and blobs of no image (podctl prune)\n", count,
	             code == CTL_YES ? "all whole" : "not all whole", left);
	return code;
}

int verb_image(const struct args *a)
{
	if (a->word_count == 2 && streq(a->words[0], "inspect"))
		return inspect(a, a->words[1]);
	if (a->word_count == 1 && streq(a->words[0], "fsck"))
		return fsck(a);
	return ctl_fail(CTL_USAGE, "image inspect NAME, or image fsck");
}

/* --- import, prune ---------------------------------------------------------------------------------------------------------------- */

static int import_one(const struct args *a, const char *file)
{
	_cleanup_free_ char *path = realpath(file, NULL);
	_cleanup_buf_ struct buf url = BUF_NULL;
	json_t *answer, *name;
	struct stat st;
	size_t i;

	if (!path || stat(path, &st) < 0)
		return ctl_fail(CTL_NO, "%s: %s", file, strerror(errno));
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *stem = xstrdup(slash + 1);
	if (str_ends(stem, ".tar"))
		stem[strlen(stem) - strlen(".tar")] = '\0';
	buf_puts(&url, IMAGES);
	url_add(&url, "path", path);
	url_add(&url, "transport", S_ISDIR(st.st_mode) ? "oci" : "archive");
	url_add(&url, "stem", stem);
	int code = client_json(a, "POST", url.data, false, &answer);
	if (code != CTL_YES)
		return code;
	if (json_at(answer, "message"))
		code = ctl_fail(CTL_NO, "%s: %s", file, json_text(answer, "message"));
	json_array_foreach(json_at(answer, "references"), i, name) {
		ctl_print(json_string_value(name));
		(void)puts(" imported");
	}
	json_decref(answer);
	return code;
}

int verb_import(const struct args *a)
{
	int code = CTL_YES;

	if (!a->word_count)
		return ctl_fail(CTL_USAGE, "import needs an archive, or the directory of an OCI layout");
	for (size_t i = 0; i < a->word_count; i++) {
		int one = import_one(a, a->words[i]);
		code = MAX(code, one);
	}
	return code;
}

int verb_prune(const struct args *a)
{
	json_t *answer, *name;
	size_t i;

	int code = client_json(a, "POST", IMAGES "/prune", false, &answer);
	if (code != CTL_YES)
		return code;
	json_array_foreach(json_at(answer, "references"), i, name) {
		ctl_print(json_string_value(name));
		(void)puts(" removed");
	}
	(void)printf("%lld layers and %lld blobs removed\n", (long long)json_integer_value(json_at(answer, "layers")),
	             (long long)json_integer_value(json_at(answer, "blobs")));
	json_decref(answer);
	return CTL_YES;
}
