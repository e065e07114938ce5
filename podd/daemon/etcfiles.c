#include "daemon/etcfiles.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "plan/words.h"

enum { RESOLV_MAX = 64 << 10 };

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
static void resolv_conf(const struct pod *p, struct buf *out)
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
	_cleanup_buf_ struct buf resolv = BUF_NULL;
	char name[WORDS_HOSTNAME_SIZE];

	int r = dir_make(s->run_fd, "etc", 0755);
	if (r < 0)
		return r;
	words_hostname(p, name);
	buf_printf(&hostname, "%s\n", p->spec.host_network ? s->daemon->config->node_name : name);
	r = write_file(s->run_fd, "etc/hostname", &hostname);
	if (r < 0)
		return r;
	resolv_conf(p, &resolv);
	return write_file(s->run_fd, "etc/resolv.conf", &resolv);
}

static void hosts_text(struct daemon *d, const char *ns, struct buf *out)
{
	buf_puts(out, "127.0.0.1\tlocalhost\n"
	              "::1\tlocalhost ip6-localhost ip6-loopback\n"
	              "fe00::0\tip6-localnet\n"
	              "ff00::0\tip6-mcastprefix\n"
	              "ff02::1\tip6-allnodes\n"
	              "ff02::2\tip6-allrouters\n");
	list_foreach(s, &d->sandboxes, struct sandbox, link) {
		const struct core_pod *p = core_pod_by_uid(d->core, s->uid);
		if (!s->networked || !p || !p->pod || !streq(p->pod->metadata.namespace, ns))
			continue;
		char ip[INET_ADDRSTRLEN];
		(void)inet_ntop(AF_INET, &s->address, ip, sizeof(ip));
		buf_printf(out, "%s\t%s", ip, p->pod->metadata.name);
		if (p->pod->spec.hostname && !streq(p->pod->spec.hostname, p->pod->metadata.name))
			buf_printf(out, " %s", p->pod->spec.hostname);
		buf_putc(out, '\n');
	}
}

static int write_hosts(struct daemon *d, const char *ns)
{
	_cleanup_buf_ struct buf text = BUF_NULL;
	char path[80];

	int r = dir_make(d->run_fd, "hosts", 0755);
	if (r < 0)
		return r;
	hosts_text(d, ns, &text);
	(void)snprintf(path, sizeof(path), "hosts/%s", ns);
	return write_file(d->run_fd, path, &text);
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

int etcfiles_open(struct sandbox *s, const struct pod *p, const char *name)
{
	char path[80];
	bool hosts = streq(name, "hosts");
	int dirfd = hosts ? s->daemon->run_fd : s->run_fd;

	(void)snprintf(path, sizeof(path), "%s/%s", hosts ? "hosts" : "etc", hosts ? p->metadata.namespace : name);
	int fd = openat(dirfd, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && hosts) { /* the first pod of its namespace, before the loop's next turn */
		int r = write_hosts(s->daemon, p->metadata.namespace);
		if (r < 0)
			return r;
		fd = openat(dirfd, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	}
	return fd < 0 ? -errno : fd;
}
