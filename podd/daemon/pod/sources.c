#include "daemon/pod/sources.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>
#include "base/fd.h"
#include "base/str.h"
#include "daemon/api/api.h"
#include "daemon/pod/cdi.h"
#include "daemon/intake/configs.h"
#include "daemon/pod/launch.h"
#include "daemon/pod/swapdir.h"
#include "daemon/pod/volumes.h"

enum { ENV_FILE_MAX = 64 << 10 };

static const struct config_object *find_config(enum config_kind kind, const char *ns, const char *name, void *arg)
{
	const struct pod_sources *ps = arg;

	return configs_find(ps->sandbox->daemon, kind, ns, name);
}

static int read_variables(const char *volume, const char *path, struct arena *a, const char **ret_text, void *arg)
{
	const struct pod_sources *ps = arg;
	_cleanup_buf_ struct buf text = BUF_NULL;

	_cleanup_close_ int fd = volumes_open_file(ps->sandbox, ps->pod, volume, path);
	int r = fd < 0 ? fd : fd_read_all(fd, ENV_FILE_MAX, &text);
	if (r < 0)
		return r;
	*ret_text = arena_strndup(a, buf_str(&text), text.len);
	return 0;
}

void sources_init(struct pod_sources *ps, struct sandbox *s, const struct pod *p)
{
	const struct core_pod *cp = core_pod_by_uid(s->daemon->core, s->uid);
	const char *ip = cp ? cp->sandbox.ip : "";

	*ps = (struct pod_sources){ .sandbox = s, .pod = p };
	api_host_address(s->daemon, ps->host_ip);
	(void)snprintf(ps->pod_ip, sizeof(ps->pod_ip), "%s", p->spec.host_network ? ps->host_ip : ip);
	ps->sources = (struct sources){
		.uid = s->uid,
		.node_name = s->daemon->config->node_name,
		.host_ip = ps->host_ip,
		.pod_ip = ps->pod_ip,
		.cpu_milli = 1000L * get_nprocs(),
		.memory = s->daemon->plan_context.memory_capacity,
		.config = find_config,
		.file = read_variables,
		.arg = ps,
	};
}

/* --- volumes ------------------------------------------------------------------------------------------------------------------- */

static int fill_volume(struct sandbox *s, const struct pod *p, const struct volume *v, int dirfd, struct arena *arena,
                       const char **ret_text)
{
	struct pod_sources ps;
	struct volume_files files;

	sources_init(&ps, s, p);
	int r = source_files(arena, p, v, &ps.sources, &files, ret_text);
	if (r < 0)
		return r;
	r = swapdir_write(dirfd, &files, &p->spec.security.fs_group);
	if (r < 0)
		*ret_text = arena_printf(arena, "volume \"%s\": writing its files: %s", v->name, strerror(-r));
	return r;
}

int sources_volume(struct sandbox *s, const struct pod *p, const struct volume *v, struct arena *arena, const char **ret_text)
{
	_cleanup_close_ int fd = volumes_make_private(s, v->name);

	if (fd < 0) {
		*ret_text = arena_printf(arena, "volume \"%s\": %s", v->name, strerror(-fd));
		return fd;
	}
	int r = fill_volume(s, p, v, fd, arena, ret_text);
	return r < 0 ? r : TAKE_FD(fd);
}

/* A volume that was made already. 1: its content is another one now. */
static int refresh(struct sandbox *s, const struct pod *p, const struct volume *v)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_close_ int fd = volumes_open_private(s, v->name);
	const char *text = "";

	if (fd < 0)
		return 0; /* no container that mounts it has started */
	int r = fill_volume(s, p, v, fd, arena, &text);
	if (r < 0)
		daemon_report(s->daemon, s->uid, NULL, false, "FailedMount", "%s; its files stay as they are", text);
	return r;
}

