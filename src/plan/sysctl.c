#include "plan/sysctl.h"
#include <string.h>
#include "base/str.h"

/* The list of the Pod Security Standards. */
static const char *const safe[] = {
	"kernel/shm_rmid_forced",
	"net/ipv4/ip_local_port_range",
	"net/ipv4/ip_local_reserved_ports",
	"net/ipv4/ip_unprivileged_port_start",
	"net/ipv4/ping_group_range",
	"net/ipv4/tcp_fin_timeout",
	"net/ipv4/tcp_keepalive_intvl",
	"net/ipv4/tcp_keepalive_probes",
	"net/ipv4/tcp_keepalive_time",
	"net/ipv4/tcp_notsent_lowat",
	"net/ipv4/tcp_rmem",
	"net/ipv4/tcp_slow_start_after_idle",
	"net/ipv4/tcp_syncookies",
	"net/ipv4/tcp_wmem",
};

/* What the network and IPC namespaces have of their own: namespaces(7). All else would be the host's. */
static const char *const namespaced[] = { "kernel/shm", "kernel/msg", "kernel/sem", "fs/mqueue/", "net/" };

char *sysctl_path(struct arena *a, const char *name)
{
	char *path = arena_strdup(a, name);
	size_t first = strcspn(path, "./");
	bool dots = path[first] == '.';

	for (char *p = path; dots && *p; p++)
		*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
	return path;
}

const char **sysctl_settings(const struct pod *p, struct arena *a)
{
	const struct sysctl_list *l = &p->spec.security.sysctls;
	const char **settings = arena_new_array(a, const char *, l->count + 1);

	for (size_t i = 0; i < l->count; i++)
		settings[i] = arena_printf(a, "%s=%s", sysctl_path(a, l->items[i].name), l->items[i].value);
	return settings;
}

static bool matches(const char *path, const char *pattern)
{
	size_t n = strlen(pattern);

	return n && pattern[n - 1] == '*' ? strncmp(path, pattern, n - 1) == 0 : streq(path, pattern);
}

static const char *refused(const char *name, const struct string_list *allowed, struct arena *a)
{
	const char *path = sysctl_path(a, name);
	bool own = false;

	for (size_t i = 0; i < ARRAY_SIZE(namespaced); i++)
		own |= str_after(path, namespaced[i]) != NULL;
	if (!own)
		return arena_printf(a, "sysctl \"%s\" is the host's: no namespace of the pod has its own; set it on the host",
		                    name);
	for (size_t i = 0; i < ARRAY_SIZE(safe); i++)
		if (streq(path, safe[i]))
			return NULL;
	for (size_t i = 0; i < allowed->count; i++)
		if (matches(path, sysctl_path(a, allowed->items[i])))
			return NULL;
	return arena_printf(a, "sysctl \"%s\" is not in the list of safe ones; allow it with allowedUnsafeSysctls in podd.yaml",
	                    name);
}

const char *sysctl_refused(const struct pod *p, const struct string_list *allowed, struct arena *a)
{
	const struct sysctl_list *l = &p->spec.security.sysctls;
	const char *why = l->count > SYSCTLS_MAX ? arena_printf(a, "more than %d sysctls", SYSCTLS_MAX) : NULL;

	for (size_t i = 0; i < l->count && !why; i++)
		why = refused(l->items[i].name, allowed, a);
	return why;
}
