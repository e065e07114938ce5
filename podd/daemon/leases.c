#include "daemon/leases.h"
#include <arpa/inet.h>
#include <string.h>
#include "base/log.h"
#include "daemon/janitor.h"

enum { LEASES_MS = 50 };

static void save_one(struct daemon *d, struct ipam *leases, const char *name)
{
	if (!ipam_dirty(leases))
		return;
	int r = ipam_save(leases);
	if (r < 0)
		log_warning("writing the leases: %s; the next podd takes them from the running pods", strerror(-r));
	else
		janitor_sync(d->janitor, d->state_fd, name);
}

static void save(uv_timer_t *t)
{
	struct daemon *d = t->data;

	save_one(d, d->ipam, "leases");
	save_one(d, d->id_leases, "leases.ids");
}

static void changed(struct daemon *d)
{
	if ((ipam_dirty(d->ipam) || ipam_dirty(d->id_leases)) && !uv_is_active((uv_handle_t *)&d->leases_timer))
		(void)uv_timer_start(&d->leases_timer, save, LEASES_MS, 0);
}

void leases_init(struct daemon *d)
{
	(void)uv_timer_init(&d->loop, &d->leases_timer);
	d->leases_timer.data = d;
	if (ipam_damaged(d->ipam))
		log_warning("the file of leases was damaged and is set aside as leases.bad; running pods keep their addresses");
}

int leases_address(struct daemon *d, const char *uid, bool running, struct in_addr *ret)
{
	int r = running ? podnet_find(d->net, uid, ret) : -ENOENT;

	if (r == 0)
		r = ipam_claim(d->ipam, uid, *ret);
	if (r < 0)
		r = ipam_lease(d->ipam, uid, ret);
	changed(d);
	return r;
}

int leases_ids(struct daemon *d, const char *uid, uint32_t *ret_first)
{
	struct in_addr number;

	int r = ipam_lease(d->id_leases, uid, &number);
	if (r == 0)
		*ret_first = ntohl(number.s_addr) * LEASES_IDS;
	changed(d);
	return r;
}

void leases_claim_ids(struct daemon *d, const char *uid, uint32_t first)
{
	(void)ipam_claim(d->id_leases, uid, (struct in_addr){ .s_addr = htonl(first / LEASES_IDS) });
	changed(d);
}

void leases_release(struct daemon *d, const char *uid)
{
	(void)ipam_release(d->ipam, uid); /* no lease is fine */
	(void)ipam_release(d->id_leases, uid);
	changed(d);
}
