#include "net/nat.h"
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include "base/alloc.h"
#include "base/sha256.h"
#include "base/str.h"
#include "net/link.h"
#include "net/netlink.h"
#include "net/nft.h"

#define SHARED "podd_forward"
#define PORTS "ports"
#define ADDRESS_PORTS "address_ports"
#define HAIRPIN "hairpin"

static const char *const set_names[] = { PORTS, ADDRESS_PORTS, HAIRPIN };

/* --- rules ------------------------------------------------------------------------------------------------------------------- */

static const char structure[] =
	"add table inet %1$s\n"
	"add map inet %1$s " PORTS " { type inet_proto . inet_service : ipv4_addr . inet_service; }\n"
	"add map inet %1$s " ADDRESS_PORTS " { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }\n"
	"add set inet %1$s " HAIRPIN " { type ipv4_addr . ipv4_addr; }\n"
	"add chain inet %1$s guard { type filter hook prerouting priority raw; }\n"
	"add chain inet %1$s prerouting { type nat hook prerouting priority dstnat; }\n"
	"add chain inet %1$s output { type nat hook output priority -100; }\n"
	"add chain inet %1$s postrouting { type nat hook postrouting priority srcnat; }\n"
	"flush table inet %1$s\n";

#define TO_LOCAL "fib daddr type local dnat ip to "
#define BY_ADDRESS "ip daddr . meta l4proto . th dport map @" ADDRESS_PORTS
#define BY_PORT "meta l4proto . th dport map @" PORTS

/* $G: this podd's links, $P: the links of any podd, $R: the range of addresses. */
static const struct {
	const char *chain, *rule;
} rules[] = {
	{ "guard", "meta iifgroup != $G return" },
	{ "guard", "meta nfproto ipv6 drop" },
	/* 127.0.0.1 is routed on pods' links for the hostPorts; nobody but the host itself may use that. */
	{ "guard", "ip saddr 127.0.0.0/8 drop" },
	{ "guard", "ip daddr 127.0.0.0/8 drop" },
	/* The way back to the sender must lead to where it came from. The host's own addresses lead nowhere here. */
	{ "guard", "fib saddr . iif oif missing drop" },
	/* No address servers among pods. */
	{ "guard", "udp sport 67 drop" },
	{ "prerouting", "ip daddr 127.0.0.0/8 return" },
	{ "prerouting", TO_LOCAL BY_ADDRESS },
	{ "prerouting", TO_LOCAL BY_PORT },
	{ "output", TO_LOCAL BY_ADDRESS },
	{ "output", TO_LOCAL BY_PORT },
	{ "postrouting", "meta oifgroup $G ip saddr 127.0.0.0/8 masquerade" },
	{ "postrouting", "ip saddr . ip daddr @" HAIRPIN " masquerade" },
	{ "postrouting", "ip saddr $R meta oifgroup & $P masquerade" },
};

static const char shared_rules[] =
	"add table inet " SHARED "\n"
	"add chain inet " SHARED " forward { type filter hook forward priority filter; }\n"
	"flush table inet " SHARED "\n"
	"add rule inet " SHARED " forward meta iifgroup & %1$s meta oifgroup & %1$s drop comment \"" SHARED "\"\n";

static void append_expanded(struct buf *out, const char *rule, uint32_t group, const char *range, const char *foreign)
{
	for (const char *s = rule; *s; s++) {
		if (*s != '$') {
			buf_putc(out, *s);
			continue;
		}
		s++;
		if (*s == 'G')
			buf_printf(out, "%#x", group);
		else
			buf_puts(out, *s == 'R' ? range : foreign);
	}
}

/* "not the link of any podd". */
static void foreign_match(char *ret, size_t size)
{
	(void)snprintf(ret, size, "%#x != %#x", LINK_GROUP_MASK, LINK_GROUP);
}

