#include "daemon/pod/session_plan.h"
#include <stdio.h>
#include <string.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/image/images.h"
#include "daemon/image/startimage.h"
#include "daemon/pod/cdi.h"
#include "daemon/pod/launch.h"
#include "daemon/pod/sandbox_internal.h"
#include "daemon/pod/sources.h"

void session_plan_free(struct session_plan *p)
{
	list_remove(&p->link);
	plan_deinit(&p->plan);
	(void)fd_close(p->fd);
	free(p);
}

void session_plan_forget_all(struct sandbox *s)
{
	list_foreach(p, &s->session_plans, struct session_plan, link)
		session_plan_free(p);
}

static bool same(const struct string_list *a, const struct string_list *b)
{
	for (size_t i = 0; i < MIN(a->count, b->count); i++)
		if (!streq(a->items[i], b->items[i]))
			return false;
	return a->count == b->count;
}

struct session_plan *session_plan_find(struct sandbox *s, const struct pod *pod, const struct core_container *cc,
                                       const struct string_list *argv)
{
	list_foreach(p, &s->session_plans, struct session_plan, link) {
		if (!streq(p->container, cc->name))
			continue;
		if (p->number != cc->number || !streq(p->hash, pod->hash) || source_env_varies(cc->spec))
			session_plan_free(p);
		else if (same(&p->argv, argv))
			return p;
	}
	return NULL;
}

/* As the member was started: from the image of that day. */
static int compile(struct sandbox *s, const struct pod *p, const struct core_container *cc, const struct string_list *argv,
                   enum session_kind kind, struct plan *ret)
{
	struct daemon *d = s->daemon;
	const struct image *i = start_image(s, cc->name, cc->number);
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_buf_ struct buf text = BUF_NULL;
	_cleanup_close_ int layers = -EBADF;
	struct plan_context ctx = d->plan_context;
	struct pod_sources sources;
	struct plan_image image;
	struct cdi_edits devices;
	const char *why;

	int r = images_layers(d, cc->spec->image, &layers, &why, &text);
	if (r < 0)
		return r;
	images_describe(i, layers, a, &image);
	sources_init(&sources, s, p);
	sources.sources.lenient = true;
	ctx.sources = &sources.sources;
	ctx.first_id = s->first_id;
	if (cdi_look_up(d, p, a, &devices, &why) == 0) /* what is gone meanwhile the container has all the same */
		ctx.devices = &devices;
	return plan_session(p, cc->spec, &image, &ctx, argv, kind, ret, &why);
}

int session_plan_get(struct sandbox *s, const struct pod *pod, const struct core_container *cc, const struct string_list *argv,
                     enum session_kind kind, struct session_plan **ret)
{
	struct session_plan *p = session_plan_find(s, pod, cc, argv);

	if (p && kind == SESSION_COMMAND) {
		*ret = p;
		return 0;
	}
	p = xnew(struct session_plan);
	p->fd = -EBADF;
	p->number = cc->number;
	list_init(&p->link);
	(void)strcpy(p->container, cc->name);
	(void)strcpy(p->hash, pod->hash);
	int r = compile(s, pod, cc, argv, kind, &p->plan);
	if (r == 0)
		r = p->fd = launch_plan_fd(&p->plan);
	if (r < 0) {
		session_plan_free(p);
		return r;
	}
	buf_deinit(&p->plan.bytes);
	*ret = p;
	return 0;
}

void session_plan_keep(struct sandbox *s, struct session_plan *p, const struct string_list *argv)
{
	if (!list_empty(&p->link))
		return;
	p->argv.count = argv->count;
	p->argv.items = arena_new_array(p->plan.arena, const char *, argv->count);
	for (size_t i = 0; i < argv->count; i++)
		p->argv.items[i] = arena_strdup(p->plan.arena, argv->items[i]);
	list_append(&s->session_plans, &p->link);
}
