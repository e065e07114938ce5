#include "manifest/pod.h"
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/str.h"
#include "manifest/words.h"

static const char *const protocol_names[] = {
	[PROTOCOL_TCP] = "TCP",
	[PROTOCOL_UDP] = "UDP",
	[PROTOCOL_SCTP] = "SCTP",
};
_Static_assert(ARRAY_SIZE(protocol_names) == PROTOCOL_MAX, "a name for each protocol");
const struct enum_words protocol_words = { protocol_names, PROTOCOL_MAX };

static const char *const http_scheme_names[] = {
	[HTTP_SCHEME_HTTP] = "HTTP",
	[HTTP_SCHEME_HTTPS] = "HTTPS",
};
_Static_assert(ARRAY_SIZE(http_scheme_names) == HTTP_SCHEME_MAX, "a name for each scheme");
const struct enum_words http_scheme_words = { http_scheme_names, HTTP_SCHEME_MAX };

static const char *const pull_policy_names[] = {
	[PULL_IF_NOT_PRESENT] = "IfNotPresent",
	[PULL_ALWAYS] = "Always",
	[PULL_NEVER] = "Never",
};
_Static_assert(ARRAY_SIZE(pull_policy_names) == PULL_POLICY_MAX, "a name for each policy");
const struct enum_words pull_policy_words = { pull_policy_names, PULL_POLICY_MAX };

static const char *const message_policy_names[] = { [MESSAGE_FILE] = "File", [MESSAGE_OR_LOGS] = "FallbackToLogsOnError" };
_Static_assert(ARRAY_SIZE(message_policy_names) == MESSAGE_POLICY_MAX, "a name for each policy");
const struct enum_words message_policy_words = { message_policy_names, MESSAGE_POLICY_MAX };

static const char *const restart_policy_names[] = {
	[RESTART_POLICY_ALWAYS] = "Always",
	[RESTART_POLICY_ON_FAILURE] = "OnFailure",
	[RESTART_POLICY_NEVER] = "Never",
};
_Static_assert(ARRAY_SIZE(restart_policy_names) == RESTART_POLICY_MAX, "a name for each policy");
const struct enum_words restart_policy_words = { restart_policy_names, RESTART_POLICY_MAX };

static const char *const groups_policy_names[] = { [GROUPS_DEFAULT] = "", [GROUPS_MERGE] = "Merge", [GROUPS_STRICT] = "Strict" };
_Static_assert(ARRAY_SIZE(groups_policy_names) == GROUPS_POLICY_MAX, "a name for each policy");
const struct enum_words groups_policy_words = { groups_policy_names, GROUPS_POLICY_MAX };

static const char *const proc_mount_names[] = {
	[PROC_MOUNT_DEFAULT] = "",
	[PROC_MOUNT_MASKED] = "Default",
	[PROC_MOUNT_UNMASKED] = "Unmasked",
};
_Static_assert(ARRAY_SIZE(proc_mount_names) == PROC_MOUNT_MAX, "a name for each kind");
const struct enum_words proc_mount_words = { proc_mount_names, PROC_MOUNT_MAX };

static const char *const profile_type_names[] = {
	[PROFILE_RUNTIME_DEFAULT] = "RuntimeDefault",
	[PROFILE_UNCONFINED] = "Unconfined",
	[PROFILE_LOCALHOST] = "Localhost",
};
_Static_assert(ARRAY_SIZE(profile_type_names) == PROFILE_TYPE_MAX, "a name for each type");
const struct enum_words profile_type_words = { profile_type_names, PROFILE_TYPE_MAX };

static const char *const container_restart_names[] = {
	[CONTAINER_RESTART_AS_POD] = "",
	[CONTAINER_RESTART_ALWAYS] = "Always",
	[CONTAINER_RESTART_ON_FAILURE] = "OnFailure",
	[CONTAINER_RESTART_NEVER] = "Never",
};
_Static_assert(ARRAY_SIZE(container_restart_names) == CONTAINER_RESTART_MAX, "a name for each policy");
const struct enum_words container_restart_words = { container_restart_names, CONTAINER_RESTART_MAX };

static const char *const restart_action_names[] = {
	[RESTART_ACTION_CONTAINER] = "Restart",
	[RESTART_ACTION_ALL] = "RestartAllContainers",
};
_Static_assert(ARRAY_SIZE(restart_action_names) == RESTART_ACTION_MAX, "a name for each action");
const struct enum_words restart_action_words = { restart_action_names, RESTART_ACTION_MAX };

static const char *const exit_operator_names[] = {
	[EXIT_OPERATOR_IN] = "In",
	[EXIT_OPERATOR_NOT_IN] = "NotIn",
};
_Static_assert(ARRAY_SIZE(exit_operator_names) == EXIT_OPERATOR_MAX, "a name for each operator");
const struct enum_words exit_operator_words = { exit_operator_names, EXIT_OPERATOR_MAX };

