#include "daemon/pod/etcfiles.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "plan/resolv.h"

enum { RESOLV_MAX = 64 << 10, HOSTS_MAX = 1 << 20 };

static int write_file(int dirfd, const char *name, const struct buf *text)
{
	/* In place: containers have this very file mounted. Written first, cut after, so that no reader sees it empty. */
	_cleanup_close_ int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		return -errno;
	int r = fd_write_all(fd, buf_str(text), text->len);
	if (r < 0)
		return r;
	return ftruncate(fd, (off_t)text->len) < 0 ? -errno : 0;
}

/* A resolver on the host's loopback can't be reached from a pod: systemd-resolved keeps the real ones in a file of its own. */
static void host_resolv_conf(const struct pod *p, struct buf *out)
{
	static const char *const files[] = { "/etc/resolv.conf", "/run/systemd/resolve/resolv.conf" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		buf_clear(out);
		(void)file_read(AT_FDCWD, files[i], RESOLV_MAX, out); /* none is fine: no DNS on the host, none in the pod */
		if (p->spec.host_network || !strstr(buf_str(out), "nameserver 127."))
			return;
	}
}

int etcfiles_write(struct sandbox *s, const struct pod *p)
{
	_cleanup_buf_ struct buf hostname = BUF_NULL;
	_cleanup_buf_ struct buf host = BUF_NULL, resolv = BUF_NULL;
	char name[POD_HOSTNAME_SIZE];

	int r = dir_make(s->run_fd, "etc", 0755);
	if (r < 0)
		return r;
	pod_hostname(p, name);
	buf_printf(&hostname, "%s\n", p->spec.host_network ? s->daemon->config->node_name : name);
	r = write_file(s->run_fd, "etc/hostname", &hostname);
	if (r < 0)
		return r;
	host_resolv_conf(p, &host);
	resolv_conf(p, buf_str(&host), &resolv);
	return write_file(s->run_fd, "etc/resolv.conf", &resolv);
}

/* Its names, each once; the first one is told as its canonical name (hostname -f). */
static void host_line(const struct sandbox *s, const struct pod *p, struct buf *out)
{
	_cleanup_buf_ struct buf full = BUF_NULL, host = BUF_NULL;
	const char *name = p->metadata.name;
	char ip[INET_ADDRSTRLEN];

	(void)inet_ntop(AF_INET, &s->address, ip, sizeof(ip));
	pod_full_name(p, &full);
	pod_host_name(p, &host);
	buf_printf(out, "%s\t%s", ip, buf_str(&full));
	if (!streq(name, buf_str(&full)))
		buf_printf(out, " %s", name);
	if (!streq(buf_str(&host), buf_str(&full)) && !streq(buf_str(&host), name))
		buf_printf(out, " %s", buf_str(&host));
	buf_putc(out, '\n');
}

static const char standard[] = "127.0.0.1\tlocalhost\n"
			       "::1\tlocalhost ip6-localhost ip6-loopback\n"
			       "fe00::0\tip6-localnet\n"
			       "ff00::0\tip6-mcastprefix\n"
			       "ff02::1\tip6-allnodes\n"
			       "ff02::2\tip6-allrouters\n";

static void pods_text(struct daemon *d, const char *ns, struct buf *out)
{
	list_foreach(s, &d->sandboxes, struct sandbox, link) {
		const struct core_pod *p = core_pod_by_uid(d->core, s->uid);
		if (s->networked && p && p->pod && streq(p->pod->metadata.namespace, ns))
			host_line(s, p->pod, out);
	}
}

/* As the kubelet words it. */
static void aliases_text(const struct host_alias_list *aliases, struct buf *out)
{
	if (!aliases->count)
		return;
	buf_puts(out, "\n# Entries added by HostAliases.\n");
	for (size_t i = 0; i < aliases->count; i++) {
		const struct host_alias *alias = &aliases->items[i];
		buf_puts(out, alias->ip);
		for (size_t j = 0; j < alias->hostnames.count; j++)
			buf_printf(out, "\t%s", alias->hostnames.items[j]);
		buf_putc(out, '\n');
	}
}

/* As the kubelet words it: in the host's network what the host calls by name is so called. */
static int host_text(struct buf *out)
{
	buf_puts(out, "# Kubernetes-managed hosts file (host network).\n");
	int r = file_read(AT_FDCWD, "/etc/hosts", HOSTS_MAX, out);
	if (r == -ENOENT)
		buf_puts(out, standard);
	else if (r == 0 && out->data[out->len - 1] != '\n')
		buf_putc(out, '\n');
	return r == -ENOENT ? 0 : r;
}

