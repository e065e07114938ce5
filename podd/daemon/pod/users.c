#include "daemon/pod/users.h"
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "daemon/leases.h"
#include "sys/mnt.h"

bool users_own(const struct pod *p)
{
	return p->spec.host_users == TRISTATE_FALSE;
}

int users_make(struct sandbox *s, struct userns *ret)
{
	struct userns u;
	uint32_t first;

	int r = leases_ids(s->daemon, s->uid, &first);
	if (r == 0)
		r = userns_make(first, LEASES_IDS, CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS, &u);
	if (r < 0)
		return r;
	s->first_id = first;
	s->users_fd = TAKE_FD(u.user);
	*ret = u;
	return 0;
}

/* As the kernel tells it: who owns what is root's, seen through the map. */
static int first_id(const struct sandbox *s, uint32_t *ret)
{
	struct stat st;
	_cleanup_close_ int tree = mnt_clone(s->state_fd, "", false);
	int r = tree < 0 ? tree : users_map(s, tree, false);

	if (r < 0)
		return r;
	if (fstat(tree, &st) < 0)
		return -errno;
	*ret = st.st_uid;
	return 0;
}

int users_adopt(struct sandbox *s)
{
	(void)fd_close(s->users_fd);
	s->users_fd = userns_of(s->netns_fd);
	int r = s->users_fd < 0 ? s->users_fd : first_id(s, &s->first_id);
	if (r == 0)
		leases_claim_ids(s->daemon, s->uid, s->first_id);
	return r;
}

int users_map(const struct sandbox *s, int tree, bool recursive)
{
	return mnt_idmap(tree, s->users_fd, recursive);
}
