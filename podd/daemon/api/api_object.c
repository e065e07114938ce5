#include <stdio.h>
#include "base/clock.h"
#include "base/str.h"
#include "daemon/intake/accept.h"
#include "daemon/api/api.h"
#include "daemon/image/startimage.h"
#include "daemon/pod/termlog.h"
#include "manifest/ephemeral.h"
#include "manifest/manifest.h"

static void annotations_json(const struct daemon *d, const struct core_pod *p, struct jsonw *w)
{
	const struct label_list *l = &p->pod->metadata.annotations;
	const char *source = accept_source(d->acceptor, p->uid);

	jsonw_key(w, "annotations");
	jsonw_object(w);
	for (size_t i = 0; i < l->count; i++)
		jsonw_member_str(w, l->items[i].name, l->items[i].value);
	jsonw_member_str(w, "kubernetes.io/config.source", "file"); /* as the kubelet marks static pods */
	if (source)
		jsonw_member_str(w, "podd.dev/source", source);
	jsonw_end(w);
}

void api_map_json(const char *key, const struct label_list *l, struct jsonw *w)
{
	if (!l->count)
		return;
	jsonw_key(w, key);
	jsonw_object(w);
	for (size_t i = 0; i < l->count; i++)
		jsonw_member_str(w, l->items[i].name, l->items[i].value);
	jsonw_end(w);
}

void api_owner_json(const struct owner *o, struct jsonw *w)
{
	if (!o->kind)
		return;
	jsonw_key(w, "ownerReferences");
	jsonw_array(w);
	jsonw_object(w);
	jsonw_member_str(w, "apiVersion", "batch/v1");
	jsonw_member_str(w, "kind", o->kind);
	jsonw_member_str(w, "name", o->name);
	jsonw_member_str(w, "uid", o->uid);
	jsonw_member_bool(w, "controller", true);
	jsonw_member_bool(w, "blockOwnerDeletion", true);
	jsonw_end(w);
	jsonw_end(w);
}

void api_pod_metadata_json(const struct daemon *d, const struct core_pod *p, uint64_t version, struct jsonw *w)
{
	jsonw_object(w);
	jsonw_member_str(w, "name", p->pod->metadata.name);
	jsonw_member_str(w, "namespace", p->pod->metadata.namespace);
	jsonw_member_str(w, "uid", p->uid);
	api_version_member(w, version);
	jsonw_member_int(w, "generation", (int64_t)p->generation);
	api_time(w, "creationTimestamp", p->created_wall);
	if (p->deleted_wall) {
		api_time(w, "deletionTimestamp", p->deleted_wall);
		jsonw_member_int(w, "deletionGracePeriodSeconds", p->pod->spec.grace_seconds);
	}
	api_map_json("labels", &p->pod->metadata.labels, w);
	api_owner_json(&p->pod->owner, w);
	annotations_json(d, p, w);
	jsonw_end(w);
}

static void container_id(const struct core_pod *p, const struct core_container *c, uint32_t number, char *out, size_t size)
{
	(void)snprintf(out, size, "podd://%s/%s/%u", p->uid, c->name, number);
}

static void terminated_json(const struct daemon *d, const struct core_pod *p, const struct core_container *c,
                            const struct termination *t, struct jsonw *w)
{
	_cleanup_buf_ struct buf message = BUF_NULL;
	char id[POD_UID_SIZE + CONTAINER_NAME_SIZE + 24];

	jsonw_key(w, "terminated");
	jsonw_object(w);
	jsonw_member_int(w, "exitCode", t->exit.code);
	if (t->exit.signal)
		jsonw_member_int(w, "signal", t->exit.signal);
	jsonw_member_str(w, "reason", t->reason);
	if (*t->message)
		buf_puts(&message, t->message);
	else if (t == &c->last)
		termlog_read(d, p, c, &message);
	if (message.len)
		jsonw_member_str(w, "message", buf_str(&message));
	api_time(w, "startedAt", t->started_wall);
	api_time(w, "finishedAt", t->exit.wall);
	container_id(p, c, t->number, id, sizeof(id));
	jsonw_member_str(w, "containerID", id);
	jsonw_end(w);
}

