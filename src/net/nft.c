#include "net/nft.h"
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include "base/alloc.h"
#include "base/str.h"
#include "net/netlink.h"

/* The userdata of rules and elements is libnftnl's: type, length, value. A comment is type 0 in both. */
enum { UDATA_COMMENT = 0 };

/* --- messages ---------------------------------------------------------------------------------------------------------------- */

static struct nl_msg *message(unsigned type, uint16_t flags)
{
	struct nfgenmsg g = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };

	return netlink_message((uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, &g, sizeof(g));
}

static struct nl_msg *batch_edge(uint16_t type)
{
	struct nfgenmsg g = { .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES) };

	return netlink_message(type, 0, &g, sizeof(g));
}

static void put_value(struct nl_msg *m, int type, const void *value, size_t size)
{
	struct nlattr *a = netlink_nest(m, type);

	netlink_put(m, NFTA_DATA_VALUE, value, size);
	netlink_nest_end(m, a);
}

static void put_comment(struct nl_msg *m, int type, const char *comment)
{
	unsigned char udata[2 + NFT_COMMENT_SIZE];
	size_t n = strlen(comment) + 1;

	udata[0] = UDATA_COMMENT;
	udata[1] = (unsigned char)n;
	memcpy(udata + 2, comment, n);
	netlink_put(m, type, udata, 2 + n);
}

static struct nl_msg *element_message(const char *table, const struct nft_change *c)
{
	const struct nft_element *e = c->element;
	struct nl_msg *m = message(c->remove ? NFT_MSG_DELSETELEM : NFT_MSG_NEWSETELEM, c->remove ? 0 : NLM_F_CREATE | NLM_F_EXCL);

	netlink_put_str(m, NFTA_SET_ELEM_LIST_TABLE, table);
	netlink_put_str(m, NFTA_SET_ELEM_LIST_SET, e->set);
	struct nlattr *list = netlink_nest(m, NFTA_SET_ELEM_LIST_ELEMENTS);
	struct nlattr *item = netlink_nest(m, NFTA_LIST_ELEM);
	put_value(m, NFTA_SET_ELEM_KEY, e->key, e->key_size);
	if (!c->remove && e->data_size)
		put_value(m, NFTA_SET_ELEM_DATA, e->data, e->data_size);
	if (!c->remove && *e->comment)
		put_comment(m, NFTA_SET_ELEM_USERDATA, e->comment);
	netlink_nest_end(m, item);
	netlink_nest_end(m, list);
	return m;
}

int nft_change(int fd, const char *table, const struct nft_change *changes, size_t count)
{
	_cleanup_netlink_batch_ struct netlink_batch b = netlink_batch_new();

	if (count > NETLINK_BATCH_MAX - 2)
		return -E2BIG;
	netlink_batch_add_silent(&b, batch_edge(NFNL_MSG_BATCH_BEGIN));
	for (size_t i = 0; i < count; i++)
		netlink_batch_add(&b, element_message(table, &changes[i]));
	netlink_batch_add_silent(&b, batch_edge(NFNL_MSG_BATCH_END));
	return netlink_send(fd, &b);
}

int nft_table_remove(int fd, const char *name)
{
	_cleanup_netlink_batch_ struct netlink_batch b = netlink_batch_new();
	struct nl_msg *m = message(NFT_MSG_DELTABLE, 0);

	netlink_put_str(m, NFTA_TABLE_NAME, name);
	netlink_batch_add_silent(&b, batch_edge(NFNL_MSG_BATCH_BEGIN));
	netlink_batch_add(&b, m);
	netlink_batch_add_silent(&b, batch_edge(NFNL_MSG_BATCH_END));
	int r = netlink_send(fd, &b);
	return r == -ENOENT ? 0 : r;
}

/* --- reading ----------------------------------------------------------------------------------------------------------------- */

/* The comment in a userdata attribute; "" when there is none. */
static void read_comment(const struct nlattr *udata, char ret[static NFT_COMMENT_SIZE])
{
	const unsigned char *p = udata ? nla_data(udata) : NULL;
	size_t left = udata ? (size_t)nla_len(udata) : 0;

	ret[0] = '\0';
	while (left >= 2 && (size_t)p[1] + 2 <= left) {
		if (p[0] == UDATA_COMMENT && p[1] > 0 && p[1] <= NFT_COMMENT_SIZE && p[1 + p[1]] == '\0') {
			memcpy(ret, p + 2, p[1]);
			return;
		}
		left -= (size_t)p[1] + 2;
		p += (size_t)p[1] + 2;
	}
}

