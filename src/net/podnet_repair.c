/* Repair of what others undid. */
#include <stdio.h>
#include <string.h>
#include "base/alloc.h"
#include "net/podnet_internal.h"

int podnet_fd(const struct podnet *n)
{
	return n->watch.epoll;
}

/* How long what failed is left alone. */
#define RETRY_PAUSE (5 * NS_PER_SEC)

static int repair_links(struct podnet *n, struct buf *report)
{
	int result = 0;

	list_foreach(m, &n->members, struct member, link) {
		if (m->leaving)
			continue;
		int r = link_ensure(n->route, m->rtnl_fd, &m->spec, &m->index);
		if (r > 0)
			buf_printf(report, "the link %s of %s was changed by others and is made anew\n", m->spec.name,
			           m->spec.alias);
		if (r < 0) {
			buf_printf(report, "the link %s of %s can't be made anew: %s\n", m->spec.name, m->spec.alias, strerror(-r));
			result = r;
		}
	}
	return result;
}

static int sync_all(struct podnet *n)
{
	_cleanup_free_ struct nat_pod *pods = NULL;
	size_t count = 0;

	list_foreach(m, &n->members, struct member, link)
		if (m->port_count)
			*xgrow(pods, count) = member_nat(m);
	return count ? nat_sync(&n->nat, pods, count) : 0;
}

static int repair_nat(struct podnet *n, struct buf *report)
{
	_cleanup_buf_ struct buf error = BUF_NULL;
	int whole = nat_whole(&n->nat);
	int r = MIN(whole, 0);

	if (whole == 0)
		r = nat_apply(&n->nat, &error);
	int elements = r == 0 ? sync_all(n) : 0;
	if (r == 0)
		r = MIN(elements, 0);
	if (r < 0)
		buf_printf(report, "the nftables table %s was changed by others and can't be repaired: %s\n", n->tag,
		           error.len ? error.data : strerror(-r));
	else if (whole == 0 || elements > 0)
		buf_printf(report, "the nftables table %s was changed by others and is made anew\n", n->tag);
	return r;
}

int podnet_dispatch(struct podnet *n, struct buf *report)
{
	int r = 0, s = 0;

	if (!watch_take(&n->watch))
		return 0;
	if (n->watch.route_due) {
		r = repair_links(n, report);
		if (podnet_forward(n) > 0) {
			buf_puts(report, "ip_forward was switched off by others and is on again\n");
			n->watch.nft_due = true;
		}
	}
	if (n->watch.nft_due && n->nat.usable)
		s = repair_nat(n, report);
	watch_looked(&n->watch, r < 0 || s < 0 ? RETRY_PAUSE : 0);
	return 0;
}
