#include "plan/identity.h"
#include <linux/capability.h>
#include <strings.h>
#include "base/str.h"
#include "plan/accounts.h"
#include "sys/cap.h"
#include "wire/anchor.h"

/* The least that ordinary images live with; ports below 1024 and ping are opened by sysctls of the pod's network namespace instead. */
static const uint64_t default_caps = CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_FSETID) | CAP_BIT(CAP_FOWNER) |
                                     CAP_BIT(CAP_SETGID) | CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_SETPCAP) |
                                     CAP_BIT(CAP_NET_BIND_SERVICE) | CAP_BIT(CAP_KILL);

static bool is_all(const char *name)
{
	return strcasecmp(name, "ALL") == 0 || strcasecmp(name, "CAP_ALL") == 0;
}

static bool has_all(const struct string_list *names)
{
	for (size_t i = 0; i < names->count; i++)
		if (is_all(names->items[i]))
			return true;
	return false;
}

static int parse_caps(const struct string_list *names, struct arena *a, uint64_t *ret, const char **ret_reason)
{
	uint64_t set = 0;

	for (size_t i = 0; i < names->count; i++) {
		int cap = is_all(names->items[i]) ? 0 : cap_by_name(names->items[i]);
		if (cap < 0) {
			*ret_reason = arena_printf(a, "unknown capability \"%s\"", names->items[i]);
			return -EINVAL;
		}
		if (!is_all(names->items[i]))
			set |= CAP_BIT(cap);
	}
	*ret = set;
	return 0;
}

static int resolve_caps(const struct container *c, const struct plan_context *ctx, struct arena *a, uint64_t *ret,
                        const char **ret_reason)
{
	const struct capabilities *caps = &c->security.capabilities;
	uint64_t set = default_caps & ctx->capabilities, add, drop;

	if (c->security.privileged == TRISTATE_TRUE) {
		*ret = ctx->capabilities;
		return 0;
	}
	int r = parse_caps(&caps->add, a, &add, ret_reason);
	if (r == 0)
		r = parse_caps(&caps->drop, a, &drop, ret_reason);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < CAP_COUNT; i++)
		if ((add & ~ctx->capabilities) & CAP_BIT(i)) {
			*ret_reason = arena_printf(a, "capability %s is not available to podd on this host", cap_name(i));
			return -EINVAL;
		}
	if (has_all(&caps->add))
		set = ctx->capabilities;
	if (has_all(&caps->drop))
		set = 0;
	*ret = (set | add) & ~drop;
	return 0;
}

static int wrong_user(const char *name, const char *flaw, struct arena *a, const char **ret_reason)
{
	*ret_reason = flaw ? arena_printf(a, "who the image's user \"%s\" is can't be found out: its /etc/passwd %s; set runAsUser",
	                                  name, flaw)
	                   : arena_printf(a, "the image's user \"%s\" is not in its /etc/passwd; set runAsUser", name);
	return -EINVAL;
}

static int wrong_group(const char *name, const char *flaw, struct arena *a, const char **ret_reason)
{
	*ret_reason =
		flaw ? arena_printf(a, "what the image's group \"%s\" is can't be found out: its /etc/group %s; set runAsGroup",
	                            name, flaw)
		     : arena_printf(a, "the image's group \"%s\" is not in its /etc/group; set runAsGroup", name);
	return -EINVAL;
}

/* As the manifest says; else as the image says, "user", "user:group" or numbers, known to its passwd and group or not. With the user come the
 * group and the home that passwd gives it, and the groups that list it. */