/* When it ends: boot time, which nobody can read, as wall time. A podd that has adopted the container knows that alone. */
static void back_off_text(const struct core_pod *p, const struct core_container *c, struct buf *out)
{
	char until[CLOCK_TEXT_SIZE];

	clock_text(clock_wall() + c->deadline - clock_boot(), until);
	if (*c->message)
		buf_puts(out, c->message);
	else
		buf_printf(out, "back-off restarting failed container=%s pod=%s_%s(%s)", c->name, p->pod->metadata.name,
		           p->pod->metadata.namespace, p->uid);
	buf_printf(out, "; until %s", until);
}

static void waiting_json(const struct core_pod *p, const struct core_container *c, struct jsonw *w)
{
	const char *reason = core_container_reason(p, c), *message = core_container_message(c);
	bool sandbox_failed = c->state == CONTAINER_STATE_WAITING && *p->reason;
	_cleanup_buf_ struct buf text = BUF_NULL;

	jsonw_key(w, "waiting");
	jsonw_object(w);
	jsonw_member_str(w, "reason", sandbox_failed ? p->reason : *reason ? reason : "ContainerCreating");
	if (sandbox_failed)
		message = p->message;
	bool crashed = streq(reason, "CrashLoopBackOff") || streq(reason, CORE_HOOK_ERROR);
	if (!sandbox_failed && c->deadline && crashed) {
		back_off_text(p, c, &text);
		message = buf_str(&text);
	}
	if (*message)
		jsonw_member_str(w, "message", message);
	jsonw_end(w);
}

static bool container_runs(const struct core_container *c)
{
	return c->state == CONTAINER_STATE_RUNNING || c->state == CONTAINER_STATE_STOPPING;
}

/* Whether its last end is its state, rather than what was before the state. */
static bool container_ended(const struct core_pod *p, const struct core_container *c)
{
	if (!c->last.set)
		return false;
	if (c->state == CONTAINER_STATE_DONE)
		return true;
	return c->state == CONTAINER_STATE_WAITING &&
	       (p->state == POD_STATE_HELD || p->state == POD_STATE_FINISHED || p->state == POD_STATE_DESTROYING);
}

static void container_states_json(const struct daemon *d, const struct core_pod *p, const struct core_container *c, struct jsonw *w)
{
	bool ended = container_ended(p, c);
	const struct termination *last = ended ? &c->before : &c->last;

	jsonw_key(w, "state");
	jsonw_object(w);
	if (ended) {
		terminated_json(d, p, c, &c->last, w);
	} else if (container_runs(c)) {
		jsonw_key(w, "running");
		jsonw_object(w);
		api_time(w, "startedAt", c->started_wall);
		jsonw_end(w);
	} else {
		waiting_json(p, c, w);
	}
	jsonw_end(w);
	jsonw_key(w, "lastState");
	jsonw_object(w);
	if (last->set)
		terminated_json(d, p, c, last, w);
	jsonw_end(w);
}

static void container_json(const struct daemon *d, const struct core_pod *p, const struct core_container *c, struct jsonw *w)
{
	char id[POD_UID_SIZE + CONTAINER_NAME_SIZE + 24] = "";
	const char *image = c->spec ? c->spec->image : "";
	struct sandbox *s = sandbox_find(d, p->uid);
	const struct image *ran = s && c->launched ? start_image(s, c->name, c->number) : NULL;

	if (container_runs(c))
		container_id(p, c, c->number, id, sizeof(id));
	else if (c->last.set)
		container_id(p, c, c->last.number, id, sizeof(id));
	jsonw_object(w);
	jsonw_member_str(w, "name", c->name);
	jsonw_member_str(w, "image", image);
	jsonw_member_str(w, "imageID", ran ? ran->id : image);
	jsonw_member_str(w, "containerID", id);
	jsonw_member_bool(w, "ready", core_container_ready(c));
	if (c->role != CONTAINER_ROLE_INIT)
		jsonw_member_bool(w, "started", core_container_started(c));
	jsonw_member_int(w, "restartCount", c->restart_count);
	container_states_json(d, p, c, w);
	if (c->spec) {
		jsonw_key(w, "resources");
		resources_json(&c->spec->resources, w);
		jsonw_key(w, "allocatedResources");
		resource_list_json(&c->spec->resources.requests, w);
	}
	jsonw_end(w);
}

