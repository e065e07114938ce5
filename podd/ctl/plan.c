/* podctl plan: what podd-launch will be told for each container of a manifest, as this host would get it. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/files.h"
#include "ctl/store.h"
#include "image/merged.h"
#include "plan/compile.h"
#include "plan/filter.h"
#include "plan/source.h"
#include "sys/apparmor.h"
#include "sys/cap.h"
#include "sys/path.h"

enum { HIERARCHIES_MAX = 8 };

/* What podd finds out at its start, as far as it can be seen without being podd. */
struct host {
	struct plan_context context;
	const char *v1[HIERARCHIES_MAX];
	struct buf cgroups; /* what the names point into */
};

struct planning {
	const struct args *args;
	struct host host;
	bool found;
};

/* The hierarchies that podd has its processes join: those of its controllers, in /proc/self/cgroup's "4:memory:/path". */
static void find_hierarchies(struct host *h)
{
	static const char *const wanted[] = { "cpu", "memory", "pids", "devices" };
	char *next;

	if (file_read(AT_FDCWD, "/proc/self/cgroup", 64 << 10, &h->cgroups) < 0)
		return;
	for (char *line = h->cgroups.data; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		char *names = strchr(line, ':'), *end = names ? strchr(names + 1, ':') : NULL;
		if (!end)
			continue;
		*end = '\0';
		for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
			if (strstr(names + 1, wanted[i]) && h->context.v1_count < HIERARCHIES_MAX) {
				h->v1[h->context.v1_count++] = names + 1;
				break;
			}
	}
	h->context.v1_hierarchies = h->v1;
}

static void host_init(struct host *h, const char *root)
{
	struct rlimit nofile;
	struct sysinfo info;

	find_hierarchies(h);
	h->context.unified = !h->context.v1_count;
	h->context.capabilities = cap_bounding();
	h->context.apparmor = apparmor_enabled();
	_cleanup_free_ char *profiles = xasprintf("%s/etc/podd/seccomp", root);
	h->context.filters = filters_new(profiles);
	if (getrlimit(RLIMIT_NOFILE, &nofile) == 0)
		h->context.nofile_max = nofile.rlim_max;
	if (sysinfo(&info) == 0)
		h->context.memory_capacity = (int64_t)info.totalram * info.mem_unit;
}

/* The objects of the same file, and of a Secret only that there is one. Others are podd's to find: what they give is left out. */
static const struct config_object *find_config(enum config_kind kind, const char *ns, const char *name, void *arg)
{
	const struct manifest *m = arg;

	for (size_t i = 0; i < m->document_count; i++) {
		const struct config_object *c = m->documents[i].config;
		if (!c || c->kind != kind || !streq(c->namespace, ns) || !streq(c->name, name))
			continue;
		if (kind != CONFIG_SECRET)
			return c;
		struct config_object *masked = arena_alloc(m->arena, sizeof(*masked));
		*masked = *c;
		masked->items = arena_new_array(m->arena, struct config_item, c->count);
		for (size_t j = 0; j < c->count; j++)
			masked->items[j] = (struct config_item){ .key = c->items[j].key, .data = "******", .size = 6 };
		return masked;
	}
	return NULL;
}

/* As podd would find it: in the store of --root, or a directory. *ret NULL: a directory. The descriptor of where its layers are. */
static int find_image(const struct args *args, const struct container *c, const char *name, struct image **ret, int *ret_layers)
{
	struct image_store store = IMAGE_STORE_NULL;
	struct image_ref ref;
	const char *why;

	if (image_ref_parse(name, &ref, &why) < 0)
		return ctl_fail(CTL_NO, "container %s: image \"%s\": %s", c->name, name, why);
	*ret = NULL;
	int r = ref.transport == IMAGE_ROOTFS ? 0 : store_open(args, &store);
	if (r == 0 && ref.transport != IMAGE_ROOTFS)
		r = image_store_find(&store, &ref, ret);
	if (r == 0)
		*ret_layers =
			ref.transport == IMAGE_ROOTFS ? open(ref.name, O_PATH | O_DIRECTORY | O_CLOEXEC) : TAKE_FD(store.layers);
	image_store_deinit(&store);
	return r == 0 ? CTL_YES
	              : ctl_fail(CTL_NO, "container %s: image \"%s\" is not in the store; podctl import brings it", c->name, name);
}

static int describe_mounts(const struct args *args, const struct pod *pod, const struct container *c, struct arena *a,
                           struct plan_image *ret)
{
	struct string_list *mounts = arena_new_array(a, struct string_list, c->mounts.count);
	int code = CTL_YES;