static int resolve_user(const struct pod *pod, const struct container *c, const struct plan_image *image,
                        const struct plan_context *ctx, struct arena *a, struct identity *id, const char **ret_reason)
{
	const struct security_context *own = &c->security;
	const struct pod_security *shared = &pod->spec.security;
	const struct id *uid = own->run_as_user.set ? &own->run_as_user : &shared->run_as_user;
	const struct id *gid = own->run_as_group.set ? &own->run_as_group : &shared->run_as_group;
	const char *text = image->config.user ? image->config.user : "", *colon = uid->set ? NULL : strchr(text, ':');
	const char *user = uid->set ? arena_printf(a, "%lld", (long long)uid->value) : arena_strndup(a, text, strcspn(text, ":"));
	struct account account;

	if (!*user)
		user = "0";
	if (!account_find(image->passwd, user, a, &account))
		return wrong_user(user, image->passwd_flaw, a, ret_reason);
	id->uid = account.uid;
	id->gid = account.gid;
	id->home = account.home;
	if (gid->set)
		id->gid = gid->value;
	else if (colon && !account_find_group(image->group, colon + 1, a, &id->gid))
		return wrong_group(colon + 1, image->group_flaw, a, ret_reason);
	id->groups[0] = id->gid;
	id->group_count = 1;
	if (account.name && shared->groups_policy != GROUPS_STRICT)
		id->group_count = account_groups(image->group, account.name, a, id->groups, 1, IDENTITY_GROUPS_MAX);
	size_t device_groups = ctx->devices ? ctx->devices->gids.count : 0;
	if (id->group_count + shared->supplemental_groups.count + device_groups + 1 > IDENTITY_GROUPS_MAX) {
		*ret_reason = arena_printf(a, "more than %d groups", IDENTITY_GROUPS_MAX);
		return -EINVAL;
	}
	for (size_t i = 0; i < shared->supplemental_groups.count; i++)
		id->groups[id->group_count++] = shared->supplemental_groups.items[i];
	if (shared->fs_group.set)
		id->groups[id->group_count++] = shared->fs_group.value;
	for (size_t i = 0; i < device_groups; i++)
		id->groups[id->group_count++] = ctx->devices->gids.items[i];
	return 0;
}

/* Kubernetes' runAsNonRoot, at the last moment at which the user is known. */
static int check_non_root(const struct container *c, const struct pod *pod, const struct identity *id, const char **ret_reason)
{
	enum tristate wanted =
		c->security.run_as_non_root != TRISTATE_UNSET ? c->security.run_as_non_root : pod->spec.security.run_as_non_root;

	if (wanted != TRISTATE_TRUE || id->uid != 0)
		return 0;
	bool said = c->security.run_as_user.set || pod->spec.security.run_as_user.set;
	*ret_reason = said ? "container's runAsUser breaks non-root policy: it has runAsNonRoot and runAsUser 0"
	                   : "container has runAsNonRoot and image will run as root: set runAsUser";
	return -EINVAL;
}

/* What the pod asks for beyond its containers' requests counts for each alike. */
static __int128 spare_request(const struct pod *pod)
{
	__int128 spare = pod->spec.resources.requests.memory.nano;

	for (size_t i = 0; i < pod->spec.containers.count; i++)
		spare -= pod->spec.containers.items[i].resources.requests.memory.nano;
	return spare > 0 ? spare / (__int128)pod->spec.containers.count : 0;
}

static int oom_score(const struct pod *pod, const struct container *c, const struct plan_context *ctx)
{
	if (pod_is_node_critical(pod))
		return -997;
	switch (pod->qos) {
	case QOS_GUARANTEED:
		return -997;
	case QOS_BEST_EFFORT:
		return 1000;
	case QOS_BURSTABLE: {
		__int128 request = (c->resources.requests.memory.nano + spare_request(pod)) / 1000000000;
		int64_t score = ctx->memory_capacity > 0 ? (int64_t)(1000 - 1000 * request / ctx->memory_capacity) : 999;
		/* Never as safe as Guaranteed, never as exposed as BestEffort. */
		return (int)MIN(MAX(score, 3), 999);
	}
	case QOS_MAX:
		break;
	}
	return 0;
}

/* RuntimeDefault is podd's own profile, which the host may not have loaded: whoever asks for it gets it or does not run; whoever does
 * not say gets it where it is. A privileged container is confined by what it names alone, as under containerd. */
