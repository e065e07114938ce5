/* podctl port-forward: ports of this machine that lead into a pod. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include "base/alloc.h"
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/flow.h"
#include "wire/stream.h"
#include "wire/url.h"

enum { LISTENERS_MAX = 64, FLOWS_MAX = 90, BACKLOG = 64 }; /* podd takes 100 of one pod; further ones wait in the backlog */

struct listener {
	int fd;
	uint16_t local, remote;
};

struct forward {
	const struct args *args;
	struct pod_ref pod;
	struct flow life; /* carries nothing, and ends with the pod */
	struct listener listeners[LISTENERS_MAX];
	size_t listener_count;
	struct flow *flows[FLOWS_MAX];
	size_t flow_count;
};

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static int parse_address(const char *text, union address *ret)
{
	*ret = (union address){ 0 };
	if (streq(text, "localhost"))
		text = "127.0.0.1";
	if (inet_pton(AF_INET, text, &ret->v4.sin_addr) == 1)
		ret->any.sa_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &ret->v6.sin6_addr) == 1)
		ret->any.sa_family = AF_INET6;
	else
		return -EINVAL;
	return 0;
}

/* "80", "8080:80", ":80" */
static int parse_ports(const char *text, uint16_t *ret_local, uint16_t *ret_remote)
{
	const char *colon = strchr(text, ':');
	_cleanup_free_ char *before = colon ? xasprintf("%.*s", (int)(colon - text), text) : NULL;
	int64_t local = 0, remote;

	if (str_int(colon ? colon + 1 : text, 1, 65535, &remote) < 0 ||
	    (before && *before && str_int(before, 0, 65535, &local) < 0))
		return -EINVAL;
	*ret_local = (uint16_t)(colon ? local : remote);
	*ret_remote = (uint16_t)remote;
	return 0;
}

static int listen_at(union address *at, struct listener *l)
{
	socklen_t size = at->any.sa_family == AF_INET ? sizeof(at->v4) : sizeof(at->v6);
	_cleanup_close_ int fd = socket(at->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1;

	at->v4.sin_port = htons(l->local); /* at the same place in both */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 || bind(fd, &at->any, size) < 0 ||
	    listen(fd, BACKLOG) < 0 || getsockname(fd, &at->any, &size) < 0)
		return -errno;
	l->local = ntohs(at->v4.sin_port);
	l->fd = TAKE_FD(fd);
	return 0;
}

static int listen_one(struct forward *f, const char *address, const char *ports)
{
	struct listener l;
	union address at;

	if (f->listener_count == LISTENERS_MAX)
		return ctl_fail(CTL_USAGE, "more than %d ports", LISTENERS_MAX);
	if (parse_address(address, &at) < 0)
		return ctl_fail(CTL_USAGE, "%s is not an address of this machine in numbers, nor localhost", address);
	if (parse_ports(ports, &l.local, &l.remote) < 0)
		return ctl_fail(CTL_USAGE, "%s is not [LOCAL:]REMOTE, ports from 1 to 65535; LOCAL 0 or empty: any", ports);
	bool brackets = at.any.sa_family == AF_INET6;
	int r = listen_at(&at, &l);
	if (r < 0)
		return ctl_fail(CTL_NO, "can't listen on %s port %u: %s", address, l.local, strerror(-r));
	f->listeners[f->listener_count++] = l;
	(void)printf("Forwarding from %s%s%s:%u -> %u\n", brackets ? "[" : "", streq(address, "localhost") ? "127.0.0.1" : address,
	             brackets ? "]" : "", l.local, l.remote);
	ctl_flush();
	return CTL_YES;
}

static int listen_all(struct forward *f)
{
	_cleanup_free_ char *addresses = xstrdup(f->args->address ? f->args->address : "localhost");
	int code = CTL_YES;

	for (char *save, *at = strtok_r(addresses, ",", &save); at && code == CTL_YES; at = strtok_r(NULL, ",", &save))
		for (size_t i = 1; i < f->args->word_count && code == CTL_YES; i++)
			code = listen_one(f, at, f->args->words[i]);
	return code;
}

