#include "net/netlink.h"
#include <string.h>
#include <sys/socket.h>
#include "base/clock.h"

enum { NETLINK_RECEIVE_SIZE = 64 << 10 }; /* the kernel fills up to 32 KiB a datagram in dumps */

int netlink_open(int family, const unsigned *groups, size_t group_count)
{
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, family);
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK };
	int on = 1;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return -errno;
	/* Answers that carry the whole request back would be as large as the batch. */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	for (size_t i = 0; i < group_count; i++)
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i], sizeof(groups[i])) < 0)
			return -errno;
	return TAKE_FD(fd);
}

uint32_t netlink_portid(int fd)
{
	struct sockaddr_nl sa = { 0 };
	socklen_t len = sizeof(sa);

	return getsockname(fd, (struct sockaddr *)&sa, &len) < 0 ? 0 : sa.nl_pid;
}

/* --- building ---------------------------------------------------------------------------------------------------------------- */

struct netlink_batch netlink_batch_new(void)
{
	/* A socket that was used by others before may still hold answers to them: start where they did not. */
	return (struct netlink_batch){ .seq = (uint32_t)(clock_boot() / NS_PER_US) };
}

void netlink_batch_deinit(struct netlink_batch *b)
{
	buf_deinit(&b->data);
}

struct nl_msg *netlink_message(uint16_t type, uint16_t flags, const void *header, size_t header_size)
{
	struct nl_msg *m = nlmsg_alloc_simple(type, NLM_F_REQUEST | NLM_F_ACK | flags);

	if (!m || nlmsg_append(m, (void *)header, header_size, NLMSG_ALIGNTO) < 0)
		abort();
	return m;
}

static unsigned batch_append(struct netlink_batch *b, struct nl_msg *m)
{
	struct nlmsghdr *h = nlmsg_hdr(m);

	if (b->count == NETLINK_BATCH_MAX)
		abort();
	h->nlmsg_seq = b->seq + b->count;
	buf_append(&b->data, h, NLMSG_ALIGN(h->nlmsg_len));
	nlmsg_free(m);
	return b->count++;
}

void netlink_batch_add(struct netlink_batch *b, struct nl_msg *m)
{
	(void)batch_append(b, m);
}

void netlink_batch_add_silent(struct netlink_batch *b, struct nl_msg *m)
{
	nlmsg_hdr(m)->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
	b->silent[batch_append(b, m)] = true;
}

void netlink_put(struct nl_msg *m, int type, const void *data, size_t size)
{
	if (nla_put(m, type, (int)size, data) < 0)
		abort();
}

void netlink_put_str(struct nl_msg *m, int type, const char *s)
{
	netlink_put(m, type, s, strlen(s) + 1);
}

void netlink_put_u32(struct nl_msg *m, int type, uint32_t v)
{
	netlink_put(m, type, &v, sizeof(v));
}

struct nlattr *netlink_nest(struct nl_msg *m, int type)
{
	struct nlattr *a = nla_nest_start(m, type | NLA_F_NESTED);

	if (!a)
		abort();
	return a;
}

void netlink_nest_end(struct nl_msg *m, struct nlattr *nest)
{
	(void)nla_nest_end(m, nest);
}

/* --- talking ----------------------------------------------------------------------------------------------------------------- */

static int send_all(int fd, const void *data, size_t size)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t n = sendto(fd, data, size, 0, (struct sockaddr *)&kernel, sizeof(kernel));

	return n < 0 ? -errno : (size_t)n == size ? 0 : -EIO;
}