static size_t read_value(struct nlattr *nest, unsigned char ret[static NFT_KEY_MAX])
{
	struct nlattr *a[NFTA_DATA_MAX + 1];

	if (!nest || nla_parse_nested(a, NFTA_DATA_MAX, nest, NULL) < 0 || !a[NFTA_DATA_VALUE])
		return 0;
	size_t n = (size_t)nla_len(a[NFTA_DATA_VALUE]);
	if (n > NFT_KEY_MAX)
		return 0;
	memcpy(ret, nla_data(a[NFTA_DATA_VALUE]), n);
	return n;
}

struct elements {
	const char *set;
	struct nft_element **items;
	size_t *count;
};

static int take_elements(const struct nlmsghdr *h, void *arg)
{
	struct elements *w = arg;
	struct nlattr *a[NFTA_SET_ELEM_LIST_MAX + 1], *item, *e[NFTA_SET_ELEM_MAX + 1];
	int left;

	if (nlmsg_parse((struct nlmsghdr *)h, sizeof(struct nfgenmsg), a, NFTA_SET_ELEM_LIST_MAX, NULL) < 0)
		return -EBADMSG;
	if (!a[NFTA_SET_ELEM_LIST_ELEMENTS])
		return 0;
	nla_for_each_nested(item, a[NFTA_SET_ELEM_LIST_ELEMENTS], left) {
		struct nft_element n = { .set = w->set };
		if (nla_parse_nested(e, NFTA_SET_ELEM_MAX, item, NULL) < 0)
			return -EBADMSG;
		n.key_size = read_value(e[NFTA_SET_ELEM_KEY], n.key);
		n.data_size = read_value(e[NFTA_SET_ELEM_DATA], n.data);
		read_comment(e[NFTA_SET_ELEM_USERDATA], n.comment);
		*xgrow(*w->items, *w->count) = n;
	}
	return 0;
}

int nft_elements(int fd, const char *table, const char *set, struct nft_element **items, size_t *count)
{
	struct elements w = { .set = set, .items = items, .count = count };
	struct nl_msg *m = message(NFT_MSG_GETSETELEM, NLM_F_DUMP);

	netlink_put_str(m, NFTA_SET_ELEM_LIST_TABLE, table);
	netlink_put_str(m, NFTA_SET_ELEM_LIST_SET, set);
	return netlink_ask(fd, m, take_elements, &w);
}

struct rules {
	const char *table, *comment;
	unsigned all, ours;
};

static int take_rule(const struct nlmsghdr *h, void *arg)
{
	struct rules *w = arg;
	struct nlattr *a[NFTA_RULE_MAX + 1];
	char comment[NFT_COMMENT_SIZE];

	if (nlmsg_parse((struct nlmsghdr *)h, sizeof(struct nfgenmsg), a, NFTA_RULE_MAX, NULL) < 0)
		return -EBADMSG;
	/* The filter by table is the kernel's courtesy, and newer than the dump itself. */
	const char *table = a[NFTA_RULE_TABLE] ? netlink_text(a[NFTA_RULE_TABLE]) : NULL;
	if (!table || !streq(table, w->table))
		return 0;
	read_comment(a[NFTA_RULE_USERDATA], comment);
	w->all++;
	w->ours += streq(comment, w->comment);
	return 0;
}

int nft_rules(int fd, const char *table, const char *comment, unsigned *ret_all, unsigned *ret_ours)
{
	struct rules w = { .table = table, .comment = comment };
	struct nl_msg *m = message(NFT_MSG_GETRULE, NLM_F_DUMP);

	netlink_put_str(m, NFTA_RULE_TABLE, table);
	int r = netlink_ask(fd, m, take_rule, &w);
	if (r < 0 && r != -ENOENT)
		return r;
	*ret_all = w.all;
	*ret_ours = w.ours;
	return 0;
}

struct tables {
	char **names;
	size_t count;
};

static int take_table(const struct nlmsghdr *h, void *arg)
{
	struct tables *w = arg;
	struct nlattr *a[NFTA_TABLE_MAX + 1];

	if (nlmsg_parse((struct nlmsghdr *)h, sizeof(struct nfgenmsg), a, NFTA_TABLE_MAX, NULL) < 0)
		return -EBADMSG;
	const char *name = a[NFTA_TABLE_NAME] ? netlink_text(a[NFTA_TABLE_NAME]) : NULL;
	if (name)
		*xgrow(w->names, w->count) = xstrdup(name);
	return 0;
}

int nft_tables(int fd, int (*fn)(const char *name, void *arg), void *arg)
{
	struct tables w = { 0 };
	int r = netlink_ask(fd, message(NFT_MSG_GETTABLE, NLM_F_DUMP), take_table, &w);

	for (size_t i = 0; i < w.count; i++) {
		if (r == 0)
			r = fn(w.names[i], arg);
		free(w.names[i]);
	}
	free(w.names);
	return r;
}