/* A stream of podd's to a port in the pod, 0: to none. CTL_YES, or a code after a message; `local` is taken over. */
static int open_flow(const struct forward *f, uint16_t port, int local, struct flow *ret)
{
	_cleanup_close_ int fd = local;
	_cleanup_buf_ struct buf path = BUF_NULL;
	_cleanup_client_ struct client *c = NULL;
	char text[8];

	pod_ref_own_path(&f->pod, "portforward", &path);
	(void)snprintf(text, sizeof(text), "%u", port);
	if (port)
		url_add(&path, "port", text);
	struct client_request q = { .method = "POST", .path = path.data, .upgrade = STREAM_PROTOCOL };
	int r = client_open(f->args, &q, &c);
	if (r == 0)
		r = client_finish(c);
	if (r < 0)
		return client_unreachable(f->args, r);
	if (client_code(c) != 101)
		return client_refused(c);
	struct buf rest;
	int remote = client_take(c, &rest);
	flow_init(ret, TAKE_FD(fd), remote, rest);
	return CTL_YES;
}

static void accept_flow(struct forward *f, const struct listener *l)
{
	int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
	struct flow *flow;

	if (fd < 0)
		return; /* he did not wait */
	(void)printf("Handling connection for %u\n", l->local);
	ctl_flush();
	flow = xnew(struct flow);
	if (open_flow(f, l->remote, fd, flow) == CTL_YES)
		f->flows[f->flow_count++] = flow;
	else
		free(flow);
}

static void move_flows(struct forward *f, const struct pollfd *fds)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->flow_count; i++) {
		struct flow *flow = f->flows[i];
		if (flow_move(flow, fds + 2 * i)) {
			f->flows[kept++] = flow;
			continue;
		}
		if (*flow->error)
			(void)ctl_fail(0, "%s", flow->error);
		flow_deinit(flow);
		free(flow);
	}
	f->flow_count = kept;
}

/* Until the pod ends, or podd. */
static int serve(struct forward *f)
{
	struct pollfd fds[2 + LISTENERS_MAX + 2 * FLOWS_MAX], *listening = fds + 2, *flowing = listening + f->listener_count;

	for (;;) {
		flow_poll(&f->life, fds);
		for (size_t i = 0; i < f->listener_count; i++)
			listening[i] = (struct pollfd){ f->flow_count < FLOWS_MAX ? f->listeners[i].fd : -1, POLLIN, 0 };
		for (size_t i = 0; i < f->flow_count; i++)
			flow_poll(f->flows[i], flowing + 2 * i);
		if (poll(fds, 2 + f->listener_count + 2 * f->flow_count, -1) < 0 && errno != EINTR)
			return ctl_fail(CTL_NO, "can't wait: %s", strerror(errno));
		move_flows(f, flowing);
		if (!flow_move(&f->life, fds))
			return ctl_fail(CTL_NO, "%s", f->life.error);
		for (size_t i = 0; i < f->listener_count; i++)
			if (listening[i].revents && f->flow_count < FLOWS_MAX)
				accept_flow(f, &f->listeners[i]);
	}
}

int verb_port_forward(const struct args *a)
{
	struct forward f = { .args = a, .life = { .local = -EBADF, .remote = -EBADF } };

	if (a->word_count < 2 || a->command)
		return ctl_fail(CTL_USAGE, "port-forward needs a pod and ports: podctl port-forward web 8080:80");
	if (pod_ref_parse(a, a->words[0], &f.pod) < 0)
		return CTL_USAGE;
	int code = open_flow(&f, 0, -EBADF, &f.life);
	f.life.local_ended = true;
	if (code == CTL_YES)
		code = listen_all(&f);
	if (code == CTL_YES)
		code = serve(&f);
	for (size_t i = 0; i < f.flow_count; i++) {
		flow_deinit(f.flows[i]);
		free(f.flows[i]);
	}
	for (size_t i = 0; i < f.listener_count; i++)
		(void)fd_close(f.listeners[i].fd);
	flow_deinit(&f.life);
	return code;
}