/* Those of one list of the spec: sidecars are of initContainers. */
static void container_statuses_json(const struct daemon *d, const struct core_pod *p, const char *key, enum container_role role,
                                    struct jsonw *w)
{
	jsonw_key(w, key);
	jsonw_array(w);
	for (size_t i = 0; i < p->container_count; i++)
		if (p->containers[i].role == role ||
		    (p->containers[i].role == CONTAINER_ROLE_SIDECAR && role == CONTAINER_ROLE_INIT))
			container_json(d, p, &p->containers[i], w);
	jsonw_end(w);
}

/* When the last init container was through. */
static int64_t initialized_since(const struct core_pod *p)
{
	int64_t at = p->created_wall;

	for (size_t i = 0; i < p->container_count; i++) {
		const struct core_container *c = &p->containers[i];
		if (c->passed)
			at = MAX(at, c->role == CONTAINER_ROLE_INIT ? c->last.exit.wall : c->started_wall);
	}
	return at;
}

/* When readiness last changed: by a container's start or a probe the pod became ready, by an exit or a probe unready. */
static int64_t ready_since(const struct core_pod *p, bool ready)
{
	int64_t at = p->created_wall;

	for (size_t i = 0; i < p->container_count; i++) {
		const struct core_container *c = &p->containers[i];
		if (c->role == CONTAINER_ROLE_DEBUG)
			continue;
		at = MAX(at, ready ? c->started_wall : c->last.set ? c->last.exit.wall : 0);
		at = c->ready == ready ? MAX(at, c->ready_wall) : at;
	}
	return at;
}

static void condition_json(const struct core_pod *p, struct jsonw *w, const char *type, bool holds, int64_t since,
                           const char *reason, const char *message)
{
	jsonw_object(w);
	jsonw_member_str(w, "type", type);
	jsonw_member_int(w, "observedGeneration", (int64_t)p->generation);
	jsonw_member_str(w, "status", holds ? "True" : "False");
	jsonw_member_str(w, "lastProbeTime", NULL);
	api_time(w, "lastTransitionTime", since);
	if (*reason)
		jsonw_member_str(w, "reason", reason);
	if (*message)
		jsonw_member_str(w, "message", message);
	jsonw_end(w);
}

static bool sandbox_stands(const struct core_pod *p)
{
	return p->state == POD_STATE_RUNNING || p->state == POD_STATE_STOPPING || p->state == POD_STATE_FINISHED;
}

/* "containers with unready status: [a b]": those of the members, or of initContainers. */
static void list_unready(const struct core_pod *p, bool inits, const char *word, struct buf *out)
{
	size_t n = 0;

	buf_printf(out, "containers with %s status: [", word);
	for (size_t i = 0; i < p->container_count; i++) {
		const struct core_container *c = &p->containers[i];
		bool init = core_container_is_init(c);
		if (c->role == CONTAINER_ROLE_DEBUG)
			continue;
		if (inits ? init && !c->passed : !core_container_ready(c) && c->role != CONTAINER_ROLE_INIT)
			buf_printf(out, "%s%s", n++ ? " " : "", c->name);
	}
	buf_putc(out, ']');
}

static void resizing_json(const struct daemon *d, const struct core_pod *p, struct jsonw *w)
{
	const struct sandbox *s = sandbox_find(d, p->uid);

	if (s && *s->resize_error)
		condition_json(p, w, "PodResizeInProgress", true, p->sandbox_wall, "Error", s->resize_error);
}