static char *rules_text(const struct podnet_config *cfg, uint32_t group, char hash[static NAT_HASH_SIZE])
{
	struct buf text = BUF_NULL, one = BUF_NULL;
	char address[INET_ADDRSTRLEN], range[INET_ADDRSTRLEN + 4], foreign[48], hex[SHA256_HEX_SIZE];

	(void)snprintf(range, sizeof(range), "%s/%u", inet_ntop(AF_INET, &cfg->network, address, sizeof(address)), cfg->prefix);
	foreign_match(foreign, sizeof(foreign));
	buf_printf(&text, structure, cfg->tag);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		buf_printf(&one, "add rule inet %s %s ", cfg->tag, rules[i].chain);
		append_expanded(&one, rules[i].rule, group, range, foreign);
		buf_putc(&one, '\n');
	}
	sha256_hex(one.data, one.len, hex);
	(void)snprintf(hash, NAT_HASH_SIZE, "%.8s", hex);
	for (char *save = NULL, *line = strtok_r(one.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		buf_printf(&text, "%s comment \"%s\"\n", line, hash);
	buf_deinit(&one);
	return buf_take(&text);
}

int nat_open(struct nat *n, const struct podnet_config *cfg, uint32_t group)
{
	*n = (struct nat){ .fd = netlink_open(NETLINK_NETFILTER, NULL, 0) };
	if (n->fd < 0)
		return n->fd;
	(void)snprintf(n->table, sizeof(n->table), "%s", cfg->tag);
	n->rules = rules_text(cfg, group, n->hash);
	n->rule_count = ARRAY_SIZE(rules);
	return 0;
}

void nat_close(struct nat *n)
{
	n->fd = fd_close(n->fd);
	free(n->rules);
	n->rules = NULL;
}

bool nat_shared_exists(const struct nat *n)
{
	unsigned all = 0, ours = 0;

	return nft_rules(n->fd, SHARED, SHARED, &all, &ours) == 0 && ours > 0;
}

int nat_whole(const struct nat *n)
{
	unsigned all = 0, ours = 0;
	int r = nft_rules(n->fd, n->table, n->hash, &all, &ours);

	if (r < 0)
		return r;
	if (all != n->rule_count || ours != n->rule_count)
		return 0;
	if (!n->forwards)
		return 1;
	r = nft_rules(n->fd, SHARED, SHARED, &all, &ours);
	return r < 0 ? r : all == 1 && ours == 1;
}

int nat_apply(struct nat *n, struct buf *error)
{
	_cleanup_buf_ struct buf script = BUF_NULL, first = BUF_NULL;
	char foreign[48];

	buf_puts(&script, n->rules);
	foreign_match(foreign, sizeof(foreign));
	if (n->forwards)
		buf_printf(&script, shared_rules, foreign);
	int r = nft_run(script.data, &first);
	if (r == -EIO) {
		/* Most likely something of our name that is not as we make it (another version's map): start over. */
		_cleanup_buf_ struct buf anew = BUF_NULL;
		buf_printf(&anew, "add table inet %1$s\ndelete table inet %1$s\n%2$s", n->table, script.data);
		r = nft_run(anew.data, error);
	} else {
		buf_puts(error, buf_str(&first));
	}
	if (r == 0)
		n->usable = true;
	return r;
}

static int count_tables(const char *name, void *arg)
{
	unsigned *n = arg;

	*n += str_after(name, "podd") && !streq(name, SHARED);
	return 0;
}

int nat_remove(const struct nat *n)
{
	unsigned others = 0;
	int r = nft_table_remove(n->fd, n->table);

	if (r == 0)
		r = nft_tables(n->fd, count_tables, &others);
	if (r < 0 || others || !nat_shared_exists(n))
		return MIN(r, 0);
	r = nft_table_remove(n->fd, SHARED);
	return r < 0 ? r : 1;
}

/* --- elements ---------------------------------------------------------------------------------------------------------------- */

static void append_field(unsigned char *to, size_t *size, const void *value, size_t n)
{
	memcpy(to + *size, value, n);
	*size += 4;
}

static struct nft_element port_element(const struct nat_pod *p, const struct podnet_port *port)
{
	bool any = port->host_ip.s_addr == INADDR_ANY;
	struct nft_element e = { .set = any ? PORTS : ADDRESS_PORTS };
	uint8_t protocol = port->protocol == PODNET_UDP ? IPPROTO_UDP : IPPROTO_TCP;
	uint16_t from = htons(port->host_port), to = htons(port->container_port);

	if (!any)
		append_field(e.key, &e.key_size, &port->host_ip, sizeof(port->host_ip));
	append_field(e.key, &e.key_size, &protocol, sizeof(protocol));
	append_field(e.key, &e.key_size, &from, sizeof(from));
	append_field(e.data, &e.data_size, &p->address, sizeof(p->address));
	append_field(e.data, &e.data_size, &to, sizeof(to));
	(void)snprintf(e.comment, sizeof(e.comment), "%s", p->uid);
	return e;
}

static struct nft_element hairpin_element(const struct nat_pod *p)
{
	struct nft_element e = { .set = HAIRPIN };

	append_field(e.key, &e.key_size, &p->address, sizeof(p->address));
	append_field(e.key, &e.key_size, &p->address, sizeof(p->address));
	(void)snprintf(e.comment, sizeof(e.comment), "%s", p->uid);
	return e;
}

enum { POD_ELEMENTS_MAX = PODNET_PORTS_MAX + 1 };

static size_t pod_elements(const struct nat_pod *p, struct nft_element ret[static POD_ELEMENTS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < p->port_count; i++)
		ret[n++] = port_element(p, &p->ports[i]);
	if (n)
		ret[n++] = hairpin_element(p);
	return n;
}

static bool same_key(const struct nft_element *a, const struct nft_element *b)
{
	return streq(a->set, b->set) && a->key_size == b->key_size && memcmp(a->key, b->key, a->key_size) == 0;
}

static bool same(const struct nft_element *a, const struct nft_element *b)
{
	return same_key(a, b) && a->data_size == b->data_size && memcmp(a->data, b->data, a->data_size) == 0 &&
	       streq(a->comment, b->comment);
}

int nat_add(const struct nat *n, const struct nat_pod *p)
{
	_cleanup_free_ struct nft_element *e = xnew_array(struct nft_element, POD_ELEMENTS_MAX);
	struct nft_change changes[POD_ELEMENTS_MAX];
	size_t count = pod_elements(p, e);

	for (size_t i = 0; i < count; i++)
		changes[i] = (struct nft_change){ .remove = false, .element = &e[i] };
	int r = count ? nft_change(n->fd, n->table, changes, count) : 0;
	if (r == -EEXIST)
		r = nat_sync(n, p, 1);
	return MIN(r, 0);
}

static int all_elements(const struct nat *n, struct nft_element **ret, size_t *ret_count)
{
	for (size_t i = 0; i < ARRAY_SIZE(set_names); i++) {
		int r = nft_elements(n->fd, n->table, set_names[i], ret, ret_count);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

enum { CHANGES_MAX = 200 }; /* in a transaction */

struct diff {
	struct nft_change *items;
	size_t count;
};

static void diff_add(struct diff *d, bool remove, const struct nft_element *e)
{
	*xgrow(d->items, d->count) = (struct nft_change){ .remove = remove, .element = e };
}

/* Removals come first, so that a key is free when its new owner is added. */
static void diff_pods(struct diff *d, const struct nft_element *have, size_t have_count, const struct nft_element *want,
                      size_t want_count, const struct nat_pod *pods, size_t pod_count)
{
	_cleanup_free_ bool *there = xnew_array(bool, want_count + 1);

	for (size_t i = 0; i < have_count; i++) {
		bool wanted = false, in_the_way = false;
		for (size_t k = 0; k < pod_count && !in_the_way; k++)
			in_the_way = streq(have[i].comment, pods[k].uid);
		for (size_t k = 0; k < want_count; k++) {
			if (same(&have[i], &want[k]))
				there[k] = wanted = true;
			else if (same_key(&have[i], &want[k]))
				in_the_way = true; /* left by a pod that is gone: the books allow no second owner */
		}
		if (in_the_way && !wanted)
			diff_add(d, /* remove= */ true, &have[i]);
	}
	for (size_t k = 0; k < want_count; k++)
		if (!there[k])
			diff_add(d, /* remove= */ false, &want[k]);
}

int nat_sync(const struct nat *n, const struct nat_pod *pods, size_t count)
{
	_cleanup_free_ struct nft_element *want = xnew_array(struct nft_element, count * POD_ELEMENTS_MAX + 1), *have = NULL;
	size_t want_count = 0, have_count = 0;
	struct diff d = { 0 };
	int r = all_elements(n, &have, &have_count);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		want_count += pod_elements(&pods[i], want + want_count);
	diff_pods(&d, have, have_count, want, want_count, pods, count);
	for (size_t i = 0; i < d.count && r == 0; i += CHANGES_MAX)
		r = nft_change(n->fd, n->table, d.items + i, MIN(d.count - i, (size_t)CHANGES_MAX));
	free(d.items);
	return r < 0 ? r : d.count > 0;
}

/* "tcp/8080", "127.0.0.1:udp/53", "hairpin 10.88.0.2". */
static void element_name(const struct nft_element *e, char *ret, size_t size)
{
	char address[INET_ADDRSTRLEN];
	bool by_address = streq(e->set, ADDRESS_PORTS);
	const unsigned char *k = e->key + (by_address ? 4 : 0);

	(void)inet_ntop(AF_INET, e->key, address, sizeof(address));
	if (streq(e->set, HAIRPIN))
		(void)snprintf(ret, size, "hairpin %s", address);
	else
		(void)snprintf(ret, size, "%s%s%s/%u", by_address ? address : "", by_address ? ":" : "",
		               k[0] == IPPROTO_UDP ? "udp" : "tcp", (unsigned)k[4] << 8 | k[5]);
}

int nat_walk(const struct nat *n, int (*fn)(const char *name, const char *uid, void *arg), void *arg)
{
	_cleanup_free_ struct nft_element *have = NULL;
	size_t count = 0;
	char name[64];
	int r = all_elements(n, &have, &count);

	for (size_t i = 0; i < count && r == 0; i++) {
		element_name(&have[i], name, sizeof(name));
		r = fn(name, have[i].comment, arg);
	}
	return r;
}
