#include <stdio.h>
#include "base/alloc.h"
#include "base/str.h"
#include "daemon/api/api.h"
#include "daemon/image/dropin.h"
#include "daemon/image/images.h"
#include "daemon/image/prune.h"

static void image_json(const struct daemon *d, const struct image *i, struct jsonw *w)
{
	jsonw_object(w);
	jsonw_member_str(w, "reference", i->reference);
	jsonw_member_str(w, "id", i->id);
	jsonw_member_str(w, "digest", i->manifest);
	jsonw_member_str(w, "index", i->index);
	jsonw_member_str(w, "source", i->source);
	jsonw_member_int(w, "size", i->size);
	api_time(w, "imported", i->imported);
	api_time(w, "created", i->created);
	jsonw_member_bool(w, "pinned", i->pinned);
	jsonw_member_bool(w, "wanted", images_wanted(d, i));
	jsonw_member_str(w, "os", i->os);
	jsonw_member_str(w, "architecture", i->architecture);
	jsonw_member_strings(w, "layers", i->layers, i->layer_count);
	jsonw_member_strings(w, "diffIDs", i->diff_ids, i->layer_count);
	image_config_json(&i->config, w);
	jsonw_key(w, "labels");
	jsonw_object(w);
	for (size_t k = 0; k < i->labels.count; k++)
		jsonw_member_str(w, i->labels.items[k].name, i->labels.items[k].value);
	jsonw_end(w);
	jsonw_end(w);
}

static void get_one(struct http_request *q, const struct daemon *d, const char *name)
{
	_cleanup_image_ struct image *i = NULL;
	_cleanup_buf_ struct buf out = BUF_NULL;
	struct image_ref ref;
	struct jsonw w;
	const char *why;

	if (image_ref_parse(name, &ref, &why) < 0) {
		api_error(q, 400, name, "images", "\"%s\" is no image: %s", name, why);
	} else if (ref.transport == IMAGE_ROOTFS || image_store_find(&d->images->store, &ref, &i) < 0) {
		api_error(q, 404, name, "images", "image \"%s\" is not in the store", name);
	} else {
		jsonw_init(&w, &out);
		image_json(d, i, &w);
		api_reply_json(q, &out);
	}
}

void api_image_list(struct http_request *q, void *arg)
{
	const struct daemon *d = ((struct api *)arg)->d;
	const char *name = url_param(http_url(q), "name");
	_cleanup_buf_ struct buf out = BUF_NULL;
	struct image **images;
	struct jsonw w;
	size_t count;

	if (name && *name) {
		get_one(q, d, name);
		return;
	}
	int r = image_store_list(&d->images->store, &images, &count);
	if (r < 0) {
		api_error(q, 500, NULL, "images", "reading the image store: %s", strerror(-r));
		return;
	}
	jsonw_init(&w, &out);
	jsonw_object(&w);
	jsonw_member_str(&w, "kind", "ImageList");
	jsonw_member_str(&w, "apiVersion", "podd.dev/v1");
	jsonw_key(&w, "items");
	jsonw_array(&w);
	for (size_t i = 0; i < count; i++)
		image_json(d, images[i], &w);
	jsonw_end(&w);
	jsonw_end(&w);
	image_list_free(images, count);
	api_reply_json(q, &out);
}

/* --- import ------------------------------------------------------------------------------------------------------------------------- */

/* One that a client waits for. It goes on when the client leaves. */
struct asked {
	struct daemon *daemon;
	struct http_request *q; /* NULL: gone */
	bool over;
};

static void asked_gone(void *arg)
{
	struct asked *k = arg;

	k->q = NULL;
	if (k->over)
		free(k);
}

static void asked_done(const struct image_job_result *result, void *arg)
{
	static const char *const none[] = { NULL };
	struct asked *k = arg;
	struct daemon *d = k->daemon;
	const char *const *references = result->references ? (const char *const *)result->references : none;
	_cleanup_buf_ struct buf out = BUF_NULL;
	struct jsonw w;
	size_t count = 0;

	while (references[count]) {
		daemon_report(d, "", NULL, true, "Pulled", "Successfully pulled image \"%s\" by hand", references[count]);
		count++;
	}
	jsonw_init(&w, &out);
	jsonw_object(&w);
	if (result->references) {
		jsonw_member_strings(&w, "references", references, count);
	} else {
		jsonw_member_str(&w, "reason", result->reason);
		jsonw_member_str(&w, "message", result->message);
	}
	jsonw_end(&w);
	k->over = true;
	if (k->q) {
		http_send(k->q, out.data, out.len);
		http_finish(k->q);
	} else {
		free(k);
	}
	if (result->references)
		images_arrived(d);
}

void api_image_import(struct http_request *q, void *arg)
{
	static const struct http_callbacks callbacks = { .gone = asked_gone };
	struct daemon *d = ((struct api *)arg)->d;
	const struct url *u = http_url(q);
	const char *path = url_param(u, "path"), *transport = url_param(u, "transport"), *stem = url_param(u, "stem");

	if (!path || *path != '/' || !transport || !stem || !(streq(transport, "archive") || streq(transport, "oci"))) {
		api_error(q, 400, NULL, "images", "an import needs path=/..., transport=archive or oci, and stem=");
		return;
	}
	int r = images_find_store(d);
	if (r < 0) {
		api_error(q, 500, NULL, "images", "opening the image store: %s", strerror(-r));
		return;
	}
	struct asked *k = xnew(struct asked);
	k->daemon = d;
	k->q = q;
	if (import_start(d,
	                 &(struct import_request){
				 .path = path, .job = { .transport = transport, .stem = stem }, .done = asked_done, .arg = k })) {
		http_stream(q, 200, "application/json", &callbacks, k);
		return;
	}
	free(k);
	api_error(q, 409, NULL, "images", "too many imports at a time: at most %d", IMPORTS_MAX);
}

void api_image_prune(struct http_request *q, void *arg)
{
	struct daemon *d = ((struct api *)arg)->d;
	_cleanup_buf_ struct buf out = BUF_NULL;
	struct prune_result result = { 0 };
	struct jsonw w;
	size_t count = 0;

	int r = prune(d, &result);
	if (r < 0) {
		api_error(q, r == -EBUSY ? 409 : 500, NULL, "images", "%s",
		          r == -EBUSY ? "images are being imported; prune when that is over" : strerror(-r));
		return;
	}
	while (result.references[count])
		count++;
	jsonw_init(&w, &out);
	jsonw_object(&w);
	jsonw_member_strings(&w, "references", (const char *const *)result.references, count);
	jsonw_member_int(&w, "layers", (int64_t)result.layers);
	jsonw_member_int(&w, "blobs", (int64_t)result.blobs);
	jsonw_end(&w);
	prune_result_deinit(&result);
	api_reply_json(q, &out);
}