/* One datagram of the kernel's. The size, 0 for one that someone else sent, or -errno; -EAGAIN when there is none. */
static ssize_t receive(int fd, void *ret, size_t size)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { ret, size };
	struct msghdr msg = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	do
		n = recvmsg(fd, &msg, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (msg.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	return from.nl_pid == 0 ? n : 0;
}

struct answers {
	struct netlink_batch *batch;
	unsigned missing;
	int first_error;
	unsigned first_index;
};

static void take_answer(struct answers *a, const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);
	unsigned i = h->nlmsg_seq - a->batch->seq;

	if (h->nlmsg_type != NLMSG_ERROR || h->nlmsg_len < NLMSG_LENGTH(sizeof(*e)) || i >= a->batch->count)
		return;
	/* nfnetlink answers its silent begin too when the whole batch fails. */
	if (!a->batch->silent[i] && a->missing)
		a->missing--;
	if (e->error < 0 && (!a->first_error || i < a->first_index)) {
		a->first_error = e->error;
		a->first_index = i;
	}
}

int netlink_send(int fd, struct netlink_batch *b)
{
	struct answers a = { .batch = b };
	_cleanup_free_ void *data = NULL;

	for (unsigned i = 0; i < b->count; i++)
		a.missing += !b->silent[i];
	if (!a.missing)
		return 0;
	int r = send_all(fd, b->data.data, b->data.len);
	if (r < 0)
		return r;
	data = malloc(NETLINK_RECEIVE_SIZE);
	if (!data)
		abort();
	while (a.missing) {
		ssize_t n = receive(fd, data, NETLINK_RECEIVE_SIZE);
		if (n < 0) /* a batch refused as a whole gets fewer answers than messages */
			return a.first_error ? a.first_error : (int)n;
		for (struct nlmsghdr *h = data; NLMSG_OK(h, (size_t)n); h = NLMSG_NEXT(h, n))
			take_answer(&a, h);
	}
	return a.first_error;
}

/* 0: go on, 1: that was all. A single answer is followed by its ACK (error 0), a dump by DONE. */
static int take_part(const struct nlmsghdr *h, netlink_fn fn, void *arg)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);
	bool has_error = h->nlmsg_len >= NLMSG_LENGTH(sizeof(int));

	if (h->nlmsg_flags & NLM_F_DUMP_INTR)
		return -EAGAIN;
	if (h->nlmsg_type == NLMSG_ERROR)
		return !has_error ? -EBADMSG : e->error ? e->error : 1;
	if (h->nlmsg_type == NLMSG_DONE)
		return has_error && e->error < 0 ? e->error : 1;
	return fn(h, arg);
}

int netlink_ask(int fd, struct nl_msg *m, netlink_fn fn, void *arg)
{
	struct nlmsghdr *q = nlmsg_hdr(m);
	uint32_t seq = (uint32_t)(clock_boot() / NS_PER_US);
	_cleanup_free_ void *data = malloc(NETLINK_RECEIVE_SIZE);

	if (!data)
		abort();
	q->nlmsg_seq = seq;
	int r = send_all(fd, q, q->nlmsg_len);
	nlmsg_free(m);
	if (r < 0)
		return r;
	for (;;) {
		ssize_t n = receive(fd, data, NETLINK_RECEIVE_SIZE);
		if (n < 0)
			return (int)n;
		for (struct nlmsghdr *h = data; NLMSG_OK(h, (size_t)n); h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_seq != seq)
				continue;
			r = take_part(h, fn, arg);
			if (r)
				return r == 1 ? 0 : r;
		}
	}
}

int netlink_drain(int fd, netlink_fn fn, void *arg)
{
	_cleanup_free_ void *data = malloc(NETLINK_RECEIVE_SIZE);
	int result = 0;

	if (!data)
		abort();
	for (;;) {
		ssize_t n = receive(fd, data, NETLINK_RECEIVE_SIZE);
		if (n == -EAGAIN)
			return result;
		if (n == -ENOBUFS || n == -EMSGSIZE) {
			result = -ENOBUFS;
			continue;
		}
		if (n < 0)
			return (int)n;
		for (struct nlmsghdr *h = data; NLMSG_OK(h, (size_t)n); h = NLMSG_NEXT(h, n))
			(void)fn(h, arg);
	}
}

const char *netlink_text(const struct nlattr *a)
{
	const char *s = nla_data(a);
	int n = nla_len(a);

	return n > 0 && s[n - 1] == '\0' ? s : NULL;
}