static int resolve_apparmor(const struct pod *pod, const struct container *c, const struct plan_context *ctx, struct identity *id,
                            const char **ret_reason)
{
	const struct security_profile *own = &c->security.app_armor, *p = own->set ? own : &pod->spec.security.app_armor;
	bool default_ = !p->set || p->type == PROFILE_RUNTIME_DEFAULT;

	if (p->type == PROFILE_UNCONFINED)
		return 0;
	if (p->set && !ctx->apparmor) {
		*ret_reason =
			"cannot enforce AppArmor: it is not enabled on this host; leave appArmorProfile out or make it Unconfined";
		return -EINVAL;
	}
	if (!ctx->apparmor || (default_ && c->security.privileged == TRISTATE_TRUE))
		return 0;
	id->apparmor = default_ ? "podd-default" : p->localhost_profile;
	id->apparmor_if_loaded = !p->set;
	return 0;
}

int identity_resolve(const struct pod *pod, const struct container *c, const struct plan_image *image,
                     const struct plan_context *ctx, struct arena *a, struct identity *ret, const char **ret_reason)
{
	struct identity id = { .oom_score_adj = oom_score(pod, c, ctx) };

	int r = resolve_user(pod, c, image, ctx, a, &id, ret_reason);
	if (r == 0)
		r = resolve_caps(c, ctx, a, &id.bounding, ret_reason);
	if (r == 0)
		r = resolve_apparmor(pod, c, ctx, &id, ret_reason);
	if (r < 0)
		return r;
	/* A user who is not root starts with none and gets back, at most, what a set-uid program may have. */
	id.permitted = id.uid == 0 ? id.bounding : 0;
	id.no_new_privs = c->security.allow_privilege_escalation == TRISTATE_FALSE;
	id.seccomp = c->security.seccomp.set ? c->security.seccomp : pod->spec.security.seccomp;
	if (c->security.privileged == TRISTATE_TRUE)
		id.seccomp = (struct security_profile){ .type = PROFILE_UNCONFINED };
	*ret = id;
	return check_non_root(c, pod, &id, ret_reason);
}

/* A privileged one finds nothing there that it has not got. */
static bool may_trace(const struct container *c, const struct plan_context *ctx, struct arena *a)
{
	const char *reason;
	uint64_t set;

	return c->security.privileged != TRISTATE_TRUE && resolve_caps(c, ctx, a, &set, &reason) == 0 &&
	       (set & CAP_BIT(CAP_SYS_PTRACE));
}

static const char *target_of(const struct container *c)
{
	return c->target && *c->target ? c->target : c->name;
}

/* Whether a member, or `others` too, of those who share a PID namespace with `c` may. */
static bool traced(const struct pod *pod, const struct container *c, bool others, const struct plan_context *ctx, struct arena *a)
{
	bool shared = pod->spec.share_process_namespace;

	if (pod->spec.host_users == TRISTATE_FALSE)
		return false;
	for (size_t i = 0; i < pod_container_count(pod); i++) {
		const struct container *o = pod_container_at(pod, i);
		if ((shared || streq(target_of(o), target_of(c))) && (others || !pod_is_ephemeral(pod, o)) && may_trace(o, ctx, a))
			return true;
	}
	return false;
}

bool identity_traced(const struct pod *pod, const struct container *c, const struct plan_context *ctx, struct arena *a)
{
	return traced(pod, c, true, ctx, a);
}

int identity_pid_namespace(const struct pod *pod, const struct container *c, const struct plan_context *ctx, struct arena *a,
                           uint32_t *ret_flags, const char **ret_reason)
{
	const char *target = target_of(c);
	uint32_t flags = ANCHOR_SPAWN_PID_NEW;

	if (pod->spec.share_process_namespace)
		flags = ANCHOR_SPAWN_PID_POD;
	else if (pod->spec.host_pid)
		flags = 0;
	else if (target != c->name)
		flags = ANCHOR_SPAWN_PID_JOIN;
	/* It has to be there before it is confined, since that is where its /proc is mounted. Another debug container is the operator's as this one is. */
	if (flags == ANCHOR_SPAWN_PID_JOIN && traced(pod, c, false, ctx, a)) {
		*ret_reason =
			arena_printf(a,
		                     "the target container \"%s\" has SYS_PTRACE: it could take hold of what starts beside it; "
		                     "leave out the target",
		                     target);
		return -EINVAL;
	}
	*ret_flags = flags;
	return 0;
}
