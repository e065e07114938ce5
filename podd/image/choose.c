#include "image/choose.h"
#include <string.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "image/limits.h"
#include "image/why.h"

int document_read(const struct source *s, const char *name, const char *what, const char *digest, int64_t size, struct buf *ret)
{
	_cleanup_blob_ struct blob blob = BLOB_NULL;

	int r = source_find(s, name, &blob);
	if (r == -ENOENT)
		return refuse("%s (%s) is missing", what, name);
	if (r == 0)
		r = blob_read(&blob, LIMIT_DOCUMENT, "it", ret);
	if (r == 0 && *digest)
		r = blob_verify(&blob, digest, size);
	return r < 0 ? why_where(r, "%s", what) : 0;
}

struct choice *choice_add(struct choices *c, const char *source)
{
	struct choice *choice = xgrow(c->items, c->count);
	struct arena *arena = arena_new();

	choice->image = arena_alloc(arena, sizeof(*choice->image));
	choice->image->arena = arena;
	choice->image->source = source;
	choice->image->imported = clock_wall();
	return choice;
}

/* A name that could be looked up by a manifest: with a slash or a tag. "latest" alone names no image. */
static bool is_full_name(const char *name, char ret[static IMAGE_REFERENCE_SIZE])
{
	struct image_ref ref;
	const char *why;

	if (!strpbrk(name, "/:@") || image_ref_parse(name, &ref, &why) < 0 || ref.transport != IMAGE_REGISTRY)
		return false;
	image_ref_text(&ref, ret);
	return true;
}

int choice_name(struct choice *c, const struct image_job *job, const char *name)
{
	char text[IMAGE_REFERENCE_SIZE];
	struct image_ref ref;
	const char *why;

	if (job->name) {
		(void)strncpy(text, job->name, sizeof(text) - 1);
		text[sizeof(text) - 1] = '\0';
	} else if (!name || !is_full_name(name, text)) {
		_cleanup_free_ char *own = xasprintf("%s%s%s", job->stem, name ? ":" : "", name ? name : "");
		if (image_ref_parse(own, &ref, &why) < 0)
			return refuse("the archive names no image, and \"%s\" can't be one: %s", own, why);
		image_ref_text(&ref, text);
	}
	for (size_t i = 0; i < c->reference_count; i++)
		if (streq(c->references[i], text))
			return 0;
	*xgrow(c->references, c->reference_count) = arena_strdup(c->image->arena, text);
	return 0;
}

int choose(const struct source *s, const struct image_job *job, struct choices *ret)
{
	_cleanup_(choices_deinit) struct choices c = { 0 };
	_cleanup_blob_ struct blob layout = BLOB_NULL;
	bool oci = source_find(s, "oci-layout", &layout) == 0;

	/* What docker save writes is both since Docker 25; its manifest.json has the names. */
	if (streq(job->transport, "docker-archive"))
		oci = false;
	else if (str_after(job->transport, "oci"))
		oci = true;
	int r = oci ? choose_oci(s, job, &c) : choose_docker(s, job, &c);
	if (r < 0)
		return r;
	*ret = c;
	c = (struct choices){ 0 };
	return 0;
}

void choices_deinit(struct choices *c)
{
	for (size_t i = 0; i < c->count; i++) {
		struct choice *choice = &c->items[i];
		for (size_t k = 0; choice->layers && k < choice->image->layer_count; k++)
			blob_close(&choice->layers[k].blob);
		free(choice->layers);
		free(choice->references);
		buf_deinit(&choice->manifest);
		buf_deinit(&choice->config);
		(void)image_free(choice->image);
	}
	free(c->items);
	*c = (struct choices){ 0 };
}