	for (size_t i = 0; code == CTL_YES && i < c->mounts.count; i++) {
		const struct volume *v = pod_volume(pod, c->mounts.items[i].name);
		_cleanup_image_ struct image *image = NULL;
		_cleanup_close_ int layers = -EBADF;
		if (v->image.set)
			code = find_image(args, c, v->image.reference, &image, &layers);
		if (image)
			plan_image_layers(image, a, &mounts[i]);
		for (size_t k = 0; k < mounts[i].count; k++)
			mounts[i].items[k] = arena_strdup(a, mounts[i].items[k]);
	}
	ret->mounts = mounts;
	return code;
}

static int describe_image(const struct args *args, const struct pod *pod, const struct container *c, struct arena *a,
                          struct image **ret, struct plan_image *ret_image)
{
	_cleanup_close_ int layers = -EBADF;

	int code = find_image(args, c, c->image, ret, &layers);
	if (code != CTL_YES)
		return code;
	plan_image_init(ret_image, *ret, a);
	ret_image->passwd = image_file_text(layers, &ret_image->layers, "etc/passwd", a, &ret_image->passwd_flaw);
	ret_image->group = image_file_text(layers, &ret_image->layers, "etc/group", a, &ret_image->group_flaw);
	return describe_mounts(args, pod, c, a, ret_image);
}

static int plan_container(const struct manifest *m, const struct pod *pod, const struct container *c, const struct planning *p)
{
	_cleanup_image_ struct image *i = NULL;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct plan_image image;
	_cleanup_buf_ struct buf text = BUF_NULL;
	struct plan plan = { 0 };
	const char *reason = NULL;

	const struct sources sources = {
		.uid = pod->metadata.uid ? pod->metadata.uid : "",
		.node_name = "",
		.host_ip = "",
		.pod_ip = "",
		.config = find_config,
		.arg = (void *)(uintptr_t)m,
		.lenient = true,
	};
	/* Its paths are known when it starts. */
	const struct plan_runtime runtime = {
		.program = pod->spec.runtime_class, .state = "STATE", .bundle = "BUNDLE", .id = c->name, .cgroup = "CGROUP"
	};
	int r = describe_image(p->args, pod, c, arena, &i, &image);
	if (r != CTL_YES)
		return r;
	struct plan_context context = p->host.context;
	context.sources = &sources;
	if (pod->spec.runtime_class && *pod->spec.runtime_class)
		context.runtime = &runtime;
	r = plan_member(pod, c, &image, &context, &plan, &reason);
	if (r < 0) {
		plan_deinit(&plan);
		return ctl_fail(CTL_NO, "%s, container %s: %s", pod->metadata.name, c->name, reason ? reason : strerror(-r));
	}
	buf_printf(&text, "# %s/%s, container %s\n", pod->metadata.namespace, pod->metadata.name, c->name);
	if (pod->devices.count)
		buf_puts(&text, "# without its devices, which are looked up at each start\n");
	r = plan_print(plan.bytes.data, plan.bytes.len, &text);
	if (plan.config.len)
		buf_printf(&text, "%s\n", buf_str(&plan.config));
	plan_deinit(&plan);
	if (r < 0)
		return ctl_fail(CTL_NO, "container %s: the plan can't be read back: %s", c->name, strerror(-r));
	ctl_print(buf_str(&text));
	return CTL_YES;
}

static int plan_file(const struct source *s, void *arg)
{
	struct planning *p = arg;
	int code = source_judge(s);

	for (size_t i = 0; i < s->manifest.document_count; i++) {
		const struct pod *pod = s->manifest.documents[i].pod;
		for (size_t j = 0; pod && j < pod_container_count(pod); j++) {
			const struct container *c = pod_container_at(pod, j);
			if (p->args->container && !streq(p->args->container, c->name))
				continue;
			p->found = true;
			code = files_worse(code, plan_container(&s->manifest, pod, c, p));
		}
	}
	return code;
}

int verb_plan(const struct args *a)
{
	struct planning p = { .args = a };

	if (!a->word_count)
		return ctl_fail(CTL_USAGE, "plan needs a manifest file, or - for standard input");
	host_init(&p.host, a->root ? a->root : "");
	int code = files_each(a->words, a->word_count, plan_file, &p);
	if (code == CTL_YES && !p.found)
		code = a->container ? ctl_fail(CTL_NO, "no container is called %s", a->container)
		                    : ctl_fail(CTL_NO, "no pod in there");
	filters_free(p.host.context.filters);
	buf_deinit(&p.host.cgroups);
	return code;
}
