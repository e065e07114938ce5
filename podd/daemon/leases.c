#include "daemon/leases.h"
#include <string.h>
#include "base/log.h"
#include "daemon/janitor.h"

enum { LEASES_MS = 50 };

static void save(uv_timer_t *t)
{
	struct daemon *d = t->data;
	int r = ipam_save(d->ipam);

	if (r < 0)
		log_warning("writing the leases: %s; the next podd takes them from the running pods", strerror(-r));
	else
		janitor_sync(d->janitor, d->state_fd, "leases");
}

static void changed(struct daemon *d)
{
	if (ipam_dirty(d->ipam) && !uv_is_active((uv_handle_t *)&d->leases_timer))
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

void leases_release(struct daemon *d, const char *uid)
{
	(void)ipam_release(d->ipam, uid); /* no lease is fine */
	changed(d);
}