static bool has_own_hosts(const struct pod *p)
{
	return p->spec.host_network || p->spec.host_aliases.count > 0;
}

static int write_own_hosts(struct sandbox *s, const struct pod *p, const struct buf *pods)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	int r = 0;

	if (p->spec.host_network)
		r = host_text(&text);
	else
		buf_puts(&text, standard);
	if (r < 0)
		return r;
	buf_puts(&text, buf_str(pods));
	aliases_text(&p->spec.host_aliases, &text);
	return write_file(s->run_fd, "etc/hosts", &text);
}

static int write_hosts(struct daemon *d, const char *ns)
{
	_cleanup_buf_ struct buf text = BUF_NULL, pods = BUF_NULL;
	char path[80];

	int r = dir_make(d->run_fd, "hosts", 0755);
	if (r < 0)
		return r;
	pods_text(d, ns, &pods);
	buf_printf(&text, "%s%s", standard, buf_str(&pods));
	(void)snprintf(path, sizeof(path), "hosts/%s", ns);
	r = write_file(d->run_fd, path, &text);
	list_foreach(s, &d->sandboxes, struct sandbox, link) {
		const struct core_pod *p = core_pod_by_uid(d->core, s->uid);
		if (r == 0 && s->state == SANDBOX_UP && p && p->pod && has_own_hosts(p->pod) &&
		    streq(p->pod->metadata.namespace, ns))
			r = write_own_hosts(s, p->pod, &pods);
	}
	return r;
}

/* Many pods at once change it once: the write waits for the loop's next turn. */
static void hosts_idle(uv_idle_t *idle)
{
	struct daemon *d = idle->data;

	uv_idle_stop(idle);
	for (size_t i = 0; i < d->hosts_changed.count; i++) {
		int r = write_hosts(d, d->hosts_changed.items[i]);
		if (r < 0)
			daemon_report(d, "", NULL, false, "HostsNotWritten", "writing the hosts file of namespace %s: %s",
			              d->hosts_changed.items[i], strerror(-r));
		free((char *)(uintptr_t)d->hosts_changed.items[i]);
	}
	free(d->hosts_changed.items);
	d->hosts_changed = (struct string_list){ 0 };
}

void etcfiles_hosts_changed(struct daemon *d, const char *ns)
{
	if (!*ns)
		return;
	for (size_t i = 0; i < d->hosts_changed.count; i++)
		if (streq(d->hosts_changed.items[i], ns))
			return;
	*xgrow(d->hosts_changed.items, d->hosts_changed.count) = xstrdup(ns);
	uv_idle_start(&d->hosts_idle, hosts_idle);
}

void etcfiles_host_came(struct sandbox *s, const struct pod *p)
{
	_cleanup_buf_ struct buf line = BUF_NULL;
	char path[80];

	/* Lines stand in the order in which pods came, also when the file is written anew: none moves while a reader is on its way. */
	list_remove(&s->link);
	list_append(&s->daemon->sandboxes, &s->link);
	(void)snprintf(path, sizeof(path), "hosts/%s", p->metadata.namespace);
	_cleanup_close_ int fd = openat(s->daemon->run_fd, path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && s->networked) {
		host_line(s, p, &line);
		(void)fd_write_all(fd, buf_str(&line), line.len); /* what went wrong is told when the whole is written */
	}
	etcfiles_hosts_changed(s->daemon, p->metadata.namespace);
}

int etcfiles_open(struct sandbox *s, const struct pod *p, const char *name)
{
	char path[80];
	bool own = has_own_hosts(p), hosts = streq(name, "hosts"), shared = hosts && !own;
	int dirfd = shared ? s->daemon->run_fd : s->run_fd;

	if (hosts && own) { /* the aliases may have been edited */
		int r = write_hosts(s->daemon, p->metadata.namespace);
		if (r < 0)
			return r;
	}
	(void)snprintf(path, sizeof(path), "%s/%s", shared ? "hosts" : "etc", shared ? p->metadata.namespace : name);
	int fd = openat(dirfd, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && shared) { /* the first pod of its namespace, before the loop's next turn */
		int r = write_hosts(s->daemon, p->metadata.namespace);
		if (r < 0)
			return r;
		fd = openat(dirfd, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	}
	return fd < 0 ? -errno : fd;
}