static void conditions_json(const struct daemon *d, const struct core_pod *p, struct jsonw *w)
{
	bool ready = core_pod_ready(p), sandbox = sandbox_stands(p), unsuited = p->blocked && streq(p->reason, CORE_NODE_AFFINITY);
	bool initialized = core_pod_initialized(p), completed = streq(core_pod_phase(p), "Succeeded");
	bool over = completed || streq(core_pod_phase(p), "Failed");
	const char *reason = completed ? "PodCompleted" : over ? "PodFailed" : ready ? "" : "ContainersNotReady";
	_cleanup_buf_ struct buf unready = BUF_NULL, incomplete = BUF_NULL;

	if (!ready && !over)
		list_unready(p, false, "unready", &unready);
	if (!initialized)
		list_unready(p, true, "incomplete", &incomplete);
	jsonw_key(w, "conditions");
	jsonw_array(w);
	condition_json(p, w, "PodScheduled", !unsuited, p->created_wall, unsuited ? "Unschedulable" : "",
	               unsuited ? p->message : "");
	condition_json(p, w, "PodReadyToStartContainers", sandbox, sandbox ? p->sandbox_wall : p->created_wall,
	               sandbox ? "" : "SandboxNotReady", sandbox ? "" : p->message);
	condition_json(p, w, "Initialized", initialized, initialized_since(p),
	               !initialized ? "ContainersNotInitialized"
	               : completed  ? "PodCompleted"
	                            : "",
	               buf_str(&incomplete));
	condition_json(p, w, "ContainersReady", ready, ready_since(p, ready), reason, buf_str(&unready));
	condition_json(p, w, "Ready", ready, ready_since(p, ready), reason, buf_str(&unready));
	resizing_json(d, p, w);
	jsonw_end(w);
}

void api_host_address(const struct daemon *d, char ret[static INET_ADDRSTRLEN])
{
	struct in_addr a = { htonl(ntohl(d->config->network.s_addr) + 1) };

	(void)inet_ntop(AF_INET, &a, ret, INET_ADDRSTRLEN);
}

static void ips_json(const char *key, const char *ip, struct jsonw *w)
{
	jsonw_key(w, key);
	jsonw_array(w);
	jsonw_object(w);
	jsonw_member_str(w, "ip", ip);
	jsonw_end(w);
	jsonw_end(w);
}

static void addresses_json(const struct daemon *d, const struct core_pod *p, struct jsonw *w)
{
	char host[INET_ADDRSTRLEN];
	const char *ip = p->sandbox.ip;

	api_host_address(d, host);
	jsonw_member_str(w, "hostIP", host);
	ips_json("hostIPs", host, w);
	if (p->pod->spec.host_network)
		ip = host;
	if (!*ip || !sandbox_stands(p))
		return;
	jsonw_member_str(w, "podIP", ip);
	ips_json("podIPs", ip, w);
}

static void pod_status_json(const struct daemon *d, const struct core_pod *p, struct jsonw *w)
{
	jsonw_key(w, "status");
	jsonw_object(w);
	jsonw_member_int(w, "observedGeneration", (int64_t)p->generation);
	jsonw_member_str(w, "phase", core_pod_phase(p));
	if (p->held && (p->state == POD_STATE_HELD || p->state == POD_STATE_FINISHED))
		jsonw_member_str(w, "reason", "Stopped"); /* what `podctl stop` waits for */
	else if (*p->reason)
		jsonw_member_str(w, "reason", p->reason);
	if (*p->message)
		jsonw_member_str(w, "message", p->message);
	conditions_json(d, p, w);
	addresses_json(d, p, w);
	api_time(w, "startTime", p->created_wall);
	jsonw_member_str(w, "qosClass", qos_name(p->pod->qos));
	if (p->pod->spec.init_containers.count)
		container_statuses_json(d, p, "initContainerStatuses", CONTAINER_ROLE_INIT, w);
	container_statuses_json(d, p, "containerStatuses", CONTAINER_ROLE_MEMBER, w);
	if (p->pod->spec.ephemeral.count)
		container_statuses_json(d, p, "ephemeralContainerStatuses", CONTAINER_ROLE_DEBUG, w);
	jsonw_end(w);
}

static void spec_json(const struct daemon *d, const struct core_pod *p, struct jsonw *w)
{
	pod_spec_json_open(p->pod, w);
	ephemeral_json(p->pod, w);
	jsonw_member_str(w, "nodeName", d->config->node_name);
	if (!p->pod->spec.priority)
		jsonw_member_int(w, "priority", core_pod_priority(d->core, p));
	jsonw_end(w);
}

void api_pod_json(const struct daemon *d, const struct core_pod *p, uint64_t version, struct jsonw *w)
{
	jsonw_object(w);
	jsonw_member_str(w, "kind", "Pod");
	jsonw_member_str(w, "apiVersion", "v1");
	jsonw_key(w, "metadata");
	api_pod_metadata_json(d, p, version, w);
	spec_json(d, p, w);
	pod_status_json(d, p, w);
	jsonw_end(w);
}