static const char *const node_operator_names[] = {
	[NODE_IN] = "In", [NODE_NOT_IN] = "NotIn", [NODE_EXISTS] = "Exists", [NODE_DOES_NOT_EXIST] = "DoesNotExist",
	[NODE_GT] = "Gt", [NODE_LT] = "Lt",
};
_Static_assert(ARRAY_SIZE(node_operator_names) == NODE_OPERATOR_MAX, "a name for each operator");
const struct enum_words node_operator_words = { node_operator_names, NODE_OPERATOR_MAX };

static const char *const host_path_type_names[] = {
	[HOST_PATH_ANY] = "",
	[HOST_PATH_DIRECTORY_OR_CREATE] = "DirectoryOrCreate",
	[HOST_PATH_DIRECTORY] = "Directory",
	[HOST_PATH_FILE_OR_CREATE] = "FileOrCreate",
	[HOST_PATH_FILE] = "File",
	[HOST_PATH_SOCKET] = "Socket",
	[HOST_PATH_CHAR_DEVICE] = "CharDevice",
	[HOST_PATH_BLOCK_DEVICE] = "BlockDevice",
};
_Static_assert(ARRAY_SIZE(host_path_type_names) == HOST_PATH_MAX, "a name for each type");
const struct enum_words host_path_type_words = { host_path_type_names, HOST_PATH_MAX };

static const char *const empty_dir_medium_names[] = {
	[EMPTY_DIR_DISK] = "",
	[EMPTY_DIR_MEMORY] = "Memory",
	[EMPTY_DIR_HUGE] = "HugePages",
	[EMPTY_DIR_HUGE_2MI] = "HugePages-2Mi",
	[EMPTY_DIR_HUGE_1GI] = "HugePages-1Gi",
};
_Static_assert(ARRAY_SIZE(empty_dir_medium_names) == EMPTY_DIR_MEDIUM_MAX, "a name for each medium");
const struct enum_words empty_dir_medium_words = { empty_dir_medium_names, EMPTY_DIR_MEDIUM_MAX };

static const char *const resize_resource_names[] = {
	[RESIZE_CPU] = "cpu",
	[RESIZE_MEMORY] = "memory",
};
_Static_assert(ARRAY_SIZE(resize_resource_names) == RESIZE_RESOURCE_MAX, "a name for each resource");
const struct enum_words resize_resource_words = { resize_resource_names, RESIZE_RESOURCE_MAX };

static const char *const resize_restart_names[] = {
	[RESIZE_NOT_REQUIRED] = "NotRequired",
	[RESIZE_RESTART_CONTAINER] = "RestartContainer",
};
_Static_assert(ARRAY_SIZE(resize_restart_names) == RESIZE_RESTART_MAX, "a name for each policy");
const struct enum_words resize_restart_words = { resize_restart_names, RESIZE_RESTART_MAX };

static const char *const fs_group_policy_names[] = {
	[FS_GROUP_DEFAULT] = "", /* Always */
	[FS_GROUP_ALWAYS] = "Always",
	[FS_GROUP_ON_ROOT_MISMATCH] = "OnRootMismatch",
};
_Static_assert(ARRAY_SIZE(fs_group_policy_names) == FS_GROUP_POLICY_MAX, "a name for each policy");
const struct enum_words fs_group_policy_words = { fs_group_policy_names, FS_GROUP_POLICY_MAX };

/* The C struct stores enums as int. */
_Static_assert(sizeof(enum protocol) == sizeof(int) && sizeof(enum host_path_type) == sizeof(int), "an enum is an int");

const char *qos_name(enum qos q)
{
	static const char *const names[] = {
		[QOS_GUARANTEED] = "Guaranteed",
		[QOS_BURSTABLE] = "Burstable",
		[QOS_BEST_EFFORT] = "BestEffort",
	};
	_Static_assert(ARRAY_SIZE(names) == QOS_MAX, "a name for each class");
	return names[q];
}

const char *restart_policy_name(enum restart_policy p)
{
	return restart_policy_names[p];
}

const char *after_until_name(enum after_until u)
{
	static const char *const names[] = {
		[AFTER_UNTIL_READY] = "ready",
		[AFTER_UNTIL_STARTED] = "started",
		[AFTER_UNTIL_COMPLETED] = "completed",
	};
	_Static_assert(ARRAY_SIZE(names) == AFTER_UNTIL_MAX, "a name for each");
	return names[u];
}

const char *node_operator_name(enum node_operator o)
{
	return node_operator_names[o];
}

const char *protocol_name(enum protocol p)
{
	return protocol_names[p];
}

struct pod *pod_ref(struct pod *p)
{
	p->refs++;
	return p;
}

struct pod *pod_unref(struct pod *p)
{
	while (p && --p->refs == 0) {
		struct pod *base = p->base;
		(void)arena_free(p->arena); /* p itself is in it */
		p = base;
	}
	return NULL;
}

size_t pod_container_count(const struct pod *p)
{
	return p->spec.init_containers.count + p->spec.containers.count + p->spec.ephemeral.count;
}