/* The pod whose containers run in the sandbox as it is. */
static const struct core_pod *settled(struct daemon *d, const struct sandbox *s)
{
	const struct core_pod *cp = core_pod_by_uid(d->core, s->uid);

	return s->state == SANDBOX_UP && cp && cp->pod && cp->state == POD_STATE_RUNNING ? cp : NULL;
}

void sources_refresh(struct daemon *d, const char *uid)
{
	struct sandbox *s = sandbox_find(d, uid);
	const struct core_pod *cp = s ? settled(d, s) : NULL;

	for (size_t i = 0; cp && i < cp->pod->spec.volumes.count; i++)
		if (volume_is_files(&cp->pod->spec.volumes.items[i]))
			(void)refresh(s, cp->pod, &cp->pod->spec.volumes.items[i]);
}

/* --- an edit -------------------------------------------------------------------------------------------------------------------- */

static bool is_waiting(const struct core_container *k)
{
	return k->state == CONTAINER_STATE_BACKOFF && streq(k->reason, "CreateContainerConfigError");
}

static void tell_container(struct daemon *d, const struct core_pod *cp, const struct core_container *k, const char *what)
{
	struct event restart = daemon_event(EVENT_RESTART_ASKED, cp->uid, k->name, 0);
	const struct pod_config_change *change = &cp->pod->config_change;

	if (is_waiting(k))
		daemon_step(d, &restart);
	else if (k->state == CONTAINER_STATE_RUNNING && change->restart) {
		daemon_report(d, cp->uid, k->name, true, "ConfigChanged", "%s was edited: restarting", what);
		daemon_step(d, &restart);
	} else if (k->state == CONTAINER_STATE_RUNNING && change->signal) {
		struct start_id id = { .number = k->number };
		(void)snprintf(id.uid, sizeof(id.uid), "%s", cp->uid);
		(void)snprintf(id.container, sizeof(id.container), "%s", k->name);
		daemon_report(d, cp->uid, k->name, true, "ConfigChanged", "%s was edited: sending signal %d", what, change->signal);
		launch_signal(d, &id, change->signal);
	}
}

static void tell_pod(struct daemon *d, struct sandbox *s, const struct core_pod *cp, const struct config_object *c,
                     const char *what)
{
	const struct volume_list *volumes = &cp->pod->spec.volumes;

	for (size_t i = 0; i < volumes->count; i++)
		if (source_volume_uses(&volumes->items[i], c->kind, c->name))
			(void)refresh(s, cp->pod, &volumes->items[i]);
	for (size_t i = 0; i < cp->container_count; i++)
		if (cp->containers[i].spec && source_container_uses(cp->pod, cp->containers[i].spec, c->kind, c->name))
			tell_container(d, cp, &cp->containers[i], what);
}

void sources_changed(struct daemon *d, const struct config_object *c)
{
	char what[400];

	(void)snprintf(what, sizeof(what), "%s %s", config_kind_name(c->kind), c->name);
	list_foreach(s, &d->sandboxes, struct sandbox, link) {
		const struct core_pod *cp = settled(d, s);
		if (cp && streq(cp->pod->metadata.namespace, c->namespace))
			tell_pod(d, s, cp, c, what);
	}
}

void sources_devices_changed(struct daemon *d)
{
	list_foreach(s, &d->sandboxes, struct sandbox, link) {
		_cleanup_arena_ struct arena *arena = arena_new();
		const struct core_pod *cp = settled(d, s);
		struct cdi_edits edits;
		const char *text;
		if (!cp || !cp->pod->devices.count || cdi_look_up(d, cp->pod, arena, &edits, &text) < 0)
			continue;
		for (size_t i = 0; i < cp->container_count; i++)
			if (cp->containers[i].spec && is_waiting(&cp->containers[i])) {
				struct event e = daemon_event(EVENT_RESTART_ASKED, cp->uid, cp->containers[i].name, 0);
				daemon_step(d, &e);
			}
	}
}