const struct container *pod_container_at(const struct pod *p, size_t i)
{
	const struct pod_spec *s = &p->spec;

	if (i < s->init_containers.count)
		return &s->init_containers.items[i];
	i -= s->init_containers.count;
	return i < s->containers.count ? &s->containers.items[i] : &s->ephemeral.items[i - s->containers.count];
}

/* A pod that is still being validated may have unnamed ones. */
const struct container *pod_container(const struct pod *p, const char *name)
{
	for (size_t i = 0; i < pod_container_count(p); i++)
		if (streq0(pod_container_at(p, i)->name, name))
			return pod_container_at(p, i);
	return NULL;
}

static bool is_among(const struct container_list *l, const struct container *c)
{
	return l->count && c >= l->items && c < l->items + l->count; /* NULL + 0 is undefined in C */
}

bool pod_is_init(const struct pod *p, const struct container *c)
{
	return is_among(&p->spec.init_containers, c);
}

bool pod_is_ephemeral(const struct pod *p, const struct container *c)
{
	return is_among(&p->spec.ephemeral, c);
}

bool pod_is_sidecar(const struct pod *p, const struct container *c)
{
	return pod_is_init(p, c) && c->restart == CONTAINER_RESTART_ALWAYS;
}

const struct container *pod_tty_container(const struct pod *p)
{
	const struct container_list *l = &p->spec.containers;

	for (size_t i = 0; p->tty && i < l->count; i++)
		if (l->items[i].tty)
			return &l->items[i];
	return p->tty ? l->items : NULL;
}

const struct volume *pod_volume(const struct pod *p, const char *name)
{
	for (size_t i = 0; i < p->spec.volumes.count; i++)
		if (streq0(p->spec.volumes.items[i].name, name))
			return &p->spec.volumes.items[i];
	return NULL;
}

bool volume_is_files(const struct volume *v)
{
	return v->config_map.set || v->secret.set || v->downward.set || v->projected.set;
}

/* "SIGQUIT", "SIGRTMIN+3"; the schema takes no other names. */
/* As Kubernetes sums limits up: who has none does not count. */
struct quantity pod_disk_limit(const struct pod *p)
{
	struct quantity sum = { .binary = true }, peak = { 0 };

	for (size_t i = 0; i < pod_container_count(p); i++) {
		const struct container *c = pod_container_at(p, i);
		const struct quantity *q = &c->resources.limits.disk;
		if (pod_is_init(p, c) && !pod_is_sidecar(p, c)) {
			peak.set |= q->set;
			peak.nano = MAX(peak.nano, sum.nano + q->nano);
		} else {
			sum.set |= q->set;
			sum.nano += q->nano;
		}
	}
	sum.set |= peak.set;
	sum.nano = MAX(sum.nano, peak.nano);
	return sum;
}

bool pod_is_node_critical(const struct pod *p)
{
	return p->spec.priority_class && streq(p->spec.priority_class, "system-node-critical");
}

int signal_number(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} aliases[] = { { "CLD", SIGCHLD }, { "IOT", SIGABRT }, { "POLL", SIGIO } };
	const char *s = str_after(name, "SIG"), *n;

	if ((n = str_after(s, "RTMIN")))
		return SIGRTMIN + atoi(n);
	if ((n = str_after(s, "RTMAX")))
		return SIGRTMAX + atoi(n);
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
		if (streq(aliases[i].name, s))
			return aliases[i].number;
	for (int i = 1; i < SIGRTMIN; i++)
		if (streq0(sigabbrev_np(i), s))
			return i;
	return SIGTERM;
}

/* hostname is a label; a pod's name may be longer than the 63 bytes of one, and is cut as the kubelet cuts it. */
void pod_host_name(const struct pod *p, struct buf *out)
{
	enum { LABEL_MAX = 63 };
	const struct pod_spec *s = &p->spec;
	const char *name = s->hostname && *s->hostname ? s->hostname : p->metadata.name;
	size_t n = strnlen(name, LABEL_MAX);

	while (n > 0 && !isalnum((unsigned char)name[n - 1])) /* what the cut left at the end */
		n--;
	if (s->hostname_override)
		buf_puts(out, s->hostname_override);
	else
		buf_append(out, name, n);
}

void pod_full_name(const struct pod *p, struct buf *out)
{
	pod_host_name(p, out);
	if (p->spec.subdomain && *p->spec.subdomain && !p->spec.hostname_override)
		buf_printf(out, ".%s.%s.svc.cluster.local", p->spec.subdomain, p->metadata.namespace);
}

void pod_hostname(const struct pod *p, char ret[static POD_HOSTNAME_SIZE])
{
	_cleanup_buf_ struct buf name = BUF_NULL;

	if (p->spec.hostname_is_full)
		pod_full_name(p, &name);
	else
		pod_host_name(p, &name);
	(void)snprintf(ret, POD_HOSTNAME_SIZE, "%s", buf_str(&name));
}
